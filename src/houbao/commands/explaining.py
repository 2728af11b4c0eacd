"""`houbao policy explain`: covered, who pays, why, asked before a dispute is opened."""

from msgspec import Struct

from houbao.commands.times import time_of
from houbao.core import disputes as d
from houbao.core.money import parse
from houbao.core.orders import Order
from houbao.core.rulings import Compiled, Miss, explain
from houbao.core.terms import Actor, Refused, parse_id, public_id
from houbao.engine.request import Request
from houbao.store import queries
from houbao.wiring import House


class Answer(Struct):
    """The policy's answer to a claim. `refused` is a code where no dispute could be opened."""

    order: str
    covered: bool
    coverage: str
    rule: str
    route: str = ""
    payer: str = ""
    fault: str = ""
    policy_version: str = ""
    refused: str = ""
    detail: str = ""
    reasons: list[str] = []

    def told(self) -> list[str]:
        """The answer as lines of text."""
        cover = "covered by the guarantee" if self.covered else f"not covered ({self.coverage.replace('_', ' ')})"
        if self.refused:
            head = f"{self.order}: {cover}; refused, {self.refused}: {self.detail}"
        else:
            head = f"{self.order}: {cover}; route {self.route}, paid by {self.payer}, fault class {self.fault}"
        return [head, *(f"  {reason}" for reason in self.reasons)]


def explanation(house: House, order: str, reason: str, amount: str, lines: tuple[str, ...], at: str = "") -> Answer:
    """Ask the policy of the order's own version, as at the time `at` (default: now); nothing is saved.

    The order is looked at as it stands. Raises Refused for an order that is not known."""
    found = _find(house, order)
    asked_at = time_of("--at", at) if at else house.clock()
    try:
        minor = parse(amount, found.currency)
    except ValueError as error:
        raise Refused("bad_amount", str(error)) from None
    quantities = {line.id: line.quantity for line in found.lines}
    wanted = lines or tuple(quantities)
    command = d.OpenDispute(
        order=found.id, lines=tuple((line, quantities.get(line, 1)) for line in wanted), reason=reason, amount=minor
    )
    coverage = found.coverage
    answer = Answer(
        order=public_id("order", 0, found.id),
        covered=coverage.covered,
        coverage=coverage.reason or ("not_paid" if found.paid_at is None else ""),
        rule="",
        policy_version=coverage.policy,
    )
    compiled = house.database.compiled(coverage.policy, found.currency)
    assert compiled is not None
    try:
        ruling = house.engine.explain(Request(command, Actor("buyer", found.buyer), asked_at))
    except Refused as refused:
        answer.refused, answer.detail, answer.rule = refused.code, refused.detail, refused.rule
        answer.reasons = _reasons(compiled, refused.rule, refused.reasons)
        return answer
    rule = ruling.rule
    answer.rule, answer.route, answer.payer, answer.fault = rule.name, rule.route, rule.payer, rule.fault
    answer.reasons = _reasons(compiled, rule.name, ruling.misses)
    return answer


def _find(house: House, order: str) -> Order:
    if order.startswith("order_"):
        found = house.database.order(*parse_id("order", order))
        if found is not None:
            return found
        raise Refused("unknown_order", f"no order {order}")
    matches = queries.order_by_reference(house.database.connection, 0, order)
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise Refused("unknown_order", f"no order has the reference {order!r}")
    names = ", ".join(f"{public_id('order', 0, match.id)} of store {match.store}" for match in matches)
    raise Refused("ambiguous_order", f"several stores have an order {order!r}: name one of {names}")


def _reasons(compiled: Compiled, rule: str, misses: tuple[Miss, ...]) -> list[str]:
    return explain(compiled, rule, misses, private=False) if rule else []
