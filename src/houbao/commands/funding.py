"""`houbao fund …`: money that comes in or goes round, booked by finance at the command line."""

from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from houbao.core.fund import FundCommand
from houbao.core.money import decimal
from houbao.core.recoveries import Recover
from houbao.core.refunds import SettleRefund
from houbao.core.shortfalls import WriteOff
from houbao.core.terms import Actor, Refused, parse_id
from houbao.engine.request import Request
from houbao.finance.checking import FINANCE, check, check_provider, check_settled_in
from houbao.store import funds
from houbao.telling import tell
from houbao.wiring import House


class Booked(Struct, frozen=True):
    """What became of it: the position of its event, whether its key had been used for it before, and the fund now."""

    position: int
    replayed: bool
    fund: list[funds.Fund]


def book(house: House, command: FundCommand, key: str) -> Booked:
    """Book it, and let what waits for it go on. Raises Refused as `check` and as deciding it does."""
    check(house.database, house.providers, command)
    now = house.clock()
    (outcome,) = house.engine.execute([Request(command, FINANCE, now, key or key_of_day(command, now))])
    if isinstance(outcome, Refused):
        raise outcome
    house.worker.run()
    return Booked(outcome.first, outcome.replayed, funds.fund(house.database.connection, 0))


def key_of_day(command: FundCommand, now: datetime) -> str:
    """The idempotency key of a movement for which none was given: the same once more on that day (UTC) is a repeat."""
    return f"{now:%Y-%m-%d}:{sha256(msgspec.json.encode(command)).hexdigest()[:32]}"


def settle(house: House, dispute: str, payment: str, taken: int, currency: str) -> dict[str, list[str]]:
    """Book what a provider took (minor units of the fund's currency). Raises Refused: bad_id, bad_currency, and as
    deciding it does."""
    number = _number(dispute)
    check_settled_in(house.database, number, currency)
    return _on_dispute(house, SettleRefund(dispute=number, payment=payment, taken=taken), FINANCE)


def recover(house: House, dispute: str, **said: Any) -> dict[str, list[str]]:
    """Book money that came back for a refund. Raises Refused: bad_id, unknown_provider, and as deciding it does."""
    check_provider(house.providers, said["provider"])
    return _on_dispute(house, Recover(dispute=_number(dispute), **said), FINANCE)


def write_off(house: House, dispute: str, by: str) -> dict[str, list[str]]:
    """Sign to give up what was advanced for a dispute. Raises Refused: bad_id, and as deciding it does."""
    return _on_dispute(house, WriteOff(dispute=_number(dispute)), Actor("finance", by))


def _number(dispute: str) -> int:
    """The number of a dispute of this database's only part. Raises Refused: bad_id, unknown_dispute."""
    part, number = parse_id("dispute", dispute)
    if part != 0:
        raise Refused("unknown_dispute", f"no dispute {dispute}: this database has one part, 0")
    return number


def _on_dispute(house: House, command: SettleRefund | Recover | WriteOff, by: Actor) -> dict[str, list[str]]:
    (outcome,) = house.engine.execute([Request(command, by, house.clock())])
    if isinstance(outcome, Refused):
        raise outcome
    dispute = house.database.dispute(0, command.dispute)
    assert dispute is not None
    span = range(outcome.first, outcome.last + 1) if outcome.first else ()
    events = [house.database.event(0, position) for position in span]
    return {"events": [tell(event, dispute.currency) for event in events if event is not None]}


def told(booked: Booked, amount: str, currency: str, done: str, key: str) -> str:
    """One line of what was done, under that key where one was given."""
    if booked.replayed:
        before = "under this key before" if key else "today already"
        again = "" if key else " If it came a second time, give it a --key of its own."
        return f"{amount} {currency} was booked {before}: nothing changed.{again}"
    return f"{amount} {currency} {done}."


def _refunds(count: int) -> str:
    return f"{count} refund" if count == 1 else f"{count} refunds"


def status(found: list[funds.Fund]) -> list[str]:
    """The fund as lines of text."""
    if not found:
        return ["The fund is empty: `houbao fund top-up AMOUNT CURRENCY` fills it."]
    lines: list[str] = []
    for f in found:
        said = {
            name: decimal(getattr(f, name), f.currency)
            for name in ("available", "reserved", "capital", "premiums", "backstop", "deposits", "out", "back")
        }
        lines.append(f"{f.currency}: free {said['available']}, reserved {said['reserved']}")
        lines.append(f"  capital {said['capital']}, paid out {said['out']}, come back {said['back']}")
        others = [f"{name} {said[name]}" for name in ("premiums", "backstop", "deposits") if getattr(f, name)]
        lines += [f"  {', '.join(others)}"] * bool(others)
        lines.append(f"  waiting for money: {_refunds(f.waiting)}, {decimal(f.waiting_minor, f.currency)}")
        if f.waiting:
            first = decimal(f.waiting_first, f.currency)
            lines.append(f"  the first in line takes {first}; those behind it come after it, however small")
    return lines
