"""The policy as data: the records that a checked policy is made of.

A policy is written in TOML, read and checked by `policy_file`, and never changed once in force. `rulings` makes it a
function of facts.
"""

from datetime import timedelta
from typing import Literal

from houbao.core.conditions import Condition
from houbao.core.terms import Record

Route = Literal["verify", "instant", "seller", "return"]
FaultClass = Literal["INR", "SNAD", "OTHER", "exempt"]

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
    """How long each wait lasts."""

    verification_alert: timedelta
    verification: timedelta
    notice_alert: timedelta
    notice: timedelta
    seller_answer: timedelta
    buyer_answer: timedelta
    escalation: timedelta
    evidence: timedelta
    return_shipping: timedelta
    return_scan: timedelta
    return_inspection: timedelta
    replacement_shipping: timedelta
    replacement_scan: timedelta
    replacement_trial: timedelta
    funds_alert: timedelta
    reminders: tuple[timedelta, ...]


class Policy(Record, frozen=True, kw_only=True):
    """A checked policy. `digest` is the SHA-256 of its text, hex."""

    version: str
    title: str
    digest: str
    window_days: int
    timers: Timers
    attempts: int
    retry: timedelta
    rules: tuple[Rule, ...]


class PolicyError(ValueError):
    """A policy that cannot be used. `faults` lists each: the field, what is wrong, what to write instead."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults
