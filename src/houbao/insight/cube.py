"""What a candidate policy makes of every dispute of a lake, summed up on the engine: one Ibis expression.

A dispute whose ruling stays is as it was. Where it changes, nobody knows what people would have done; what the buyer
got is taken as it was found, at the new payer's cost, and beside it stand the least and the most it may be:

    refused now         nothing is paid
    paid at once now    the whole claim is paid
    another payer       what was found, by that payer; at least nothing, at most the whole claim

What was handed over above the fund's limit is no ruling of its own: it is counted as it was.
"""

from collections.abc import Callable, Collection, Iterator
from functools import reduce

import ibis
from msgspec import Struct

from houbao.core.disputes import EXCESS
from houbao.core.money import DIGITS
from houbao.core.policy import Policy, Rule
from houbao.core.rulings import caps_of
from houbao.insight.columns import PAYERS
from houbao.insight.engines import Engine, Table
from houbao.insight.lake import Lake, LakeError, Progress
from houbao.insight.rules import Expression, rule_number

TOGETHER = 4_000_000
"""Disputes that are asked about together: months are, until there are so many."""

AS_IT_WAS = -1
"""The `number` of what no rule ruled: it was handed over."""


class Line(Struct, frozen=True, kw_only=True, gc=False):
    """All disputes of a store in one currency that one rule ruled then and one would now. `number` is the place of the
    candidate's rule, or AS_IT_WAS; amounts are minor units: `was_…` what was approved at whose cost, `now_…` what would
    have been, `least` and `most` how far that may be off. `weighed`, `weighs`: how many count against the store, or may
    still."""

    store_id: str
    currency: str
    rule: str
    route: str
    payer: str
    fault: str
    number: int
    disputes: int
    open: int
    claimed: int
    adjudicated: int
    was_fund: int
    was_seller: int
    was_platform: int
    now_fund: int
    now_seller: int
    now_platform: int
    least: int
    most: int
    weighed: int
    weighs: int
    last: int


def ruled(disputes: Table, candidate: Policy, currencies: Collection[str]) -> Table:
    """The disputes with `number`: the place of the candidate's rule, or AS_IT_WAS."""
    rule = rule_number(candidate, disputes, currencies)
    return disputes.mutate(number=ibis.cases((disputes.route == EXCESS, AS_IT_WAS), else_=rule))


def rule_now(candidate: Policy, number: int, *, name: str, route: str, payer: str, fault: str) -> Rule:
    """The candidate's rule of that number; of what is counted as it was, the effect that it had."""
    if number == AS_IT_WAS:
        return Rule(name=name, when=(), says="", route=route, payer=payer, fault=fault)
    return candidate.rules[number]


def summed(disputes: Table, candidate: Policy, currencies: Collection[str]) -> Table:
    """The lines, as columns of a Line, of disputes that were `ruled`."""
    t, rules = disputes, candidate.rules

    def among(chosen: Callable[[Rule], bool]) -> Expression:
        # One by one: of a list of numbers DuckDB makes a join.
        return _any([t.number == number for number, rule in enumerate(rules) if chosen(rule)])

    def alike(field: str) -> Expression:
        """Whether route or payer are those of the rule then."""
        known = {getattr(rule, field) for rule in rules} - {""}
        same = ((t[field] == value) & among(lambda rule, v=value: getattr(rule, field) == v) for value in sorted(known))
        return reduce(lambda one, other: one | other, same, ibis.literal(False))

    handed_over = t.number == AS_IT_WAS
    at_once = among(lambda rule: rule.route == "instant") & (t.route != "instant")
    # What is asked for more than once is a column, so that the engine works it out once.
    t = t.mutate(handed_over=handed_over, refused=among(lambda rule: bool(rule.refuse)), at_once=at_once)
    t = t.mutate(
        same_payer=t.handed_over | (alike("payer") & ~t.at_once),
        pays=ibis.cases((t.refused, 0), (t.at_once, t.amount), else_=t.fund_pays + t.seller_pays + t.platform_pays),
    )
    handed_over, refused, pays = t.handed_over, t.refused, t.pays
    stays = handed_over | (t.same_payer & alike("route"))

    def now(payer: str) -> Expression:
        mine = among(lambda rule: rule.payer == payer)
        return ibis.cases((refused, 0), (t.same_payer, t[f"{payer}_pays"]), (mine, pays), else_=0)

    t = t.mutate(of_fund=now("fund"), of_platform=now("platform"), of_seller=now("seller"))
    fund, platform = _limited(t, candidate, currencies)
    certain = stays | refused | t.at_once
    exempt = among(lambda rule: rule.fault == "exempt")
    weighed = t.fault_state != "exempt"
    weighs = ibis.cases(
        (handed_over, weighed), (refused | exempt, False), (t.fault == "exempt", pays > 0), else_=weighed
    )
    told = t.mutate(
        now_fund=fund,
        now_seller=t.of_seller,
        now_platform=platform,
        at_least=ibis.cases((certain, pays), else_=0),
        at_most=ibis.cases((certain, pays), else_=ibis.greatest(t.amount, pays)),
        was_weighed=weighed,
        still_weighs=weighs,
    )
    keys = ["store_id", "currency", "rule", "route", "payer", "fault", "number"]
    return told.group_by(keys).agg(
        disputes=told.count(),
        open=told.closed_at.isnull().sum(),
        claimed=told.amount.sum(),
        adjudicated=told.adjudicated.sum(),
        **{f"was_{payer}": told[f"{payer}_pays"].sum() for payer in PAYERS},
        **{f"now_{payer}": told[f"now_{payer}"].sum() for payer in PAYERS},
        least=told.at_least.sum(),
        most=told.at_most.sum(),
        weighed=told.was_weighed.sum(),
        weighs=told.still_weighs.sum(),
        last=told.opened_at.epoch_seconds().max(),
    )


def _any(terms: list[Expression]) -> Expression:
    """Whether one of them holds: halved again and again, since a policy may have any number of rules and Ibis walks an
    expression as deep as it is."""
    if len(terms) < 2:
        return terms[0] if terms else ibis.literal(False)
    half = len(terms) // 2
    return _any(terms[:half]) | _any(terms[half:])


def _limited(t: Table, candidate: Policy, currencies: Collection[str]) -> tuple[Expression, Expression]:
    """What fund and platform pay under the candidate's limit per dispute; what is above it is the platform's. It holds
    for orders in the fund's own currency: of others the rate of the day is not in a lake."""
    fund, platform = t.of_fund, t.of_platform
    limits = {currency: caps_of(candidate.limits, currency).per_dispute for currency in sorted(currencies)}
    by_digits = {DIGITS[currency]: limit for currency, limit in limits.items() if limit is not None}
    together: Expression = ibis.cases((fund > 0, fund + platform), else_=fund)
    own = (t.fund_currency == "") & (t.number != AS_IT_WAS)
    capped: Expression = together
    for digits, limit in by_digits.items():
        here = own & t.currency.isin([currency for currency in limits if DIGITS[currency] == digits])
        capped = ibis.cases((here & (together > limit), limit), else_=capped)
    capped = ibis.cases((own, capped), else_=fund)
    return capped, fund + platform - capped


def ask(engine: Engine, lake: Lake, candidate: Policy, progress: Progress) -> list[Line]:
    """The lines of a whole lake, some months at a time. Raises LakeError where it holds more or fewer disputes than it
    says."""
    filed, currencies = lake.manifest.tables["disputes"], lake.manifest.currencies
    lines: list[Line] = []
    done = 0
    for months in _steps(filed.months):
        disputes = engine.table(lake.files("disputes", months))
        found = engine.rows(summed(ruled(disputes, candidate, currencies), candidate, currencies))
        lines += [Line(**row) for row in found]
        done += sum(filed.months[month] for month in months)
        progress("disputes", done, filed.rows)
    if (asked := sum(line.disputes for line in lines)) != filed.rows:
        raise LakeError(f"{lake.folder} holds {asked} disputes, its manifest says {filed.rows}: export the lake again")
    return lines


def _steps(months: dict[str, int]) -> Iterator[list[str]]:
    """Months that are asked about together."""
    step: list[str] = []
    for month, rows in months.items():
        if step and sum(months[one] for one in step) + rows > TOGETHER:
            yield step
            step = []
        step.append(month)
    if step:
        yield step
