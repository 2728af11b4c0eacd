"""The agents' queue: who has a dispute, so that no two decide it at once. It moves no phase and no due time."""

from datetime import datetime, timedelta

from houbao.core.acts import CaseClaimed, CaseReleased, ClaimCase, ReleaseCase
from houbao.core.appeals import in_hearing
from houbao.core.disputes import Dispute, Event
from houbao.core.phases import head_of
from houbao.core.scene import Scene
from houbao.core.terms import Actor, Refused, rfc3339

CLAIM_LASTS = timedelta(minutes=30)
"""How long an agent has a dispute that they claimed, so that one who went home keeps nobody waiting (A)."""

CLAIMERS_ONLY = ("claim", "release", "rule", "request_evidence", "serve_notice")
"""What only the agent may do who has the dispute, while somebody has it."""


def has_it(dispute: Dispute, now: datetime) -> str:
    """Who has the dispute at that time; empty for nobody. A claim ends with its time, by itself."""
    return dispute.claimed_by if dispute.claimed_until is not None and now < dispute.claimed_until else ""


def check_claim(dispute: Dispute, name: str, by: Actor, now: datetime) -> None:
    """`Refused('claimed')`, which names who has the dispute, where another agent does."""
    holder = has_it(dispute, now) if name in CLAIMERS_ONLY else ""
    if holder and holder != str(by):
        assert dispute.claimed_until is not None
        until = rfc3339(dispute.claimed_until)
        raise Refused("claimed", f"{holder} has this dispute until {until}", claimed_by=holder, until=until)


def is_anothers(dispute: Dispute, by: Actor | str) -> bool:
    """Whether an appeal is heard that somebody else decides, since `by` has ruled on the dispute before."""
    return in_hearing(dispute.appeals) is not None and str(by) in dispute.judges


def check_own(dispute: Dispute, by: Actor) -> None:
    """`Refused('same_agent')` where it is another's to decide."""
    if is_anothers(dispute, by):
        raise Refused("same_agent", "an appeal is decided by somebody who has not ruled on the dispute before")


def decide_claim(dispute: Dispute, command: ClaimCase, scene: Scene) -> list[Event]:
    """The dispute is the agent's for a while; anew where it was already. Raises Refused: same_agent."""
    check_own(dispute, scene.by)
    return [CaseClaimed(**head_of(dispute, scene), until=scene.now + CLAIM_LASTS)]


def decide_release(dispute: Dispute, command: ReleaseCase, scene: Scene) -> list[Event]:
    """The dispute is anybody's again. Raises Refused: not_claimed."""
    if not has_it(dispute, scene.now):
        raise Refused("not_claimed", "nobody has this dispute, or no longer: there is nothing to release")
    return [CaseReleased(**head_of(dispute, scene))]
