"""What happened beside the disputes, event by event, in words: stores, orders, the fund, outages. For those who look
through everything; disputes are told by `chronicle.py`."""

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from houbao.core import breaker, fund, outages
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core import watches as w
from houbao.core.chargebacks import ChargebackMoved
from houbao.core.messages import OrderMessageWritten
from houbao.web.console.happenings import HAPPENING
from houbao.web.console.language import N_, Voice
from houbao.web.console.words import low

Teller = Callable[[Voice, Any], Markup]


def told(voice: Voice, event: Any) -> Markup:
    """The event as a sentence with what it is about; its kind's own words where there is no more to say."""
    teller = TELLERS.get(type(event))
    if teller:
        return teller(voice, event)
    return voice.say(HAPPENING.get(type(event).__struct_config__.tag, ""))


def _store(message: str) -> Teller:
    return lambda voice, event: voice.say(message, store=event.store)


def _money(message: str) -> Teller:
    return lambda voice, event: voice.say(
        message,
        amount=voice.money(event.minor, event.currency),
        store=getattr(event, "store", ""),
        provider=getattr(event, "provider", ""),
    )


# --- stores --------------------------------------------------------------------------------------------------------


def _assessed(voice: Voice, event: w.StoreAssessed) -> Markup:
    found = event.standing
    said = voice.say_n(
        "Store %(store)s assessed: %(n)s dispute in 30 days",
        "Store %(store)s assessed: %(n)s disputes in 30 days",
        found.disputes,
        store=event.store,
    )
    if not found.currency:
        return said
    return said + voice.say(N_(", %(amount)s paid by the fund"), amount=voice.money(found.exposure, found.currency))


_STORES: dict[type, Teller] = {
    p.StoreRegistered: _store(N_("Store %(store)s registered")),
    p.ContactChanged: _store(N_("Address of store %(store)s changed")),
    p.StoreEnrolled: _store(N_("Store %(store)s joined the guarantee")),
    p.StoreLeft: _store(N_("Store %(store)s left the guarantee")),
    w.StoreAssessed: _assessed,
    w.WatchSet: lambda v, e: v.say(
        N_("Store %(store)s put under watch: %(why)s"), store=e.store, why=low(v, "watch", e.why)
    ),
    w.WatchLifted: _store(N_("Watch on store %(store)s lifted")),
}

# --- orders --------------------------------------------------------------------------------------------------------


def _paid(voice: Voice, event: o.OrderPaid) -> Markup:
    amount = voice.money(sum(payment.minor for payment in event.payments), event.currency)
    covered = N_("Order of %(amount)s at %(store)s paid, covered")
    return voice.say(
        covered if event.coverage.covered else N_("Order of %(amount)s at %(store)s paid, not covered"),
        amount=amount,
        store=event.store,
    )


_ORDERS: dict[type, Teller] = {
    o.OrderPlaced: lambda v, e: v.say(
        N_("Order %(reference)s placed at %(store)s"), reference=e.reference, store=e.store
    ),
    o.OrderPaid: _paid,
    o.OrderMoved: lambda v, e: v.say(N_("Order at %(store)s: %(state)s"), store=e.store, state=low(v, "moved", e.to)),
    o.OrderPaidOut: _money(N_("%(amount)s paid out to store %(store)s")),
    o.OrderRated: lambda v, e: v.say(
        N_("Order at %(store)s rated: description %(description)s, service %(service)s, delivery %(logistics)s"),
        store=e.store,
        description=e.description,
        service=e.service,
        logistics=e.logistics,
    ),
    ChargebackMoved: lambda v, e: v.say(
        N_("Chargeback of %(amount)s at store %(store)s: %(state)s"),
        amount=v.money(e.minor, e.currency),
        store=e.store,
        state=low(v, "chargeback", e.state),
    ),
    OrderMessageWritten: _store(N_("Message written on an order at %(store)s")),
}

# --- the fund, and the platform's own ------------------------------------------------------------------------------


def _line(voice: Voice, event: breaker.BreakerSet) -> Markup:
    if not event.below:
        return voice.say(N_("The line for new coverage was taken away, %(currency)s"), currency=event.currency)
    return voice.say(
        N_("Below a ratio of %(line)s no new order is covered, %(currency)s"),
        line=voice.thousandths(event.below),
        currency=event.currency,
    )


_FUND: dict[type, Teller] = {
    fund.CapitalAdded: _money(N_("Capital of %(amount)s came from the bank into the fund")),
    fund.DepositPaid: _money(N_("Store %(store)s paid %(amount)s into its deposit")),
    fund.CashMoved: lambda v, e: _money(
        N_("Cash of %(amount)s moved from %(provider)s back to the bank")
        if e.back
        else N_("Cash of %(amount)s moved from the bank to %(provider)s")
    )(v, e),
    fund.DebtRepaid: _money(N_("Store %(store)s paid back %(amount)s")),
    breaker.BreakerSet: _line,
    breaker.CoverageStopped: lambda v, e: v.say(
        N_("New orders are not covered: the fund holds %(holds)s and will owe %(owes)s"),
        holds=v.money(e.holds, e.currency),
        owes=v.money(e.owes, e.currency),
    ),
    breaker.CoverageResumed: lambda v, e: v.say(N_("New orders are covered again, %(currency)s"), currency=e.currency),
    outages.OutageEntered: lambda v, e: v.say(
        N_("Outage from %(start)s to %(end)s: what runs over it is due later"),
        start=v.moment(e.start),
        end=v.moment(e.end),
    ),
}

TELLERS: dict[type, Teller] = _STORES | _ORDERS | _FUND
"""Event → how it is told: every event that is none of a dispute (a test holds them together)."""
