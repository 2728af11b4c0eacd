"""`houbao fund …`: its commands, thin; what they do is in `funding`."""

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from houbao.commands.options import DatabaseUrl, Json
from houbao.commands.terminal import CommandFailed, opened, say

fund_app = App(name="fund", help="The fund and the stores' deposits: what they hold, filling them.")


@fund_app.command
def status(*, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """What the fund holds, what is promised, what went out, what waits."""
    from houbao.commands import funding
    from houbao.store import funds

    with opened(database) as house:
        found = funds.fund(house.database.connection, 0)
    say(found, funding.status(found), as_json=as_json)


@fund_app.command
def reserves(
    *,
    apply: Annotated[
        bool, Parameter(negative="", help="Tell the breaker, which stops or resumes new coverage")
    ] = False,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """What the fund will owe for covered orders, whether it holds enough, what cover should cost, and hard times."""
    from houbao.commands import breakers, progress, reserving
    from houbao.finance.reserving import all_reserves

    with opened(database) as house, progress.shown() as shown:
        found = all_reserves(house, shown)
        said = breakers.tell(house, found) if apply else []
    say(found, [*reserving.told(found), *said], as_json=as_json)


@fund_app.command
def breaker(
    currency: str,
    *,
    below: Annotated[
        str, Parameter(help="Stop new coverage below this coverage ratio, e.g. 1.20; 0 takes it away")
    ] = "",
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """The line below which the fund covers no new order; orders that are covered stay covered."""
    from houbao.commands import breakers

    with opened(database) as house:
        state = breakers.set_line(house, currency, below) if below else breakers.shown(house, currency)
    say(state, breakers.told(state), as_json=as_json)


Key = Annotated[str, Parameter(help="Under the same key it is booked once; default: once a day")]


def _book(
    command: str, amount: str, currency: str, key: str, database: str | None, as_json: bool, **named: Any
) -> None:
    """Book a movement of money that finance makes by hand, and say so."""
    from houbao.commands import funding
    from houbao.core import fund
    from houbao.core.money import parse

    kinds = {
        "top-up": (fund.TopUp, "added to the fund"),
        "deposit": (fund.PayDeposit, "added to the store's deposit"),
        "cash-move": (fund.MoveCash, "booked from the bank to the provider"),
        "cash-back": (fund.MoveCash, "booked from the provider to the bank"),
        "repay": (fund.Repay, "of what the store owes paid back"),
    }
    kind, done = kinds[command]
    try:
        minor = parse(amount, currency)
    except ValueError as error:
        raise CommandFailed(str(error)) from None
    with opened(database) as house:
        booked = funding.book(house, kind(minor=minor, currency=currency, **named), key)
    say(booked, [funding.told(booked, amount, currency, done, key)], as_json=as_json)


@fund_app.command(name="top-up")
def top_up(amount: str, currency: str, *, key: Key = "", database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Add capital; refunds that wait for it are served, the first approved first."""
    _book("top-up", amount, currency, key, database, as_json)


@fund_app.command
def deposit(
    store: str, amount: str, currency: str, *, key: Key = "", database: DatabaseUrl = None, as_json: Json = False
) -> None:
    """A store pays into its own deposit; its refunds that wait are served."""
    _book("deposit", amount, currency, key, database, as_json, store=store)


@fund_app.command(name="cash-move")
def cash_move(
    provider: str,
    amount: str,
    currency: str,
    *,
    back: Annotated[bool, Parameter(negative="", help="The provider paid it out to the bank")] = False,
    at: Annotated[str, Parameter(help="When it went, such as 2026-07-12T12:20:00Z; default: now")] = "",
    key: Key = "",
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Cash goes from the bank to a payment provider, or back."""
    from houbao.commands.times import time_of

    kind = "cash-back" if back else "cash-move"
    went = time_of("--at", at) if at else None
    _book(kind, amount, currency, key, database, as_json, provider=provider, back=back, at=went)


@fund_app.command
def repay(
    store: str, amount: str, currency: str, *, key: Key = "", database: DatabaseUrl = None, as_json: Json = False
) -> None:
    """A store pays back what was advanced for it, out of what it is owed."""
    _book("repay", amount, currency, key, database, as_json, store=store)


@fund_app.command
def settle(
    dispute: str, payment: str, taken: str, currency: str, *, database: DatabaseUrl = None, as_json: Json = False
) -> None:
    """What the provider took, in the fund's currency, for a refund that it paid in another one."""
    from houbao.commands import funding
    from houbao.core.money import parse

    try:
        minor = parse(taken, currency)
    except ValueError as error:
        raise CommandFailed(str(error)) from None
    _on_dispute(database, as_json, lambda house: funding.settle(house, dispute, payment, minor, currency))


@fund_app.command
def recover(
    dispute: str,
    source: Literal["buyer", "carrier"],
    amount: str,
    currency: str,
    *,
    reference: Annotated[str, Parameter(help="The sender's own: under it the money is booked once")],
    provider: Annotated[str, Parameter(help="Where it came in; default: the bank")] = "",
    refund: Annotated[int, Parameter(help="Which refund of the dispute; default: the latest")] = 0,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Money came back from the buyer or a carrier for what was refunded: whoever bore the refund has it."""
    from houbao.commands import funding
    from houbao.core.money import parse

    try:
        minor = parse(amount, currency)
    except ValueError as error:
        raise CommandFailed(str(error)) from None
    said = {"source": source, "minor": minor, "currency": currency, "reference": reference}
    _on_dispute(
        database, as_json, lambda house: funding.recover(house, dispute, provider=provider, refund=refund, **said)
    )


@fund_app.command(name="write-off")
def write_off(
    dispute: str,
    *,
    by: Annotated[str, Parameter(help="Who of finance signs: it takes two")],
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Give up what was advanced for a dispute and never paid back: the first proposes, the second makes it hold."""
    from houbao.commands import funding

    _on_dispute(database, as_json, lambda house: funding.write_off(house, dispute, by))


def _on_dispute(database: str | None, as_json: bool, act) -> None:  # noqa: ANN001 - the house is imported when needed
    with opened(database) as house:
        done = act(house)
    say(done, done["events"] or ["booked before: nothing changed"], as_json=as_json)
