"""What comes in. A command is the body: its own fields, but for what the path names already; amounts say their
currency, ids are those that the API gave."""

from datetime import datetime
from typing import Annotated, Any, get_args, get_type_hints

import msgspec
from msgspec import NODEFAULT, Meta, Struct

from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core.acts import SendGoodwill
from houbao.core.money import Money
from houbao.core.terms import REASONS, Refused
from houbao.web.site import number_of

AMOUNTS = ("amount", "taken")
"""The fields of commands that are minor units of the order's or the fund's currency."""


MONEY = ("minor", "currency")
"""The fields of commands that are an amount in whatever currency they say."""


def commands_of(union: Any) -> dict[str, type[Struct]]:
    """Tag → command."""
    return {str(one.__struct_config__.tag): one for one in get_args(union)}


DISPUTE_COMMANDS = commands_of(d.DisputeCommand)
"""Everything that may be said of a dispute that exists, by its name in TURNS."""


def body_of(command: type[Struct], without: tuple[str, ...] = ("dispute",)) -> type[Struct]:
    """The body that makes the command, as a record of its own."""
    hints = get_type_hints(command)
    if set(MONEY) <= hints.keys():
        hints = {"amount": Money} | {name: kind for name, kind in hints.items() if name not in MONEY}
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    if "amount" in hints and "amount" not in command.__struct_fields__:
        fields.append(("amount", Money))
    for field in msgspec.structs.fields(command):
        if field.name in without or field.name not in hints:
            continue
        kind, default = _shown(field.name, hints[field.name]), field.default
        if field.name == "refund":
            kind, default = str, ""
        if field.name in AMOUNTS and default == 0:
            kind, default = Money | None, None
        fields.append((field.name, kind) if default is NODEFAULT else (field.name, kind, default))
    made = msgspec.defstruct(
        f"{command.__name__}Body", fields, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
    )
    made.__doc__ = command.__doc__
    return made


def _shown(name: str, kind: Any) -> Any:
    if name in AMOUNTS:
        return (Money | None) if type(None) in get_args(kind) else Money
    return kind


def command_from(command: type[Struct], body: Struct, currency: str, **subject: Any) -> Any:
    """The command that a body says. Raises Refused: bad_currency, bad_id."""
    values: dict[str, Any] = {}
    for name in body.__struct_fields__:
        value = getattr(body, name)
        if name == "amount" and name not in command.__struct_fields__:
            values |= {"minor": value.minor, "currency": value.currency}
            continue
        if isinstance(value, Money):
            value = minor_in(value, currency)
        elif name == "refund":
            value = number_of("refund", value) if value else 0
        if value is None and name in AMOUNTS and get_type_hints(command)[name] is int:
            continue
        values[name] = value
    return command(**values, **subject)


def minor_in(amount: Money, currency: str) -> int:
    """Minor units of an amount, which must be in that currency. Raises Refused: bad_currency."""
    if amount.currency != currency:
        raise Refused("bad_currency", f"the amount is in {amount.currency}, this takes {currency}")
    return amount.minor


class _Body(Struct, kw_only=True, forbid_unknown_fields=True):
    """A body; what it does not know is refused, so that nothing mistyped is passed over."""


# --- disputes ------------------------------------------------------------------------------------------------------


Reason = Annotated[str, Meta(extra_json_schema={"enum": sorted(REASONS)})]
"""Why a buyer claims; told to readers of the document, and refused by its own code."""


class LineBody(_Body):
    """Pieces of an order's line."""

    line_id: str
    quantity: int = 1


class OpenBody(_Body):
    """A buyer's claim. `remedy` is `refund` (the goods kept) or `return_refund`; `evidence` are SHA-256 digests of
    files sent before; `reference` is the caller's own name for the dispute, unique in the store."""

    order_id: str
    lines: list[LineBody]
    reason: Reason
    amount: Money
    remedy: str = "refund"
    statement: str = ""
    evidence: list[str] = []
    reference: str = ""


class ExplainBody(_Body):
    """A claim that was not opened yet."""

    order_id: str
    reason: Reason
    amount: Money
    lines: list[LineBody] = []
    remedy: str = "refund"
    evidence: list[str] = []


def opening(body: OpenBody, order: o.Order) -> d.OpenDispute:
    """The command that a claim is. Raises Refused: bad_currency."""
    return d.OpenDispute(
        order=order.id,
        lines=tuple((line.line_id, line.quantity) for line in body.lines),
        reason=body.reason,
        amount=minor_in(body.amount, order.currency),
        remedy=body.remedy,
        statement=body.statement,
        evidence=tuple(body.evidence),
        reference=body.reference,
    )


# --- orders --------------------------------------------------------------------------------------------------------


class MessageBody(_Body):
    """Words on an order, before and beside any dispute."""

    message: str


class GoodwillBody(_Body):
    """What the seller sends back of its own accord."""

    amount: Money
    note: str = ""


def goodwill(body: GoodwillBody, order: o.Order) -> SendGoodwill:
    """The command that a gift is. Raises Refused: bad_currency."""
    return SendGoodwill(order=order.id, amount=minor_in(body.amount, order.currency), note=body.note)


# --- stores and money ----------------------------------------------------------------------------------------------


class StoreBody(_Body):
    """A store; official notices go to `email`, in `language` (such as `en` or `zh-Hans`). Name, e-mail and language are
    kept erasable."""

    id: str
    country: str = ""
    zone: str = "UTC"
    name: str = ""
    email: str = ""
    language: str = ""


class EnrolmentBody(_Body):
    """The store joins the programme, or leaves it, from `at` on; now where no time is given."""

    enrolled: bool
    programme: str = "standard"
    at: datetime | None = None


def enrolling(body: EnrolmentBody, store: str, now: datetime) -> p.Enrol | p.Leave:
    """The command that an enrolment is."""
    at = body.at or now
    return p.Enrol(store=store, programme=body.programme, at=at) if body.enrolled else p.Leave(store=store, at=at)


class AmountBody(_Body):
    """An amount of money."""

    amount: Money


class CashMoveBody(_Body):
    """Cash that goes from the bank to a provider, so that refunds can be paid there, or `back` to the bank. `at` is
    when it went, where that was before it is booked."""

    provider: str
    amount: Money
    back: bool = False
    at: datetime | None = None


class DebtBody(_Body):
    """The dispute for which something was advanced that nobody will pay back."""

    dispute_id: str
