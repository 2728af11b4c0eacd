"""What to do about a difference: why it may be there, the entry that would even it, and the very command to run.

Nothing is booked here. Where no command books such an entry, the command is empty and the reason says who to ask. What
only a person knows stands in the command as a word in capitals, and the reason says what belongs in its place. Reasons
are `Said`: a page can tell them in its reader's language.
"""

import re
from datetime import UTC, datetime, time
from shlex import join
from typing import Any

from msgspec import Raw, Struct, json, structs

from houbao.books.cash import Cash
from houbao.books.external import External, key_of
from houbao.books.matching import Pair
from houbao.core.accounts import AVAILABLE, BANK, EXPENSE, provider_account, provider_of, store_account
from houbao.core.chargebacks import Chargeback
from houbao.core.fund import MoveCash, PayDeposit, TopUp
from houbao.core.money import Money, decimal
from houbao.core.orders import Order, Paid, PaidOut, Payment
from houbao.core.refunds import SettleRefund
from houbao.core.said import Code, Said
from houbao.core.terms import Refused, parse_id, public_id

Tried = TopUp | PayDeposit | MoveCash | SettleRefund | Paid | PaidOut | Chargeback

FILL = {
    "TIME": Said("when it was, such as 2026-07-08T12:20:00Z"),
    "COMMISSION": Said("the platform's share in minor units, 0 for none"),
    "PAYMENT": Said("the id of the payment"),
    "STATE": Said("opened while the bank decides, which books nothing yet, or lost where it has the money for good"),
}
"""What only a person knows → what belongs there."""


class Known(Struct, frozen=True):
    """What a proposal may name: the account that is reconciled, the providers that are set up, the stores, the orders,
    where a refund stands by its attempt (dispute's number, state), and what time it is."""

    account: str
    providers: list[str]
    stores: frozenset[str]
    orders: dict[str, Order]
    attempts: dict[str, tuple[int, str]]
    now: datetime


class Proposal(Struct, frozen=True):
    """Why, and what would even it: minor units from source to target, and the command that books it. `tries` is what
    the command would have Houbao do, so that one that would be refused is not proposed."""

    reason: Said
    source: str = ""
    target: str = ""
    minor: int = 0
    currency: str = ""
    command: str = ""
    tries: Tried | None = None


def without_command(proposal: Proposal, refused: Refused) -> Proposal:
    """The proposal where its command would be refused now: without it, but with why."""
    said = Said(
        "%(reason)s. As things stand no command books it: %(refused)s",
        reason=proposal.reason,
        refused=refused.said or Code("refused", refused.code, refused.detail),
    )
    return structs.replace(proposal, reason=said, command="")


def for_extra(line: External, known: Known) -> Proposal:
    """What stands in their file alone."""
    if known.account == BANK:
        return _bank_extra(line, known)
    return _provider_extra(line, known)


def _bank_extra(line: External, known: Known) -> Proposal:
    named = next((one for one in known.providers if one in {token.lower() for token in line.tokens}), "")
    provider = named or (known.providers[0] if len(known.providers) == 1 else "")
    if line.minor < 0 and provider:
        said = Said(
            "money went out that nothing here explains: if it went to provider %(provider)s, book it so",
            provider=provider,
        )
        return _moved(line, said, provider, provider_account(provider), known)
    if line.minor < 0:
        return _even(line, Said("money went out that nothing here explains: ask who sent it"), EXPENSE, known)
    store = next(iter(sorted(line.tokens & known.stores)), "")
    if store:
        said = Said("money came in that names store %(store)s: if it is for its deposit, book it so", store=store)
        deposit = PayDeposit(store=store, minor=line.minor, currency=line.currency)
        return _even(line, said, store_account(store, "deposit"), known, _fund(line, "deposit", store), deposit)
    if named:
        said = Said(
            "money came in that names provider %(provider)s: if it paid out what was there, book it so", provider=named
        )
        return _moved(line, said, named, provider_account(named), known)
    said = Said("money came in that nothing here explains: if it is capital, book it so")
    capital = TopUp(minor=line.minor, currency=line.currency)
    return _even(line, said, AVAILABLE, known, _fund(line, "top-up"), capital)


def _provider_extra(line: External, known: Known) -> Proposal:
    kind = line.kind.lower()
    attempt = next((token for token in sorted(line.tokens) if token in known.attempts), "")
    if attempt:
        return _extra_attempt(line, attempt, known)
    if line.minor < 0 and re.search(r"dispute|chargeback|adjustment", kind):
        return _extra_chargeback(line, known)
    if line.minor < 0 and re.search(r"payout|transfer", kind):
        return _extra_payout(line, known)
    if line.minor < 0:
        return _even(line, Said("money went out there, and not by Houbao: ask who sent it"), EXPENSE, known)
    if re.search(r"topup|top_up|top-up|transfer", kind):
        provider = provider_of(known.account)
        return _moved(line, Said("money came there from the bank and is not booked"), provider, BANK, known)
    return _extra_payment(line, known)


def _extra_attempt(line: External, attempt: str, known: Known) -> Proposal:
    number, state = known.attempts[attempt]
    about = {"attempt": attempt, "dispute": public_id("dispute", 0, number), "state": Code("share", state)}
    if line.minor < 0 and state in ("sent", "unknown"):
        said = Said("%(attempt)s of %(dispute)s is %(state)s here: the worker looks it up and books it", **about)
        return _even(line, said, "", known, "houbao work --once")
    if line.minor < 0:
        said = Said(
            "%(attempt)s of %(dispute)s is %(state)s here, and was paid there: ask whether it was paid twice", **about
        )
        return _even(line, said, EXPENSE, known)
    said = Said(
        "%(attempt)s of %(dispute)s came back there: the provider has to report it as returned",
        attempt=attempt,
        dispute=about["dispute"],
    )
    return _even(line, said, "", known)


# --- what belongs to an order --------------------------------------------------------------------------------------


def _extra_payment(line: External, known: Known) -> Proposal:
    name, order = _order(line, known)
    if order is None:
        return _even(line, _payment_of_none(name), "", known)
    payable = store_account(order.store, "payable")
    if order.paid_at:
        said = Said(
            "a payment of %(order)s, which is paid here without it: ask the marketplace whether it was paid twice",
            order=name,
        )
        return _even(line, said, payable, known)
    if not any(payment.minor == line.minor for payment in _payments(line, order, known)):
        said = Said(
            "a payment of %(order)s, which was placed without one of that amount there: ask the marketplace for its"
            " own",
            order=name,
        )
        return _even(line, said, payable, known)
    said = _payment_not_said(name, len(order.payments) - 1)
    share = {"minor": Raw(b"COMMISSION"), "currency": line.currency}
    tries = Paid(order=order.id, at=_at(line))
    return _on_order(line, name, said, payable, known, {"type": "paid", "commission": share}, tries)


def _payment_of_none(name: str) -> Said:
    """Why a payment stands there alone whose order is not here; `name` is the order's id, where the line names one."""
    if name:
        return Said(
            "a payment of %(order)s, which is not here: bring in the order that it belongs to (`houbao import`)",
            order=name,
        )
    return Said(
        "a payment that no paid order here has: bring in the order that it belongs to (`houbao import`)",
    )


def _payment_not_said(name: str, others: int) -> Said:
    """Why the payment of an unpaid order stands there alone; so many other payments pay it too."""
    if others > 1:
        return Said(
            "a payment of %(order)s, which is not paid here: say that it is, once its other payments have arrived too",
            order=name,
        )
    if others:
        return Said(
            "a payment of %(order)s, which is not paid here: say that it is, once its other payment has arrived too",
            order=name,
        )
    return Said("a payment of %(order)s, which is not paid here: say that it is", order=name)


def _extra_payout(line: External, known: Known) -> Proposal:
    name, order = _order(line, known)
    if name and order is None:
        said = Said("a payout for %(order)s, which is not here: bring it in (`houbao import`)", order=name)
        return _even(line, said, "", known)
    if order is None and "payout" not in line.kind.lower():
        said = Said("money went to another account there: a store's payout is booked on its order (`paid_out`)")
        return _even(line, said, "", known)
    if order is None:
        said = Said("the provider paid out: to the bank, book it so; to a store, on its order instead (`paid_out`)")
        return _moved(line, said, provider_of(known.account), BANK, known)
    payable = store_account(order.store, "payable")
    ours = order.payments[0].provider if order.payments else ""
    if (provider_account(ours), order.currency) != (known.account, line.currency):
        return _even(line, _payout_of_another(name, ours, order.currency), payable, known)
    event: dict[str, Any] = {"type": "paid_out", "amount": _money(-line.minor, line)}
    if line.fee > 0:
        event["fee"] = _money(line.fee, line)
    tries = PaidOut(order=order.id, at=_at(line), minor=-line.minor, fee=max(0, line.fee))
    said = Said("a payout for %(order)s: book it on the order", order=name)
    return _on_order(line, name, said, payable, known, event, tries)


def _payout_of_another(name: str, provider: str, currency: str) -> Said:
    """Why a payout is not that of the order which it names; `provider` is by whom the order's own go out."""
    if provider:
        return Said(
            "a payout for %(order)s, whose payouts go out by %(provider)s in %(currency)s: ask whose it is",
            order=name,
            provider=provider,
            currency=currency,
        )
    return Said(
        "a payout for %(order)s, whose payouts go out by no provider in %(currency)s: ask whose it is",
        order=name,
        currency=currency,
    )


def _extra_chargeback(line: External, known: Known) -> Proposal:
    name, order = _order(line, known)
    if order is None:
        return _even(line, _taken_back_of_none(name), "", known)
    own = [payment.id for payment in _payments(line, order, known) if payment.minor >= -line.minor]
    if not own:
        said = Said(
            "a bank took money back of %(order)s, which has no payment of so much there: ask which order it was",
            order=name,
        )
        return _even(line, said, "", known)
    begun = [one for one in order.chargebacks if (one.state, one.minor) == ("opened", -line.minor)]
    begun = [one for one in begun if one.payment in own]
    named = [one for one in own if one in line.tokens] or own
    payment = named[0] if len(named) == 1 else "PAYMENT"
    reference, state = key_of(line), "STATE"
    said = Said("a bank took money back of %(order)s: say so", order=name)
    if len(begun) == 1:
        payment, reference, state = begun[0].payment, begun[0].reference, "lost"
        said = Said(
            "a bank took money back of %(order)s: where it has decided, say that chargeback %(reference)s is lost",
            order=name,
            reference=reference,
        )
    event = {
        "type": "chargeback",
        "payment": payment,
        "reference": reference,
        "amount": _money(-line.minor, line),
        "state": state,
    }
    tries = Chargeback(
        order=order.id,
        payment=named[0] if payment == "PAYMENT" else payment,
        reference=reference,
        minor=-line.minor,
        state="lost",
    )
    return _on_order(line, name, said, "", known, event, tries)


def _taken_back_of_none(name: str) -> Said:
    """Why a chargeback stands there alone whose order is not here; `name` is its id, where the line names one."""
    if name:
        return Said(
            "a bank took money back of %(order)s, which is not here: say so on the order whose payment it was"
            " (`chargeback`)",
            order=name,
        )
    return Said("a bank took money back: say so on the order whose payment it was (`chargeback`)")


def _on_order(
    line: External,
    name: str,
    said: Said,
    other: str,
    known: Known,
    event: dict[str, Any],
    tries: Paid | PaidOut | Chargeback,
) -> Proposal:
    """The event of an order that books the line, by the call of the API."""
    if not isinstance(tries, Chargeback):
        event["at"] = _written(line.at) if line.at else "TIME"
    body = json.encode(event).decode()
    left = tuple(
        Said("%(word)s (%(what)s)", word=word, what=what)
        for word, what in FILL.items()
        if re.search(rf':"?{word}"?[,}}]', body)
    )
    if left:
        said = Said("%(reason)s; put in what only you know: %(left)s", reason=said, left=left)
    return _even(line, said, other, known, _call(f"orders/{name}/events", key_of(line), body), tries)


def _order(line: External, known: Known) -> tuple[str, Order | None]:
    """The id of the order that the line names, and the order where it is here."""
    for token in sorted(line.tokens):
        if token.startswith("order_"):
            try:
                parse_id("order", token)
            except Refused:
                continue
            return token, known.orders.get(token)
    return "", None


def _payments(line: External, order: Order, known: Known) -> list[Payment]:
    """The payments of the order that went over that account."""
    if order.currency != line.currency:
        return []
    return [payment for payment in order.payments if provider_account(payment.provider) == known.account]


def _at(line: External) -> datetime:
    """When it was, or the end of the day: what is tried must not be refused for an hour that nobody has said yet."""
    return line.at or datetime.combine(line.day, time(23, 59, 59), UTC)


def _money(minor: int, line: External) -> dict[str, object]:
    return {"minor": minor, "currency": line.currency}


# --- what stands here alone, and what differs ----------------------------------------------------------------------


def for_missing(cash: Cash, known: Known) -> Proposal:
    """What stands in the ledger alone: the entry that would take it back."""
    named = cash.payment or cash.dispute or cash.order or public_id("event", 0, cash.position)
    words = {
        "payment": Said("the payment %(named)s never arrived, or stands in another file", named=named),
        "refund": Said("the refund over %(named)s was never paid there, or stands in another file", named=named),
        "payout": Said("the store's payout never left, or stands in another file"),
        "payout_fee": Said("the fee of a payout stands in another line or file"),
        "chargeback": Said("the bank never took %(named)s back, or it stands in another file", named=named),
        "capital": Said("the capital never arrived, or stands in another file"),
        "deposit": Said("the deposit of store %(store)s never arrived, or stands in another file", store=cash.store),
        "cash_move": Said("the cash never moved, or is on its way"),
    }
    kind = Code("entry", cash.kind, cash.kind.replace("_", " "))
    said = Said(
        "%(reason)s: look at the neighbouring file first, then ask there; no command takes a booking back by itself",
        reason=words.get(cash.kind)
        or Said("%(what)s of %(named)s stands in no line of the file", what=kind, named=named),
    )
    source, target = (cash.other, known.account) if cash.minor > 0 else (known.account, cash.other)
    return Proposal(said, source, target, abs(cash.minor), cash.currency)


def for_different(pair: Pair, told: list[str], known: Known) -> Proposal:
    """What both tell, each its own way."""
    theirs, ours = pair.theirs, pair.ours
    if "currency" in told and ours.kind == "refund" and ours.dispute and theirs.minor < 0:
        taken = decimal(-theirs.minor, theirs.currency)
        command = join(["houbao", "fund", "settle", ours.dispute, ours.payment, taken, theirs.currency])
        said = Said(
            "paid in %(ours)s, taken in %(theirs)s: settle it at what was taken",
            ours=ours.currency,
            theirs=theirs.currency,
        )
        settle = SettleRefund(dispute=parse_id("dispute", ours.dispute)[1], payment=ours.payment, taken=-theirs.minor)
        return Proposal(said, "", known.account, -theirs.minor, theirs.currency, command, settle)
    if "currency" in told:
        return Proposal(
            Said(
                "booked in %(ours)s, there it is %(theirs)s: ask which it was",
                ours=ours.currency,
                theirs=theirs.currency,
            )
        )
    if "amount" in told:
        more = theirs.minor - ours.minor
        amount = Money(abs(more), ours.currency)
        said = (
            Said("%(amount)s more there than here: ask there; no command changes a booking", amount=amount)
            if more > 0
            else Said("%(amount)s less there than here: ask there; no command changes a booking", amount=amount)
        )
        source, target = (known.account, EXPENSE) if more > 0 else (EXPENSE, known.account)
        return Proposal(said, source, target, abs(more), ours.currency)
    apart = abs((theirs.day - ours.day).days)
    return Proposal(
        Said("the same amount, %(days)s days apart: nothing to book; --days %(days)s takes them as one", days=apart)
    )


# --- how it is said ------------------------------------------------------------------------------------------------


def _even(
    line: External, said: Said, other: str, known: Known, command: str = "", tries: Tried | None = None
) -> Proposal:
    """The entry that books what stands there alone; `other` is the account on the other side, where it is known."""
    source, target = (known.account, other) if line.minor > 0 else (other, known.account)
    return Proposal(said, source, target, abs(line.minor), line.currency, command, tries)


def _moved(line: External, said: Said, provider: str, other: str, known: Known) -> Proposal:
    """Cash that went from the bank to a provider, or back. It stands in a file of either."""
    back = (line.minor > 0) == line.bank
    went = line.at or datetime.combine(line.day, time(), UTC)
    at = went if went <= known.now else None  # a bank's day may begin before that day does in UTC
    move = MoveCash(provider=provider, minor=abs(line.minor), currency=line.currency, back=back, at=at)
    said = (
        Said("%(reason)s; the file of the provider tells it too: book it for one of the two", reason=said)
        if line.bank
        else Said("%(reason)s; the file of the bank tells it too: book it for one of the two", reason=said)
    )
    command = _fund(line, "cash-move", provider)
    command += (f" --at {_written(at)}" if at else "") + (" --back" if back else "")
    return _even(line, said, other, known, command, move)


def _fund(line: External, *words: str) -> str:
    """The command of `houbao fund` that books the line."""
    amount = decimal(abs(line.minor), line.currency)
    return join(["houbao", "fund", *words, amount, line.currency, "--key", key_of(line)])


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _call(path: str, key: str, body: str) -> str:
    """The call of the API that says so."""
    return (
        f'curl -X POST "$HOUBAO_URL/v1/{path}" -H "Authorization: Bearer $HOUBAO_KEY"'
        f" -H {join([f'Idempotency-Key: {key}'])} -d {join([body])}"
    )
