"""What the buyer asks, and what the policy says of it: opening a dispute, and changing the claim.

Facts are gathered from the order, its other disputes and what was given from outside; `policy.assess` rules on them.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import structs

from houbao.core import money
from houbao.core.disputes import ChangeClaim, ClaimChanged, Dispute, DisputeOpened, Event, OpenDispute, timers_of
from houbao.core.orders import REASONS, Order, ReasonClass, protection_window
from houbao.core.policy import Compiled, Facts, Rule, assess
from houbao.core.refundable import refundable
from houbao.core.refunds import Head, Scene, approve
from houbao.core.terms import Record, Refused, check_reference

HEX = "0123456789abcdef"
MOST_EVIDENCE = 20
MOST_TEXT = 5000

# --- assessing a claim ---------------------------------------------------------------------------------------------


class Given(Record, frozen=True, kw_only=True):
    """Facts from outside the part, stored with their date: the buyer's instant sum, standing, the store's watch."""

    instant_sum: int = 0
    buyer_standing: str = "good"
    store_watch: str = "none"


def assess_claim(
    scene: Scene,
    compiled: Compiled,
    others: tuple[Dispute, ...],
    reason: str,
    lines: tuple[tuple[str, int], ...],
    amount: int,
    evidence: bool,
    given: Given,
    *,
    opened: bool = False,
) -> tuple[Rule, Facts]:
    """The rule for a claim on `lines` of the scene's order, beside the order's `others`. A claim that was
    `opened` in the window stays inside it.

    Raises Refused with the rule's code where the rule that matches refuses."""
    order, kind = scene.order, REASONS[reason]
    pieces = dict(lines)
    open_on_lines, ruled_on_lines = _before(others, pieces, kind) if others else (False, False)
    facts = Facts(
        reason=reason,
        reason_class=kind,
        paid=order.paid_at is not None,
        in_window=opened or protection_window(order, kind, compiled.policy.window_days, scene.now).holds(scene.now),
        open_on_lines=open_on_lines,
        ruled_on_lines=ruled_on_lines,
        amount=amount,
        refundable=refundable(order, pieces, scene.taken_lines, scene.taken_payments),
        covered=order.coverage.covered,
        categories=tuple([line.category for line in order.lines if line.id in pieces]),
        evidence=evidence,
        # Whether it is paid at once is settled at opening; a changed claim stays where it is.
        instant_sum=None if opened else given.instant_sum + amount,
        buyer_standing=given.buyer_standing,
        store_watch=given.store_watch,
    )
    rule = compiled.match(facts)
    if rule.refuse:
        raise Refused(rule.refuse, rule.says, rule=rule.name, reasons=assess(compiled, facts).misses)
    if len(facts.categories) > 1 and len(set(facts.categories)) > 1:
        _check_one_route(compiled, facts)
    if amount > facts.refundable:
        raise Refused(
            "amount_above_refundable",
            f"{money.decimal(amount, order.currency)} was asked, "
            f"{money.decimal(facts.refundable, order.currency)} {order.currency} can be refunded on these lines",
        )
    return rule, facts


def _check_one_route(compiled: Compiled, facts: Facts) -> None:
    """One dispute holds one route: `Refused('split_lines')` where its lines, taken alone, would go different ways."""
    routes = {compiled.match(structs.replace(facts, categories=(category,))).route for category in facts.categories}
    if len(routes) > 1:
        raise Refused("split_lines", f"these lines go different ways ({', '.join(sorted(routes))}): open one for each")


def _before(others: tuple[Dispute, ...], pieces: Mapping[str, int], kind: ReasonClass) -> tuple[bool, bool]:
    """Whether a dispute is open on one of those lines, and whether one was ruled on in the same class."""
    overlapping = [other for other in others if any(line in pieces for line, _ in other.lines)]
    closed = [other for other in overlapping if other.phase == "closed"]
    ruled = any(other.outcome != "withdrawn" and REASONS[other.reason] == kind for other in closed)
    return len(closed) < len(overlapping), ruled


def _check_claim(command: OpenDispute, order: Order) -> None:
    if command.reason not in REASONS:
        raise Refused("unknown_reason", f"{command.reason!r} is not a reason; there are {', '.join(REASONS)}")
    if command.remedy != "refund":
        raise Refused("not_available_yet", f"the remedy {command.remedy!r} cannot be asked for yet; ask for a refund")
    sold = {line.id: line.quantity for line in order.lines}
    if not command.lines or len(dict(command.lines)) < len(command.lines):
        raise Refused("bad_lines", "name at least one line of the order, each once")
    for line, quantity in command.lines:
        if line not in sold:
            raise Refused("unknown_line", f"order {order.reference} has no line {line!r}; it has {', '.join(sold)}")
        if not 1 <= quantity <= sold[line]:
            raise Refused("bad_lines", f"line {line} was sold {sold[line]} times, not {quantity}")
    check_amount(command.amount)
    if len(command.evidence) > MOST_EVIDENCE or not all(map(is_digest, command.evidence)):
        raise Refused(
            "bad_evidence", f"evidence is up to {MOST_EVIDENCE} SHA-256 digests, 64 lower-case hex digits each"
        )
    if command.reference:
        check_reference("reference", command.reference)
    check_text(command.statement)


def is_digest(text: str) -> bool:
    """Whether it is a SHA-256 digest: 64 lower-case hex digits."""
    return len(text) == 64 and not text.strip(HEX)


def check_amount(amount: int) -> None:
    """`Refused('bad_amount')` unless it is a positive number of minor units within the limit."""
    if not 0 < amount <= money.LARGEST:
        raise Refused("bad_amount", f"the amount is {amount}: give minor units above zero")


def check_text(text: str) -> None:
    """`Refused`: `text_too_long` above the named limit, `bad_text` for what is no Unicode text."""
    if not text:
        return
    if len(text) > MOST_TEXT:
        raise Refused("text_too_long", f"{len(text)} characters, at most {MOST_TEXT}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused("bad_text", "the text holds half of a surrogate pair: send valid Unicode") from None


def decide_open(
    command: OpenDispute, scene: Scene, compiled: Compiled, others: tuple[Dispute, ...], given: Given
) -> list[Event]:
    """The buyer opens a dispute; the route decides its first phase. Refusals store nothing."""
    order = scene.order
    if scene.by.role != "buyer":
        raise Refused("not_permitted", f"a {scene.by.role} may not open a dispute; the buyer does")
    if scene.by.id != order.buyer:
        raise Refused("not_yours", f"order {order.reference} was bought by somebody else")
    _check_claim(command, order)
    rule, facts = assess_claim(
        scene, compiled, others, command.reason, command.lines, command.amount, bool(command.evidence), given
    )
    if rule.route == "return":
        raise Refused(
            "not_available_yet",
            "returns without a reason cannot be handled yet",
            rule=rule.name,
            reasons=assess(compiled, facts).misses,
        )
    dispute = scene.position + 1
    approved = None
    if rule.route == "instant":
        approved = approve(scene, dispute, command.lines, command.amount, rule.payer, "guarantee")
    phase = approved.phase if approved else {"verify": "verifying", "seller": "awaiting_seller"}[rule.route]
    opened = DisputeOpened(
        at=scene.now,
        by=str(scene.by),
        store=order.store,
        order=order.id,
        dispute=dispute,
        text=scene.text,
        phase=phase,
        timers=timers_of(phase, scene.now, scene.policy.timers),
        buyer=order.buyer,
        currency=order.currency,
        lines=command.lines,
        reason=command.reason,
        amount=command.amount,
        remedy=command.remedy,
        route=rule.route,
        rule=rule.name,
        payer=rule.payer,
        fault=rule.fault,
        covered=order.coverage.covered,
        policy=scene.policy.version,
        rules="" if compiled.policy is scene.policy else compiled.policy.version,
        facts=facts,
        evidence=command.evidence,
        reference=command.reference,
    )
    return [opened, approved] if approved else [opened]


# --- changing the claim --------------------------------------------------------------------------------------------


def decide_change_claim(
    dispute: Dispute,
    command: ChangeClaim,
    scene: Scene,
    compiled: Compiled,
    others: tuple[Dispute, ...],
    given: Given,
) -> list[Event]:
    """Another amount: assessed again, the phase stays; the seller's clock restarts, a notice goes out anew (R11)."""
    check_amount(command.amount)
    check_text(command.note)
    if command.amount == dispute.amount:
        raise Refused("claim_unchanged", f"the claim is {command.amount} already")
    rule, facts = assess_claim(
        scene, compiled, others, dispute.reason, dispute.lines, command.amount, dispute.evidence, given, opened=True
    )
    moved = move(dispute, scene, dispute.phase)
    if dispute.phase != "awaiting_seller":
        moved["timers"] = dispute.timers
    return [ClaimChanged(**moved, amount=command.amount, rule=rule.name, facts=facts)]


# --- what every event of a decision carries ------------------------------------------------------------------------


def head_of(dispute: Dispute, scene: Scene, at: datetime | None = None) -> Head:
    """What every event of this decision carries."""
    head: Head = {
        "at": at or scene.now,
        "by": str(scene.by),
        "store": dispute.store,
        "order": dispute.order,
        "dispute": dispute.id,
    }
    return head


def move(dispute: Dispute, scene: Scene, phase: str) -> Head:
    """What an event carries that leads to `phase`, with that phase's timers and the command's text."""
    timers = timers_of(phase, scene.now, scene.policy.timers)
    return {**head_of(dispute, scene), "phase": phase, "timers": timers, "text": scene.text}
