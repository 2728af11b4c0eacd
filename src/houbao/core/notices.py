"""The official notice by which the platform hands a dispute to the seller (R10)."""

from msgspec import structs

from houbao.core.acts import NoticeAccepted, NoticeBounced, NoticeFailed, NoticeServed, NoticeStood, ServeNotice
from houbao.core.disputes import Dispute, Event
from houbao.core.phases import entering, head_of, staying
from houbao.core.scene import Scene
from houbao.core.terms import WORDS


def decide_serve_notice(dispute: Dispute, command: ServeNotice, scene: Scene) -> list[Event]:
    """The notice goes out again; the earlier one starts no clock any more."""
    return [NoticeServed(**head_of(dispute, scene))]


def decide_notice_accepted(dispute: Dispute, command: NoticeAccepted, scene: Scene) -> list[Event]:
    """The seller's five days start now (R10). An outdated or repeated notice changes nothing. Where the negotiation
    ended while no notice stood, it begins anew: else the seller would have no time at all."""
    if dispute.phase != "notifying" or command.notice != dispute.notice:
        return []
    ended = dispute.escalates_at is not None and dispute.escalates_at <= scene.now
    moved = entering(structs.replace(dispute, escalates_at=None) if ended else dispute, scene, "awaiting_seller")
    return [NoticeStood(**moved, notice=command.notice, message_id=command.message_id[:WORDS])]


def decide_notice_bounced(dispute: Dispute, command: NoticeBounced, scene: Scene) -> list[Event]:
    """The clock stops, an agent is told. An outdated notice changes nothing."""
    if not dispute.notice or command.notice != dispute.notice:
        return []
    moved = staying(dispute, scene) if dispute.phase == "notifying" else entering(dispute, scene, "notifying")
    return [NoticeFailed(**moved, notice=command.notice, why=command.why[:WORDS])]
