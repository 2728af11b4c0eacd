"""Disputes opened: one, or many at once, each with its own outcome."""

from collections.abc import Callable, Sequence
from sqlite3 import Connection
from typing import Any

from houbao.core import disputes as d
from houbao.core.terms import Refused
from houbao.engine.request import Accepted, Request
from houbao.store import lists
from houbao.web.api import bodies
from houbao.web.api.dispute_shapes import DisputeView
from houbao.web.api.disputes import found_order, left_by
from houbao.web.api.previews import PreviewView, previewed
from houbao.web.api.shapes import Outcome, Outcomes, dispute_id
from houbao.web.callers import actor_for
from houbao.web.operation import MOST_LIST_BODY, Answer, Ask, check_count, operation
from houbao.web.problems import problem
from houbao.web.site import PART, number_of

OPEN_REFUSES = (
    "unknown_order",
    "bad_currency",
    "bad_amount",
    "bad_lines",
    "unknown_line",
    "unknown_reason",
    "bad_remedy",
    "bad_evidence",
    "unknown_evidence",
    "text_too_long",
    "reference_taken",
    "not_paid",
    "outside_window",
    "dispute_open",
    "already_ruled",
    "nothing_left",
    "amount_above_refundable",
    "key_reused",
    "bad_list",
    "no_policy",
)


@operation(
    "POST",
    "/v1/disputes",
    action="disputes.open",
    body=bodies.OpenBody | list[bodies.OpenBody],
    reply=DisputeView,
    status=201,
    also={200: PreviewView, 207: Outcomes},
    refuses=OPEN_REFUSES,
    example={
        "order_id": "order_0_3",
        "lines": [{"line_id": "1", "quantity": 1}],
        "reason": "damaged",
        "remedy": "refund",
        "amount": {"minor": 4000, "currency": "EUR"},
        "statement": "The cup arrived in two pieces.",
    },
    most=MOST_LIST_BODY,
    previews=True,
)
async def open_dispute(ask: Ask[Any, Any]) -> Answer:
    """Open a dispute, or up to 1,000 at once, each with its own outcome (207). Lines that go different ways become
    several disputes: the header `Houbao-Also` names the others. `dry_run=true` says what would happen."""
    if isinstance(ask.body, list):
        return await _open_all(ask, ask.body)
    site, received = ask.site, ask.body
    with site.glance() as reading:
        order = found_order(reading, ask.scope, received.order_id)
    by = actor_for(ask.caller, ("buyer",), order)
    command = bodies.opening(received, order)
    if ask.dry_run:
        return await previewed(ask, command, by)
    now = site.clock()
    accepted = await ask.execute(command, by, now=now)
    with site.glance() as reading:
        answer = left_by(accepted, reading, ask, accepted.id, now)
        also = _also(reading, accepted)
    if also:
        answer.headers["Houbao-Also"] = ", ".join(also)
    answer.headers["Location"] = f"/v1/disputes/{dispute_id(accepted.id)}"
    return answer


async def _open_all(ask: Ask[Any, Any], claims: list[bodies.OpenBody | Refused]) -> Answer:
    """Many at once: all that can be opened are, in one batch."""
    site = ask.site
    check_count(len(claims))
    if ask.dry_run:
        raise Refused("bad_request", "a preview is of one thing: send it alone")
    numbers = [_number(claim) for claim in claims]
    with site.snapshot() as reading:
        orders = lists.orders_by_number(reading, PART, ask.scope, [one for one in numbers if isinstance(one, int)])
    made: list[Request | Refused] = []
    now, keys = site.clock(), keys_of(ask.key, len(claims))
    for claim, number, key in zip(claims, numbers, keys, strict=True):
        try:
            if isinstance(claim, Refused):
                raise claim
            if isinstance(number, Refused):
                raise number
            order = orders.get(number)
            if order is None:
                raise Refused("unknown_order", f"no order {claim.order_id}")
            by = actor_for(ask.caller, ("buyer",), order)
            made.append(Request(bodies.opening(claim, order), by, now, key, sender=ask.caller.sender))
        except Refused as refused:
            made.append(refused)
    outcomes = iter(await site.execute_all([one for one in made if isinstance(one, Request)]))
    told = [next(outcomes) if isinstance(one, Request) else one for one in made]
    return outcomes_of(told, dispute_id)


def _number(claim: bodies.OpenBody | Refused) -> int | Refused:
    """The number of the order that is claimed for, or why there is none."""
    return claim if isinstance(claim, Refused) else order_number(claim.order_id)


def order_number(text: str) -> int | Refused:
    """The number of an order's id, or why it is none."""
    try:
        return number_of("order", text)
    except Refused as refused:
        return refused


def keys_of(key: str, count: int) -> list[str]:
    """The idempotency keys of a list's items: item n has `key:n`."""
    return [f"{key}:{n}" if key else "" for n in range(count)]


def outcomes_of(told: Sequence[Accepted | Refused], named: Callable[[int], str]) -> Answer:
    """What became of a list, item by item; it says where every one of them had been answered before."""
    headers = {}
    if all(isinstance(one, Accepted) and one.replayed for one in told):
        headers["Idempotency-Replayed"] = "true"
    return Answer(Outcomes([_outcome_of(one, named) for one in told]), 207, headers)


def _outcome_of(outcome: Accepted | Refused, named: Callable[[int], str]) -> Outcome:
    if isinstance(outcome, Refused):
        told = problem(outcome)
        return Outcome(status=told.status, problem=told)
    return Outcome(status=200 if outcome.replayed else 201, id=named(outcome.id))


def _also(reading: Connection, accepted: Accepted) -> list[str]:
    """The other disputes that the same claim became."""
    if accepted.last - accepted.first < 1:
        return []
    if accepted.replayed:
        made = lists.disputes_between(reading, PART, accepted.id + 1, accepted.last)
    else:
        opened = (event.dispute for event in accepted.events if isinstance(event, d.DisputeOpened))
        made = [number for number in opened if number != accepted.id]
    return [dispute_id(number) for number in made]
