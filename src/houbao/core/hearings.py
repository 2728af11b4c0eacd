"""How an appeal is taken and decided. A ruling changes exactly the thing that the appeal names: remedy, funding or
fault, each by itself."""

from houbao.core.acts import Rule
from houbao.core.appeals import Appeal, Appealed, AppealRuled, FileAppeal, FundingChanged
from houbao.core.awards import approve_within_limit, check_payer, close
from houbao.core.calendars import ends
from houbao.core.claims import check_amount, check_text
from houbao.core.commissions import with_commission
from houbao.core.disputes import GOODWILL, Dispute, Event
from houbao.core.money import Money
from houbao.core.phases import entering, head_of
from houbao.core.queues import check_own
from houbao.core.refunds import Refund, is_settled, paid_minor
from houbao.core.scene import Scene
from houbao.core.shortfalls import fund_room
from houbao.core.terms import Refused, check_reference, rfc3339

FINAL = ("justified", "unjustified")
"""How an appeal ends where somebody decided it: that is not appealed again."""

# --- taking an appeal ----------------------------------------------------------------------------------------------


def decide_appeal(dispute: Dispute, command: FileAppeal, scene: Scene) -> list[Event]:
    """Each party may appeal once, in the time of the policy. Raises Refused: text_too_long, appealed_before,
    final_ruling, appeal_too_late, nothing_to_appeal."""
    check_text(command.note)
    party, about = scene.by.role, command.about
    if any(one.party == party for one in dispute.appeals):
        raise Refused("appealed_before", "each party appeals once, and this one has")
    if any(one.about == about and one.finding in FINAL for one in dispute.appeals):
        raise Refused("final_ruling", f"the {about} was ruled on in an appeal: that is final")
    assert dispute.closed_at is not None
    end = ends(scene.clock, dispute.closed_at, scene.policy.timers.appeal)
    if scene.now >= end:
        raise Refused("appeal_too_late", f"the time to appeal ended at {rfc3339(end)}")
    if why := _nothing_to_win(dispute, party, about):
        raise Refused("nothing_to_appeal", why)
    return [Appealed(**entering(dispute, scene, "adjudicating"), text=scene.text, party=party, about=about)]


def _nothing_to_win(dispute: Dispute, party: str, about: str) -> str:
    """Why that party could win nothing by an appeal about that; empty where it could."""
    if dispute.route == GOODWILL:
        return "the seller sent it of its own accord: nobody ruled on anything"
    if dispute.outcome == "withdrawn":
        return "it was withdrawn: nobody ruled on anything, and the buyer may take it up again"
    if party == "buyer" and about != "remedy":
        return "who pays and what counts is between the store and the platform: the buyer appeals about the remedy"
    counts = dispute.fault.state == "counted"
    match party, about:
        case "buyer", _ if at_stake(dispute, party, about) <= 0:
            return "everything that was asked for was refunded"
        case "seller", "remedy" if not (paid(dispute) and (counts or borne(dispute))):
            return "nothing was refunded that the store bears or that counts against it"
        case "seller", "funding" if not at_stake(dispute, party, about):
            return "the store bears nothing of it"
        case "seller", "fault" if not counts:
            return "it does not count against the store"
        case _:
            return ""


def at_stake(dispute: Dispute, party: str, about: str) -> int:
    """The money that an appeal asks for (minor units): of the claim what is still open, or what the seller bore."""
    if party == "buyer":
        return dispute.amount - paid(dispute)
    return 0 if about == "fault" else borne(dispute)


def paid(dispute: Dispute) -> int:
    """What the buyer has got back (minor units)."""
    return sum(map(paid_minor, dispute.refunds))


def borne(dispute: Dispute) -> int:
    """What of it the seller bears (minor units)."""
    return sum(map(_borne, dispute.refunds))


def _borne(refund: Refund) -> int:
    """What of a refund the seller bears: not what was written off, which the platform has paid already, nor what came
    back for it."""
    if refund.payer != "seller":
        return 0
    had = sum(recovery.minor - recovery.written_off for recovery in refund.recoveries)
    return max(0, refund.minor - dict(refund.legs).get("writeoff", 0) - had)


# --- deciding it ---------------------------------------------------------------------------------------------------


def rule_appeal(dispute: Dispute, appeal: Appeal, command: Rule, scene: Scene) -> list[Event]:
    """Somebody who has not ruled on it before decides: `justified` grants the appeal. Raises Refused: bad_reference,
    text_too_long, same_agent, refund_in_flight, bad_ruling, bad_amount, amount_above_claim, nothing_left."""
    check_reference("reason", command.reason)
    check_text(command.note)
    check_own(dispute, scene.by)
    if not all(map(is_settled, dispute.refunds)):
        raise Refused("refund_in_flight", "a refund came back and goes out again: decide when it is there")
    _check_ruling(appeal, command)
    if command.finding == "unjustified":
        return _closed_again(dispute, scene, "unjustified", command.reason)
    match appeal.about, appeal.party:
        case "remedy", "buyer":
            return _more(dispute, appeal, command, scene)
        case "remedy", _:
            return _closed_again(
                dispute, scene, "justified", command.reason, then=borne_by(dispute, scene, "platform"), remedy=True
            )
        case "funding", _:
            payer = command.payer or "platform"
            if payer == "seller":
                raise Refused("bad_ruling", "the seller bears it already: say fund or platform, or unjustified")
            check_payer(dispute, payer)
            then = borne_by(dispute, scene, payer)
            return _closed_again(dispute, scene, "justified", command.reason, then=then)
        case _:
            return _closed_again(dispute, scene, "justified", command.reason, exempt=True)


def _check_ruling(appeal: Appeal, command: Rule) -> None:
    """`bad_ruling` where it says more than the appeal asks: it changes the one thing that the appeal names."""
    may = {("buyer", "remedy"): ("amount", "payer"), ("seller", "funding"): ("payer",)}
    named = {"amount": command.amount is not None, "payer": bool(command.payer)}
    named |= {"remedy": bool(command.remedy), "fault": bool(command.fault), "fraud": bool(command.fraud)}
    allowed = may.get((appeal.party, appeal.about), ()) if command.finding == "justified" else ()
    if command.finding == "out_of_scope" or any(named[name] for name in named if name not in allowed):
        raise Refused("bad_ruling", f"the {appeal.party} appealed about the {appeal.about}: rule on that and no more")


def _more(dispute: Dispute, appeal: Appeal, command: Rule, scene: Scene) -> list[Event]:
    """The buyer gets more: another refund, by whom the ruling says."""
    left = at_stake(dispute, appeal.party, appeal.about)
    amount = left if command.amount is None else command.amount
    check_amount(amount)
    if amount > left:
        still, given = Money(left, dispute.currency), Money(amount, dispute.currency)
        raise Refused("amount_above_claim", f"of the claim {still} are open, the ruling gives {given}")
    payer = command.payer or dispute.payer
    check_payer(dispute, payer)
    approved = approve_within_limit(dispute, scene, amount, payer, "appeal")
    if not approved:
        raise Refused("nothing_left", "everything that was paid for these lines has been refunded")
    moved = entering(dispute, scene, approved[-1].phase)
    ruled = AppealRuled(**moved, text=scene.text, finding="justified", reason=command.reason)
    return [ruled, *approved]


def borne_by(dispute: Dispute, scene: Scene, payer: str) -> list[Event]:
    """What the seller bore is given back to it. The fund gives what it has: `bad_ruling` where it is short."""
    coverage = scene.order.coverage
    if payer == "fund" and (coverage.currency or coverage.mode == "deposit"):
        raise Refused("bad_ruling", "the fund has no money of its own in this currency: let the platform bear it")
    room = fund_room(scene.caps, dispute.refunds)
    if payer == "fund" and room is not None and room < borne(dispute):
        most = Money(room, dispute.currency)
        raise Refused(
            "bad_ruling",
            f"for one dispute the fund pays no more than {most} here: let the platform bear it",
            most=most.minor,
            currency=most.currency,
        )
    if payer == "fund" and (scene.purse.queue or scene.purse.available < borne(dispute)):
        raise Refused("bad_ruling", "the fund is short: top it up first, or let the platform bear it")
    head = head_of(dispute, scene)
    changed = [
        FundingChanged(
            **head, refund=refund.id, was="seller", payer=payer, minor=_borne(refund), currency=refund.currency
        )
        for refund in dispute.refunds
        if _borne(refund)
    ]
    return [*with_commission(changed, scene)]


def _closed_again(
    dispute: Dispute,
    scene: Scene,
    finding: str,
    reason: str = "",
    *,
    then: list[Event] | None = None,
    remedy: bool = False,
    exempt: bool = False,
) -> list[Event]:
    """Closed as it was, but for what the ruling changed. A seller who won the `remedy` is exempt too; the buyer keeps
    the money."""
    ruled = AppealRuled(**entering(dispute, scene, "closed"), text=scene.text, finding=finding, reason=reason)
    resolved_by = "appeal" if remedy else dispute.resolved_by
    state, why = dispute.fault.state, dispute.fault.why
    if (remedy or exempt) and state != "exempt":
        state, why = "exempt", "appeal"
    return [ruled, *(then or []), close(dispute, scene, dispute.outcome, resolved_by, state, why)]


def ruling_stands(dispute: Dispute, scene: Scene) -> list[Event]:
    """Nobody decided the appeal in time: everything stays as it was ruled before."""
    if all(map(is_settled, dispute.refunds)):
        return _closed_again(dispute, scene, "stands")
    return [AppealRuled(**entering(dispute, scene, "refunding"), finding="stands")]
