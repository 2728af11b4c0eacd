"""An appeal: a party asks once more about one of the three decisions, and somebody else decides. How: hearings.py.

closed ── appeal ──► adjudicating ── rule ──► closed (or refunding, where the buyer gets more)
                         └─ nobody decided in time: the earlier ruling stands
"""

from typing import Literal

from houbao.core.acts import CaseCommand
from houbao.core.moves import DisputeEvent, Move
from houbao.core.terms import Record

About = Literal["remedy", "funding", "fault"]


class FileAppeal(CaseCommand, frozen=True, kw_only=True, tag="appeal"):
    """A party asks the platform to look again at what the buyer gets, who pays it, or whether it counts."""

    about: About
    note: str = ""


class Appealed(Move, frozen=True, kw_only=True, tag="appealed"):
    """A party appealed: another agent than before decides."""

    party: str
    about: str


class AppealRuled(Move, frozen=True, kw_only=True, tag="appeal_ruled"):
    """An appeal is over: `justified`, `unjustified`, or `stands`, where nobody decided in time."""

    finding: str
    reason: str = ""


class FundingChanged(DisputeEvent, frozen=True, kw_only=True, tag="funding_changed"):
    """Another bears a refund that was paid already: who bore it before gets `minor` units back. Where a ruling of fraud
    takes it from the seller, `legs` say from what (account kind, minor), and a fund in another currency has
    `fund_minor` again. `commission` is due again where the seller bore it, and comes back where it does now."""

    refund: int
    was: str
    payer: str
    minor: int
    currency: str
    commission: int = 0
    legs: tuple[tuple[str, int], ...] = ()
    fund_minor: int = 0
    fund_currency: str = ""


class Appeal(Record, frozen=True, kw_only=True):
    """Who appealed and what about; `finding` is how it ended, empty while it is heard."""

    party: str
    about: str
    finding: str = ""


def in_hearing(appeals: tuple[Appeal, ...]) -> Appeal | None:
    """The appeal that is being heard: one at a time, so it is the latest."""
    return appeals[-1] if appeals and not appeals[-1].finding else None
