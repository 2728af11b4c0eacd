"""One database with a bit of everything, built through the engine: what `verify` is tried on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from houbao.core import chargebacks as c
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.acts import SendGoodwill
from houbao.core.breaker import SetBreaker, TellSolvency
from houbao.core.exchange import parse_rate
from houbao.core.fund import MoveCash, PayDeposit, Repay, TopUp
from houbao.core.messages import WriteOnOrder
from houbao.core.outages import EnterOutage
from houbao.core.recoveries import Recover
from houbao.core.terms import SYSTEM, Actor
from houbao.engine.engine import Engine
from houbao.engine.ports import Delivery
from houbao.engine.request import Accepted, Request
from houbao.engine.scoring import Scoring
from houbao.shipped import policy_text
from houbao.store import sqlite
from houbao.store.creating import create
from houbao.store.policies import publish_text
from houbao.store.rates import keep
from houbao.store.scores import Scorebook

T = datetime(2026, 7, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

PLATFORM = Actor("platform", "shop")
AGENT = Actor("agent", "lee")
FINANCE = Actor("finance", "kim")
MAIL = Actor("mail", "outbox")
PHOTO = "ab" * 32


class History:
    """A marketplace told in scenes. Each scene leaves one dispute, kept by its name in `disputes`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = T
        self.disputes: dict[str, int] = {}
        self.orders: dict[str, int] = {}
        programme = p.Programme(
            name="standard",
            currency="EUR",
            launched_at=T - 100 * DAY,
            policies=((T - 100 * DAY, "2026.1"),),
            also_covers=("BRL",),
        )
        create(path, policy=policy_text(), programme=programme, sandbox_clock=T)
        self.database = sqlite.SQLite(path)
        self.engine = Engine(self.database, lambda: self.now)

    # --- saying what happens ---------------------------------------------------------------------------------------

    def say(self, command: Any, by: Actor, key: str = "") -> Accepted:
        """One command that must be accepted."""
        self.now += timedelta(minutes=1)
        (outcome,) = self.engine.execute([Request(command, by, self.now, key)])
        assert isinstance(outcome, Accepted), (command, outcome)
        return outcome

    def sell(
        self, name: str, item: int, store: str = "oak", *, moved: str = "delivered", late: bool = False, **more: Any
    ) -> int:
        """An order by the buyer of that name, paid (`late`: now), shipped and delivered (or as far as `moved`)."""
        self.now += timedelta(minutes=1)
        start = self.now - 10 * DAY
        line = o.NewLine(id="1", item=item, shown=o.Listing(title=f"Lamp {name}", disclosures={"volt": "230"}))
        place = o.PlaceOrder(
            store=store,
            reference=f"order-{name}",
            buyer=name,
            currency="EUR",
            lines=(line,),
            payments=(o.Payment(id="card", provider="sandbox", minor=item),),
            ship_by=start + 2 * DAY,
            promised_by=start + 9 * DAY,
            at=start,
            buyer_email=f"{name}@mail.example",
        )
        place = place if not more else type(place)(**{f: getattr(place, f) for f in place.__struct_fields__} | more)
        order = self.orders[name] = self.say(place, PLATFORM, f"place-{name}").id
        facts: dict[str, o.Fact] = {
            "paid": o.Paid(order=order, at=self.now if late else start + HOUR, commission=item // 10),
            "shipped": o.Shipped(order=order, at=start + DAY),
            "delivered": o.Delivered(order=order, at=self.now - HOUR),
        }
        far = [*facts].index(moved) + 1
        requests = [Request(fact, PLATFORM, self.now) for fact in [*facts.values()][:far]]
        assert all(isinstance(outcome, Accepted) for outcome in self.engine.execute(requests))
        return order

    def open(self, name: str, reason: str, amount: int, **more: Any) -> int:
        """The buyer of that name opens a dispute."""
        lines = more.pop("lines", (("1", 1),))
        command = d.OpenDispute(order=self.orders[name], lines=lines, reason=reason, amount=amount, **more)
        number = self.disputes[name] = self.say(command, Actor("buyer", name), f"open-{name}-{reason}").id
        return number

    def rule(self, number: int, finding: Any = "justified", note: str = "") -> None:
        self.say(d.Rule(dispute=number, finding=finding, reason="photo", note=note), AGENT, f"rule-{number}")

    def pass_time(self, number: int, days: int) -> None:
        self.now += days * DAY
        self.say(d.PassTime(dispute=number), SYSTEM)

    def send(self, number: int, payment: str = "card") -> int:
        """The worker commits an attempt; returns its id."""
        return self.say(r.SendRefund(dispute=number, payment=payment), SYSTEM).first

    def report(self, number: int, attempt: int, result: Any, provider: str = "sandbox", **more: Any) -> None:
        by = SYSTEM if result in ("unknown", "key_expired") else Actor("provider", provider)
        self.say(r.ReportRefund(dispute=number, attempt=attempt, result=result, **more), by)

    def pay(self, number: int, payment: str = "card") -> int:
        attempt = self.send(number, payment)
        self.report(number, attempt, "paid")
        return attempt


def build(path: Path) -> History:
    """The whole history, in a new file at `path`."""
    h = History(path)
    _stores(h)
    for scene in (
        _verified,
        _sellers,
        _owing,
        _exchanged,
        _instant,
        _attempts,
        _many_payments,
        _short_fund,
        _negotiated,
        _returned,
        _queued,
        _appealed,
        _charged_back,
        _settled_privately,
        _labelled,
        _outage,
        _stopped,
        _watched,
        _unpayable,
        _still_open,
    ):
        scene(h)
    h.say(p.Leave(store="elm", at=h.now), PLATFORM, "leave-elm")
    h.say(p.ChangeContact(store="elm", email="elm@new.example"), PLATFORM, "contact-elm")
    _backstop(h)
    _outbox(h)
    while h.database.file(0, 1, 100):
        pass
    h.now += 15 * DAY
    Scoring(Scorebook(h.database), lambda: h.now).keep()
    _written_off(h)
    return h


def _stores(h: History) -> None:
    for store, country in (("oak", "DE"), ("elm", "FR"), ("fir", "")):
        command = p.RegisterStore(store=store, country=country, name=f"{store} & co", email=f"{store}@shops.example")
        h.say(command, PLATFORM, f"register-{store}")
    for store in ("oak", "elm"):
        h.say(p.Enrol(store=store, programme="standard", at=T - 90 * DAY), PLATFORM)
    h.say(TopUp(minor=20_000, currency="EUR"), FINANCE, "capital")
    h.say(TopUp(minor=5_000, currency="USD"), FINANCE)
    h.say(PayDeposit(store="elm", minor=4_000, currency="EUR"), FINANCE, "deposit")
    h.say(MoveCash(provider="sandbox", minor=9_000, currency="EUR"), FINANCE)


def _verified(h: History) -> None:
    """Covered: verified and paid by the fund; rejected; handed to the seller by a notice that bounces at first."""
    h.sell("ann", 4_000)
    paid = h.open("ann", "damaged", 4_000, statement="It arrived broken — ganz kaputt!", evidence=(), reference="c-1")
    h.rule(paid, note="clear photo")
    h.pay(paid)
    h.sell("bob", 3_000, "elm")
    h.say(d.ChangeClaim(dispute=h.open("bob", "defective", 2_500), amount=2_000, note="less will do"), _buyer("bob"))
    h.rule(h.disputes["bob"], "unjustified")
    h.sell("cat", 3_500)
    noticed = h.open("cat", "poor_quality", 3_500)
    h.rule(noticed, "out_of_scope", note="not covered")
    h.say(d.NoticeBounced(dispute=noticed, notice=h.engine.database.dispute(0, noticed).notice, why="550"), MAIL)
    again = h.say(d.ServeNotice(dispute=noticed), AGENT).first
    h.say(d.NoticeAccepted(dispute=noticed, notice=again, message_id="m-1"), MAIL)
    h.pass_time(noticed, 6)
    h.report(noticed, h.send(noticed), "unknown")


def _sellers(h: History) -> None:
    """The seller answers: accepts, rejects until the buyer's time is over; the buyer withdraws."""
    h.sell("dan", 2_000, moved="shipped", promised_by=h.now - DAY)
    h.say(d.Accept(dispute=h.open("dan", "in_transit_overdue", 2_000)), Actor("seller", "oak"))
    h.pay(h.disputes["dan"])
    h.sell("eve", 2_500, "fir")
    rejected = h.open("eve", "defective", 2_500, statement="It hums.")
    h.say(d.Reject(dispute=rejected, reason="works", note="It does not hum."), Actor("seller", "fir"), "reject-eve")
    h.pass_time(rejected, 8)
    h.sell("fay", 1_800, "fir")
    h.say(d.Withdraw(dispute=h.open("fay", "wrong_variant", 900)), _buyer("fay"))
    order = h.sell("gus", 2_200, "elm")
    h.say(o.Confirmed(order=order, at=h.now), PLATFORM)
    h.say(o.Rated(order=order, at=h.now, description=5, service=4, logistics=3), PLATFORM)
    h.say(o.Cancelled(order=h.sell("hal", 1_000, moved="paid"), at=h.now, party="seller"), PLATFORM)
    h.sell("wes", 900, currency="USD")
    h.say(d.Accept(dispute=h.open("wes", "damaged", 400)), Actor("seller", "oak"))
    lost = h.sell("ida", 1_000, "fir", moved="shipped")
    h.say(o.Tracked(order=lost, at=h.now, state="returned"), PLATFORM)


def _owing(h: History) -> None:
    """A store is paid out, has to refund all the same, and pays back what was advanced, by itself and by hand."""
    h.say(p.RegisterStore(store="bay"), PLATFORM)
    h.sell("ola", 1_000, "bay")
    returned = h.open("ola", "changed_mind", 900)
    lost = h.sell("pip", 1_000, "bay", moved="shipped", promised_by=h.now - DAY)
    h.say(o.PaidOut(order=lost, minor=900, at=h.now, fee=25), PLATFORM)
    h.say(d.Accept(dispute=h.open("pip", "in_transit_overdue", 500)), Actor("seller", "bay"))
    h.pay(h.disputes["pip"])
    h.sell("roy", 100, "bay", moved="paid")
    h.say(d.Withdraw(dispute=returned), _buyer("ola"))
    h.say(Repay(store="bay", minor=300, currency="EUR"), Actor("seller", "bay"))


def _backstop(h: History) -> None:
    """The refund that waits still: the treasury adds what it may."""
    h.pass_time(h.disputes["rex"], 0)


def _written_off(h: History) -> None:
    """Nobody ever paid back what was advanced: two of finance give it up."""
    h.now += 90 * DAY
    for name in ("kim", "joy"):
        h.say(d.WriteOff(dispute=h.disputes["pip"]), Actor("finance", name))


def _exchanged(h: History) -> None:
    """An order paid in another currency: a refund settled by the provider."""
    rate = parse_rate("EUR", "BRL", "4.6279", published_at=h.now - HOUR, source="ECB")
    keep(h.database, [rate])
    h.sell("zia", 10_000, currency="BRL")
    h.rule(number := h.open("zia", "damaged", 10_000))
    h.pay(number)
    h.say(d.SettleRefund(dispute=number, payment="card", taken=2_195), FINANCE)


def _instant(h: History) -> None:
    h.sell("jan", 1_200)
    h.pay(h.open("jan", "short_quantity", 600, evidence=(PHOTO,), statement="One of two."))
    h.sell("joe", 1_300)
    h.open("joe", "damaged", 1_300, evidence=(PHOTO,))


def _attempts(h: History) -> None:
    """A refund that fails, is unknown, lost, settled by hand; one that comes back; one that is contradicted."""
    h.sell("kay", 1_500)
    h.rule(number := h.open("kay", "damaged", 1_500))
    h.report(number, h.send(number), "refused", code="declined")
    attempt = h.send(number)
    h.report(number, attempt, "unknown")
    h.report(number, attempt, "key_expired")
    h.say(r.ResolveRefund(dispute=number, how="paid_elsewhere", note="by bank transfer"), FINANCE, "resolve-kay")
    h.sell("lea", 1_600)
    h.rule(number := h.open("lea", "damaged", 1_600))
    h.report(number, h.pay(number), "returned")
    h.sell("max", 1_700)
    h.rule(number := h.open("max", "damaged", 1_700))
    attempt = h.send(number)
    h.report(number, attempt, "refused", final=True)
    h.report(number, attempt, "paid")


def _many_payments(h: History) -> None:
    """Two lines over card and voucher, a part refund of each, one share abandoned and claimed anew."""
    lines = (o.NewLine(id="1", item=3_000, quantity=2, shipping=300), o.NewLine(id="2", item=1_000, tax=190))
    payments = (
        o.Payment(id="card", provider="sandbox", minor=2_490),
        o.Payment(id="voucher", provider="house", minor=2_000, cash=False),
    )
    h.sell("nia", 4_490, "elm", lines=lines, payments=payments)
    h.rule(number := h.open("nia", "defective", 3_000, lines=(("1", 2),)))
    h.pay(number)
    h.report(number, h.send(number, "voucher"), "refused", "house", final=True)
    h.say(r.ResolveRefund(dispute=number, how="abandon", note="voucher gone"), FINANCE)
    h.rule(h.open("nia", "missing_parts", 1_190, lines=(("2", 1),)))


def _short_fund(h: History) -> None:
    """Refunds wait for the fund: the first two are served after a top-up, one is abandoned, one still waits."""
    for name in ("oda", "pam", "quy", "rex"):
        h.sell(name, 50_000)
        h.rule(h.open(name, "damaged", 50_000))
    h.say(r.ResolveRefund(dispute=h.disputes["quy"], how="abandon"), FINANCE)
    h.say(TopUp(minor=100_000, currency="EUR"), FINANCE)
    h.say(r.ServeWaiting(currency="EUR"), SYSTEM)


def _negotiated(h: History) -> None:
    """An offer, a counter-offer, the platform's decision; evidence asked for and words exchanged on the way."""
    oak = Actor("seller", "oak")
    h.sell("ula", 3_000, moved="shipped", promised_by=h.now - DAY)
    number = h.open("ula", "in_transit_overdue", 3_000)
    h.say(d.MakeOffer(dispute=number, amount=1_000, note="half?"), oak)
    h.say(d.Counter(dispute=number, amount=2_000, note="more"), _buyer("ula"))
    h.say(d.Reject(dispute=number, reason="proof"), oak)
    h.say(d.Escalate(dispute=number, note="you decide"), _buyer("ula"))
    h.say(d.RequestEvidence(dispute=number, party="seller", note="the receipt, please"), AGENT)
    h.say(d.WriteMessage(dispute=number, message="I look for it."), oak)
    h.say(d.AddEvidence(dispute=number, evidence=("cd" * 32,)), oak)
    h.pass_time(number, 3)
    h.say(d.Rule(dispute=number, finding="justified", reason="no_receipt", fault="exempt"), AGENT)
    h.pay(number)
    h.sell("una", 2_000)
    h.say(d.Withdraw(dispute=h.open("una", "damaged", 2_000)), _buyer("una"))
    h.say(d.Reopen(dispute=h.disputes["una"], note="the deal was broken"), _buyer("una"))


def _returned(h: History) -> None:
    """Goods that came back, that came back wrong, and a replacement, good and bad."""
    for name in ("val", "wim"):
        h.sell(name, 2_500)
        h.say(d.ShipReturn(dispute=h.open(name, "changed_mind", 2_500), carrier="Post", tracking="RR1"), _buyer(name))
        h.say(d.ScanReturn(dispute=h.disputes[name]), PLATFORM)
    oak = Actor("seller", "oak")
    h.say(d.ConfirmReturn(dispute=h.disputes["val"]), oak)
    h.pay(h.disputes["val"])
    h.say(d.ReportReturn(dispute=h.disputes["wim"], problem="damaged", note="scratched"), oak)
    h.say(d.Rule(dispute=h.disputes["wim"], finding="justified", reason="partly", amount=1_000), AGENT)
    for name in ("xia", "yan"):
        h.sell(name, 1_500, moved="shipped", promised_by=h.now - DAY)
        number = h.open(name, "in_transit_overdue", 1_500)
        h.say(d.MakeOffer(dispute=number, remedy="replacement"), oak)
        h.say(d.AcceptOffer(dispute=number), _buyer(name))
        h.say(d.ShipReplacement(dispute=number, carrier="Post", tracking="RP1"), oak)
    h.say(d.ScanReplacement(dispute=h.disputes["xia"]), PLATFORM)
    h.say(d.ReportReplacement(dispute=h.disputes["yan"], problem="different"), _buyer("yan"))


def _queued(h: History) -> None:
    """An agent takes a dispute up and puts it back; two people rule that there was fraud, once when all was paid."""
    sue = Actor("agent", "sue")
    for name, fraud, finding in (("zac", "seller", "justified"), ("zoe", "buyer", "unjustified")):
        h.sell(name, 2_000)
        number = h.open(name, "damaged", 2_000)
        h.say(d.ClaimCase(dispute=number), AGENT)
        ruling = d.Rule(
            dispute=number, finding=finding, reason="same_house", fraud=fraud, note="They share an address."
        )
        h.say(ruling, AGENT, f"fraud-{name}")
        h.say(d.ReleaseCase(dispute=number), AGENT)
        if name == "zac":
            h.say(d.Sign(dispute=number), sue, "signed-zac")
            h.pay(number)
    h.say(p.LiftWatch(store="oak"), Actor("admin", "eve"))
    number = h.disputes["ann"]
    late = d.Rule(dispute=number, finding="justified", reason="same_house", fraud="seller", note="They share a phone.")
    h.say(late, AGENT, "fraud-late")
    h.say(d.Sign(dispute=number), sue, "signed-late")
    h.say(p.LiftWatch(store="oak"), Actor("admin", "eve"))


def _appealed(h: History) -> None:
    """Appeals about the remedy, who pays and the fault: granted, dismissed, not decided in time."""
    oak, senior = Actor("seller", "oak"), Actor("agent", "mia")
    h.sell("zed", 2_000)
    number = h.open("zed", "damaged", 2_000)
    h.rule(number, "unjustified")
    h.say(d.FileAppeal(dispute=number, about="remedy", note="look again"), _buyer("zed"))
    h.say(d.Rule(dispute=number, finding="justified", reason="seen", payer="platform", note="indeed"), senior)
    h.pay(number)
    for name, about in (("ada", "funding"), ("ben", "fault"), ("cid", "remedy")):
        h.sell(name, 1_000, moved="shipped", promised_by=h.now - DAY)
        number = h.open(name, "in_transit_overdue", 1_000)
        h.say(d.Accept(dispute=number), oak)
        h.pay(number)
        h.say(d.FileAppeal(dispute=number, about=about), oak)
    for name, finding in (("ada", "justified"), ("ben", "unjustified")):
        h.say(d.Rule(dispute=h.disputes[name], finding=finding, reason="seen"), senior)
    h.pass_time(h.disputes["cid"], 15)


def _charged_back(h: History) -> None:
    """Chargebacks: won, lost while a dispute is open, after a refund, without a dispute, and one still open."""
    bank = Actor("provider", "sandbox")

    def charge(name: str, state: Any, minor: int = 1_000) -> None:
        reference = f"cb-{name}"
        command = c.Chargeback(order=h.orders[name], payment="card", reference=reference, minor=minor, state=state)
        h.say(command, bank, f"{reference}-{state}")

    for name in ("eli", "fox", "gil", "hue", "ivy"):
        h.sell(name, 1_000)
    for name in ("eli", "fox", "ivy"):
        h.open(name, "damaged", 1_000)
    h.rule(h.open("gil", "damaged", 1_000))
    h.pay(h.disputes["gil"])
    for name in ("eli", "fox", "gil", "hue", "ivy"):
        charge(name, "opened")
    h.now += 2 * DAY
    charge("eli", "won")
    for name in ("fox", "gil", "hue"):
        charge(name, "lost")


def _unpayable(h: History) -> None:
    """A refund that no way could pay: over another way, and unclaimed; a parcel that came after its refund."""
    for name in ("lin", "moe"):
        h.sell(name, 1_000, moved="shipped", promised_by=h.now - DAY)
        h.say(d.Accept(dispute=(number := h.open(name, "in_transit_overdue", 1_000))), Actor("seller", "oak"))
        h.report(number, h.send(number), "refused", final=True)
    h.say(r.SetPayoutWay(dispute=h.disputes["lin"], payment="card", way="iban-7"), _buyer("lin"))
    h.pay(h.disputes["lin"])
    late = h.sell("ned", 1_000, moved="shipped", promised_by=h.now - DAY)
    h.say(d.Accept(dispute=h.open("ned", "in_transit_overdue", 1_000)), Actor("seller", "oak"))
    h.pay(h.disputes["ned"])
    h.say(o.Delivered(order=late, at=h.now), PLATFORM, "late-ned")
    back = {"minor": 400, "currency": "EUR", "reference": "transfer-ned"}
    h.say(Recover(dispute=h.disputes["ned"], source="buyer", provider="sandbox", **back), PLATFORM)
    h.pass_time(h.disputes["moe"], 91)


def _labelled(h: History) -> None:
    """By a policy of that day on, what was found justified goes back with the platform's label."""
    text = policy_text().replace('"2026.1"', '"2026.7"').replace('covered = "returnless"', 'covered = "platform_label"')
    publish_text(h.database, "standard", text, h.now)
    h.sell("quo", 1_000, late=True)
    h.rule(number := h.open("quo", "damaged", 1_000))
    label = {"carrier": "Post", "tracking": "LB1", "minor": 450, "currency": "EUR"}
    h.say(d.SendLabel(dispute=number, **label), PLATFORM)
    h.say(d.ShipReturn(dispute=number, carrier="Post", tracking="LB1"), _buyer("quo"))
    h.say(d.ConfirmReturn(dispute=number), PLATFORM)


def _settled_privately(h: History) -> None:
    """Words on an order, and money that the seller sends of its own accord."""
    order = h.sell("kim", 2_000)
    oak = Actor("seller", "oak")
    h.say(WriteOnOrder(order=order, message="The lamp has a scratch."), _buyer("kim"), "kim-writes")
    h.say(WriteOnOrder(order=order, message="I send you something back."), oak)
    gift = h.say(SendGoodwill(order=order, amount=500, note="Sorry for the scratch."), oak, "goodwill-kim").id
    h.pay(gift)


def _stopped(h: History) -> None:
    """The fund holds too little for a while: no new order is covered."""
    h.say(SetBreaker(currency="EUR", below=1200), Actor("finance", "kim"))
    h.say(TellSolvency(currency="EUR", holds=1, owes=1), SYSTEM)
    h.say(TellSolvency(currency="EUR", holds=2, owes=1), SYSTEM)


def _outage(h: History) -> None:
    """Nobody could act for two days, as an admin says later; some of what runs over it is looked at, some not yet."""
    for name in ("abe", "amy"):
        h.sell(name, 2_000)
        h.open(name, "damaged", 2_000)
    h.now += 3 * DAY
    h.say(EnterOutage(start=h.now - 2 * DAY, end=h.now), Actor("admin", "eve"))
    h.pass_time(h.disputes["abe"], 0)


def _watched(h: History) -> None:
    """A store is assessed, watched for what was found, and let off again; another one is watched by hand."""
    found = p.Standing(at=h.now, disputes=12, buyers=(("ann", 900),), completed=4)
    eve = Actor("admin", "eve")
    h.say(p.AssessStore(store="elm", standing=found), SYSTEM)
    h.sell("ute", 1_000, "elm")
    h.say(p.LiftWatch(store="elm"), eve)
    h.say(p.SetWatch(store="fir", why="letters"), eve)


def _still_open(h: History) -> None:
    """Disputes with timers running, in every phase that has some."""
    h.sell("sue", 2_000)
    h.open("sue", "damaged", 2_000, statement="cracked", reference="c-2")
    h.sell("tom", 2_000, "fir")
    h.say(d.Reject(dispute=h.open("tom", "damaged", 2_000), reason="works", note="no"), Actor("seller", "fir"))
    h.sell("uma", 2_000)
    h.rule(h.open("uma", "damaged", 2_000), "out_of_scope")
    h.sell("vic", 2_000, "elm")
    h.pass_time(h.open("vic", "damaged", 2_000), 8)


def _outbox(h: History) -> None:
    """Some effects are done, some failed, one is put off, some are claimed and the rest wait."""
    tasks = h.database.claim(0, h.now, HOUR, 30)
    for task in tasks[:20]:
        h.database.settle(0, [(task, Delivery("done", h.now, "queued"))])
    h.database.settle(0, [(tasks[20], Delivery("failed", h.now, "550"))])
    h.database.settle(0, [(tasks[21], h.now + 3 * HOUR)])


def _buyer(name: str) -> Actor:
    return Actor("buyer", name)
