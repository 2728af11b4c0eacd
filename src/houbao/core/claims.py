"""What the buyer asks, and what the policy says of it: opening a dispute, and changing the claim.

Facts are gathered from the order, its other disputes and what was given from outside; `policy.assess` rules on them.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import structs

from houbao.core import money
from houbao.core.acts import ChangeClaim, ClaimChanged, Counter, DisputeOpened, OpenDispute
from houbao.core.awards import approve_within_limit, authorise
from houbao.core.conditions import Facts
from houbao.core.disputes import EXCESS, GOODWILL, Dispute, Event
from houbao.core.evolving import evolve_dispute
from houbao.core.orders import Order
from houbao.core.phases import entering, staying, timers_of
from houbao.core.policy import Rule
from houbao.core.programme import Store
from houbao.core.protection import protection_window
from houbao.core.refundable import refundable
from houbao.core.rulings import Compiled, assess
from houbao.core.scene import Scene, later
from houbao.core.terms import REASONS, ReasonClass, Record, Refused, check_reference
from houbao.core.watches import age_days

MOST_EVIDENCE = 20
REMEDIES = ("refund", "return_refund")
"""What a buyer may ask for; a replacement is the seller's to offer."""

MOST_TEXT = 5000

# --- assessing a claim ---------------------------------------------------------------------------------------------


class Given(Record, frozen=True, kw_only=True):
    """Facts beyond the order: the buyer's instant sum and standing; of the store what was found when it was last
    assessed, and its watch. None: not known."""

    instant_sum: int = 0
    buyer_standing: str = "good"
    store_watch: str = "none"
    store_age_days: int | None = None
    store_completed_orders: int | None = None
    buyer_share: int | None = None
    exposure: int | None = None
    shared: int | None = None


def given_of(store: Store | None, buyer: str, currency: str, instant_sum: int, now: datetime) -> Given:
    """The facts for a claim of that buyer against that store, in the currency of the order."""
    if store is None:
        return Given(instant_sum=instant_sum)
    watch, age = "watched" if store.watch else "none", age_days(store.registered_at, now)
    standing = store.standing
    if standing is None:
        return Given(instant_sum=instant_sum, store_watch=watch, store_age_days=age)
    return Given(
        instant_sum=instant_sum,
        store_watch=watch,
        store_age_days=age,
        store_completed_orders=standing.completed,
        buyer_share=dict(standing.buyers).get(buyer, 0),
        exposure=standing.exposure if standing.currency in ("", currency) else None,
        shared=len(standing.shared),
    )


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
        # Small is what is small in the programme's currency: a claim in another one is never paid unseen.
        instant_sum=None if opened or order.coverage.currency else given.instant_sum + amount,
        buyer_standing=given.buyer_standing,
        store_watch=given.store_watch,
        store_age_days=given.store_age_days,
        store_completed_orders=given.store_completed_orders,
        buyer_share=given.buyer_share,
        exposure=given.exposure,
        shared=given.shared,
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
    disputes = (other for other in others if other.route != GOODWILL)
    overlapping = [other for other in disputes if any(line in pieces for line, _ in other.lines)]
    closed = [other for other in overlapping if other.phase == "closed"]
    ruled = any(other.outcome != "withdrawn" and REASONS[other.reason] == kind for other in closed)
    return len(closed) < len(overlapping), ruled


def _check_claim(command: OpenDispute, order: Order) -> None:
    if command.reason not in REASONS:
        raise Refused("unknown_reason", f"{command.reason!r} is not a reason; there are {', '.join(REASONS)}")
    if command.remedy not in REMEDIES:
        raise Refused("bad_remedy", f"{command.remedy!r} cannot be asked for; there are {', '.join(REMEDIES)}")
    sold = {line.id: line.quantity for line in order.lines}
    if not command.lines or len(dict(command.lines)) < len(command.lines):
        raise Refused("bad_lines", "name at least one line of the order, each once")
    for line, quantity in command.lines:
        if line not in sold:
            raise Refused("unknown_line", f"order {order.reference} has no line {line!r}; it has {', '.join(sold)}")
        if not 1 <= quantity <= sold[line]:
            raise Refused("bad_lines", f"line {line} was sold {sold[line]} times, not {quantity}")
    check_amount(command.amount)
    check_evidence(command.evidence)
    if command.reference:
        check_reference("reference", command.reference)
    check_text(command.statement)


def check_evidence(evidence: tuple[str, ...]) -> None:
    """`Refused('bad_evidence')` unless it is a list of digests, not too long."""
    if len(evidence) > MOST_EVIDENCE or not all(map(is_digest, evidence)):
        raise Refused(
            "bad_evidence", f"evidence is up to {MOST_EVIDENCE} SHA-256 digests, 64 lower-case hex digits each"
        )


def is_digest(text: str) -> bool:
    """Whether it is a SHA-256 digest: 64 lower-case hex digits."""
    try:
        return len(text) == 64 and bytes.fromhex(text).hex() == text
    except ValueError:
        return False


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
    dispute = scene.position + 1
    phase = FIRST_PHASE[rule.route]
    opened = DisputeOpened(
        at=scene.now,
        by=str(scene.by),
        store=order.store,
        order=order.id,
        dispute=dispute,
        text=scene.text,
        phase=phase,
        timers=timers_of(phase, scene.now, scene.policy.timers, clock=scene.clock),
        buyer=order.buyer,
        currency=order.currency,
        lines=command.lines,
        reason=command.reason,
        amount=command.amount,
        remedy="return_refund" if rule.route == "return" else command.remedy,
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
    if rule.route == "return":
        new = evolve_dispute(None, opened, dispute)
        return [opened, *authorise(new, scene, command.amount, rule.payer, "return")]
    if rule.route != "instant":
        return [opened]
    new = evolve_dispute(None, opened, dispute)
    approved = approve_within_limit(new, later(scene), command.amount, rule.payer, "guarantee")
    if approved:
        opened = structs.replace(opened, phase=approved[-1].phase, timers=approved[-1].timers)
    return [opened, *approved]


def split_by_route(
    command: OpenDispute, scene: Scene, compiled: Compiled, others: tuple[Dispute, ...], given: Given
) -> list[OpenDispute]:
    """One command for each way that the lines go when each is taken alone. The amount is shared by what can be refunded
    on them (largest remainder). The first command keeps the reference; the others have none, so that none is taken
    which the store may have given already. Raises Refused: split_lines where a way would get nothing."""
    worth = [refundable(scene.order, {line: n}, scene.taken_lines, scene.taken_payments) for line, n in command.lines]
    ways: dict[str, list[tuple[tuple[str, int], int]]] = {}
    for piece, share in zip(command.lines, money.split(command.amount, worth), strict=True):
        evidence = bool(command.evidence)
        rule, _ = assess_claim(scene, compiled, others, command.reason, (piece,), share, evidence, given)
        ways.setdefault(rule.route, []).append((piece, share))
    for way in ways.values():
        if not sum(share for _, share in way):
            line = way[0][0][0]
            raise Refused("split_lines", f"of the amount nothing is left for line {line}: open a dispute for each way")
    return [
        structs.replace(
            command,
            lines=tuple(piece for piece, _ in way),
            amount=sum(share for _, share in way),
            reference="" if n else command.reference,
        )
        for n, way in enumerate(ways.values())
    ]


FIRST_PHASE = {
    "verify": "verifying",
    "instant": "refunding",
    "seller": "awaiting_seller",
    "return": "awaiting_return",
    EXCESS: "notifying",
}
"""Route → where a dispute begins; the instant route with its refund."""


# --- changing the claim --------------------------------------------------------------------------------------------


def decide_change_claim(
    dispute: Dispute,
    command: ChangeClaim | Counter,
    scene: Scene,
    compiled: Compiled,
    others: tuple[Dispute, ...],
    given: Given,
) -> list[Event]:
    """Another amount, assessed again: the seller's clock restarts, a notice goes out anew (R11). A counter-offer is the
    same, and makes it the seller's turn."""
    check_amount(command.amount)
    check_text(command.note)
    if command.amount == dispute.amount and isinstance(command, ChangeClaim):
        raise Refused("claim_unchanged", f"the claim is {money.Money(command.amount, dispute.currency)} already")
    if isinstance(command, Counter):
        _check_counter(dispute, command.amount)
    rule, facts = assess_claim(
        scene, compiled, others, dispute.reason, dispute.lines, command.amount, dispute.evidence, given, opened=True
    )
    sellers_turn = dispute.phase in ("awaiting_seller", "awaiting_buyer")
    moved = entering(dispute, scene, "awaiting_seller") if sellers_turn else staying(dispute, scene)
    return [ClaimChanged(**moved, text=scene.text, amount=command.amount, rule=rule.name, facts=facts)]


def _check_counter(dispute: Dispute, amount: int) -> None:
    """`Refused('claim_is_offer')` where the buyer asks for no more than is offered on the same or better terms."""
    offer = dispute.offer
    if offer and offer.remedy in ("refund", dispute.remedy) and amount <= offer.amount:
        offered = money.Money(offer.amount, dispute.currency)
        raise Refused("claim_is_offer", f"the seller offers {offered}: accept it, or ask for more")
