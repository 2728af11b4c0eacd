"""The policy as data: the records that a checked policy is made of.

A policy is written in TOML, read and checked by `policy_file`, and never changed once in force. `rulings` makes it a
function of facts.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal

from houbao.core.calendars import ALWAYS, EVERYWHERE, Calendar, Clock, Outage, Span
from houbao.core.conditions import Condition
from houbao.core.terms import Record
from houbao.core.watches import WatchLimits

Route = Literal["verify", "instant", "seller", "return"]
FaultClass = Literal["INR", "SNAD", "OTHER", "exempt"]
Over = Literal["platform_pays", "hand_over"]
CoveredReturn = Literal["returnless", "platform_label"]
Commission = Literal["kept", "pro_rata"]

MOST_REMINDERS = 5
REFUSALS = ("not_paid", "outside_window", "dispute_open", "already_ruled", "nothing_left")


class Rule(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule as written. Either it refuses with a code, or it names route, payer and fault class."""

    name: str
    when: tuple[Condition, ...]
    says: str
    refuse: str = ""
    route: str = ""
    payer: str = ""
    fault: str = ""


class Timers(Record, frozen=True, kw_only=True):
    """How long each wait lasts; reminders are before the end of one."""

    verification_alert: Span
    verification: Span
    notice_alert: Span
    notice: Span
    seller_answer: Span
    buyer_answer: Span
    escalation: Span
    evidence: Span
    return_shipping: Span
    return_scan: Span
    return_inspection: Span
    replacement_shipping: Span
    replacement_scan: Span
    replacement_trial: Span
    funds: Span
    write_off: Span
    appeal: Span
    unclaimed: Span
    reminders: tuple[timedelta, ...]


class Limits(Record, frozen=True, kw_only=True):
    """How far the money goes, in decimal texts of the programme's currency.

    `per_dispute` is what the fund pays for one dispute at most (empty: no limit); over it the platform pays the rest,
    or it is handed over to the seller. `backstop` caps what the treasury adds by itself where refunds wait for the
    fund's money, `advance` what the platform advances for one store.
    """

    per_dispute: str = ""
    over: Over = "platform_pays"
    backstop: str = "0"
    advance: str = "0"


class Returns(Record, frozen=True, kw_only=True):
    """A covered buyer keeps the goods, or sends them to the platform with its label, unless a ruling says otherwise.
    Whether the seller gets the
    commission back with what is refunded, in proportion, or the platform keeps it."""

    covered: CoveredReturn = "returnless"
    commission: Commission = "kept"


class ScoreCurves(Record, frozen=True, kw_only=True):
    """The figures of the service score. Parts are points, together 100; rates and weights are in ten-thousandths (500
    is 5 %), ratings in hundredths (300 is 3.00), grades in points, windows in days.

    Parts and grades are those of AliExpress's daily service score, as published to its sellers; where points end and
    what a score weighs was never published: those are Houbao's own.
    """

    uncompleted: int = 10
    inr: int = 15
    snad: int = 15
    description: int = 30
    service: int = 15
    logistics: int = 15
    worst_rate: int = 500
    worst_rating: int = 300
    window: int = 30
    long_window: int = 90
    least_orders: int = 10
    excellent: int = 90
    good: int = 80
    passing: int = 60
    graded_on: int = 3
    weight_base: int = 5000
    weight_of_point: int = 50
    weight_of_guarantee: int = 200
    weight_floor: int = 3000


class Policy(Record, frozen=True, kw_only=True):
    """A checked policy. `digest` is the SHA-256 of its text, hex; `premium` is per mille of a covered order's price,
    where the programme is paid by premiums; `calendars` the business days of countries,
    `watch` what a store may not pass."""

    version: str
    title: str
    digest: str
    window_days: int
    timers: Timers
    attempts: int
    retry: timedelta
    rules: tuple[Rule, ...]
    limits: Limits = Limits()
    returns: Returns = Returns()
    premium: int = 0
    score: ScoreCurves = ScoreCurves()
    calendars: Mapping[str, Calendar] = {}
    watch: WatchLimits = WatchLimits()


def clock_of(policy: Policy, country: str, outages: tuple[Outage, ...] = ()) -> Clock:
    """How time runs for a store of that country under the policy; without a calendar of its own by EVERYWHERE."""
    calendar = policy.calendars.get(country, EVERYWHERE)
    return Clock(calendar=calendar, outages=outages) if outages or calendar is not EVERYWHERE else ALWAYS


class PolicyError(ValueError):
    """A policy that cannot be used. `faults` lists each: the field, what is wrong, what to write instead; `said` are
    the same, where they can be said in another language too."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults, self.said = [str(fault) for fault in faults], tuple(faults)
