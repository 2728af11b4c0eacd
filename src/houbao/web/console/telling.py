"""The dispute's page in sentences: its title, its next deadline, the timeline with mails in it."""

from datetime import datetime

from markupsafe import Markup
from msgspec import Struct

from houbao.core.acts import DisputeRuled
from houbao.core.appeals import AppealRuled
from houbao.core.disputes import Dispute, due_at
from houbao.core.phases import default_outcome
from houbao.store.pages import Mail, Written
from houbao.web.console.choices import default_told, follows
from houbao.web.console.chronicle import Told, tell
from houbao.web.console.language import N_, Voice
from houbao.web.console.views.cases import Case
from houbao.web.console.words import low, word


class Line(Struct, frozen=True):
    """One entry of the timeline. `look` is will, now, money, paper or nothing; `text` free words of somebody."""

    at: datetime
    title: Markup
    note: Markup = Markup("")
    who: Markup | str = ""
    text: str = ""
    look: str = ""
    evidence: tuple[str, ...] = ()


def title(voice: Voice, case: Case) -> Markup:
    """What happened, in one line."""
    dispute = case.dispute
    said = N_("%(reason)s: you ask %(amount)s") if case.role == "buyer" else N_("%(reason)s: the buyer asks %(amount)s")
    return voice.say(
        said, reason=word(voice, "reason", dispute.reason), amount=voice.money(dispute.amount, dispute.currency)
    )


UNTIL = {
    "agent": N_("The platform decides by <b>%(when)s</b> · %(left)s · if not, %(then)s"),
    "mail": N_("The official notice is accepted by <b>%(when)s</b> · %(left)s · if not, %(then)s"),
    "seller": N_("The seller answers by <b>%(when)s</b> · %(left)s · if not, %(then)s"),
    "buyer": N_("The buyer answers by <b>%(when)s</b> · %(left)s · if not, %(then)s"),
    "carrier": N_("The parcel arrives by <b>%(when)s</b> · %(left)s · if not, %(then)s"),
    "platform": N_("The platform inspects by <b>%(when)s</b> · %(left)s · if not, %(then)s"),
    "finance": N_("It waits for money · if there is not enough by <b>%(when)s</b> · %(left)s, %(then)s"),
    "provider": N_("The payment goes through by <b>%(when)s</b> · %(left)s · if not, %(then)s"),
}
MINE = N_('Answer by <b>%(when)s</b> · <span class="left">%(left)s</span> · then %(then)s')


class Next(Struct, frozen=True):
    """The band under the title: until when, how long, and then what. `mine`: the reader must act."""

    says: Markup
    small: Markup
    mine: bool


def next_of(voice: Voice, case: Case) -> Next | None:
    """What happens next in an open dispute."""
    dispute = case.dispute
    if dispute.phase == "closed":
        return None
    if dispute.frozen:
        return Next(
            voice.say(N_("Nobody’s time runs until the buyer’s bank has decided about the payment.")), Markup(""), False
        )
    if case.role == "buyer" and dispute.phase == "refunding" and case.waiting != "buyer":
        return Next(voice.say(BACK_TO_BUYER), Markup(""), False)
    if case.due is None or not case.default:
        return Next(voice.say(QUIET.get(dispute.phase, N_("It goes on by itself."))), Markup(""), False)
    if case.mine and case.mine.open:
        says = voice.say(EVIDENCE, when=voice.when(case.mine.until), left=voice.left(case.mine.until))
        return Next(says, voice.say(SILENT, place=voice.place()), True)
    mine = case.waiting == case.role
    message = MINE if mine else UNTIL[case.waiting]
    says = voice.say(message, when=voice.when(case.due), left=voice.left(case.due), then=follows(voice, case))
    return Next(says, _small(voice, case, mine), mine)


EVIDENCE = N_('The platform asks you for evidence by <b>%(when)s</b> · <span class="left">%(left)s</span>')
SILENT = N_("%(place)s time. If nothing comes, nothing happens by itself: the platform decides on what it has.")
BACK_TO_BUYER = N_(
    "The refund is approved and on its way. It goes back the way you paid; how many days that takes is your bank’s."
)
QUIET = {
    "refunding": N_("The refund is approved and on its way. Nothing is left to do."),
    "awaiting_funds": N_(
        "The refund is approved. It is paid as soon as there is money for it, in the order of approval."
    ),
}


WAITS_ON = N_(
    "Nothing for you to do. Refunds are paid in the order of approval. If it must wait longer than that, we write to "
    "you each day."
)


def _small(voice: Voice, case: Case, mine: bool) -> Markup:
    if case.role == "buyer" and case.dispute.phase == "awaiting_funds":
        return voice.say(WAITS_ON)
    if mine:
        return voice.say(
            N_("%(place)s time. An answer received before that counts, even if we are slow."), place=voice.place()
        )
    if case.mine and case.mine.came:
        return voice.say(
            N_("You sent evidence %(when)s: the platform looks at it. Nothing else for you to do."),
            when=voice.when(case.mine.came),
        )
    if case.role == "seller" and case.dispute.payer == "fund":
        return voice.say(
            N_("Nothing for you to do: the guarantee handles this one. You may watch, write and add evidence.")
        )
    return voice.say(N_("Nothing for you to do."))


# --- the timeline --------------------------------------------------------------------------------------------------

MAILS = {
    "notice": N_("Official notice sent"),
    "answer_needed": N_("Mail: an answer is needed"),
    "handled_for_you": N_("Mail: handled for you"),
    "opened": N_("Mail: we have your dispute"),
    "your_turn": N_("Mail: your turn"),
    "more_time": N_("Mail: more time"),
    "reminder": N_("Mail: reminder"),
    "platform_decides": N_("Mail: the platform decides"),
    "evidence_wanted": N_("Mail: evidence wanted"),
    "send_back": N_("Mail: send the goods back"),
    "inspect": N_("Mail: inspect the return"),
    "send_replacement": N_("Mail: send the replacement"),
    "replacement_sent": N_("Mail: replacement sent"),
    "reopened": N_("Mail: taken up again"),
    "frozen": N_("Mail: the dispute stands still"),
    "thawed": N_("Mail: the dispute goes on"),
    "appealed": N_("Mail: an appeal is heard"),
    "payout_way": N_("Mail: name another way to be paid"),
    "delivered_after_refund": N_("Mail: delivered after the refund"),
    "goodwill": N_("Mail: goodwill"),
    "still_waiting": N_("Mail: the refund still waits"),
    "closed": N_("Mail: closed"),
}


def timeline(voice: Voice, case: Case) -> list[Line]:
    """What will come, the line "now", then what was, the latest first: events, words, money and mails in one."""
    told = [(one.at, one.position, 0, _line(voice, case, one.event, one.at, one.text)) for one in case.happened]
    told += [(mail.at, mail.position, 1, _mail(voice, case.role, mail)) for mail in case.mails]
    told += [(one.at, one.position, 0, _letter(voice, case.role, one)) for one in case.letters]
    told.sort(key=lambda one: one[:3], reverse=True)
    was = [line for *_, line in told if line is not None]
    if case.dispute.phase == "closed":
        return was
    return [*_coming(voice, case), Line(voice.now, voice.say(N_("Now")), look="now"), *was]


def _line(voice: Voice, case: Case, event: object, at: datetime, text: str) -> Line | None:
    told: Told | None = tell(voice, event, case.role, case.dispute.currency)
    if told is None:
        return None
    return Line(
        at, told.title, told.note, actor(voice, case.role, told.who), text, told.look, getattr(event, "evidence", ())
    )


def _letter(voice: Voice, reader: str, written: Written) -> Line:
    text = written.text or str(voice.say(N_("(erased)")))
    return Line(written.at, voice.say(N_("Message on the order")), who=actor(voice, reader, written.by), text=text)


def actor(voice: Voice, reader: str, role: str) -> Markup | str:
    """Who did it, to that reader."""
    if not role:
        return ""
    return voice.say(N_("you")) if role == reader and role in ("buyer", "seller") else word(voice, "party", role)


def _mail(voice: Voice, reader: str, mail: Mail) -> Line:
    what = voice.say(MAILS[mail.what]) if mail.what in MAILS else word(voice, "party", mail.what)
    to = voice.say(N_("to %(who)s"), who=actor(voice, reader, mail.to))
    failed = voice.say(N_("It could not be delivered.")) if mail.state == "failed" else Markup("")
    return Line(mail.at, what, failed, to, look="paper")


def _coming(voice: Voice, case: Case) -> list[Line]:
    """What happens by itself, the farthest first."""
    coming: list[Line] = []
    if case.due and case.default:
        when_nobody = voice.say(N_("if nobody has acted"))
        coming.append(
            Line(case.due, Markup.escape(_sentence(follows(voice, case).striptags())), when_nobody, look="will")
        )
    for timer in case.dispute.timers:
        if timer.kind == "evidence":
            coming.append(Line(timer.at, voice.say(N_("The time for evidence is over")), look="will"))
        if timer.kind == "escalate" and timer.at != case.due:
            said = voice.say(N_("Goes to the platform"))
            coming.append(Line(timer.at, said, voice.say(N_("if you two still disagree")), look="will"))
    return sorted(coming, key=lambda line: line.at, reverse=True)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def outcome_of(voice: Voice, dispute: Dispute, role: str = "") -> Markup:
    """How a closed one ended, said to that reader."""
    if role == "buyer" and dispute.outcome == "withdrawn":
        return voice.say(N_("<b>You withdrew it.</b>"))
    outcome, how = word(voice, "outcome", dispute.outcome), low(voice, "resolved_by", dispute.resolved_by)
    return voice.say(N_("<b>%(outcome)s</b>, %(how)s."), outcome=outcome, how=how)


RULINGS = {
    "justified": N_("Justified"),
    "unjustified": N_("Not justified"),
    "out_of_scope": N_("Outside the guarantee"),
    "stands": N_("The ruling stands"),
}


def _finding(event: object) -> str:
    return event.finding if isinstance(event, DisputeRuled | AppealRuled) else ""


def ruling_of(voice: Voice, case: Case) -> Markup:
    """The platform's last ruling, in a word."""
    return voice.say(RULINGS[_finding(case.ruled.event)]) if case.ruled else Markup("")


def brief(voice: Voice, role: str, dispute: Dispute) -> Markup:
    """What happens next in a dispute, in one line of a list."""
    due, default = due_at(dispute), default_outcome(dispute)
    if dispute.phase == "closed" or due is None or not default:
        return Markup("")
    then = default_told(voice, role, dispute, default)
    said = N_("on %(when)s: %(then)s") if dispute.phase == "awaiting_funds" else N_("by %(when)s, or %(then)s")
    return voice.say(said, when=voice.when(due), then=Markup.escape(then.striptags()))
