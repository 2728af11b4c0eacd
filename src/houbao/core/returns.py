"""Goods on their way: back from the buyer (a return), or once more to the buyer (a replacement the seller offered).

return:       authorised ── shipped ── delivered ── inspected (intact: the refund goes out)
                  │            │           └─ reported (damaged, empty, different …): the platform decides
                  └─ lapsed    └─ never scanned: the platform decides
replacement:  promised ── shipped ── delivered ── kept
                             └─ reported: the platform decides
"""

from datetime import datetime
from typing import Literal

from msgspec import structs

from houbao.core.acts import CaseCommand
from houbao.core.moves import Move
from houbao.core.terms import Record, check_reference, check_words

Problem = Literal["not_received", "damaged", "empty", "different", "missing"]

# --- commands ------------------------------------------------------------------------------------------------------


class SendLabel(CaseCommand, frozen=True, kw_only=True, tag="send_label"):
    """The platform gave the buyer a label for the way back; `minor` units of the fund's `currency` are the freight,
    which the carrier takes once the goods are on their way."""

    carrier: str
    tracking: str
    minor: int
    currency: str


class ShipReturn(CaseCommand, frozen=True, kw_only=True, tag="ship_return"):
    """The buyer handed the goods to a carrier."""

    carrier: str
    tracking: str


class ScanReturn(CaseCommand, frozen=True, kw_only=True, tag="scan_return"):
    """The carrier's scan: the return was delivered."""


class ConfirmReturn(CaseCommand, frozen=True, kw_only=True, tag="confirm_return"):
    """Whoever received the goods found them intact."""


class ReportReturn(CaseCommand, frozen=True, kw_only=True, tag="report_return"):
    """Whoever should have received the goods did not, or not as they were sold."""

    problem: Problem
    note: str = ""


class ShipReplacement(CaseCommand, frozen=True, kw_only=True, tag="ship_replacement"):
    """The seller handed the replacement to a carrier."""

    carrier: str
    tracking: str


class ScanReplacement(CaseCommand, frozen=True, kw_only=True, tag="scan_replacement"):
    """The carrier's scan: the replacement was delivered."""


class ReportReplacement(CaseCommand, frozen=True, kw_only=True, tag="report_replacement"):
    """The replacement is not what was promised, or did not come."""

    problem: Problem
    note: str = ""


# --- events --------------------------------------------------------------------------------------------------------


class ReturnAuthorised(Move, frozen=True, kw_only=True, tag="return_authorised"):
    """`minor` units are refunded by `payer` when the goods are back. `labelled`: the platform gives the label first."""

    minor: int
    payer: str
    resolved_by: str
    labelled: bool = False


class LabelSent(Move, frozen=True, kw_only=True, tag="label_sent"):
    """The buyer has the platform's label: the time to send the goods runs."""

    carrier: str
    tracking: str
    freight: int
    currency: str


class ReturnShipped(Move, frozen=True, kw_only=True, tag="return_shipped"):
    """The goods are on their way back. With the platform's label `payer` bears the `freight` (minor units of
    `currency`), a fund of the store's own deposit by `legs`."""

    carrier: str
    tracking: str
    freight: int = 0
    currency: str = ""
    payer: str = ""
    legs: tuple[tuple[str, int], ...] = ()


class ReturnDelivered(Move, frozen=True, kw_only=True, tag="return_delivered"):
    """The goods are there; the time to inspect them runs."""


class ReturnConfirmed(Move, frozen=True, kw_only=True, tag="return_confirmed"):
    """The goods are back, intact."""


class ReturnReported(Move, frozen=True, kw_only=True, tag="return_reported"):
    """Something is wrong with the return: the platform decides."""

    problem: str


class ReplacementShipped(Move, frozen=True, kw_only=True, tag="replacement_shipped"):
    """The replacement is on its way."""

    carrier: str
    tracking: str


class ReplacementDelivered(Move, frozen=True, kw_only=True, tag="replacement_delivered"):
    """The replacement is there; the buyer's time to say that it is wrong runs."""


class ReplacementReported(Move, frozen=True, kw_only=True, tag="replacement_reported"):
    """Something is wrong with the replacement: the platform decides."""

    problem: str


ParcelEvent = (
    ReturnAuthorised
    | LabelSent
    | ReturnShipped
    | ReturnDelivered
    | ReturnConfirmed
    | ReturnReported
    | ReplacementShipped
    | ReplacementDelivered
    | ReplacementReported
)

# --- state ---------------------------------------------------------------------------------------------------------


class Parcel(Record, frozen=True, kw_only=True):
    """A return or a replacement as it stands. `minor`, `payer` and `resolved_by` say what a return brings the buyer;
    `label` how far the platform's is, and `freight` (minor units of `currency`) what it costs."""

    kind: Literal["return", "replacement"]
    state: Literal["authorised", "promised", "shipped", "delivered", "inspected", "reported"]
    minor: int = 0
    payer: str = ""
    resolved_by: str = ""
    carrier: str = ""
    tracking: str = ""
    delivered_at: datetime | None = None
    problem: str = ""
    label: Literal["", "wanted", "sent"] = ""
    freight: int = 0
    currency: str = ""


PROMISED = Parcel(kind="replacement", state="promised")

# --- decide --------------------------------------------------------------------------------------------------------


def check_parcel(carrier: str, tracking: str) -> None:
    """Raises Refused: bad_words, bad_reference."""
    check_words("carrier", carrier)
    check_reference("tracking", tracking)


# --- evolve --------------------------------------------------------------------------------------------------------


def evolve_parcel(parcel: Parcel | None, event: ParcelEvent) -> Parcel:
    """The parcel after the event."""
    if isinstance(event, ReturnAuthorised):
        return Parcel(
            kind="return",
            state="authorised",
            minor=event.minor,
            payer=event.payer,
            resolved_by=event.resolved_by,
            label="wanted" if event.labelled else "",
        )
    assert parcel is not None
    match event:
        case LabelSent():
            label = {"carrier": event.carrier, "tracking": event.tracking, "label": "sent"}
            return structs.replace(parcel, **label, freight=event.freight, currency=event.currency)
        case ReturnShipped() | ReplacementShipped():
            return structs.replace(parcel, state="shipped", carrier=event.carrier, tracking=event.tracking)
        case ReturnDelivered() | ReplacementDelivered():
            return structs.replace(parcel, state="delivered", delivered_at=event.at)
        case ReturnConfirmed():
            return structs.replace(parcel, state="inspected")
        case ReturnReported() | ReplacementReported():
            return structs.replace(parcel, state="reported", problem=event.problem)
