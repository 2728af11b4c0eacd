"""What to do about a difference: why it may be there, the entry that would even it, and the very command to run.

Nothing is booked here. Where no command books such an entry, the command is empty and the reason says who to ask.
"""

import re
from shlex import join

from msgspec import Struct, json

from houbao.books.cash import Cash
from houbao.books.external import External, key_of
from houbao.books.matching import Pair
from houbao.core.accounts import AVAILABLE, BANK, EXPENSE, provider_account, store_account
from houbao.core.money import decimal
from houbao.core.terms import Refused, parse_id, public_id


class Known(Struct, frozen=True):
    """What a proposal may name: the account that is reconciled, the providers that are set up, the stores, and where a
    refund stands by its attempt (dispute's number, state)."""

    account: str
    providers: list[str]
    stores: frozenset[str]
    attempts: dict[str, tuple[int, str]]


class Proposal(Struct, frozen=True):
    """Why, and what would even it: minor units from source to target, and the command that books it."""

    reason: str
    source: str = ""
    target: str = ""
    minor: int = 0
    currency: str = ""
    command: str = ""


def for_extra(line: External, known: Known) -> Proposal:
    """What stands in their file alone."""
    if known.account == BANK:
        return _bank_extra(line, known)
    return _provider_extra(line, known)


def _bank_extra(line: External, known: Known) -> Proposal:
    amount = decimal(abs(line.minor), line.currency)
    key = ["--key", key_of(line.id)]
    if line.minor > 0:
        store = next(iter(sorted(line.tokens & known.stores)), "")
        if store:
            command = join(["houbao", "fund", "deposit", store, amount, line.currency, *key])
            said = f"money came in that names store {store}: if it is for its deposit, book it so"
            return _even(line, said, store_account(store, "deposit"), known, command)
        command = join(["houbao", "fund", "top-up", amount, line.currency, *key])
        return _even(
            line, "money came in that nothing here explains: if it is capital, book it so", AVAILABLE, known, command
        )
    named = next((one for one in known.providers if one in {token.lower() for token in line.tokens}), "")
    provider = named or (known.providers[0] if len(known.providers) == 1 else "")
    if not provider:
        return _even(line, "money went out that nothing here explains: ask who sent it", EXPENSE, known, "")
    command = join(["houbao", "fund", "cash-move", provider, amount, line.currency, *key])
    said = f"money went out that nothing here explains: if it went to provider {provider}, book it so"
    return _even(line, said, provider_account(provider), known, command)


def _provider_extra(line: External, known: Known) -> Proposal:
    kind = line.kind.lower()
    attempt = next((token for token in sorted(line.tokens) if token in known.attempts), "")
    if attempt:
        return _extra_attempt(line, attempt, known)
    if line.minor < 0 and re.search(r"dispute|chargeback|adjustment", kind):
        return _extra_chargeback(line, known)
    if line.minor < 0 and "payout" in kind:
        said = "the provider paid out, to the bank or to a store: a store's payout is booked on its order (`paid_out`)"
        return _even(line, said, BANK, known, "")
    if line.minor < 0:
        return _even(line, "money went out there, and not by Houbao: ask who sent it", EXPENSE, known, "")
    if re.search(r"topup|top_up|top-up|transfer", kind):
        provider = known.account.partition(":")[2]
        amount = decimal(line.minor, line.currency)
        command = join(["houbao", "fund", "cash-move", provider, amount, line.currency, "--key", key_of(line.id)])
        return _even(line, "money came there from the bank and is not booked", BANK, known, command)
    order = _named(line, "order")
    if order:
        command = _call(f"orders/{order}/events", line.id, {"type": "paid", "at": f"{line.day}T00:00:00Z"})
        return _even(line, f"a payment of {order}, which is not paid here: say that it is", "", known, command)
    said = "a payment that no paid order here has: bring in the order that it belongs to (`houbao import`)"
    return _even(line, said, "", known, "")


def _extra_attempt(line: External, attempt: str, known: Known) -> Proposal:
    number, state = known.attempts[attempt]
    dispute = public_id("dispute", 0, number)
    if line.minor < 0 and state in ("sent", "unknown"):
        said = f"{attempt} of {dispute} is {state} here: the worker looks it up and books it"
        return _even(line, said, "", known, "houbao work --once")
    if line.minor < 0:
        said = f"{attempt} of {dispute} is {state} here, and was paid there: ask whether it was paid twice"
        return _even(line, said, EXPENSE, known, "")
    said = f"{attempt} of {dispute} came back there: the provider has to report it as returned"
    return _even(line, said, "", known, "")


def _extra_chargeback(line: External, known: Known) -> Proposal:
    order = _named(line, "order")
    if not order:
        said = "a bank took money back: say so on the order whose payment it was (`chargeback`, state lost)"
        return _even(line, said, "", known, "")
    event = {
        "type": "chargeback",
        "payment": "PAYMENT",
        "reference": key_of(line.id),
        "amount": {"minor": -line.minor, "currency": line.currency},
        "state": "lost",
    }
    said = f"a bank took money back of {order}: name the payment and say that the chargeback is lost"
    return _even(line, said, "", known, _call(f"orders/{order}/events", line.id, event))


def for_missing(cash: Cash, known: Known) -> Proposal:
    """What stands in the ledger alone: the entry that would take it back."""
    named = cash.payment or cash.dispute or cash.order or public_id("event", 0, cash.position)
    words = {
        "payment": f"the payment {named} never arrived, or stands in another file",
        "refund": f"the refund over {named} was never paid there, or stands in another file",
        "payout": "the store's payout never left, or stands in another file",
        "payout_fee": "the fee of a payout stands in another line or file",
        "chargeback": f"the bank never took {named} back, or it stands in another file",
        "capital": "the capital never arrived, or stands in another file",
        "deposit": f"the deposit of store {cash.store} never arrived, or stands in another file",
        "cash_move": "the cash never moved, or is on its way",
    }
    said = words.get(cash.kind, f"{cash.kind.replace('_', ' ')} of {named} stands in no line of the file")
    advice = "look at the neighbouring file first, then ask there; no command takes a booking back by itself"
    source, target = (cash.other, known.account) if cash.minor > 0 else (known.account, cash.other)
    return Proposal(f"{said}: {advice}", source, target, abs(cash.minor), cash.currency)


def for_different(pair: Pair, told: list[str], known: Known) -> Proposal:
    """What both tell, each its own way."""
    theirs, ours = pair.theirs, pair.ours
    if "currency" in told and ours.kind == "refund" and ours.dispute and theirs.minor < 0:
        taken = decimal(-theirs.minor, theirs.currency)
        command = join(["houbao", "fund", "settle", ours.dispute, ours.payment, taken, theirs.currency])
        said = f"paid in {ours.currency}, taken in {theirs.currency}: settle it at what was taken"
        return Proposal(said, "", known.account, -theirs.minor, theirs.currency, command)
    if "currency" in told:
        said = f"booked in {ours.currency}, there it is {theirs.currency}: ask which it was"
        return Proposal(said, "", "", 0, "", "")
    if "amount" in told:
        more = theirs.minor - ours.minor
        amount = f"{decimal(abs(more), ours.currency)} {ours.currency}"
        said = f"{amount} {'more' if more > 0 else 'less'} there than here: ask there; no command changes a booking"
        source, target = (known.account, EXPENSE) if more > 0 else (EXPENSE, known.account)
        return Proposal(said, source, target, abs(more), ours.currency, "")
    apart = abs((theirs.day - ours.day).days)
    return Proposal(f"the same amount, {apart} days apart: nothing to book; --days {apart} takes them as one")


def _even(line: External, said: str, other: str, known: Known, command: str) -> Proposal:
    """The entry that books what stands there alone; `other` is the account on the other side, where it is known."""
    source, target = (known.account, other) if line.minor > 0 else (other, known.account)
    return Proposal(said, source, target, abs(line.minor), line.currency, command)


def _named(line: External, kind: str) -> str:
    for token in sorted(line.tokens):
        if token.startswith(f"{kind}_"):
            try:
                parse_id(kind, token)
            except Refused:
                continue
            return token
    return ""


def _call(path: str, key: str, body: dict[str, object]) -> str:
    """The call of the API that says so."""
    return (
        f'curl -X POST "$HOUBAO_URL/v1/{path}" -H "Authorization: Bearer $HOUBAO_KEY"'
        f" -H {join([f'Idempotency-Key: {key_of(key)}'])} -d {join([json.encode(body).decode()])}"
    )
