"""The agents' pages in sentences: what stands in a queue, until when, and what the two parties said."""

from markupsafe import Markup
from msgspec import Struct

from houbao.core.acts import NoticeFailed, NoticeServed
from houbao.core.queues import has_it
from houbao.core.refunds import is_stuck
from houbao.core.terms import id_in
from houbao.store.desk import MOST_COUNTED
from houbao.web.console.choices import default_told, follows
from houbao.web.console.chronicle import tell
from houbao.web.console.language import N_, Voice
from houbao.web.console.states import Chip
from houbao.web.console.telling import Next, next_of
from houbao.web.console.views.asked import Asked
from houbao.web.console.views.cases import Case
from houbao.web.console.views.desk import Queue, QueueRow, Said, queue_of
from houbao.web.console.words import low

TITLES = {
    "verify": N_("Verify"),
    "judge": N_("Adjudicate"),
    "appeals": N_("Appeals"),
    "notices": N_("Notices"),
}
LEDES = {
    "verify": N_("Covered disputes: is it in the guarantee’s scope, and is it so? The fund pays what is justified."),
    "judge": N_("The two could not agree: what does the buyer get, who pays, and does it count?"),
    "appeals": N_("Somebody asks for one decision again. Whoever ruled before may not decide it."),
    "notices": N_("Official notices that no mail server has accepted yet. No seller’s time runs before that."),
}
EMPTY = {
    "verify": N_("Nothing to verify."),
    "judge": N_("Nothing to adjudicate."),
    "appeals": N_("No appeal is open."),
    "notices": N_("Every notice was accepted."),
}


def counted(voice: Voice, length: int) -> str:
    """How long a queue is, as far as it is counted."""
    return voice.count(MOST_COUNTED) + "+" if length >= MOST_COUNTED else voice.count(length)


def lede(voice: Voice, queue: Queue) -> Markup:
    """How much waits, and until when the first must be decided."""
    length = queue.lengths[queue.name]
    said = voice.say_n("<b>%(n)s dispute</b> waits.", "<b>%(n)s disputes</b> wait.", length)
    first = next((row.due for row in queue.rows if row.due), None)
    if not length or first is None:
        return voice.say(LEDES[queue.name])
    until = voice.say(
        N_("The first is due <b>%(when)s</b> (%(left)s)."), when=voice.when(first), left=voice.left(first)
    )
    return said + " " + until + " " + voice.say(LEDES[queue.name])


def holder_chip(voice: Voice, holder: str, me: str, proposed: bool) -> Chip:
    """Who has it, or what it waits for."""
    if holder and holder == me:
        return Chip("you", voice.say(N_("Claimed by you")))
    if holder:
        return Chip("other", voice.say(N_("Claimed by %(who)s"), who=id_in(holder)))
    if proposed:
        return Chip("you", voice.say(N_("Fraud proposed, to be signed")))
    return Chip("none", voice.say(N_("Nobody has it")))


def chip_of(voice: Voice, case: Case, me: str) -> Chip:
    """Who has the dispute of that page."""
    return holder_chip(voice, has_it(case.dispute, voice.now), me, case.dispute.proposed is not None)


def then(voice: Voice, row: QueueRow) -> Markup:
    """What follows when nobody decides."""
    return Markup.escape(default_told(voice, "agent", row.dispute, row.default).striptags())


CAME_BACK = N_(
    "No mail server took the last one. If the store’s address is wrong or missing, the store or the marketplace gives "
    "another one; then serve it again below."
)


def came_back(case: Case) -> bool:
    """Whether the latest official notice failed, and was not served again since."""
    latest = case.last(NoticeFailed, NoticeServed)
    return latest is not None and isinstance(latest.event, NoticeFailed)


DECIDE = N_('Rule by <b>%(when)s</b> · <span class="left">%(left)s</span> · if not, %(then)s')


SETTLE = N_("You need not wait: settle it by hand below, if it was paid another way or is given up.")


def next_for(voice: Voice, case: Case) -> Next | None:
    """The band under the title: for a dispute of a queue until when to rule, and what follows if nobody does."""
    if queue_of(case.dispute) not in ("verify", "judge", "appeals") or case.due is None:
        told = next_of(voice, case)
        if told and "serve_notice" in case.allowed and came_back(case):
            return Next(told.says, voice.say(CAME_BACK), told.mine)
        if told and "serve_notice" in case.allowed:
            return Next(told.says, voice.say(N_("If it does not arrive, serve it again below.")), told.mine)
        if told and "resolve_refund" in case.allowed and any(map(is_stuck, case.dispute.refunds)):
            return Next(told.says, voice.say(SETTLE), told.mine)
        return told
    says = voice.say(DECIDE, when=voice.when(case.due), left=voice.left(case.due), then=follows(voice, case))
    alert = next((timer.at for timer in case.dispute.timers if timer.kind == "alert" and timer.at > voice.now), None)
    small = Markup(" ").join(_evidence(voice, asked) for asked in case.wanted.values() if asked.open or asked.came)
    if not small and alert:
        small = voice.say(N_("If nobody has decided by %(when)s, an alert goes out."), when=voice.when(alert))
    return Next(says, small, True)


def _evidence(voice: Voice, asked: Asked) -> Markup:
    """What became of the evidence that was asked for."""
    party = low(voice, "party", asked.party)
    if asked.came:
        said = N_("The evidence asked of the %(party)s came %(when)s: it stands below.")
        return voice.say(said, party=party, when=voice.when(asked.came))
    said = N_("Evidence was asked of the %(party)s: it may come until %(when)s.")
    return voice.say(said, party=party, when=voice.when(asked.until))


class Word(Struct, frozen=True):
    """Something that a party said, as it is shown: when, with which act, the words, the pictures."""

    said: Said
    title: Markup


def words_of(voice: Voice, case: Case, said: list[Said]) -> list[Word]:
    """What a party said, each with the act that it came with."""
    found: list[Word] = []
    for one in said:
        told = tell(voice, one.event, "agent", case.dispute.currency)
        found.append(Word(one, told.title if told else Markup("")))
    return found
