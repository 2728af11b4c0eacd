"""Why a claim goes the way it does, from the policy: the rule that decides, and what kept each one before it from
deciding. What could be gamed is told to nobody here."""

from markupsafe import Markup

from houbao.core.conditions import PRIVATE_FACTS, Facts
from houbao.core.promise import condition_words, says
from houbao.core.rulings import Compiled, assess
from houbao.web.console.language import N_, Voice


def reasons(voice: Voice, rules: Compiled, facts: Facts) -> list[Markup]:
    """The rule that matches the facts, then why each rule before it that would lead elsewhere does not."""
    ruling = assess(rules, facts)
    by_name = {rule.name: rule for rule in rules.policy.rules}
    told = [voice.say(N_("<b>%(says)s</b>"), says=says(ruling.rule, voice.say))]
    for miss in ruling.misses:
        rule = by_name[miss.rule]
        if rule.refuse:
            continue  # nothing was refused: that goes without saying
        condition = rule.when[miss.condition]
        if condition.fact in PRIVATE_FACTS:
            why = voice.say(N_("a check that is kept from everybody"))
        else:
            why = Markup.escape(condition_words(condition, rules.currency, voice.say, voice.money))
        said = N_("Not: %(says)s It needs: %(why)s.")
        told.append(voice.say(said, says=says(rule, voice.say), why=why))
    return told
