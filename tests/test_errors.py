"""Every refusal is listed, can be produced, and leaves no trace; and nonsense is refused like anything else."""

import ast
import base64
import re
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest
from msgspec import structs

import houbao
from core.policies import next_policy
from given import (
    AGENT,
    BUYER,
    DAY,
    FINANCE,
    MAIL,
    PLATFORM,
    PROVIDER,
    SECOND,
    SELLER,
    SENIOR,
    Market,
    T,
    eur,
    opening,
    standard,
)
from houbao.commands.explaining import explanation
from houbao.commands.funding import book
from houbao.commands.scores import score_card
from houbao.commands.working import work
from houbao.core import chargebacks as c
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.acts import SendGoodwill
from houbao.core.attempts import MOST_CODE
from houbao.core.breaker import SetBreaker, TellSolvency
from houbao.core.exchange import parse_rate
from houbao.core.fund import MoveCash, PayDeposit, Repay, TopUp
from houbao.core.messages import WriteOnOrder
from houbao.core.outages import EnterOutage
from houbao.core.placing import MOST_LISTING
from houbao.core.policy import REFUSALS
from houbao.core.policy_file import parse_policy
from houbao.core.recoveries import Recover
from houbao.core.scopes import EVERYTHING
from houbao.core.subjects import Command
from houbao.core.terms import DETAIL, SYSTEM, WORDS, Actor, Refused, parse_id, tag_of
from houbao.engine.evidence import MOST_PHOTO_BYTES
from houbao.engine.personal import TEXT_FIELD
from houbao.engine.request import Accepted, Request
from houbao.engine.writer import MOST_WAITING, Writer
from houbao.feeds.order_format import decode_order
from houbao.gateways.evidence import EvidenceFolder
from houbao.gateways.evidence import check as check_link
from houbao.settings import Settings
from houbao.shipped import policy_text
from houbao.store.fund_records import entry_detail
from houbao.store.policies import publish_text
from houbao.store.rates import keep as keep_rates
from houbao.store.rates import latest as latest_rates
from houbao.wiring import House, create_database
from scenes import (
    SUE,
    awaiting_seller,
    coming,
    covered_in_brl,
    exchanged,
    indebted,
    label_wanted,
    notifying,
    offered,
    owed_for_long,
    refunding,
    rejected,
    replacing,
    returning,
    sent,
    sent_back,
    suspected,
    taken_up,
    turned_down,
    unpayable,
    verifying,
    withdrawn,
)

SOURCE = Path(houbao.__file__).parent
PAGE = (Path(__file__).parent.parent / "docs" / "errors.md").read_text(encoding="utf-8")
PHOTO = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")
"""A PNG of one pixel."""
BOB, ELM = Actor("buyer", "bob"), Actor("seller", "elm")
EVE = Actor("admin", "eve")

# --- the list ------------------------------------------------------------------------------------------------------


def codes_in_source(*, web: bool = False) -> set[str]:
    """The codes of every `Refused(…)` in the source, and of the policy that ships. What only the `web` may say is
    produced by its own tests (tests/web/test_problems.py)."""
    codes = {rule.refuse for rule in parse_policy(policy_text()).rules if rule.refuse}
    for path in SOURCE.rglob("*.py"):
        if not web and ("web" in path.parts or path.name in ("access.py", "webhooks.py")):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refused":
                code = node.args[0]
                if isinstance(code, ast.Constant):
                    codes.add(str(code.value))
                else:
                    assert ast.unparse(code).endswith("rule.refuse"), f"{path}: a code that nobody can look up"
    return codes


def rows_of_page(*columns: int) -> dict[str, list[str]]:
    """The rows of the tables that have that many columns: code → cells."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if "`" in line[:4]]
    return {row[0].strip("`"): row for row in rows if len(row) in columns}


def test_every_code_is_listed_and_every_listed_code_exists():
    assert set(rows_of_page(4)) == codes_in_source(web=True)


STATUSES = ("400", "401", "403", "404", "405", "408", "409", "410", "412", "413", "415", "422", "429", "500", "503")


def test_every_row_says_what_it_means_what_to_do_and_a_status():
    for code, (_, meaning, hint, status) in rows_of_page(4).items():
        assert meaning.endswith("."), code
        assert hint.endswith("."), code
        assert status in STATUSES, code


def test_what_a_policy_may_refuse_with_is_listed():
    assert set(REFUSALS) <= set(rows_of_page(4))


def test_every_exception_that_a_person_meets_is_listed_by_name():
    raised = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and any("Error" in ast.unparse(base) for base in node.bases):
                raised.add(node.name)
            if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
                raised.add(node.name)
    assert set(rows_of_page(3)) == raised


# --- every code, produced ------------------------------------------------------------------------------------------

PRODUCED: dict[str, Callable[[Market], Refused]] = {}


def produces(scene: Callable[[Market], Refused]) -> Callable[[Market], Refused]:
    """A scene that ends in the refusal it is named after."""
    PRODUCED[scene.__name__] = scene
    return scene


def test_there_is_a_scene_for_every_code_and_for_no_other():
    assert set(PRODUCED) == codes_in_source()


@pytest.mark.parametrize("code", sorted(codes_in_source()))
def test_every_code_can_be_produced_and_leaves_no_trace(market, code):
    refused = PRODUCED[code](market)
    assert refused.code == code
    assert 0 < len(refused.detail) <= DETAIL


def raised(market: Market, call: Callable[..., Any], *args: Any, **more: Any) -> Refused:
    """The refusal that a call raises; it must leave no trace."""
    before = market.contents()
    with pytest.raises(Refused) as error:
        call(*args, **more)
    assert market.contents() == before
    return error.value


def place(**changed: Any) -> o.PlaceOrder:
    """An order of 40.00 that can be placed."""
    order = o.PlaceOrder(
        store="oak",
        reference="new",
        buyer="ann",
        currency="EUR",
        lines=(o.NewLine(id="1", item=4000, quantity=2),),
        payments=(o.Payment(id="card", provider="sandbox", minor=4000),),
        ship_by=T,
        promised_by=T + DAY,
        at=T,
    )
    return structs.replace(order, **changed)


def waiting(market: Market) -> int:
    """A refund that waits for money in the fund."""
    dispute = market.open(market.order(amount="2000.00"), "damaged", "2000.00")
    market.rule(dispute)
    return dispute


def folder_of(market: Market, ending: str = ".evidence") -> EvidenceFolder:
    path = market.database.path
    return EvidenceFolder(path.with_suffix(ending), path.with_suffix(".key"))


def house_of(market: Market) -> House:
    return House(Settings(database_url=f"sqlite:///{market.database.path}"))


# the form


@produces
def bad_id(market):
    return raised(market, parse_id, "dispute", "order_0_47")


@produces
def bad_reference(market):
    return market.refuse(place(reference="no spaces"), PLATFORM)


@produces
def bad_words(market):
    return market.refuse(p.RegisterStore(store="elm", email="a@elm.example\r\nBcc: b@elm.example"), PLATFORM)


@produces
def text_too_long(market):
    return market.refuse(opening(market.order(), "damaged", "1.00", statement="x" * 5001), BUYER)


@produces
def bad_text(market):
    return market.refuse(opening(market.order(), "damaged", "1.00", statement="half \ud800"), BUYER)


@produces
def naive_time(market):
    return market.refuse(p.Leave(store="oak", at=T.replace(tzinfo=None)), SELLER)


@produces
def bad_time(market):
    return market.refuse(place(promised_by=T.replace(year=9999)), PLATFORM)


@produces
def bad_currency(market):
    return market.refuse(TopUp(minor=1, currency="XXX"), FINANCE)


@produces
def bad_field(market):
    return raised(market, decode_order, b'{"reference": 7}')


@produces
def bad_amount(market):
    return market.refuse(TopUp(minor=0, currency="EUR"), FINANCE)


@produces
def bad_lines(market):
    return market.refuse(opening(market.order(), "damaged", "1.00", lines=(("1", 1), ("1", 1))), BUYER)


@produces
def bad_payments(market):
    order = market.accept(place(payments=()), PLATFORM).id
    return market.refuse(o.Paid(order=order, at=T), PLATFORM)


@produces
def bad_rating(market):
    return market.refuse(o.Rated(order=market.order(), at=T, description=6, service=5, logistics=5), PLATFORM)


@produces
def bad_evidence(market):
    return market.refuse(opening(market.order(), "damaged", "1.00", evidence=("photo.jpg",)), BUYER)


@produces
def unknown_reason(market):
    return market.refuse(opening(market.order(), "did_not_like_it", "1.00"), BUYER)


# not yours


@produces
def not_permitted(market):
    return market.refuse(d.Rule(dispute=verifying(market), finding="unjustified", reason="no"), SELLER)


@produces
def not_yours(market):
    return market.refuse(opening(market.order(), "damaged", "1.00"), BOB)


# not known


@produces
def unknown_store(market):
    return market.refuse(place(store="elm"), PLATFORM)


@produces
def unknown_programme(market):
    return market.refuse(p.Enrol(store="oak", programme="gold", at=T), SELLER)


@produces
def unknown_order(market):
    return market.refuse(opening(4711, "damaged", "1.00"), BUYER)


@produces
def unknown_line(market):
    return market.refuse(opening(market.order(), "damaged", "1.00", lines=(("2", 1),)), BUYER)


@produces
def unknown_entry(market):
    return raised(market, entry_detail, market.database.connection, EVERYTHING, 0, "oak", (1, 0))


@produces
def unknown_dispute(market):
    return market.refuse(d.Withdraw(dispute=4711), BUYER)


# not as things stand


@produces
def store_exists(market):
    return market.refuse(p.RegisterStore(store="oak"), PLATFORM)


@produces
def order_exists(market):
    market.accept(place(), PLATFORM)
    return market.refuse(place(), PLATFORM)


@produces
def reference_taken(market):
    market.open(market.order(), "damaged", "1.00", reference="claim-1")
    return market.refuse(opening(market.order(), "damaged", "1.00", reference="claim-1"), BUYER)


@produces
def ambiguous_order(market):
    market.accept(p.RegisterStore(store="elm"), PLATFORM)
    for store in ("oak", "elm"):
        market.accept(place(store=store), PLATFORM)
    house = house_of(market)
    refused = raised(market, explanation, house, "new", "damaged", "1.00", ())
    house.close()
    return refused


@produces
def key_reused(market):
    market.accept(place(), PLATFORM, key="key-1")
    return market.refuse(place(reference="other"), PLATFORM, key="key-1")


@produces
def already_enrolled(market):
    return market.refuse(p.Enrol(store="oak", programme="standard", at=T), SELLER)


@produces
def not_enrolled(market):
    market.accept(p.Leave(store="oak", at=T), SELLER)
    return market.refuse(p.Leave(store="oak", at=T), SELLER)


@produces
def order_turn(market):
    return market.refuse(o.Paid(order=market.order(), at=T), PLATFORM)


@produces
def payable_short(market):
    return market.refuse(o.PaidOut(order=market.order(), at=T, minor=eur("240.01")), PLATFORM)


@produces
def nothing_owed(market):
    return market.refuse(Repay(store="oak", minor=1, currency="EUR"), FINANCE)


@produces
def no_rate(market):
    return market.refuse(d.Rule(dispute=covered_in_brl(market), finding="justified", reason="seen"), AGENT)


@produces
def nothing_to_settle(market):
    dispute, _ = sent(market)
    return market.refuse(d.SettleRefund(dispute=dispute, payment="card", taken=1), FINANCE)


def recovery(dispute, **changed):
    came = {"source": "carrier", "minor": 1, "currency": "EUR", "reference": "claim-7"}
    return Recover(**{"dispute": dispute, **came, **changed})


def label(dispute):
    return d.SendLabel(dispute=dispute, carrier="Post", tracking="LB1", minor=1, currency="EUR")


@produces
def no_label(market):
    return market.refuse(d.ShipReturn(dispute=label_wanted(market), carrier="Post", tracking="LB1"), BUYER)


@produces
def no_label_wanted(market):
    return market.refuse(label(returning(market)), PLATFORM)


@produces
def nothing_to_recover(market):
    return market.refuse(recovery(owed_for_long(market), minor=eur("200.01")), FINANCE)


@produces
def recovery_booked(market):
    dispute = owed_for_long(market)
    market.accept(recovery(dispute), FINANCE)
    return market.refuse(recovery(dispute, minor=2), FINANCE)


@produces
def not_yet(market):
    dispute = owed_for_long(market)
    return market.refuse(d.WriteOff(dispute=dispute), FINANCE, at=T - 11 * DAY)


@produces
def payout_above_order(market):
    return market.refuse(o.PaidOut(order=market.order(), at=T + 20 * DAY, minor=eur("40.01")), PLATFORM)


@produces
def not_mature(market):
    return market.refuse(o.PaidOut(order=market.order(), at=T, minor=1), PLATFORM)


@produces
def stale(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    (outcome,) = market.engine.execute([Request(d.Withdraw(dispute=dispute), BUYER, market.now, seen=dispute - 1)])
    assert isinstance(outcome, Refused)
    return outcome


@produces
def not_now(market):
    return market.refuse(d.Accept(dispute=verifying(market)), SELLER)


@produces
def answer_after_due(market):
    dispute = awaiting_seller(market)
    market.now = T + 5 * DAY
    return market.refuse(d.Accept(dispute=dispute), SELLER)


@produces
def claim_unchanged(market):
    return market.refuse(d.ChangeClaim(dispute=verifying(market), amount=4000), BUYER)


def appealed(market: Market) -> int:
    dispute = turned_down(market)
    market.accept(d.FileAppeal(dispute=dispute, about="remedy"), BUYER)
    return dispute


def charged(market: Market, order: int, state: Any = "opened", **more: Any) -> c.Chargeback:
    given = {"payment": "card", "reference": "cb-1", "minor": 100, **more}
    return c.Chargeback(order=order, state=state, **given)


@produces
def frozen(market):
    dispute = verifying(market)
    market.accept(charged(market, market.dispute(dispute).order), PROVIDER)
    return market.refuse(d.Rule(dispute=dispute, finding="justified", reason="seen"), AGENT)


@produces
def chargeback_turn(market):
    return market.refuse(charged(market, market.order(), "won"), PROVIDER)


@produces
def unknown_payment(market):
    return market.refuse(charged(market, market.order(), payment="cash"), PROVIDER)


@produces
def appealed_before(market):
    dispute = appealed(market)
    market.accept(d.Rule(dispute=dispute, finding="unjustified", reason="seen"), SENIOR)
    return market.refuse(d.FileAppeal(dispute=dispute, about="remedy"), BUYER)


@produces
def final_ruling(market):
    dispute = awaiting_seller(market)
    market.accept(d.MakeOffer(dispute=dispute, amount=1), SELLER)
    market.accept(d.AcceptOffer(dispute=dispute), BUYER)
    market.work()
    market.accept(d.FileAppeal(dispute=dispute, about="remedy"), SELLER)
    market.accept(d.Rule(dispute=dispute, finding="unjustified", reason="seen"), SENIOR)
    return market.refuse(d.FileAppeal(dispute=dispute, about="remedy"), BUYER)


@produces
def appeal_too_late(market):
    dispute = turned_down(market)
    market.now = T + 30 * DAY
    return market.refuse(d.FileAppeal(dispute=dispute, about="remedy"), BUYER)


@produces
def nothing_to_appeal(market):
    return market.refuse(d.FileAppeal(dispute=turned_down(market), about="fault"), SELLER)


@produces
def in_appeal(market):
    return market.refuse(d.Withdraw(dispute=appealed(market)), BUYER)


@produces
def same_agent(market):
    return market.refuse(d.Rule(dispute=appealed(market), finding="justified", reason="seen"), AGENT)


@produces
def no_refund(market):
    dispute = verifying(market)
    market.rule(dispute, "unjustified")
    return market.refuse(r.ReportRefund(dispute=dispute, attempt=1, result="paid"), PROVIDER)


@produces
def refund_in_flight(market):
    dispute, _ = sent(market)
    return market.refuse(r.ResolveRefund(dispute=dispute, how="abandon"), FINANCE)


@produces
def refund_waits(market):
    return market.refuse(r.ResolveRefund(dispute=waiting(market), how="paid_elsewhere"), FINANCE)


@produces
def no_record(market):
    house = house_of(market)
    refused = raised(market, score_card, house, "oak")
    house.close()
    return refused


@produces
def unknown_evidence(market):
    return raised(market, folder_of(market).show, "0" * 64)


@produces
def bad_link(market):
    return raised(market, check_link, bytes(32), "0" * 64, "buyer:ann", T, "", T)


@produces
def bad_image(market):
    return raised(market, folder_of(market).keep, b"<svg/>")


@produces
def image_too_large(market):
    return raised(market, folder_of(market).keep, bytes(MOST_PHOTO_BYTES + 1))


@produces
def not_kept(market):
    return raised(market, folder_of(market, ".db").keep, PHOTO)


@produces
def no_images(market):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "filetype", None)
        return raised(market, folder_of(market).keep, PHOTO)


@produces
def unknown_provider(market):
    house = house_of(market)
    refused = raised(market, book, house, MoveCash(provider="sandbx", minor=1, currency="EUR"), "")
    house.close()
    return refused


@produces
def not_a_sandbox(market):
    url = f"sqlite:///{market.database.path.parent}/live.db"
    create_database(url, currency="EUR", launched_at=T)
    house = House(Settings(database_url=url))
    refused = raised(market, work, house, once=True, now=T.isoformat())
    house.close()
    return refused


@produces
def clock_backwards(market):
    house = house_of(market)
    refused = raised(market, work, house, once=True, now=(T - DAY).isoformat())
    house.close()
    return refused


@produces
def version_taken(market):
    return raised(market, publish_text, market.database, "standard", policy_text() + "# one more word\n", T)


@produces
def out_of_order(market):
    publish_text(market.database, "standard", next_policy(), T, T + 2 * DAY)
    return raised(market, publish_text, market.database, "standard", next_policy("2026.3"), T, T + DAY)


# the rules


@produces
def backdated(market):
    return raised(market, publish_text, market.database, "standard", next_policy(), T, T - SECOND)


@produces
def not_paid(market):
    order = market.accept(place(), PLATFORM).id
    return market.refuse(opening(order, "damaged", "1.00"), BUYER)


@produces
def outside_window(market):
    return market.refuse(opening(market.order(delivered=False), "damaged", "1.00"), BUYER)


@produces
def dispute_open(market):
    order = market.order()
    market.open(order, "damaged", "1.00")
    return market.refuse(opening(order, "defective", "1.00"), BUYER)


@produces
def already_ruled(market):
    order = market.order()
    market.rule(market.open(order, "damaged", "1.00"), "unjustified")
    return market.refuse(opening(order, "defective", "1.00"), BUYER)


@produces
def nothing_left(market):
    order = market.order()
    market.rule(market.open(order, "damaged", "40.00"))
    market.work()
    return market.refuse(opening(order, "overcharged", "1.00"), BUYER)


@produces
def amount_above_refundable(market):
    return market.refuse(opening(market.order(), "damaged", "40.01"), BUYER)


@produces
def amount_above_claim(market):
    dispute = market.open(market.order(), "damaged", "30.00")
    return market.refuse(d.Rule(dispute=dispute, finding="justified", reason="ok", amount=3001), AGENT)


@produces
def bad_remedy(market):
    return market.refuse(opening(market.order(), "damaged", "1.00", remedy="replacement"), BUYER)


@produces
def offer_is_claim(market):
    return market.refuse(d.MakeOffer(dispute=awaiting_seller(market), amount=eur("25.00")), SELLER)


@produces
def claim_is_offer(market):
    return market.refuse(d.Counter(dispute=offered(market), amount=1), BUYER)


@produces
def bad_ruling(market):
    ruling = d.Rule(dispute=verifying(market), finding="justified", reason="ok", payer="platform")
    return market.refuse(ruling, AGENT)


@produces
def no_offer(market):
    return market.refuse(d.AcceptOffer(dispute=rejected(market)), BUYER)


@produces
def not_withdrawn(market):
    dispute = verifying(market)
    market.rule(dispute, "unjustified")
    return market.refuse(d.Reopen(dispute=dispute), BUYER)


@produces
def reopened_before(market):
    dispute = withdrawn(market)
    market.accept(d.Reopen(dispute=dispute), BUYER)
    market.accept(d.Withdraw(dispute=dispute), BUYER)
    return market.refuse(d.Reopen(dispute=dispute), BUYER)


@produces
def bad_standing(market):
    return market.refuse(p.AssessStore(store="oak", standing=p.Standing(at=T, shared=("shoes",))), SYSTEM)


@produces
def not_watched(market):
    return market.refuse(p.LiftWatch(store="oak"), EVE)


@produces
def bad_line(market):
    return market.refuse(SetBreaker(currency="EUR", below=-1), FINANCE)


@produces
def bad_outage(market):
    return market.refuse(EnterOutage(start=T, end=T), EVE)


@produces
def claimed(market):
    return market.refuse(d.ClaimCase(dispute=taken_up(market)), SUE)


@produces
def not_claimed(market):
    return market.refuse(d.ReleaseCase(dispute=verifying(market)), AGENT)


@produces
def not_proposed(market):
    return market.refuse(d.Sign(dispute=verifying(market)), AGENT)


@produces
def same_person(market):
    return market.refuse(d.Sign(dispute=suspected(market)), SUE)


@produces
def shipped_before(market):
    ship = d.ShipReplacement(dispute=replacing(market), carrier="Post", tracking="RP1")
    market.accept(ship, SELLER)
    return market.refuse(ship, SELLER)


@produces
def no_text(market):
    return market.refuse(d.WriteMessage(dispute=verifying(market), message=" "), BUYER)


# the system


@produces
def overloaded(market):
    writer = Writer(market.engine)
    writer.stop()
    before = market.contents()
    (outcome,) = writer.execute([Request(TopUp(minor=1, currency="EUR"), FINANCE, T)])
    assert market.contents() == before
    return outcome


@produces
def too_large(market):
    writer = Writer(market.engine)
    before = market.contents()
    outcomes = writer.execute([Request(TopUp(minor=1, currency="EUR"), FINANCE, T)] * (MOST_WAITING + 1))
    writer.stop()
    assert market.contents() == before
    (code,) = {outcome.code for outcome in outcomes}
    assert code == "too_large"
    return outcomes[-1]


@produces
def not_saved(market):
    run = market.database.connection.execute
    run("CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'the disk is full'); END")
    refused = market.refuse(TopUp(minor=1, currency="EUR"), FINANCE)
    run("DROP TRIGGER full")
    assert "the disk is full" in refused.detail
    return refused


@produces
def rate_changed(market):
    at = T - DAY
    kept = parse_rate("EUR", "BRL", "4.6279", published_at=at, source="ECB")
    keep_rates(market.database, [kept])
    other = parse_rate("EUR", "BRL", "4.6280", published_at=at, source="ECB")
    new = parse_rate("EUR", "USD", "1.1724", published_at=at, source="ECB")
    refused = raised(market, keep_rates, market.database, [new, other])
    assert latest_rates(market.database.connection) == [kept]
    return refused


@produces
def split_lines(market):
    lines = (o.NewLine(id="1", item=4000, category="perishables"), o.NewLine(id="2", item=9000, category="toys"))
    order = market.order(amount="130.00", lines=lines)
    return raised(market, market.explain, opening(order, "damaged", "50.00", lines=(("1", 1), ("2", 1))))


@produces
def failed(market):
    # a state that no event can lead to: deciding on it is a fault of ours, and only of this command
    order = market.order()
    run = market.database.connection.execute
    run("UPDATE orders SET body = CAST(json_set(body, '$.status', 'lost') AS BLOB) WHERE id = ?", (order,))
    refused = market.refuse(o.Confirmed(order=order, at=T), PLATFORM)
    run("UPDATE orders SET body = CAST(json_set(body, '$.status', 'delivered') AS BLOB) WHERE id = ?", (order,))
    return refused


@produces
def no_policy(market):
    folder = market.database.path.parent / "unpublished"
    folder.mkdir()
    other = Market(folder, programme=standard(policies=((T - 100 * DAY, "2030.1"),)))
    refused = other.refuse(opening(other.order(), "damaged", "1.00"), BUYER)
    other.database.close()
    return refused


# --- nonsense ------------------------------------------------------------------------------------------------------

LONG = "x" * 10_000
STEERING = "a\r\nb\x00"
HUGE = (2**63, 10**30, -(2**63) - 1)
NONSENSE: dict[str, tuple[Any, ...]] = {
    "int": (-1, *HUGE, 1.5, "1", True, None, [], {}),
    "str": (LONG, STEERING, 5, None, True, [], {}),
    "text": (LONG, 5, None, True, [], {}),
    "cut": (5, None, True, [], {}),
    "bool": ("yes", 1, None),
    "datetime": (
        "2026-07-08T12:00:00",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "yesterday",
        5,
        None,
    ),
    "Literal": ("nonsense", LONG, 5, None),
    "record": ("x", 5, None, [], {}, {"at": "2026-07-08T12:00:00"}),
    "tuple": ("x", {}, None, 5, [None], [[]]),
}
"""Kind of field → values that no field of that kind takes. A `text` is free: only its length is limited."""

CUT = ("code", "message_id", "why")
"""What a provider or mail server adds in its own words is cut, never refused: its report must be booked."""

COMMANDS: dict[str, type] = {tag_of(kind): kind for kind in get_args(Command)}  # ty: ignore[invalid-argument-type]


def samples(market: Market) -> dict[str, tuple[Any, Actor]]:
    """For every command one that can happen now, and by whom."""
    placed, turned = market.accept(place(reference="placed"), PLATFORM).id, exchanged(market)
    shipped, delivered = market.order(delivered=False), market.order()
    late, mine = market.order(shipped=False), market.order()
    out, attempt = sent(market)
    served = notifying(market)
    notice = market.dispute(served).notice
    due, stuck, final_no = refunding(market), refunding(market), unpayable(market)
    waiting(market)
    market.accept(TopUp(minor=eur("5000.00"), currency="EUR"), FINANCE)
    indebted(market)
    owing, fact = owed_for_long(market), {"at": T}
    return {
        "register_store": (p.RegisterStore(store="elm", country="DE", name="Elm", email="elm@elm.example"), PLATFORM),
        "enrol": (p.Enrol(store="fir", programme="standard", at=T), PLATFORM),
        "change_contact": (p.ChangeContact(store="oak", email="new@oak.example"), SELLER),
        "leave": (p.Leave(store="oak", at=T), SELLER),
        "place_order": (place(buyer_email="ann@mail.example"), PLATFORM),
        "paid": (o.Paid(order=placed, commission=1, **fact), PLATFORM),
        "shipped": (o.Shipped(order=late, **fact), PLATFORM),
        "tracking": (o.Tracked(order=shipped, state="moving", **fact), PLATFORM),
        "delivered": (o.Delivered(order=shipped, **fact), PLATFORM),
        "confirmed": (o.Confirmed(order=delivered, **fact), PLATFORM),
        "confirmation_timed_out": (o.ConfirmationTimedOut(order=delivered, **fact), PLATFORM),
        "cancelled": (o.Cancelled(order=shipped, party="buyer", **fact), PLATFORM),
        "rated": (o.Rated(order=delivered, description=5, service=4, logistics=3, **fact), PLATFORM),
        "goodwill": (SendGoodwill(order=market.order(), amount=1, note="n"), SELLER),
        "order_message": (WriteOnOrder(order=market.order(), message="m"), BUYER),
        "chargeback": (charged(market, market.order()), PROVIDER),
        "paid_out": (o.PaidOut(order=market.order(paid=T - 95 * DAY), minor=1, at=T), PLATFORM),
        "open": (opening(mine, "damaged", "1.00", statement="s", evidence=("ab" * 32,), reference="c-1"), BUYER),
        "rule": (d.Rule(dispute=verifying(market), finding="justified", reason="ok", amount=1, note="n"), AGENT),
        "sign": (d.Sign(dispute=suspected(market)), AGENT),
        "claim": (d.ClaimCase(dispute=verifying(market)), AGENT),
        "release": (d.ReleaseCase(dispute=taken_up(market)), AGENT),
        "change_claim": (d.ChangeClaim(dispute=awaiting_seller(market), amount=1, note="n"), BUYER),
        "withdraw": (d.Withdraw(dispute=verifying(market)), BUYER),
        "accept": (d.Accept(dispute=awaiting_seller(market)), SELLER),
        "reject": (d.Reject(dispute=awaiting_seller(market), reason="no", note="n"), SELLER),
        "offer": (d.MakeOffer(dispute=awaiting_seller(market), amount=1, remedy="refund", note="n"), SELLER),
        "accept_offer": (d.AcceptOffer(dispute=offered(market)), BUYER),
        "counter": (d.Counter(dispute=rejected(market), amount=1, note="n"), BUYER),
        "escalate": (d.Escalate(dispute=rejected(market), note="n"), BUYER),
        "reopen": (d.Reopen(dispute=withdrawn(market), note="n"), BUYER),
        "appeal": (d.FileAppeal(dispute=turned_down(market), about="remedy", note="n"), BUYER),
        "request_evidence": (d.RequestEvidence(dispute=verifying(market), party="buyer", note="n"), AGENT),
        "evidence": (d.AddEvidence(dispute=verifying(market), evidence=("ab" * 32,), note="n"), BUYER),
        "messages": (d.WriteMessage(dispute=verifying(market), message="m"), BUYER),
        "send_label": (label(label_wanted(market)), PLATFORM),
        "ship_return": (d.ShipReturn(dispute=returning(market), carrier="Post", tracking="RR1"), BUYER),
        "scan_return": (d.ScanReturn(dispute=sent_back(market)), PLATFORM),
        "confirm_return": (d.ConfirmReturn(dispute=sent_back(market)), SELLER),
        "report_return": (d.ReportReturn(dispute=sent_back(market), problem="empty", note="n"), SELLER),
        "ship_replacement": (d.ShipReplacement(dispute=replacing(market), carrier="Post", tracking="RP1"), SELLER),
        "scan_replacement": (d.ScanReplacement(dispute=coming(market)), PLATFORM),
        "report_replacement": (d.ReportReplacement(dispute=coming(market), problem="damaged", note="n"), BUYER),
        "serve_notice": (d.ServeNotice(dispute=served), AGENT),
        "notice_accepted": (d.NoticeAccepted(dispute=served, notice=notice, message_id="m"), MAIL),
        "notice_bounced": (d.NoticeBounced(dispute=served, notice=notice, why="w"), MAIL),
        "pass_time": (d.PassTime(dispute=served), SYSTEM),
        "send_refund": (r.SendRefund(dispute=due, payment="card"), SYSTEM),
        "report_refund": (r.ReportRefund(dispute=out, attempt=attempt, result="refused", final=True), PROVIDER),
        "resolve_refund": (r.ResolveRefund(dispute=stuck, how="abandon", note="n"), FINANCE),
        "set_payout_way": (r.SetPayoutWay(dispute=final_no, payment="card", way="iban-7"), BUYER),
        "settle_refund": (d.SettleRefund(dispute=turned, payment="card", taken=1), FINANCE),
        "recover": (recovery(owing, provider="sandbox"), FINANCE),
        "write_off": (d.WriteOff(dispute=owing), FINANCE),
        "top_up": (TopUp(minor=1, currency="EUR"), FINANCE),
        "set_breaker": (SetBreaker(currency="EUR", below=1200), FINANCE),
        "tell_solvency": (TellSolvency(currency="EUR", holds=1, owes=2), SYSTEM),
        "enter_outage": (EnterOutage(start=T - DAY, end=T), EVE),
        "assess_store": (p.AssessStore(store="oak", standing=p.Standing(at=T)), SYSTEM),
        "set_watch": (p.SetWatch(store="oak", why="photos"), EVE),
        "lift_watch": (p.LiftWatch(store="fir"), EVE),
        "pay_deposit": (PayDeposit(store="oak", minor=1, currency="EUR"), FINANCE),
        "move_cash": (MoveCash(provider="sandbox", minor=1, currency="EUR"), FINANCE),
        "repay": (Repay(store="ivy", minor=1, currency="EUR"), FINANCE),
        "serve_waiting": (r.ServeWaiting(currency="EUR"), SYSTEM),
    }


@pytest.fixture
def busy(market):
    """A market in which every command can happen."""
    market.accept(p.RegisterStore(store="fir", email="fir@fir.example"), PLATFORM)
    market.accept(p.SetWatch(store="fir", why="photos"), EVE)
    return market


def receive(market: Market, body: bytes, by: Actor) -> str:
    """What becomes of a command as it comes in over the wire: accepted, or the code of its refusal."""
    try:
        command = msgspec.json.decode(body, type=Command)
    except msgspec.DecodeError:
        return "malformed"
    outcome = market.say(command, by)
    return outcome.code if isinstance(outcome, Refused) else "accepted"


def is_nonsense(market: Market, body: Any, by: Actor) -> None:
    """It comes in over the wire, is refused or changes nothing, and never writes."""
    before = market.contents()
    said = receive(market, msgspec.json.encode(body), by)
    assert market.contents() == before, (said, str(body)[:300])


def kind_of(command: type, name: str, hint: Any) -> tuple[str, bool]:
    """(the kind of a field, whether it may be null)."""
    nullable = type(None) in get_args(hint)
    if nullable:
        (hint,) = (one for one in get_args(hint) if one is not type(None))
    if TEXT_FIELD.get(command) == name or name in CUT:
        return "cut" if name in CUT else "text", nullable
    kinds = {int: "int", str: "str", bool: "bool", datetime: "datetime", tuple: "tuple", Literal: "Literal"}
    return "record" if hint is p.Standing else kinds[get_origin(hint) or hint], nullable


MAY_CHANGE_NOTHING = ("pass_time", "tell_solvency")
"""Nothing is due, and the fund has no breaker: these are accepted, and nothing happened."""


@pytest.mark.parametrize("tag", sorted(COMMANDS))
def test_the_command_that_nonsense_is_made_of_can_itself_happen(busy, tag):
    command, by = samples(busy)[tag]
    outcome = busy.say(command, by)
    assert isinstance(outcome, Accepted)
    assert (outcome.first > 0) == (tag not in MAY_CHANGE_NOTHING)


@pytest.mark.parametrize("tag", sorted(COMMANDS))
def test_a_field_that_is_missing_or_nonsense_never_gets_through_and_never_crashes(busy, tag):
    command, by = samples(busy)[tag]
    good = msgspec.to_builtins(command)
    for field in structs.fields(COMMANDS[tag]):
        kind, nullable = kind_of(COMMANDS[tag], field.name, field.type)
        for value in NONSENSE[kind]:
            if not (value is None and nullable):
                is_nonsense(busy, {**good, field.name: value}, by)
        if field.required:
            body = {name: value for name, value in good.items() if name != field.name}
            assert receive(busy, msgspec.json.encode(body), by) == "malformed"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"lines": []}, "bad_lines"),
        ({"lines": [["1", 0]]}, "bad_lines"),
        ({"lines": [["1", -1]]}, "bad_lines"),
        ({"lines": [["1", 10**18]]}, "bad_lines"),
        ({"lines": [["1", 1], ["1", 1]]}, "bad_lines"),
        ({"lines": [[LONG, 1]]}, "unknown_line"),
        ({"lines": [["1"]]}, "malformed"),
        ({"lines": [["1", 1, 1]]}, "malformed"),
        ({"amount": 0}, "bad_amount"),
        ({"reason": ""}, "unknown_reason"),
        ({"reason": LONG}, "unknown_reason"),
        ({"remedy": "replacement"}, "bad_remedy"),
        ({"reference": "ref\n"}, "bad_reference"),
        ({"reference": "ref\u0000"}, "bad_reference"),
        ({"reference": "é"}, "bad_reference"),
        ({"evidence": ["٠" * 64]}, "bad_evidence"),
        ({"evidence": ["AB" * 32]}, "bad_evidence"),
        ({"evidence": ["ab" * 32] * 21}, "bad_evidence"),
    ],
)
def test_a_dispute_that_makes_no_sense_is_refused(market, changed, said):
    body = msgspec.to_builtins(opening(market.order(), "damaged", "1.00"))
    before = market.contents()
    assert receive(market, msgspec.json.encode(body | changed), BUYER) == said
    assert market.contents() == before


LINE = {"id": "1", "item": 4000}
CARD = {"id": "card", "provider": "sandbox", "minor": 4000}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"lines": []}, "bad_lines"),
        ({"lines": [LINE, LINE]}, "bad_lines"),
        ({"lines": [{**LINE, "id": str(number)} for number in range(201)]}, "bad_lines"),
        ({"lines": [{**LINE, "quantity": 0}]}, "bad_lines"),
        ({"lines": [{**LINE, "quantity": 10**6 + 1}]}, "bad_lines"),
        ({"lines": [{**LINE, "item": -1}]}, "bad_amount"),
        ({"lines": [{**LINE, "tax": 10**15 + 1}]}, "bad_amount"),
        ({"lines": [{**LINE, "id": ""}]}, "bad_reference"),
        ({"lines": [{**LINE, "category": LONG}]}, "bad_words"),
        ({"lines": [{**LINE, "listing": LONG}]}, "bad_reference"),
        ({"lines": [{**LINE, "shown": {"title": "t", "category": STEERING}}]}, "bad_words"),
        ({"lines": [{**LINE, "shown": {"title": LONG * 7}}]}, "text_too_long"),
        ({"lines": [{**LINE, "shown": {"title": "t", "disclosures": {"size": 5}}}]}, "malformed"),
        ({"payments": [CARD, CARD]}, "bad_payments"),
        ({"payments": [{**CARD, "id": str(number)} for number in range(51)]}, "bad_payments"),
        ({"payments": [{**CARD, "minor": 0}]}, "bad_amount"),
        ({"payments": [{**CARD, "minor": 10**30}]}, "bad_amount"),
        ({"payments": [{**CARD, "provider": STEERING}]}, "bad_reference"),
        ({"currency": "eur"}, "bad_currency"),
        ({"buyer_email": "a@b.example\nBcc: c@d.example"}, "bad_words"),
        ({"buyer_language": "Chinese"}, "bad_words"),
        ({"buyer_language": "zh_CN"}, "bad_words"),
        ({"buyer_zone": LONG}, "bad_words"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(market, changed, said):
    body = msgspec.to_builtins(place())
    before = market.contents()
    assert receive(market, msgspec.json.encode(body | changed), PLATFORM) == said
    assert market.contents() == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"type": "open"',
        b'{"type": "refund_everything"}',
        b'{"type": null}',
        b'{"type": "withdraw", "dispute": 1e3}',
        b'{"type": "withdraw", "dispute": NaN}',
        b'{"type": "withdraw", "dispute": ' + b"9" * 5000 + b"}",
        b'{"type": "register_store", "store": "elm", "name": "\\ud800"}',
        b'{"type": "register_store", "store": "elm", "name": "\xff"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_command_at_all_is_malformed(body):
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError, RecursionError)):
        msgspec.json.decode(body, type=Command)


@pytest.mark.parametrize("tag", ["change_claim", "withdraw", "accept", "reject"])
def test_nobody_acts_on_somebody_elses_dispute(busy, tag):
    command, by = samples(busy)[tag]
    assert busy.refuse(command, BOB if by.role == "buyer" else ELM).code == "not_yours"


def test_no_provider_speaks_for_another(busy):
    command, _ = samples(busy)["report_refund"]
    assert busy.refuse(command, Actor("provider", "rival")).code == "not_yours"


@pytest.mark.parametrize("key", [LONG, STEERING, " ", "é"])
def test_a_key_that_makes_no_sense_is_refused(market, key):
    assert market.refuse(place(), PLATFORM, key=key).code == "bad_reference"


@pytest.mark.parametrize("received_at", [T.replace(tzinfo=None), T.replace(year=1), T.replace(year=9999)], ids=str)
def test_a_time_of_receipt_that_makes_no_sense_is_refused(market, received_at):
    order = market.order()
    refused = market.refuse(opening(order, "damaged", "1.00"), BUYER, at=received_at)
    assert refused.code in ("naive_time", "bad_time")


def test_one_piece_of_nonsense_does_not_disturb_those_beside_it_in_a_batch(market):
    nonsense = p.Leave(store="oak", at=T.replace(tzinfo=None))
    commands = [(place(), PLATFORM), (nonsense, SELLER), (place(reference="second"), PLATFORM)]
    outcomes = market.engine.execute([Request(command, by, T) for command, by in commands])
    assert [isinstance(outcome, Accepted) for outcome in outcomes] == [True, False, True]


def test_a_refusal_never_echoes_more_than_a_thousand_characters(market):
    refused = market.refuse(place(reference=LONG), PLATFORM)
    assert len(refused.detail) == DETAIL
    assert refused.detail.endswith("…")
    assert len(str(refused)) == len("bad_reference: ") + DETAIL


def test_a_provider_that_talks_too_much_is_booked_all_the_same(market):
    dispute, attempt = sent(market)
    report = r.ReportRefund(dispute=dispute, attempt=attempt, result="refused", code=LONG)
    market.accept(report, PROVIDER)
    (failed,) = [event for event in market.events(dispute) if isinstance(event, r.RefundFailed)]
    assert failed.code == "x" * MOST_CODE


def test_so_is_a_mail_server(market):
    dispute = notifying(market)
    notice = market.dispute(dispute).notice
    market.accept(d.NoticeAccepted(dispute=dispute, notice=notice, message_id=LONG), MAIL)
    market.accept(d.NoticeBounced(dispute=dispute, notice=notice, why=LONG), MAIL)
    stood, failed = market.events(dispute)[-2:]
    assert (stood.message_id, failed.why) == ("x" * WORDS, "x" * WORDS)


def test_the_page_names_the_limits_that_the_code_has():
    assert re.search(r"at most 1,000 characters", PAGE)
    assert DETAIL == 1000
    assert f"at most {WORDS} characters" in PAGE
    assert MOST_LISTING == 64 * 1024
