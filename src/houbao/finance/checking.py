"""What finance may book here: in a currency that a programme pays in, by a provider that there is."""

from collections.abc import Collection

from houbao.core.disputes import refund_of
from houbao.core.fund import FundCommand, MoveCash, PayDeposit, TopUp, unknown_provider
from houbao.core.said import Said
from houbao.core.terms import Actor, Refused
from houbao.store import queries
from houbao.store.sqlite import SQLite

FINANCE = Actor("finance", "command-line")


def check(database: SQLite, providers: Collection[str], command: FundCommand) -> None:
    """Whether it may be booked here. Raises Refused: bad_currency where no programme pays in it, unknown_provider."""
    known = queries.programme_currencies(database.connection)
    if isinstance(command, MoveCash):
        check_provider(providers, command.provider)
    if isinstance(command, TopUp | PayDeposit | MoveCash) and command.currency not in known:
        said = Said(
            "no programme pays in %(currency)s, only in %(known)s: nothing was booked",
            currency=command.currency,
            known=tuple(known),
        )
        raise Refused("bad_currency", said)


def check_settled_in(database: SQLite, dispute: int, currency: str) -> None:
    """Whether the fund that paid is in that currency. Raises Refused: bad_currency."""
    found = database.dispute(0, dispute)
    refund = refund_of(found) if found else None
    if refund and refund.in_fund and refund.in_fund.currency != currency:
        said = Said(
            "it was paid out of a fund in %(fund)s, not in %(currency)s",
            fund=refund.in_fund.currency,
            currency=currency,
        )
        raise Refused("bad_currency", said)


def check_provider(providers: Collection[str], name: str) -> None:
    """Whether there is such a provider, where one is named. Raises Refused: unknown_provider."""
    if name and name not in providers:
        raise unknown_provider(name, providers)
