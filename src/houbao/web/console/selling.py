"""A seller's home in sentences."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from houbao.core.disputes import Dispute
from houbao.core.score import Score, score_on, standing
from houbao.core.terms import Refused
from houbao.engine.scorebook import Lines
from houbao.engine.scoring import curves_of, zone_in
from houbao.store.pages import Purse
from houbao.web.console.choices import Fact, default_told, money_told
from houbao.web.console.deeds import minor_of
from houbao.web.console.language import N_, Voice
from houbao.web.console.views.consequences import Consequence
from houbao.web.console.views.inbox import Inbox, Row
from houbao.web.console.views.orders import OrderPage
from houbao.web.site import PART, Site


def lede(voice: Voice, inbox: Inbox) -> Markup:
    """What needs the seller and what it would cost, in one sentence."""
    count = len(inbox.needs)
    if not count:
        return voice.say(N_("<b>Nothing needs you.</b> No deadline of yours is running."))
    risks = voice.listed([voice.money(minor, currency) for currency, minor in inbox.at_risk.items()])
    first = next((row.due for row in inbox.needs if row.due and row.risk), None)
    needs = voice.say_n("<b>%(n)s dispute needs you.</b>", "<b>%(n)s disputes need you.</b>", count)
    if not inbox.at_risk or first is None:
        return needs
    if count == 1:
        said = N_("If you do not answer, <b>%(risk)s</b> goes to the buyer from your balance, %(when)s.")
        return needs + " " + voice.say(said, risk=risks, when=voice.when(first))
    said = N_("If you answer nothing, <b>%(risk)s</b> goes to buyers from your balance, the first of it %(when)s.")
    return needs + " " + voice.say(said, risk=risks, when=voice.when(first))


def then(voice: Voice, row: Row) -> Markup:
    """What follows when nobody acts."""
    if row.asked:
        return voice.say(N_("nothing by itself: the platform decides on what it has"))
    return Markup.escape(default_told(voice, "seller", row.dispute, row.default).striptags())


GIFT = N_("Send %(amount)s to the buyer from my balance")


def gift(voice: Voice, found: Consequence, disputes: Sequence[Dispute]) -> list[Fact]:
    """What goodwill would do, line by line; with what may be paid beside it, where a dispute of the order is open."""
    still = [one for one in disputes if one.phase != "closed"]
    return [
        Fact(voice.say(N_("Your balance")), money_told(voice, "seller", found)),
        Fact(voice.say(N_("The buyer gets")), voice.money(found.added, found.currency)),
        Fact(voice.say(N_("Record")), voice.say(N_("It counts nowhere."))),
        *(Fact(voice.say(N_("Open on this order")), _beside(voice, one, found.added)) for one in still),
    ]


def amounts(voice: Voice, found: OrderPage, purse: Purse | None, form: Mapping[str, str]) -> dict[str, str]:
    """The amounts that a refusal of goodwill may be about, as money."""
    currency = found.order.currency
    try:
        typed = voice.money(minor_of(form, currency), currency)
    except Refused:
        typed = form.get("amount", "")
    free = voice.money(purse.free if purse else 0, currency)
    return {"left": voice.money(found.left, currency), "free": free, "typed": typed, "asked": ""}


def _beside(voice: Voice, dispute: Dispute, given: int) -> Markup:
    amount = dispute.amount
    said = N_("A dispute about %(amount)s: it goes on. If it is paid too, the buyer gets %(sum)s in all.")
    if dispute.offer and dispute.offer.amount:
        amount = dispute.offer.amount
        said = N_("Your offer of %(amount)s: it stands. If the buyer accepts, both are paid, %(sum)s in all.")
    shown = {"amount": voice.money(amount, dispute.currency), "sum": voice.money(amount + given, dispute.currency)}
    return voice.say(said, **shown)


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
