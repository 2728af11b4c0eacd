"""What the fund holds and what it will owe: open disputes, those not yet reported, the price of cover, hard times."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from math import ceil, sqrt

from msgspec import Struct, structs

from houbao.core.accounts import AVAILABLE, RESERVED
from houbao.core.disputes import GOODWILL, Dispute, funding_of
from houbao.core.ledger import fund_cost
from houbao.core.orders import Order
from houbao.core.policy_file import parse_policy
from houbao.core.programme import Coverage
from houbao.core.protection import matures_at
from houbao.core.refunds import SETTLED, is_settled, takes
from houbao.engine.past import BookedTransfer, Past
from houbao.insight.ladder import Ladder, chain_ladder
from houbao.insight.lake import Progress

PERIOD = timedelta(days=30)
PERIODS = 24
"""Orders are grouped by 30 days of payment, back from now; what is older than 24 periods has cost all that it will."""

FULL_CREDIBILITY = 1082
"""Claims from which a class is believed by itself: within 5 % in 90 % of cases (limited fluctuation)."""

MARGIN = 0.25
"""What a suggested premium has above the expected losses (A)."""

ONE_CLAIM = 1 / 3
"""The share of a figure from which one claim alone decides it: a third of it is there or not by that one chance (A)."""

DEAR = 200
"""Per mille of the price above which a premium is no price of cover any more: a fifth (A)."""

FEW_CLAIMS = 30
"""Claims of all stores below which every rate rests on too few: limited fluctuation believes 30 to a sixth (A)."""

FREQUENCY = 1.5
PREMIUM_METHOD = (
    "what the fund paid for a class, developed by the chain ladder's factor of all, per mille of its covered orders'"
    " price; mixed with that of all stores by limited fluctuation (full credibility at 1,082 claims); a quarter on top;"
    " rounded up"
)


class Premium(Struct, frozen=True):
    """A class of stores: what it cost and what it should pay. Rates are per mille of the price of covered orders.
    `largest` is the claim without which the rate would fall most (minor units), by `largest_share` per mille of itself,
    to `without`. `doubts`: why the suggestion is none yet: `one_claim`, `dear`, `few_claims`."""

    stores: int
    orders: int
    price: int
    claims: int
    paid: int
    own: float
    credibility: float
    expected: float
    suggested: int
    largest: int = 0
    largest_share: int = 0
    without: int = 0
    doubts: list[str] = []


class Stress(Struct, frozen=True):
    """Hard times: what the fund would owe then (minor units), and whether what it holds is enough."""

    name: str
    owes: int
    ratio: int | None
    lasts: bool


class Reserves(Struct):
    """The fund in one currency (minor units). It `holds` what is available and what is `promised` (reserved). For
    orders that are covered it `owes` what is promised, `waiting`, the `case` reserves of open disputes, and `ibnr`:
    what was incurred and is not yet reported; `ibnr_without` the `largest_claim` that the fund ever paid. `ratio`: what
    it holds per mille of what it owes; None where it owes nothing. `paid_share`: per mille of a claim that was paid in
    the end; `left_out` orders and open disputes in another currency, or of a fund in another, are in none of these
    figures, but for what this fund promised for them already. `position`: the last event that was read."""

    currency: str
    at: datetime
    holds: int
    owes: int
    available: int
    promised: int
    waiting: int
    case: int
    open_disputes: int
    paid_share: int
    ibnr: int
    ratio: int | None
    periods: int
    factors: list[float]
    premiums: dict[str, Premium]
    stress: list[Stress]
    largest_store: str
    largest_exposure: int
    left_out: int
    premium_method: str = PREMIUM_METHOD
    position: int = 0
    largest_claim: int = 0
    ibnr_without: int = 0

    @property
    def rests_on_one(self) -> bool:
        """Whether what is not yet reported is what it is by one claim."""
        return self.ibnr - self.ibnr_without > self.ibnr * ONE_CLAIM


class _Claim(Struct, frozen=True):
    """What the fund paid for an order (minor units), how many periods ago the order was, and how many each payment."""

    minor: int = 0
    origin: int = 0
    payments: tuple[tuple[int, int], ...] = ()


NOTHING = _Claim()


class _Cover(Struct):
    """What one store's covered orders brought and cost."""

    orders: int = 0
    price: int = 0
    exposure: int = 0
    claims: int = 0
    paid: int = 0
    dearest: _Claim = NOTHING


def reserves(past: Past, classes: Mapping[str, str], now: datetime, currency: str, progress: Progress) -> Reserves:
    """The fund in that currency; one pass over transfers, orders and disputes. `classes` is store → class, where it has
    one."""
    return _Fund(currency, now).over(past, classes, progress)


class _Fund:
    """One currency's fund while the past goes by."""

    def __init__(self, currency: str, now: datetime) -> None:
        self.currency = currency
        self.now = now
        self.available = self.promised = self.waiting = 0
        self.stores: dict[str, _Cover] = {}
        self.payments: dict[int, list[tuple[int, int]]] = {}
        self.coming: dict[int, int] = {}
        self.apart = 0  # what is owed for orders that are left out: no ladder has it, so it is taken off none
        self.triangle = [[0] * (period + 1) for period in range(PERIODS)]
        self.open: list[int] = []
        self.exposed: dict[int, int] = {}
        self.claimed = self.found = self.left_out = self.oldest = 0

    def over(self, past: Past, classes: Mapping[str, str], progress: Progress) -> Reserves:
        for done, moved in enumerate(past.transfers, 1):
            self._transfer(moved)
            _tell(progress, "transfers", done, past.counts["transfers"])
        days = {version: parse_policy(text).window_days for version, text in past.policies.items()}
        for done, order in enumerate(past.orders, 1):
            self._order(order, days)
            _tell(progress, "orders", done, past.counts["orders"])
        for done, story in enumerate(past.disputes, 1):
            self._dispute(story.dispute, story.coverage)
            _tell(progress, "disputes", done, past.counts["disputes"])
        return structs.replace(self._summed(classes), position=past.position)

    def _transfer(self, moved: BookedTransfer) -> None:
        if moved.currency != self.currency:
            return
        for account, minor in ((moved.source, -moved.minor), (moved.target, moved.minor)):
            self.available += minor if account == AVAILABLE else 0
            self.promised += minor if account == RESERVED else 0
            if moved.order and account == RESERVED:
                self._reserve(moved.order, minor)
        cost = fund_cost(moved.kind, moved.source, moved.target, moved.minor)
        if moved.order and cost:
            self.payments.setdefault(moved.order, []).append((self._period(moved.booked_at), cost))

    def _reserve(self, order: int, minor: int) -> None:
        """What is promised for an order; nothing is kept of those that nothing is promised for any more."""
        left = self.coming.pop(order, 0) + minor
        if left:
            self.coming[order] = left

    def _period(self, at: datetime) -> int:
        """How many periods ago; 0 is the last one."""
        return max(0, (self.now - at) // PERIOD)

    def _order(self, order: Order, days: Mapping[str, int]) -> None:
        coverage = order.coverage
        if not coverage.covered or order.paid_at is None or coverage.mode == "deposit":
            return
        payments = self.payments.pop(order.id, [])
        if not self._is_own(order.currency, coverage):
            self.left_out += 1
            self.apart += self.coming.get(order.id, 0)
            return
        store, paid = self.stores.setdefault(order.store, _Cover()), sum(minor for _, minor in payments)
        price = sum(payment.minor for payment in order.payments)
        store.orders += 1
        store.price += price
        if order.status != "cancelled" and matures_at(order, days.get(coverage.policy, 0)) > self.now:
            left = self.exposed[order.id] = max(0, price - paid)
            store.exposure += left
        store.paid += paid
        store.claims += paid > 0
        origin = self._period(order.paid_at)
        if paid > store.dearest.minor:
            store.dearest = _Claim(paid, origin, tuple(payments))
        if origin < PERIODS:
            self.oldest = max(self.oldest, origin)
            for period, minor in payments:
                self.triangle[origin][max(0, origin - period)] += minor

    def _is_own(self, currency: str, coverage: Coverage) -> bool:
        """Whether what was sold in that currency is paid by this fund, with nothing to exchange."""
        return currency == self.currency and coverage.currency in ("", currency)

    def _dispute(self, dispute: Dispute, coverage: Coverage) -> None:
        if dispute.route == GOODWILL or dispute.payer != "fund":
            return
        own = self._is_own(dispute.currency, coverage)
        if dispute.phase == "closed":
            self.claimed += dispute.amount if own else 0
            self.found += dict(funding_of(dispute)).get("fund", 0) if own else 0
        elif dispute.refunds:
            takings = [takes(refund) for refund in dispute.refunds if refund.waits == AVAILABLE]
            waiting = sum(minor for minor, currency in takings if currency == self.currency)
            self.waiting += waiting
            self.apart += 0 if own else waiting
            self._approved(dispute)
        elif own:
            self.open.append(dispute.amount)
        else:
            self.left_out += 1

    def _approved(self, dispute: Dispute) -> None:
        """What is approved is owed already: it is no longer among what the store's orders might yet cost."""
        coming = sum(
            share.minor
            for refund in dispute.refunds
            if refund.payer == "fund" and not is_settled(refund)
            for share in refund.shares
            if share.state not in SETTLED
        )
        less = min(coming, self.exposed.get(dispute.order, 0))
        if less:
            self.exposed[dispute.order] -= less
            self.stores[dispute.store].exposure -= less

    def _summed(self, classes: Mapping[str, str]) -> Reserves:
        ladder = self._ladder()
        share = min(1.0, self.found / self.claimed) if self.claimed else 1.0
        case = round(sum(self.open) * share)
        dearest = _dearest(self.stores.values())
        ibnr, without = (
            max(0, round(one.outstanding) + self.apart - self.promised - self.waiting - case)
            for one in (ladder, self._ladder(dearest))
        )
        largest = max(self.stores, key=lambda name: (self.stores[name].exposure, name), default="")
        owes = self.promised + self.waiting + case + ibnr
        return Reserves(
            currency=self.currency,
            at=self.now,
            holds=self.available + self.promised,
            owes=owes,
            available=self.available,
            promised=self.promised,
            waiting=self.waiting,
            case=case,
            open_disputes=len(self.open),
            paid_share=round(share * 1000),
            ibnr=ibnr,
            ratio=_ratio(self.available + self.promised, owes),
            periods=len(ladder.latest),
            factors=[round(factor, 4) for factor in ladder.factors],
            premiums=self._premiums(classes),
            stress=self._stress(owes, case + ibnr, self.stores[largest].exposure if largest else 0),
            largest_store=largest,
            largest_exposure=self.stores[largest].exposure if largest else 0,
            left_out=self.left_out,
            largest_claim=dearest.minor,
            ibnr_without=without,
        )

    def _ladder(self, without: _Claim = NOTHING) -> Ladder:
        """What was paid, developed; as if that claim had never been."""
        rows = [[*self.triangle[period]] for period in range(self.oldest, -1, -1)]
        for period, minor in without.payments if without.origin <= self.oldest else ():
            rows[self.oldest - without.origin][max(0, without.origin - period)] -= minor
        return chain_ladder([_cumulated(row) for row in rows])

    def _premiums(self, classes: Mapping[str, str]) -> dict[str, Premium]:
        """By class, and of all stores together."""
        groups: dict[str, list[_Cover]] = {"all": [*self.stores.values()]}
        for store, cover in self.stores.items():
            groups.setdefault(classes.get(store, "ungraded"), []).append(cover)
        return {name: self._premium(own) for name, own in groups.items()}

    def _premium(self, group: list[_Cover]) -> Premium:
        orders, price, claims, cost = (sum(getattr(one, field) for one in group) for field in _SUMMED)
        own, trust, expected = self._rates(group, NOTHING)
        candidates = (_dearest(group), _dearest(self.stores.values()))
        rest, largest = min((self._rates(group, one)[2], one.minor) for one in candidates)
        share = max(0.0, 1 - rest / expected) if expected else 0.0
        suggested = _suggested(expected)
        doubts = {
            "one_claim": share > ONE_CLAIM,
            "dear": suggested > DEAR,
            "few_claims": 0 < sum(one.claims for one in self.stores.values()) < FEW_CLAIMS,
        }
        return Premium(
            len(group),
            orders,
            price,
            claims,
            cost,
            *(round(rate, 3) for rate in (own, trust, expected)),
            suggested,
            largest,
            round(share * 1000),
            _suggested(rest),
            [name for name, holds in doubts.items() if holds],
        )

    def _rates(self, group: list[_Cover], without: _Claim) -> tuple[float, float, float]:
        """What the group cost by itself (per mille), how far that is believed, and what is expected of it; as if that
        claim had never been."""
        ladder, every = self._ladder(without), [*self.stores.values()]
        paid = sum(ladder.latest)
        develops = sum(ladder.ultimates) / paid if paid else 1.0
        here = any(one.dearest is without for one in group) and without.minor > 0
        own, of_all = (
            1000 * (sum(one.paid for one in stores) - less) * develops / price if price else 0.0
            for stores, less in ((group, without.minor * here), (every, without.minor))
            for price in (sum(one.price for one in stores),)
        )
        trust = min(1.0, sqrt((sum(one.claims for one in group) - here) / FULL_CREDIBILITY))
        return own, trust, of_all if len(group) == len(every) else trust * own + (1 - trust) * of_all

    def _stress(self, owes: int, uncertain: int, largest: int) -> list[Stress]:
        holds = self.available + self.promised
        more = round(uncertain * (FREQUENCY - 1))
        times = {
            "half as many disputes again": more,
            "the largest store defaults": largest,
            "both at once": more + largest,
        }
        return [Stress(name, owes + add, _ratio(holds, owes + add), holds >= owes + add) for name, add in times.items()]


_SUMMED = ("orders", "price", "claims", "paid")


def _dearest(stores: Iterable[_Cover]) -> _Claim:
    """The largest claim of those stores; one of nothing where there is none."""
    return max((one.dearest for one in stores), key=lambda claim: claim.minor, default=NOTHING)


def _suggested(expected: float) -> int:
    return ceil(round(expected * (1 + MARGIN), 6))


def _ratio(holds: int, owes: int) -> int | None:
    return holds * 1000 // owes if owes > 0 else None


def _cumulated(row: list[int]) -> list[float]:
    total, found = 0, []
    for minor in row:
        total += minor
        found.append(float(total))
    return found


def _tell(progress: Progress, what: str, done: int, of: int) -> None:
    if done % 50_000 == 0 or done == of:
        progress(what, done, of)
