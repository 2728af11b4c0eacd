"""The whole domain on one page: in the world that one command may see, what happens, and what follows from it.

`decide` first applies what fell due before the command was received, then the command itself. A refused command writes
nothing, not even that; its refusal names what had fallen due.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from msgspec import Struct, structs

from houbao.core import chargebacks as c
from houbao.core import claims, deadlines, freezes, goodwill, outages, phases, queues, turns
from houbao.core import disputes as d
from houbao.core import messages as m
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.acts import SendGoodwill
from houbao.core.breaker import SetBreaker, TellSolvency, decide_breaker, stopped_at
from houbao.core.effects import Effect, effects
from houbao.core.fulfilment import Till, decide_fact
from houbao.core.fund import FundCommand, decide_fund
from houbao.core.ledger import Transfer, transfers
from houbao.core.moves import Head
from houbao.core.outages import EnterOutage
from houbao.core.placing import decide_place
from houbao.core.policy import clock_of
from houbao.core.rulings import Caps, Compiled, caps_of
from houbao.core.scene import Purse, Scene
from houbao.core.shortfalls import draw, spent
from houbao.core.subjects import FACTS, Command
from houbao.core.terms import REASONS, SYSTEM, Actor, Refused, check_aware, in_utc, rfc3339, tag_of
from houbao.core.world import Event, World, apply, evolve, order_of


class Consequence(Struct, frozen=True, gc=False):
    """One event with its transfers and effects."""

    event: Event
    transfers: list[Transfer]
    effects: list[Effect]


class Decision(Struct, frozen=True, gc=False):
    """All that a command leads to, computed once, and the world after it."""

    consequences: list[Consequence]
    world: World

    @property
    def events(self) -> list[Event]:
        """What happened, in order."""
        return [consequence.event for consequence in self.consequences]


def decide(world: World, command: Command, by: Actor, now: datetime) -> Decision:
    """What happens when `command` of `by`, received at `now` (aware), meets the world. Raises Refused."""
    now, command = now.astimezone(UTC), in_utc(command)
    all_of_it: list[Consequence] = []
    if isinstance(command, o.PlaceOrder):
        return Decision(all_of_it, _placed(world, command, by, now, all_of_it))
    if world.disputes:
        if world.outages:
            world = _apply_outages(world, now, all_of_it)
        if not isinstance(command, r.ServeWaiting):
            world = _apply_due(world, _horizon(command, now), all_of_it)
    try:
        events = DECIDE[type(command)](world, command, by, now)
    except Refused as refused:
        if isinstance(command, d.DisputeCommand):
            raise _too_late(refused, [one.event for one in all_of_it], command.dispute) from None
        raise
    return Decision(all_of_it, _follow(world, events, all_of_it))


def _horizon(command: Command, now: datetime) -> datetime:
    """Up to when what fell due is applied first."""
    if not isinstance(command, d.PassTime) or command.until is None:
        return now
    check_aware("until", command.until)
    return min(command.until, now)


def _follow(world: World, events: Sequence[Event], all_of_it: list[Consequence]) -> World:
    """Take the events in with what follows from each; returns the world after the last."""
    for event in events:
        moved = transfers(event)
        world = evolve(world, event, moved)
        dispute = world.disputes.get(event.dispute) if isinstance(event, r.DisputeEvent) else None
        all_of_it.append(Consequence(event, moved, effects(event, dispute, world.position)))
    return world


def _apply_outages(world: World, now: datetime, all_of_it: list[Consequence]) -> World:
    """Move the timers that run over an outage which was entered since; before anything falls due by them."""
    for dispute in world.disputes.values():
        head = {"at": now, "by": str(SYSTEM), "store": dispute.store, "order": dispute.order, "dispute": dispute.id}
        if event := outages.moved(dispute, world.outages, head):
            world = _follow(world, [event], all_of_it)
    return world


def _apply_due(world: World, now: datetime, all_of_it: list[Consequence]) -> World:
    """Apply everything due by `now` on the world's disputes, the earliest first, each at its own due time."""
    while True:
        waiting = [
            (timer.at, dispute.id, timer, dispute)
            for dispute in world.disputes.values()
            if (timer := deadlines.next_due(dispute, now))
        ]
        if not waiting:
            return world
        _, _, timer, dispute = min(waiting)
        wordless = structs.replace(_scene(world, SYSTEM, timer.at), text="")  # what is said now is not said by time
        events = deadlines.fall_due(dispute, timer, wordless)
        world = _follow(world, [*events], all_of_it)


def _too_late(refused: Refused, happened: list[Event], dispute: int) -> Refused:
    """The refusal, which names what had fallen due on that dispute where that is why."""
    fallen = [event for event in happened if isinstance(event, d.TimedOut) and event.dispute == dispute]
    if refused.code not in ("not_now", "answer_after_due") or not fallen:
        return refused
    last = fallen[-1]
    return Refused(
        "answer_after_due",
        f"the {last.turn}'s time ended at {rfc3339(last.due_at)}; {refused.detail}",
        fell_due=last.turn,
        due_at=rfc3339(last.due_at),
    )


# --- a claim -------------------------------------------------------------------------------------------------------


def _claim(world: World, command: d.OpenDispute, by: Actor, now: datetime) -> list[Event]:
    if command.reference and world.reference_taken:
        raise Refused("reference_taken", f"the store has a dispute {command.reference} already")
    return _stopped(world, _open(world, command, by, now), by, now)


def _open(world: World, command: d.OpenDispute, by: Actor, now: datetime) -> list[Event]:
    """A dispute; one for each way where its lines would go different ones."""
    scene, rules, others = _scene(world, by, now), _known(world.rules), tuple(world.disputes.values())
    try:
        return [*claims.decide_open(command, scene, rules, others, world.given)]
    except Refused as refused:
        if refused.code != "split_lines":
            raise
        ways = claims.split_by_route(command, scene, rules, others, world.given)
        if len(ways) < 2:
            raise
    events: list[Event] = []
    for way in ways:
        opened = _open(world, way, by, now)
        for event in opened:
            world = evolve(world, event, transfers(event))
        events += opened
    return events


def _stopped(world: World, events: Sequence[Event], by: Actor, now: datetime) -> list[Event]:
    """The events, and what a bank that is deciding about the order's payment makes of the disputes they begin."""
    if not order_of(world).chargebacks:
        return [*events]
    for event in events:
        world = evolve(world, event, transfers(event))
    begun = dict.fromkeys(event.dispute for event in events if isinstance(event, r.DisputeEvent))
    scene = _scene(world, by, now)
    return [*events, *(frozen for number in begun for frozen in freezes.at_once(world.disputes[number], scene))]


# --- an order ------------------------------------------------------------------------------------------------------


def _placed(world: World, command: o.PlaceOrder, by: Actor, now: datetime, all_of_it: list[Consequence]) -> World:
    """A new order, and what has happened to it so far, each as the order then stands: what `_follow` does, of a world
    in which nothing but the order and the purse can change, so that it is made anew once."""
    purse, position = world.purse, world.position + 1
    placed = decide_place(world.reference_taken, world.store, command, by)
    order = o.evolve_order(None, placed, position)
    all_of_it.append(Consequence(placed, transfers(placed), effects(placed, None, position)))
    for fact in map(in_utc, command.facts):
        coverage = _coverage(world, fact, order)
        event = decide_fact(order, fact, coverage, _till(world, purse, fact, coverage), by, now)
        position += 1
        order = o.evolve_order(order, event, position)
        if moved := transfers(event):
            purse = apply(purse, moved)
        all_of_it.append(Consequence(event, moved, effects(event, None, position)))
    return structs.replace(world, position=position, order=order, purse=purse)


def _coverage(world: World, fact: o.Fact, order: o.Order) -> p.Coverage:
    """What is frozen at payment; nothing is at any other fact."""
    if not isinstance(fact, o.Paid) or not world.store:
        return UNCOVERED
    fund = world.programme.currency if world.programme else ""
    stopped = stopped_at(world.breakers, fund, fact.at) if world.breakers else False
    return p.coverage(world.store, world.programme, order.currency, fact.at, stopped=stopped)


def _decide_fact(world: World, command: o.Fact, by: Actor, now: datetime) -> list[Event]:
    """A fact of an order; a delivery after what was not received had been refunded is told on that dispute."""
    order = order_of(world)
    coverage = _coverage(world, command, order)
    events: list[Event] = [decide_fact(order, command, coverage, _till(world, world.purse, command, coverage), by, now)]
    if isinstance(command, o.Delivered):
        paid = [x for x in world.disputes.values() if x.phase == "closed" and any(r.paid_minor(y) for y in x.refunds)]
        not_received = (dispute for dispute in paid if REASONS.get(dispute.reason) == "INR")
        for late in not_received:
            head: Head = {"at": now, "by": str(by), "store": order.store, "order": order.id, "dispute": late.id}
            events.append(d.DeliveredAfterRefund(**head))
    return events


def _chargeback(world: World, command: c.Chargeback, by: Actor, now: datetime) -> Sequence[Event]:
    return freezes.decide_chargeback(command, _scene(world, by, now), tuple(world.disputes.values()))


def _goodwill(world: World, command: SendGoodwill, by: Actor, now: datetime) -> Sequence[Event]:
    return goodwill.decide_goodwill(command, _scene(world, by, now))


def _write_on_order(world: World, command: m.WriteOnOrder, by: Actor, now: datetime) -> Sequence[Event]:
    return goodwill.decide_order_message(command, _scene(world, by, now))


UNCOVERED, NO_TILL = p.Coverage(), Till()


def _till(world: World, purse: Purse, command: o.Fact, coverage: p.Coverage) -> Till:
    """What deciding on the order's money may read, by the policy in force at payment."""
    if not isinstance(command, (o.Paid, o.PaidOut)):
        return NO_TILL
    return Till(
        payable=purse.payable,
        owed=-purse.receivable,
        premium=_known(world.policy).policy.premium if coverage.mode == "premium" else 0,
        days=_known(world.rules).policy.window_days if isinstance(command, o.PaidOut) else 0,
        fund_awaits=purse.queue > 0,
        store_awaits=purse.payable_queue > 0,
    )


# --- a dispute -----------------------------------------------------------------------------------------------------


def _pass_time(world: World, command: d.PassTime, by: Actor, now: datetime) -> list[Event]:
    """Nothing by itself: what fell due has been applied before."""
    _check_party(_dispute(world, command.dispute), "pass_time", by)
    return []


def _dispute(world: World, number: int) -> d.Dispute:
    if number not in world.disputes:
        raise Refused("unknown_dispute", f"no dispute {number}")
    return world.disputes[number]


def _decide_turn(world: World, command: d.DisputeCommand, by: Actor, now: datetime) -> Sequence[Event]:
    """A command in the turn of its phase: may this party do it, and may it happen now?"""
    dispute, name = _dispute(world, command.dispute), tag_of(command)
    _check_party(dispute, name, by)
    if name not in phases.TURNS[dispute.phase]:
        ended = f"; it ended {dispute.outcome}" if dispute.outcome else ""
        said = f"the dispute is in phase {dispute.phase}{ended}: {name} cannot happen now"
        if dispute.resolved_by.endswith("_timeout") and name in ANSWERS:
            raise Refused("answer_after_due", said)
        raise Refused("not_now", said)
    queues.check_claim(dispute, name, by, now)
    if dispute.frozen and name not in freezes.IN_FREEZE:
        raise Refused("frozen", "the buyer's bank asks for the payment back: the dispute goes on when that is decided")
    scene = _scene(world, by, now)
    if isinstance(command, d.ChangeClaim | d.Counter):
        own = (dispute.id, dispute.excess_of)
        others = tuple(other for other in world.disputes.values() if other.id not in own)
        return claims.decide_change_claim(dispute, command, scene, _known(world.rules), others, world.given)
    events = [*turns.DECIDE[name](dispute, command, scene)]
    if isinstance(command, d.Sign) and any(isinstance(e, d.DisputeRuled) and e.fraud == "seller" for e in events):
        return [*events, *_watched(world, by, now)]
    return _stopped(world, events, by, now) if dispute.phase == "closed" and events else events


def _watched(world: World, by: Actor, now: datetime) -> list[p.WatchSet]:
    """A store whose fraud was ruled is watched from then on, where it is not already."""
    store = world.store
    return [p.WatchSet(at=now, by=str(by), store=store.id, why="fraud")] if store and store.watch is None else []


PEOPLE = ("buyer", "seller", "agent")
NO_ANSWERS = ("evidence", "messages", "claim", "release", "request_evidence", "serve_notice", "reopen", "appeal")
ANSWERS = frozenset(
    name
    for turns_of in phases.TURNS.values()
    for name, turn in turns_of.items()
    if turn.by[0] in PEOPLE and name not in NO_ANSWERS
)
"""What a party might have answered in time."""

ROLES: dict[str, frozenset[str]] = {"pass_time": frozenset({"system"})}
for _turns in phases.TURNS.values():
    for _name, _turn in _turns.items():
        ROLES[_name] = ROLES.get(_name, frozenset()) | frozenset(_turn.by)


def _check_party(dispute: d.Dispute, name: str, by: Actor) -> None:
    if by.role not in ROLES[name]:
        raise Refused("not_permitted", f"a {by.role} may not {name}; it takes {' or '.join(sorted(ROLES[name]))}")
    if (by.role == "seller" and by.id != dispute.store) or (by.role == "buyer" and by.id != dispute.buyer):
        raise Refused("not_yours", f"this dispute is between others, not {by}")


# --- a store, and the part as a whole ------------------------------------------------------------------------------


def _membership(world: World, command: p.Membership, by: Actor, now: datetime) -> Sequence[Event]:
    return p.decide_store(world.store, world.programme, command, by, now)


def _watch(world: World, command: p.WatchCommand, by: Actor, now: datetime) -> Sequence[Event]:
    limits = world.policy.policy.watch if world.policy else p.WatchLimits()
    return p.decide_watch(world.store, limits, command, by, now)


def _fund(world: World, command: FundCommand, by: Actor, now: datetime) -> Sequence[Event]:
    return decide_fund(command, world.store is not None, world.purse.payable, -world.purse.receivable, by, now)


def _breaker(world: World, command: SetBreaker | TellSolvency, by: Actor, now: datetime) -> Sequence[Event]:
    return decide_breaker(world.breakers, command, by, now)


def _outage(world: World, command: EnterOutage, by: Actor, now: datetime) -> Sequence[Event]:
    return outages.decide_outage(world.outages, command, by, now)


def _serve_waiting(world: World, command: r.ServeWaiting, by: Actor, now: datetime) -> list[d.Event]:
    """Take money for the refunds that wait for that account, in order of approval, as far as it goes (R5)."""
    if by.role != "system":
        raise Refused("not_permitted", f"a {by.role} may not serve_waiting; it takes system")
    purse, account = world.purse, command.account
    events: list[d.Event] = []
    for dispute in world.disputes.values():
        refund = next(refund for refund in dispute.refunds if refund.waits == account)
        minor, currency = r.takes(refund)
        legs = draw(account, purse, minor, refund.advance)
        if legs is None:
            break
        purse = spent(purse, minor, legs)
        head: Head = {"at": now, "by": str(by), "store": dispute.store, "order": dispute.order, "dispute": dispute.id}
        said = {"refund": refund.id, "minor": minor, "currency": currency}
        events.append(r.FundsReserved(**head, phase="refunding", account=account, legs=legs, **said))
    return events


# --- what one decision may read ------------------------------------------------------------------------------------


def _scene(world: World, by: Actor, now: datetime) -> Scene:
    order = order_of(world)
    taken_lines, taken_payments = _taken(order, world.disputes)
    policy = _known(world.policy).policy
    return Scene(
        order=order,
        taken_lines=taken_lines,
        taken_payments=taken_payments,
        purse=world.purse,
        policy=policy,
        refunded=_refunded(world),
        caps=_caps(world),
        rates=world.rates,
        by=by,
        now=now,
        position=world.position,
        text=world.text,
        clock=clock_of(policy, order.country, world.outages),
        labels=_known(world.rules).policy.returns.covered == "platform_label",
    )


def _refunded(world: World) -> int | None:
    """What the seller has refunded of the order (minor units); None where by the policy at payment no commission is
    given back."""
    if not order_of(world).commission or _known(world.rules).policy.returns.commission == "kept":
        return None
    refunds = [refund for dispute in world.disputes.values() for refund in dispute.refunds]
    return sum(r.paid_minor(refund) - r.recovered(refund) for refund in refunds if refund.payer == "seller")


def _caps(world: World) -> Caps:
    """The limits of the policy at payment: what the fund pays in its currency, what a seller owes in the order's."""
    rules = _known(world.rules)
    other = order_of(world).coverage.currency
    return structs.replace(caps_of(rules.policy.limits, other), advance=rules.caps.advance) if other else rules.caps


Taken = tuple[Mapping[str, int], Mapping[str, int]]
NOTHING_TAKEN: Taken = ({}, {})


def _taken(order: o.Order, disputes: Mapping[int, d.Dispute]) -> Taken:
    """What is approved already or asked back by a bank: by line and by payment (minor units)."""
    refunds = [refund for dispute in disputes.values() for refund in dispute.refunds] if disputes else []
    return r.taken_of(order, refunds) if refunds or order.chargebacks else NOTHING_TAKEN


def _known(compiled: Compiled | None) -> Compiled:
    if compiled is None:
        raise Refused("no_policy", "no policy is in force: publish one first")
    return compiled


# --- the table -----------------------------------------------------------------------------------------------------

DECIDE: dict[type, Callable[[World, Any, Actor, datetime], Sequence[Event]]] = {
    d.OpenDispute: _claim,
    **dict.fromkeys(get_args(d.DisputeCommand), _decide_turn),
    d.PassTime: _pass_time,
    **dict.fromkeys(FACTS, _decide_fact),
    c.Chargeback: _chargeback,
    SendGoodwill: _goodwill,
    m.WriteOnOrder: _write_on_order,
    **dict.fromkeys(get_args(p.Membership), _membership),
    **dict.fromkeys(get_args(p.WatchCommand), _watch),
    **dict.fromkeys(get_args(FundCommand), _fund),
    r.ServeWaiting: _serve_waiting,
    EnterOutage: _outage,
    SetBreaker: _breaker,
    TellSolvency: _breaker,
}
"""Who decides each command; on a new order, `_placed`."""
