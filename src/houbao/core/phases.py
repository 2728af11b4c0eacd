"""The phases of a dispute. TURNS is the table: which command, by whom, in which phase, and where it may lead; below it,
whose turn it is, what runs in each phase, and what happens when nobody acts."""

from datetime import datetime

from msgspec import Struct

from houbao.core.accounts import AVAILABLE
from houbao.core.appeals import in_hearing
from houbao.core.calendars import ALWAYS, Clock, Span, ends
from houbao.core.disputes import CHANGES, Dispute, in_order
from houbao.core.moves import Head, Timer
from houbao.core.policy import Timers as Waits
from houbao.core.refunds import is_stuck
from houbao.core.returns import PROMISED
from houbao.core.scene import Scene
from houbao.core.terms import Role


class Turn(Struct, frozen=True):
    """Who may do it, and the phases it may lead to."""

    by: tuple[Role, ...]
    to: tuple[str, ...]


def _stays(phase: str, *by: Role) -> Turn:
    return Turn(by, (phase,))


PAID = ("refunding", "awaiting_funds")
ENDED = ("closed",)
AWARDED = (*PAID, "awaiting_return", "closed")
_WITHDRAW = Turn(("buyer",), ENDED)
_SIGN = Turn(("agent",), AWARDED)
_REPORT = Turn(("provider", "system"), ("refunding", "closed"))
_EVERYBODY: tuple[Role, ...] = ("buyer", "seller", "agent")


def _open(phase: str, turns: dict[str, Turn]) -> dict[str, Turn]:
    """The turns of a phase in which everybody may still write and send evidence."""
    return turns | {"evidence": _stays(phase, *_EVERYBODY), "messages": _stays(phase, *_EVERYBODY)}


def _queued(phase: str) -> dict[str, Turn]:
    """The turns of a phase that stands in the agents' queue."""
    return {"claim": _stays(phase, "agent"), "release": _stays(phase, "agent")}


TURNS: dict[str, dict[str, Turn]] = {
    "verifying": _open(
        "verifying",
        {
            "rule": Turn(("agent",), (*AWARDED, "notifying", "verifying")),
            "sign": _SIGN,
            **_queued("verifying"),
            "request_evidence": _stays("verifying", "agent"),
            "change_claim": _stays("verifying", "buyer"),
            "withdraw": _WITHDRAW,
        },
    ),
    "notifying": _open(
        "notifying",
        {
            "notice_accepted": Turn(("mail",), ("awaiting_seller", "notifying")),
            "notice_bounced": _stays("notifying", "mail"),
            **_queued("notifying"),
            "serve_notice": _stays("notifying", "agent"),
            "change_claim": _stays("notifying", "buyer"),
            "withdraw": _WITHDRAW,
        },
    ),
    "awaiting_seller": _open(
        "awaiting_seller",
        {
            "accept": Turn(("seller",), AWARDED),
            "offer": Turn(("seller",), ("awaiting_buyer",)),
            "reject": Turn(("seller",), ("awaiting_buyer",)),
            "change_claim": _stays("awaiting_seller", "buyer"),
            "withdraw": _WITHDRAW,
            "notice_accepted": _stays("awaiting_seller", "mail"),
            "notice_bounced": Turn(("mail",), ("notifying", "awaiting_seller")),
        },
    ),
    "awaiting_buyer": _open(
        "awaiting_buyer",
        {
            "accept_offer": Turn(("buyer",), (*AWARDED, "awaiting_replacement")),
            "counter": Turn(("buyer",), ("awaiting_seller",)),
            "escalate": Turn(("buyer",), ("adjudicating",)),
            "withdraw": _WITHDRAW,
        },
    ),
    "adjudicating": _open(
        "adjudicating",
        {
            "rule": Turn(("agent",), (*AWARDED, "adjudicating")),
            "sign": _SIGN,
            **_queued("adjudicating"),
            "request_evidence": _stays("adjudicating", "agent"),
            "withdraw": _WITHDRAW,
            "send_refund": _stays("adjudicating", "system"),
            "report_refund": Turn(("provider", "system"), ("adjudicating", "closed")),
            "resolve_refund": Turn(("finance",), ("adjudicating", "closed")),
        },
    ),
    "awaiting_return": _open(
        "awaiting_return",
        {
            "send_label": _stays("awaiting_return", "platform"),
            "ship_return": Turn(("buyer",), ("return_in_transit",)),
            "withdraw": _WITHDRAW,
        },
    ),
    "return_in_transit": _open(
        "return_in_transit",
        {
            "scan_return": _stays("return_in_transit", "platform"),
            "confirm_return": Turn(("seller", "platform"), (*PAID, "closed")),
            "report_return": Turn(("seller", "platform"), ("adjudicating",)),
        },
    ),
    "awaiting_replacement": _open(
        "awaiting_replacement",
        {
            "ship_replacement": _stays("awaiting_replacement", "seller"),
            "scan_replacement": _stays("awaiting_replacement", "platform"),
            "report_replacement": Turn(("buyer",), ("adjudicating",)),
        },
    ),
    "awaiting_funds": {
        "send_refund": _stays("awaiting_funds", "system"),
        "report_refund": Turn(("provider", "system"), ("awaiting_funds", "closed")),
        "resolve_refund": Turn(("finance",), ("awaiting_funds", "refunding", "closed")),
    },
    "refunding": {
        "send_refund": Turn(("system",), ("refunding",)),
        "report_refund": _REPORT,
        "resolve_refund": Turn(("finance",), ("refunding", "closed")),
        "set_payout_way": _stays("refunding", "buyer"),
        "settle_refund": _stays("refunding", "finance"),
    },
    "closed": {
        "rule": Turn(("agent",), ENDED),
        "sign": Turn(("agent",), ENDED),
        "send_refund": Turn(("system",), ENDED),
        "report_refund": _REPORT,
        "settle_refund": Turn(("finance",), ENDED),
        "recover": Turn(("platform", "finance"), ENDED),
        "write_off": Turn(("finance",), ENDED),
        "reopen": Turn(("buyer",), ("verifying", "notifying", "awaiting_seller", "awaiting_return", "closed")),
        "appeal": Turn(("buyer", "seller"), ("adjudicating",)),
    },
}
"""Phase → command → Turn. `open` starts a life and `pass_time` may happen in every phase."""

WAITS_FOR = {
    "verifying": "agent",
    "notifying": "mail",
    "awaiting_seller": "seller",
    "awaiting_buyer": "buyer",
    "adjudicating": "agent",
    "awaiting_return": "buyer",
    "return_in_transit": "carrier",
    "awaiting_replacement": "seller",
    "awaiting_funds": "finance",
    "refunding": "provider",
    "closed": "",
}


def wants_label(dispute: Dispute) -> bool:
    """Whether the buyer waits for the platform's label before the goods can be sent back."""
    return dispute.phase == "awaiting_return" and dispute.parcel is not None and dispute.parcel.label == "wanted"


def waits_for(dispute: Dispute) -> str:
    """Whose turn it is: of a frozen one the bank's, by the provider; while goods are under way the carrier's, then the
    receiver's."""
    if dispute.frozen:
        return "provider"
    if dispute.phase == "refunding" and any(map(is_stuck, dispute.refunds)):
        return "buyer"
    if wants_label(dispute):
        return "platform"
    delivered = dispute.parcel is not None and dispute.parcel.state == "delivered"
    if dispute.phase == "return_in_transit" and delivered:
        return "platform" if dispute.payer == "fund" else "seller"
    if dispute.phase == "awaiting_replacement" and dispute.parcel != PROMISED:
        return "buyer" if delivered else "carrier"
    return WAITS_FOR[dispute.phase]


def default_outcome(dispute: Dispute) -> str:
    """What happens when nobody acts until `due_at`: a code for pages to put into words; empty where nothing runs."""
    if dispute.frozen:
        return ""
    by_platform = "buyers_amount_by_fund" if dispute.covered else "buyers_amount_by_platform"
    turn = next((timer for timer in dispute.timers if timer.kind in CHANGES), None)
    if turn and turn.kind == "escalate":
        return "platform_decides"
    delivered = dispute.parcel is not None and dispute.parcel.state == "delivered"
    match dispute.phase:
        case "adjudicating" if in_hearing(dispute.appeals):
            return "ruling_stands"
        case "verifying" | "adjudicating":
            return by_platform
        case "notifying":
            return "buyers_amount_by_platform"
        case "awaiting_seller":
            return "buyers_amount_by_seller"
        case "awaiting_buyer":
            return "sellers_offer" if dispute.offer else "lapses"
        case "awaiting_return":
            return "buyers_amount_by_fund" if wants_label(dispute) else "lapses"
        case "return_in_transit":
            return "refund" if delivered else "platform_decides"
        case "awaiting_replacement":
            if dispute.parcel == PROMISED:
                return "buyers_refund_by_seller"
            return "replaced" if delivered else "platform_decides"
        case "refunding" if turn:
            return "unclaimed"
        case "awaiting_funds":
            return "treasury_adds" if AVAILABLE in [refund.waits for refund in dispute.refunds] else "platform_advances"
        case _:
            return ""


def timers_of(
    phase: str, start: datetime, waits: Waits, escalates_at: datetime | None = None, clock: Clock = ALWAYS
) -> tuple[Timer, ...]:
    """The timers that run in a phase entered at `start`, the earliest first, by the policy in force at opening and the
    store's clock. `escalates_at` is when a negotiation that began earlier ends."""

    def asking(wait: Span) -> tuple[Timer, ...]:
        """A person's turn, with the reminders before its end."""
        end = ends(clock, start, wait)
        reminders = [Timer(kind="remind", at=end - before) for before in waits.reminders if end - before > start]
        return (*reminders, Timer(kind="turn", at=end))

    def watched(alert: Span, wait: Span) -> tuple[Timer, ...]:
        """The platform's own turn, with the alert on the way."""
        return (Timer(kind="alert", at=ends(clock, start, alert)), Timer(kind="turn", at=ends(clock, start, wait)))

    match phase:
        case "verifying" | "adjudicating":
            return watched(waits.verification_alert, waits.verification)
        case "notifying":
            return watched(waits.notice_alert, waits.notice)
        case "awaiting_seller":
            end = escalates_at or ends(clock, start, waits.escalation)
            return in_order((*asking(waits.seller_answer), Timer(kind="escalate", at=end)))
        case "awaiting_buyer":
            assert escalates_at is not None
            return in_order((*asking(waits.buyer_answer), Timer(kind="escalate", at=escalates_at)))
        case "awaiting_return":
            return asking(waits.return_shipping)
        case "return_in_transit":
            return (Timer(kind="turn", at=ends(clock, start, waits.return_scan)),)
        case "awaiting_replacement":
            return asking(waits.replacement_shipping)
        case "awaiting_funds":
            return (Timer(kind="turn", at=ends(clock, start, waits.funds)),)
        case _:
            return ()


# --- entering a phase ----------------------------------------------------------------------------------------------


def head_of(dispute: Dispute, scene: Scene) -> Head:
    """What every event of this decision carries."""
    return {
        "at": scene.now,
        "by": str(scene.by),
        "store": dispute.store,
        "order": dispute.order,
        "dispute": dispute.id,
    }


def saying(dispute: Dispute, scene: Scene) -> Head:
    """What an event carries that points at the command's free text: one event of each command."""
    return {**head_of(dispute, scene), "text": scene.text}


def entering(dispute: Dispute, scene: Scene, phase: str) -> Head:
    """What an event carries that leads to `phase`: that phase's timers too."""
    timers = timers_of(phase, scene.now, scene.policy.timers, dispute.escalates_at, scene.clock)
    return {**head_of(dispute, scene), "phase": phase, "timers": timers}


def staying(dispute: Dispute, scene: Scene) -> Head:
    """What an event carries that leaves the phase and its timers as they are."""
    return {**head_of(dispute, scene), "phase": dispute.phase, "timers": dispute.timers}
