"""A seller's home in sentences."""

from markupsafe import Markup

from houbao.core.score import Score, score_on, standing
from houbao.engine.ports import Lines
from houbao.engine.scoring import curves_of, zone_in
from houbao.web.console.choices import default_told
from houbao.web.console.language import N_, Voice
from houbao.web.console.views.inbox import Inbox, Row
from houbao.web.site import PART, Site


def lede(voice: Voice, inbox: Inbox) -> Markup:
    """What needs the seller and what it would cost, in one sentence."""
    count = len(inbox.needs)
    if not count:
        return voice.say(N_("<b>Nothing needs you.</b> No deadline of yours is running."))
    risks = voice.listed([voice.money(minor, currency) for currency, minor in inbox.at_risk.items()])
    first = next((row.due for row in inbox.needs if row.due), None)
    needs = voice.say_n("<b>%(n)s dispute needs you.</b>", "<b>%(n)s disputes need you.</b>", count)
    if not inbox.at_risk or first is None:
        return needs
    said = N_("If you answer nothing, <b>%(risk)s</b> goes to buyers from your balance, the first of it %(when)s.")
    return needs + " " + voice.say(said, risk=risks, when=voice.when(first))


def then(voice: Voice, row: Row) -> Markup:
    """What follows when nobody acts."""
    return Markup.escape(default_told(voice, "seller", row.dispute, row.default).striptags())


def score_today(site: Site, store: str) -> Score | None:
    """The store's score of today, as far as it has come; None where nothing is scored."""
    book = site.scorebook
    programme = book.programme()
    if programme is None:
        return None
    zone = zone_in(programme)
    today = site.clock().astimezone(zone).date()
    lines = book.lines(PART, None, store).get(store, Lines())
    return score_on(standing(lines.deals, lines.tallies, zone), today, curves_of(book, programme, today, zone))
