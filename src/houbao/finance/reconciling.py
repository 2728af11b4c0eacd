"""A provider's or a bank's file beside the ledger. Books nothing; what it proposes is tried."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct, structs

from houbao.books import proposals
from houbao.books.cash import Cash, cash_of
from houbao.books.external import AT_BANK, BOOKED, External, File
from houbao.books.extract import BookError
from houbao.books.files import read_file
from houbao.books.findings import Even, Finding, Match, Ours, Reconciled, Theirs
from houbao.books.matching import Pair, differs, match
from houbao.books.proposals import Known, Proposal
from houbao.core.accounts import BANK
from houbao.core.fund import MoveCash, PayDeposit, TopUp
from houbao.core.money import Money
from houbao.core.orders import Order
from houbao.core.refunds import RefundSent, SettleRefund
from houbao.core.said import Said
from houbao.core.terms import Actor, Refused, parse_id
from houbao.engine.request import Request
from houbao.finance.checking import FINANCE, check, check_settled_in
from houbao.store import bookings
from houbao.store.reading import reading
from houbao.store.sqlite import SQLite

PLATFORM = Actor("platform", "reconcile")


class Beside(Struct, frozen=True):
    """What a file is compared with at a time: the ledger's database, who tries a proposal, who pays refunds."""

    database: SQLite
    preview: Callable[[Request], object]
    providers: Collection[str]
    now: datetime


def reconcile(
    beside: Beside, path: Path, account: str, days: int, shown: Callable[[str, int, int], None], name: str = ""
) -> Reconciled:
    """Compare the file with the ledger's cash; it goes by its path, or by that name. Raises BookError for the file, and
    for an account that is none, or that must be named."""
    name = name or str(path)
    file = read_file(path, name)
    with reading(beside.database.connection):
        account = _account(beside, file, account)
        ours = _cash(beside, account, file, timedelta(days=days), shown)
        lines = [structs.replace(line, bank=account == BANK) for line in file.lines]
        done = match(lines, ours, file.first, file.last, days)
        known = _known(beside, account, done.extra)
    near = timedelta(days=days)
    return Reconciled(
        file=name,
        format=file.format,
        account=account,
        first=str(file.first),
        last=str(file.last),
        matched=len(done.matched),
        missing=[_finding(None, one, [], proposals.for_missing(one, known)) for one in done.missing],
        extra=[_finding(line, None, [], _tried(beside, proposals.for_extra(line, known))) for line in done.extra],
        different=[_different(beside, pair, differs(pair, near), known) for pair in done.different],
        skipped=file.skipped,
        theirs=_sums((line.currency, line.minor) for line in file.lines),
        ours=_sums((one.currency, one.minor) for one in done.compared),
        fees=_sums((line.currency, line.fee) for line in file.lines),
        matches=[_match(pair) for pair in done.matched],
    )


def _account(beside: Beside, file: File, asked: str) -> str:
    """The account whose cash the file tells of."""
    cash = [BANK, *bookings.provider_accounts(beside.database.connection, 0)]
    if asked:
        if asked not in cash:
            raise BookError(
                Said("no cash has moved at %(asked)s: the ledger has %(known)s", asked=repr(asked), known=tuple(cash))
            )
        return asked
    if file.holder == "bank":
        return BANK
    providers = cash[1:]
    if "provider:stripe" in providers:
        return "provider:stripe"
    if len(providers) == 1:
        return providers[0]
    if not providers:
        raise BookError(Said("say with --account whose file it is: the ledger has no provider"))
    known = tuple(providers)
    raise BookError(Said("say with --account whose file it is: the ledger has %(known)s", known=known))


def _cash(
    beside: Beside, account: str, file: File, near: timedelta, shown: Callable[[str, int, int], None]
) -> list[Cash]:
    """What moved at the account on the file's days, and near them."""
    last = beside.database.head(0).position
    booked = bookings.booked_under(beside.database.connection, 0, str(FINANCE), BOOKED)
    # A move of cash stands in two files: what was booked for a line of the other is found by amount and its own day.
    keys = {position: key for position, key in booked.items() if key.startswith(AT_BANK) == (account == BANK)}
    found: list[Cash] = []
    for row in bookings.cash_rows(beside.database.connection, 0, account):
        if row.position % 1000 == 0:
            shown("events", row.position, last)
        one = cash_of(row, account, 0, keys.get(row.position, ""))
        if row.position in keys or file.first - near <= one.day <= file.last + near:
            found.append(one)
    return found


def _known(beside: Beside, account: str, extra: list[External]) -> Known:
    tokens = {token for line in extra for token in line.tokens}
    attempts = {token: state for token in tokens if (state := _state(beside, token))}
    stores = bookings.known_stores(beside.database.connection, 0, sorted(tokens))
    orders = {token: order for token in tokens if (order := _order(beside, token))}
    return Known(account, sorted(beside.providers), frozenset(stores), orders, attempts, beside.now)


def _order(beside: Beside, token: str) -> Order | None:
    """The order that is named; None where none is."""
    try:
        part, number = parse_id("order", token)
    except Refused:
        return None
    return beside.database.order(0, number) if part == 0 else None


def _state(beside: Beside, token: str) -> tuple[int, str] | None:
    """(dispute, state) of the refund whose attempt is named; None where none is."""
    try:
        part, number = parse_id("attempt", token)
    except Refused:
        return None
    sent = beside.database.event(0, number) if part == 0 else None
    dispute = beside.database.dispute(0, sent.dispute) if isinstance(sent, RefundSent) else None
    if dispute is None:
        return None
    states = [share.state for refund in dispute.refunds for share in refund.shares if share.attempt == number]
    return dispute.id, states[0] if states else "over"


def _tried(beside: Beside, proposal: Proposal) -> Proposal:
    """The proposal; without its command where that would be refused now, but with why."""
    command = proposal.tries
    if command is None:
        return proposal
    fund = isinstance(command, TopUp | PayDeposit | MoveCash)
    try:
        if fund:
            check(beside.database, beside.providers, command)
        if isinstance(command, SettleRefund):
            check_settled_in(beside.database, command.dispute, proposal.currency)
        by = FINANCE if fund or isinstance(command, SettleRefund) else PLATFORM
        beside.preview(Request(command, by, beside.now))
    except Refused as refused:
        return proposals.without_command(proposal, refused)
    return proposal


def _different(beside: Beside, pair: Pair, told: list[str], known: Known) -> Finding:
    return _finding(pair.theirs, pair.ours, told, _tried(beside, proposals.for_different(pair, told, known)))


def _finding(line: External | None, cash: Cash | None, told: list[str], proposal: Proposal) -> Finding:
    entry = None
    if proposal.minor:
        entry = Even(proposal.source, proposal.target, Money(proposal.minor, proposal.currency))
    theirs, ours = _theirs(line) if line else None, _ours(cash) if cash else None
    return Finding(theirs, ours, told, proposal.reason, entry, proposal.command)


def _match(pair: Pair) -> Match:
    return Match(_theirs(pair.theirs), _ours(pair.ours), pair.by, abs((pair.theirs.day - pair.ours.day).days))


def _theirs(line: External) -> Theirs:
    return Theirs(line.place, line.id, str(line.day), line.kind, Money(line.minor, line.currency))


def _ours(cash: Cash) -> Ours:
    return Ours(
        entry=f"{cash.position}-{cash.n}",
        day=str(cash.day),
        kind=cash.kind,
        amount=Money(cash.minor, cash.currency),
        store=cash.store,
        order=cash.order,
        dispute=cash.dispute,
        payment=cash.payment,
    )


def _sums(amounts: Iterable[tuple[str, int]]) -> list[Money]:
    sums: Counter[str] = Counter()
    for currency, minor in amounts:
        sums[currency] += minor
    return [Money(minor, currency) for currency, minor in sorted(sums.items()) if minor]
