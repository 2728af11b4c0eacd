"""A provider's or a bank's file beside the ledger: every line is told once, with what to run; and nothing is booked."""

import json
import shlex
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given as over
from hypothesis import strategies as st
from msgspec import structs

from given import DAY, FINANCE, PLATFORM, Market, T, eur, standard
from houbao import cli
from houbao.books.cash import Cash
from houbao.books.external import External
from houbao.books.extract import BookError
from houbao.books.files import read_file
from houbao.books.matching import match
from houbao.core import orders as o
from houbao.core.chargebacks import Chargeback
from houbao.core.exchange import parse_rate
from houbao.core.fund import MoveCash
from houbao.core.programme import RegisterStore
from houbao.core.terms import Refused
from houbao.feeds.order_format import decode_event, event_of
from houbao.finance.reconciling import Beside, Reconciled, reconcile
from houbao.settings import Settings
from houbao.store.rates import keep
from houbao.wiring import House

ROOT = Path(__file__).parents[2]
STRIPE = ROOT.parent / "shared" / "data" / "connectors" / "stripe" / "fixtures3.json"


@pytest.fixture
def market(tmp_path):
    """Cash at the provider: 200.00 came in at once, then 40.00 and 30.00 for two orders of which the first was refunded
    by the fund, and 500.00 from the bank."""
    market = Market(tmp_path, programme=standard(also_covers=("BRL",)))
    market.charges = {
        number: market.order(amount=amount, payments=(o.Payment(id=number, provider="sandbox", minor=eur(amount)),))
        for number, amount in (("ch_10001", "40.00"), ("ch_10002", "30.00"))
    }
    market.refund = market.open(market.charges["ch_10001"], "damaged", "40.00")
    market.rule(market.refund)
    market.work()
    market.accept(MoveCash(provider="sandbox", minor=eur("500.00"), currency="EUR"), FINANCE)
    return market


def attempt_of(market, dispute) -> str:
    (refund,) = market.dispute(dispute).refunds
    return f"attempt_0_{refund.shares[0].attempt}"


def txn(number, minor, kind, source, *, at=T, currency="eur", **more):
    """A balance transaction as Stripe's API gives it."""
    return {
        "id": f"txn_{number}",
        "object": "balance_transaction",
        "amount": minor,
        "currency": currency,
        "created": int(at.timestamp()),
        "type": kind,
        "fee": 0,
        "net": minor,
        "source": source,
        "description": None,
    } | more


def whole(market):
    """What the provider would tell of that cash, in full agreement."""
    return [
        txn(1, 20_000, "charge", "ch_other", at=T - 10 * DAY),
        txn(2, 4_000, "charge", "ch_10001", at=T - 10 * DAY, fee=35),
        txn(3, 3_000, "charge", {"object": "charge", "id": "ch_10002"}, at=T - 10 * DAY),
        txn(4, -4_000, "refund", "re_7", description=f"Refund {attempt_of(market, market.refund)}"),
        txn(5, 50_000, "topup", "tu_1"),
    ]


def compared(market, told, tmp_path, *, name="payout.json", account="", days=5) -> Reconciled:
    """The file beside the ledger; the database is as before."""
    path = tmp_path / name
    path.write_bytes(told if isinstance(told, bytes) else json.dumps(told).encode())
    house = House(Settings(database_url=f"sqlite:///{market.database.path}"))
    before = market.contents()
    try:
        beside = Beside(house.database, house.engine.preview, house.providers, house.clock())
        return reconcile(beside, path, account, days, lambda *_: None)
    finally:
        house.close()
        assert market.contents() == before


def counts(done):
    return done.matched, len(done.missing), len(done.extra), len(done.different)


# --- what agrees, and what does not ---------------------------------------------------------------------------------


def test_a_file_that_agrees_is_even(market, tmp_path):
    done = compared(market, whole(market), tmp_path)
    assert counts(done) == (5, 0, 0, 0)
    assert done.even
    assert done.account == "provider:sandbox"
    assert [str(x) for x in done.theirs] == [str(x) for x in done.ours] == ["730.00 EUR"]
    assert [str(x) for x in done.fees] == ["0.35 EUR"]


def test_what_agrees_is_told_with_its_ground_and_what_agrees_by_amount_alone_is_told_apart(market, tmp_path):
    told = [
        txn(n, minor, "charge", id_, at=T - 7 * DAY) for n, minor, id_ in ((1, 20_000, "re_1"), (2, 4_000, "ch_10001"))
    ]
    done = compared(market, told, tmp_path)
    assert counts(done) == (2, 0, 0, 0)
    assert [(x.theirs.id, x.by, x.apart) for x in done.matches] == [("txn_2", "name", 3), ("txn_1", "amount", 3)]
    assert [str(x) for x in done.ours] == ["240.00 EUR"], "what was compared, though it lies before the file's days"
    text = "\n".join(done.told())
    assert "of the matched, 1 by amount alone: look at them" in text
    assert "same amount, 3 days apart, no id in common" in text
    assert "txn_2" not in text, "what has an id needs no look"


def test_what_only_the_ledger_has_is_missing(market, tmp_path):
    told = [line for line in whole(market) if line["id"] != "txn_4"]
    done = compared(market, told, tmp_path)
    assert counts(done) == (4, 1, 0, 0)
    (missing,) = done.missing
    assert (missing.ours.kind, missing.ours.amount.minor, missing.theirs) == ("refund", -4_000, None)
    assert missing.ours.payment == "ch_10001"
    assert missing.entry.source == "provider:sandbox"
    assert missing.entry.target == "store:oak:held"
    assert "neighbouring file" in missing.reason


def test_what_lies_outside_the_days_of_the_file_is_not_missing(market, tmp_path):
    told = [line for line in whole(market) if line["type"] == "charge"]
    assert counts(compared(market, told, tmp_path)) == (3, 0, 0, 0)


def test_what_only_the_file_has_is_extra(market, tmp_path):
    told = [*whole(market), txn(6, -1_500, "payout", "po_1"), txn(7, 990, "charge", "ch_99999")]
    done = compared(market, told, tmp_path)
    assert counts(done) == (5, 0, 2, 0)
    payout, charge = done.extra
    assert payout.theirs.place == "object 6"
    assert (payout.entry.source, payout.entry.target) == ("external:bank", "provider:sandbox")
    assert charge.entry.source == "provider:sandbox"
    assert (
        payout.command
        == "houbao fund cash-move sandbox 15.00 EUR --key reconcile-txn_6 --at 2026-07-08T12:00:00Z --back"
    )
    assert "the file of the bank tells it too" in payout.reason
    assert "bring in the order" in charge.reason
    assert all(finding.ours is None for finding in done.extra)


@pytest.mark.parametrize(
    ("changed", "differs", "said"),
    [
        ({"amount": -3_900}, ["amount"], "1.00 EUR more there than here"),
        ({"currency": "usd"}, ["currency"], "taken in USD"),
        ({"created": int((T + 9 * DAY).timestamp())}, ["date"], "9 days apart"),
    ],
)
def test_what_both_have_but_tell_differently_is_different(market, tmp_path, changed, differs, said):
    told = [line | (changed if line["id"] == "txn_4" else {}) for line in whole(market)]
    done = compared(market, told, tmp_path)
    assert counts(done) == (4, 0, 0, 1)
    (finding,) = done.different
    assert finding.differs == differs
    assert said in finding.reason
    assert finding.ours.dispute == f"dispute_0_{market.refund}"
    assert finding.theirs.id == "txn_4"


def test_json_tells_the_reasons_as_the_text_does(market, tmp_path):
    done = compared(market, [*whole(market), txn(8, 7_700, "topup", "tu_2", currency="usd")], tmp_path)
    (extra,) = json.loads(json.dumps(done.document()))["extra"]
    assert (extra["reason"], extra["theirs"]["place"]) == (done.extra[0].reason, "object 6")
    assert any(extra["reason"] in line for line in done.told())
    assert list(extra) == ["theirs", "ours", "differs", "reason", "entry", "command"]


def test_two_of_one_amount_are_told_apart_by_their_names(market, tmp_path):
    told = whole(market)
    told[0] |= {"amount": 4_000, "source": "ch_unknown"}
    done = compared(market, told, tmp_path)
    assert [x.theirs.id for x in done.extra] == ["txn_1"]
    assert [x.ours.amount.minor for x in done.missing] == [20_000]


def test_a_line_that_names_something_else_of_ours_is_not_taken_by_its_amount(market, tmp_path):
    told = whole(market)
    told[3] |= {"description": "attempt_0_999999"}
    done = compared(market, told, tmp_path)
    assert [x.theirs.id for x in done.extra] == ["txn_4"]
    assert [x.ours.kind for x in done.missing] == ["refund"]


# --- what to run for it ---------------------------------------------------------------------------------------------


def test_a_top_up_there_is_booked_by_the_very_command_and_then_agrees(market, tmp_path, run):
    told = [*whole(market), txn(8, 7_700, "topup", "tu_2")]
    (extra,) = compared(market, told, tmp_path).extra
    assert extra.command == "houbao fund cash-move sandbox 77.00 EUR --key reconcile-txn_8 --at 2026-07-08T12:00:00Z"
    run(extra.command)
    run(extra.command)
    assert compared(market, told, tmp_path).even


def test_what_was_booked_for_a_line_is_known_by_its_key_however_late_it_was_booked(market, tmp_path, run):
    told = [*whole(market), txn(8, 7_700, "topup", "tu_2", at=T - 90 * DAY)]
    (extra,) = compared(market, told, tmp_path).extra
    run(extra.command)
    assert compared(market, told, tmp_path).even
    told[-1] = txn("other", 7_700, "topup", "tu_3", at=T)
    again = compared(market, told, tmp_path)
    assert [x.theirs.id for x in again.extra] == ["txn_other"]


def test_a_refund_that_nobody_knows_the_end_of_is_looked_up(market, tmp_path):
    market.provider.script = ["timeout", "look_down"]
    second = market.open(market.charges["ch_10002"], "damaged", "30.00")
    market.rule(second)
    market.work()
    (share,) = market.dispute(second).refunds[0].shares
    assert share.state == "unknown"
    told = [*whole(market), txn(9, -3_000, "refund", "re_9", metadata={"k": 1}, description=attempt_of(market, second))]
    (extra,) = compared(market, told, tmp_path).extra
    assert extra.command == "houbao work --once"
    assert f"dispute_0_{second} is unknown here" in extra.reason


def test_a_refund_in_another_currency_is_settled_by_the_very_command_and_ends_even(market, tmp_path, run):
    keep(market.database, [parse_rate("EUR", "BRL", "4.6279", published_at=T - DAY, source="ECB")])
    payments = (o.Payment(id="ch_50005", provider="sandbox", minor=10_000),)
    lines = (o.NewLine(id="1", item=10_000),)
    order = market.order(amount="100.00", currency="BRL", payments=payments, lines=lines)
    dispute = market.open(order, "damaged", "100.00")
    market.rule(dispute)
    market.work()
    told = [
        *whole(market),
        txn(10, 10_000, "charge", "ch_50005", currency="brl", at=T - 10 * DAY),
        txn(11, -2_195, "refund", "re_5", description=attempt_of(market, dispute)),
    ]
    (finding,) = compared(market, told, tmp_path).different
    assert finding.command == f"houbao fund settle dispute_0_{dispute} ch_50005 21.95 EUR"
    assert "settle" in run(finding.command)
    assert market.sum_of("fx:EUR") == market.sum_of("fx:BRL", "BRL") == "0.00"


def test_a_refund_is_not_settled_in_a_currency_that_its_fund_has_not(market, tmp_path):
    told = [line | ({"currency": "usd"} if line["id"] == "txn_4" else {}) for line in whole(market)]
    (finding,) = compared(market, told, tmp_path).different
    assert finding.command == ""
    assert "As things stand no command books it" in finding.reason


def test_a_currency_in_which_nobody_pays_here_is_said_and_no_command_proposed(market, tmp_path):
    (extra,) = compared(market, [*whole(market), txn(8, 7_700, "topup", "tu_2", currency="usd")], tmp_path).extra
    assert extra.command == ""
    assert "no programme pays in USD, only in EUR" in extra.reason


# --- what to say of an order ----------------------------------------------------------------------------------------


def event_in(extra, order, **filled):
    """The event in the call that was proposed, with what only a person knows put in."""
    said = shlex.split(extra.command)
    assert said[3] == f"$HOUBAO_URL/v1/orders/order_0_{order}/events"
    assert said[-3] == f"Idempotency-Key: reconcile-{extra.theirs.id}"
    body = said[-1]
    for word, value in filled.items():
        assert word in body
        assert f"{word} (" in extra.reason
        body = body.replace(word, value)
    return event_of(decode_event(body.encode()), order, "EUR")


def unpaid(market, *payments):
    """An order of which the marketplace has not said that it is paid."""
    place = o.PlaceOrder(
        store="oak",
        reference=f"unpaid-{len(payments)}",
        buyer="ann",
        currency="EUR",
        lines=(o.NewLine(id="1", item=5_000),),
        payments=tuple(o.Payment(id=number, provider="sandbox", minor=minor) for number, minor in payments),
        ship_by=T,
        promised_by=T,
        at=T - DAY,
    )
    return market.accept(place, PLATFORM).id


def test_a_payment_of_an_unpaid_order_leaves_open_what_the_platform_alone_knows_and_then_agrees(market, tmp_path):
    order = unpaid(market, ("card", 5_000))
    told = [*whole(market), txn(13, 5_000, "charge", "ch_7", description=f"order_0_{order}")]
    (extra,) = compared(market, told, tmp_path).extra
    with pytest.raises(Refused, match="bad_field"):
        event_in(extra, order)
    paid = event_in(extra, order, COMMISSION="480")
    assert paid == o.Paid(order=order, at=T, commission=480)
    market.accept(paid, PLATFORM)
    assert compared(market, told, tmp_path).even


def test_a_payment_that_is_told_by_its_day_alone_leaves_its_time_open(market, tmp_path):
    order = unpaid(market, ("card", 5_000))
    told = [*whole(market), txn(13, 5_000, "charge", "ch_7", description=f"order_0_{order}")]
    days_only = as_csv(told, REPORT.replace("created_utc", "created"), report)
    (extra,) = compared(market, days_only, tmp_path).extra
    assert event_in(extra, order, COMMISSION="0", TIME="2026-07-08T12:00:00Z") == o.Paid(order=order, at=T)


@pytest.mark.parametrize(
    ("minor", "currency", "said"),
    [(2_000, "eur", "without one of that amount"), (5_000, "usd", "without one of that amount")],
)
def test_a_payment_that_an_order_never_had_is_not_said_of_it(market, tmp_path, minor, currency, said):
    order = unpaid(market, ("card", 5_000))
    line = txn(13, minor, "charge", "ch_7", description=f"order_0_{order}", currency=currency)
    (extra,) = compared(market, [*whole(market), line], tmp_path).extra
    assert (extra.command, said in extra.reason) == ("", True)


def test_one_payment_of_several_does_not_say_that_all_have_arrived(market, tmp_path):
    order = unpaid(market, ("card", 4_000), ("other", 1_000))
    line = txn(13, 4_000, "charge", "ch_7", description=f"order_0_{order}")
    (extra,) = compared(market, [*whole(market), line], tmp_path).extra
    assert "once its other payment has arrived too" in extra.reason


def test_a_payment_of_a_paid_order_or_of_one_that_is_not_here_has_no_command(market, tmp_path):
    paid = f"order_0_{market.charges['ch_10002']}"
    told = [
        *whole(market),
        txn(13, 123, "charge", "ch_7", description=paid),
        txn(14, 124, "charge", "ch_8", description="order_0_999999"),
    ]
    twice, unknown = compared(market, told, tmp_path).extra
    assert (twice.command, unknown.command) == ("", "")
    assert "ask the marketplace whether it was paid twice" in twice.reason
    assert "order_0_999999, which is not here" in unknown.reason


def test_a_payout_for_an_order_carries_amount_fee_and_time_and_then_agrees(market, tmp_path):
    market.accept(RegisterStore(store="elm"), PLATFORM)
    order = market.order(store="elm", amount="70.00", commission="7.00")
    charge = txn(12, 7_000, "charge", f"order_0_{order}", at=T - 10 * DAY)
    told = [*whole(market), charge, txn(15, -6_300, "transfer", "tr_1", description=f"order_0_{order}", fee=25)]
    (extra,) = compared(market, told, tmp_path).extra
    assert (extra.entry.source, extra.entry.target) == ("store:elm:payable", "provider:sandbox")
    payout = event_in(extra, order)
    assert payout == o.PaidOut(order=order, at=T, minor=6_300, fee=25)
    market.accept(payout, PLATFORM)
    assert compared(market, told, tmp_path).even


def test_a_payout_that_would_be_refused_is_not_proposed_but_said_why(market, tmp_path):
    covered = f"order_0_{market.charges['ch_10002']}"
    (extra,) = compared(
        market, [*whole(market), txn(15, -3_000, "payout", "po_1", description=covered)], tmp_path
    ).extra
    assert extra.command == ""
    assert "is paid out from" in extra.reason


def test_what_a_bank_took_back_leaves_open_whether_it_has_decided_and_then_agrees(market, tmp_path):
    order = market.charges["ch_10002"]
    told = [*whole(market), txn(12, -3_000, "adjustment", "dp_1", description=f"order_0_{order}")]
    (extra,) = compared(market, told, tmp_path).extra
    lost = event_in(extra, order, STATE="lost")
    assert lost == Chargeback(order=order, payment="ch_10002", reference="reconcile-txn_12", minor=3_000, state="lost")
    market.accept(lost, PLATFORM)
    assert compared(market, told, tmp_path).even


def test_what_a_bank_took_back_in_a_chargeback_that_is_open_here_ends_that_one(market, tmp_path):
    order = market.charges["ch_10002"]
    opened = Chargeback(order=order, payment="ch_10002", reference="cb-1", minor=3_000, state="opened")
    market.accept(opened, PLATFORM)
    told = [*whole(market), txn(12, -3_000, "adjustment", "dp_1", description=f"order_0_{order}")]
    (extra,) = compared(market, told, tmp_path).extra
    assert event_in(extra, order) == structs.replace(opened, state="lost")


def test_what_a_bank_took_back_of_more_than_was_paid_has_no_command(market, tmp_path):
    order = market.charges["ch_10002"]
    told = [*whole(market), txn(12, -3_001, "adjustment", "dp_1", description=f"order_0_{order}")]
    (extra,) = compared(market, told, tmp_path).extra
    assert (extra.command, "no payment of so much" in extra.reason) == ("", True)


# --- forms ----------------------------------------------------------------------------------------------------------


def as_csv(lines, header, row):
    return "\r\n".join([header, *(row(line) for line in lines)]).encode()


def report(line):
    at = datetime.fromtimestamp(line["created"], UTC)
    source = line["source"]["id"] if isinstance(line["source"], dict) else line["source"]
    amounts = [f"{line[name] / 100:.2f}" for name in ("amount", "fee", "net")]
    words = [line["type"], source, f'"{line["description"] or ""}"']
    return ",".join([line["id"], f"{at:%Y-%m-%d %H:%M:%S}", line["currency"], *amounts, *words])


REPORT = "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id,description"
DASHBOARD = "id,Created (UTC),Currency,Amount,Fee,Net,Type,Source,Description"


@pytest.mark.parametrize(
    "form",
    [
        lambda told: json.dumps({"object": "list", "has_more": False, "data": told}).encode(),
        lambda told: "\n".join(map(json.dumps, told)).encode(),
        lambda told: b"\xef\xbb\xbf\n" + json.dumps(told, indent=2).encode(),
        lambda told: as_csv(told, REPORT, report),
        lambda told: b"\xef\xbb\xbf" + as_csv(told, DASHBOARD, report),
    ],
    ids=["list", "ndjson", "array", "report", "dashboard"],
)
def test_every_form_of_stripes_is_known_by_what_stands_in_it(market, tmp_path, form):
    done = compared(market, form(whole(market)), tmp_path, name="file")
    assert counts(done) == (5, 0, 0, 0)
    assert [str(x) for x in done.fees] == ["0.35 EUR"]


@pytest.mark.skipif(not STRIPE.is_file(), reason="Stripe's objects are not at ../shared/data/connectors/stripe")
def test_stripes_own_example_is_read(tmp_path):
    path = tmp_path / "one.json"
    path.write_text(json.dumps(json.loads(STRIPE.read_text())["resources"]["balance_transaction"]))
    (line,) = read_file(path).lines
    assert (line.minor, line.currency, line.kind) == (100, "USD", "charge")
    assert any(token.startswith("ch_") for token in line.tokens)


@pytest.mark.parametrize(("currency", "minor", "iso"), [("jpy", 500, 500), ("isk", 50_000, 500), ("kwd", 1_230, 1_230)])
def test_amounts_are_in_the_units_of_iso_4217(tmp_path, currency, minor, iso):
    path = tmp_path / "one.json"
    path.write_text(json.dumps([txn(1, minor, "charge", "ch_1", currency=currency)]))
    assert read_file(path).lines[0].minor == iso


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"hello", "neither Stripe's balance transactions"),
        (b"{", "it begins like JSON, but is none"),
        (json.dumps(txn(1, 5, "charge", "")).encode() + b"\n{", "line 2: no JSON"),
        (b"[]", "no line of it tells of cash"),
        (b"[1]", "object 1: no balance transaction"),
        (b'{"object":"list","data":[],"has_more":true}', "the list goes on"),
        (json.dumps([{"id": "txn_1"}]).encode(), "object 1: no balance transaction.*missing required field"),
        (json.dumps([txn(1, 5, "charge", "", currency="xxx")]).encode(), "object 1: 'xxx' is not a currency"),
        (json.dumps([txn(1, 5, "charge", "", currency="isk")]).encode(), "object 1: 5 is not a whole amount of ISK"),
        (json.dumps([txn(1, 10**16, "charge", "")]).encode(), "object 1: 10000000000000000 minor units are more"),
        (json.dumps([txn(1, 5, "charge", "", object="charge")]).encode(), "object 1: a charge, where a balance"),
        (json.dumps([txn(1, 5, "charge", "", created=10**20)]).encode(), "object 1: created is"),
        (json.dumps([txn(1, 5, "charge", "")] * 2).encode(), "object 2: txn_1 stands in object 1 already"),
        (f"{REPORT}\r\ntxn_1,2026-07-08 12:00:00,eur,4.005,0,4.00,charge,x,y".encode(), "line 2: '4.005' has more"),
        (f"{REPORT}\r\ntxn_1,2026-07-08 12:00:00,eur,4.00".encode(), "line 2: not as many cells"),
        (f"{REPORT}\r\ntxn_1,July,eur,4.00,0,4.00,charge,x,y".encode(), "line 2: 'July' is no time"),
        (f'{REPORT}\r\ntxn_1,"2026'.encode(), "line 1: unexpected end of data"),
        (f"{REPORT}\r\n,2026-07-08,eur,4.00,0,4.00,charge,x,y".encode(), "line 2: the transaction's id is missing"),
        (REPORT.encode() + b"\r\n\xff\xfe", "the file is not UTF-8"),
    ],
)
def test_a_damaged_file_is_said_with_its_place(tmp_path, content, said):
    path = tmp_path / "damaged"
    path.write_bytes(content)
    with pytest.raises(BookError, match=said):
        read_file(path)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(BookError, match="cannot read"):
        read_file(tmp_path / "nowhere")
    with pytest.raises(BookError, match="cannot read"):
        read_file(tmp_path)


def test_an_account_that_is_none_is_said(market, tmp_path):
    with pytest.raises(BookError, match="no cash has moved at 'provider:stripe'"):
        compared(market, whole(market), tmp_path, account="provider:stripe")


# --- on the command line --------------------------------------------------------------------------------------------


def test_the_command_ends_with_1_where_anything_differs_and_tells_all(market, tmp_path, monkeypatch, capsys):
    path = tmp_path / "payout.json"
    for told, code in ((whole(market), 0), (whole(market)[1:], 1)):
        path.write_text(json.dumps(told))
        for more in ([], ["--json"]):
            arguments = ["reconcile", str(path), "--database", f"sqlite:///{market.database.path}", *more]
            monkeypatch.setattr("sys.argv", ["houbao", *arguments])
            ended = 0
            try:
                cli.main()
            except SystemExit as stop:
                ended = stop.code
            out = capsys.readouterr().out
            assert ended == code
            if more:
                document = json.loads(out)
                assert document["matched"] == 5 - code
                assert len(document["missing"]) == code
            else:
                assert "Nothing was booked." in out
                assert ("Missing:\n  here  2026-06-28 payment 200.00 EUR" in out) == bool(code)


# --- the laws of matching -------------------------------------------------------------------------------------------

DAYS = st.dates(min_value=date(2026, 7, 1), max_value=date(2026, 7, 9))
NAMES = st.sampled_from(["ch_100001", "ch_100002", "attempt_0_7", "order_0_3", ""])
CASH = st.builds(
    lambda day, minor, currency, name: (day, minor, currency, name),
    DAYS,
    st.sampled_from([100, 200, -100]),
    st.sampled_from(["EUR", "USD"]),
    NAMES,
)


def ours_of(rows):
    return [
        Cash(n, 0, day, "payment", minor, currency, "x", "", "", "", "", {name: 2} if name else {})
        for n, (day, minor, currency, name) in enumerate(rows)
    ]


def theirs_of(rows):
    return [
        External(str(n), f"t{n}", day, minor, currency, "charge", frozenset({name}) - {""})
        for n, (day, minor, currency, name) in enumerate(rows)
    ]


@over(st.lists(CASH, max_size=12), st.lists(CASH, max_size=12), st.integers(0, 4))
def test_every_line_is_told_once_and_every_movement_at_most_once(here, there, days):
    ours, theirs = ours_of(here), theirs_of(there)
    done = match(theirs, ours, date(2026, 7, 1), date(2026, 7, 9), days)
    pairs = [*done.matched, *done.different]
    assert Counter(x.id for x in [*(pair.theirs for pair in pairs), *done.extra]) == Counter(x.id for x in theirs)
    assert Counter(x.position for x in [*(pair.ours for pair in pairs), *done.missing]) == Counter(
        x.position for x in ours
    )
    for pair in done.matched:
        assert (pair.ours.minor, pair.ours.currency) == (pair.theirs.minor, pair.theirs.currency)
        assert abs(pair.ours.day - pair.theirs.day) <= timedelta(days=days)


@over(st.lists(CASH, max_size=12).flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_the_same_cash_in_another_order_agrees(rows):
    here, there = rows
    done = match(theirs_of(there), ours_of(here), date(2026, 7, 1), date(2026, 7, 9), 0)
    unnamed = [row for row in here if not row[3]]
    assert len(done.matched) >= len(unnamed)
    if len({row for row in here if row[3]}) == len([row for row in here if row[3]]):
        assert not done.missing
        assert not done.extra
