"""The last scenes of the demonstration: staged disputes, so that what it leaves shows every phase and every outcome.

The people of the play come to an end with everything; these disputes are caught at the moment the play stops, each in
the place that its row names. They are counted with the others, and every row is an assumption of ours.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct

from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core.chargebacks import Chargeback
from houbao.core.refunds import ResolveRefund
from houbao.core.subjects import Command
from houbao.core.terms import REASONS, Actor
from houbao.demo.players import Move
from houbao.feeds.sold import Complaint, SoldOrder, claim, commission

STORE, OUTSIDE, UNREACHABLE = "showcase", "showcase-outside", "showcase-unreachable"
SCENE_STORES = {STORE: True, OUTSIDE: False, UNREACHABLE: True}
"""The stores of these scenes → whether they are in the guarantee. Nobody knows where the last one reads its mail."""

PRICE, PIANO = 120_00, 250_000_00
"""What an order costs (minor units); the second is more than the fund holds."""


TEAPOT = o.Listing(
    title="Teapot, blue, 1 l",
    description="For four cups, with a lid and a strainer. Glazed by hand, packed in a carton.",
    category="home",
    disclosures={"colour": "Blue; no two glazes are quite the same.", "size_tolerance": "5 mm"},
)
"""What these orders were of. Its picture is drawn when it is sold."""

GRAND_PIANO = o.Listing(
    title="Grand piano, black, 2.1 m",
    description="Tuned after delivery. Brought up to the first floor by three people.",
    category="home",
    disclosures={"finish": "Polished; fingerprints show."},
)
"""What the one was of that costs more than the fund holds."""


class Act(Struct, frozen=True):
    """Who does what, so many days after the dispute was opened. `command` is given the dispute as opened."""

    day: float
    by: str
    command: Callable[[d.Dispute], Command]


class Scene(Struct, frozen=True):
    """One staged dispute: opened `days` before the play stops, and left in `phase` with `outcome`.

    `payment` may be the name of a behaviour of the sandbox provider, which then meets every refund over it. `arrives`
    says how many days after the opening the missed goods came, `buyer` whose order it is: the scene's own, unless
    named."""

    phase: str
    reason: str
    days: float
    acts: tuple[Act, ...] = ()
    outcome: str = ""
    store: str = STORE
    price: int = PRICE
    payment: str = "card"
    arrives: float = 0
    buyer: str = ""


def _rule(finding: str, **more: str | int) -> Callable[[d.Dispute], Command]:
    return lambda case: d.Rule(dispute=case.id, finding=finding, reason="evidence", **more)  # ty: ignore[invalid-argument-type]


JUSTIFIED = Act(0.5, "agent", _rule("justified"))
OUT_OF_SCOPE = Act(0.5, "agent", _rule("out_of_scope"))
REJECTED = Act(1, "seller", lambda case: d.Reject(dispute=case.id, reason="proof_of_delivery"))
HALF = Act(1, "seller", lambda case: d.MakeOffer(dispute=case.id, amount=PRICE // 2))
ANOTHER = Act(1, "seller", lambda case: d.MakeOffer(dispute=case.id, remedy="replacement"))
YES = Act(2, "buyer", lambda case: d.AcceptOffer(dispute=case.id))
DECIDE = Act(2, "buyer", lambda case: d.Escalate(dispute=case.id))
WITHDRAWN = Act(2, "buyer", lambda case: d.Withdraw(dispute=case.id))
SENT_BACK = Act(2, "buyer", lambda case: d.ShipReturn(dispute=case.id, carrier="Post", tracking=f"RR{case.id}"))
SENT_ANEW = Act(3, "seller", lambda case: d.ShipReplacement(dispute=case.id, carrier="Post", tracking=f"RP{case.id}"))
GIVEN_UP = Act(3, "finance", lambda case: ResolveRefund(dispute=case.id, how="abandon"))
BANK_TOOK = tuple(
    Act(
        day,
        "platform",
        lambda case, state=state: Chargeback(
            order=case.order, payment="card", reference="bank-1", minor=case.amount, state=state
        ),
    )
    for day, state in ((2, "opened"), (9, "lost"))
)
ARRIVED = Act(5, "platform", lambda case: d.ScanReplacement(dispute=case.id))

SCENES = (
    Scene("verifying", "damaged", 2),
    Scene("notifying", "damaged", 2, (OUT_OF_SCOPE,), store=UNREACHABLE),
    Scene("awaiting_seller", "defective", 2, store=OUTSIDE),
    Scene("awaiting_seller", "in_transit_overdue", 4.9),
    Scene("awaiting_buyer", "in_transit_overdue", 3, (HALF,)),
    Scene("adjudicating", "in_transit_overdue", 4, (REJECTED, DECIDE)),
    Scene("awaiting_return", "changed_mind", 3),
    Scene("return_in_transit", "changed_mind", 4, (SENT_BACK,)),
    Scene("awaiting_replacement", "wrong_variant", 4, (ANOTHER, YES), store=OUTSIDE),
    Scene("refunding", "poor_quality", 3, (JUSTIFIED,), payment="refuse_final"),
    Scene("awaiting_funds", "damaged", 0.6, (JUSTIFIED,), price=PIANO),
    Scene("closed", "damaged", 5, (JUSTIFIED,), outcome="refunded"),
    Scene("closed", "in_transit_overdue", 6, (HALF, YES), outcome="partially_refunded"),
    Scene("closed", "wrong_variant", 25, (ANOTHER, YES, SENT_ANEW, ARRIVED), outcome="replaced", store=OUTSIDE),
    Scene("closed", "not_as_pictured", 6, (Act(1, "agent", _rule("unjustified")),), outcome="rejected"),
    Scene("closed", "in_transit_overdue", 4, (WITHDRAWN,), outcome="withdrawn", arrives=1.5, buyer="buyer-of-scene-5"),
    Scene("closed", "in_transit_overdue", 12, (REJECTED,), outcome="lapsed"),
    Scene("closed", "in_transit_overdue", 12, BANK_TOOK, outcome="charged_back"),
    Scene("closed", "damaged", 6, (JUSTIFIED, GIVEN_UP), outcome="unclaimed", payment="refuse_final"),
)
"""What the demonstration leaves at least one of."""


def stage(end: datetime, currency: str) -> tuple[list[SoldOrder], dict[str, Scene]]:
    """The orders of all scenes with their complaints, for a play that stops at `end`; order reference → its scene."""
    sold: list[SoldOrder] = []
    scenes: dict[str, Scene] = {}
    for number, scene in enumerate(SCENES, 1):
        reference = f"scene-{number}"
        scenes[reference] = scene
        sold.append(_sold(reference, scene, end - timedelta(days=scene.days), currency))
    return sold, scenes


def _sold(reference: str, scene: Scene, opened: datetime, currency: str) -> SoldOrder:
    day = timedelta(days=1)
    shown = GRAND_PIANO if scene.price == PIANO else TEAPOT
    place = o.PlaceOrder(
        store=scene.store,
        reference=reference,
        buyer=scene.buyer or f"buyer-of-{reference}",
        currency=currency,
        lines=(o.NewLine(id="1", item=scene.price, category="home", shown=shown),),
        payments=(o.Payment(id=scene.payment, provider="sandbox", minor=scene.price),),
        ship_by=opened - 10 * day,
        promised_by=opened - day / 2,
        at=opened - 13 * day,
    )
    facts: list[o.Fact] = [
        o.Paid(order=0, at=place.at + day / 24, commission=commission(place)),
        o.Shipped(order=0, at=place.at + day),
    ]
    if REASONS[scene.reason] != "INR":
        facts.append(o.Delivered(order=0, at=opened - day))
    elif scene.arrives:
        facts.append(o.Delivered(order=0, at=opened + scene.arrives * day))
    lines, amount = claim(place, scene.reason)
    complaint = Complaint(
        order=reference,
        at=opened,
        score=2,
        text="Staged for the demonstration.",
        reason=scene.reason,
        why="staged",
        lines=lines,
        amount=amount,
    )
    return SoldOrder(place=place, facts=tuple(facts), complaint=complaint)


def play(scene: Scene, dispute: d.Dispute) -> list[Move]:
    """What the people of a scene do, from its opening on."""
    people = {
        "buyer": Actor("buyer", dispute.buyer),
        "seller": Actor("seller", dispute.store),
        "agent": Actor("agent", "simulated"),
        "finance": Actor("finance", "simulated"),
        "platform": Actor("platform", "carrier"),
    }
    return [
        Move(dispute.opened_at + timedelta(days=act.day), act.command(dispute), people[act.by]) for act in scene.acts
    ]
