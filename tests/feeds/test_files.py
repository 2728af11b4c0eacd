"""Files of orders: the same orders out of NDJSON, CSV and Parquet, under a mapping too, and what is wrong is named."""

import csv
import io
import json
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from feeds.test_order_format import money, order
from houbao.core import orders as o
from houbao.core.terms import Refused
from houbao.feeds.csv_file import CsvFeed
from houbao.feeds.files import START, Ignored, Mark
from houbao.feeds.mapping import FeedError, Mapping, read_mapping
from houbao.feeds.ndjson import LONGEST, NdjsonFeed
from houbao.feeds.order_format import CancelledDocument, PaidOutDocument, RatedDocument, order_from, order_of
from houbao.feeds.parquet import ParquetFeed

ORDER = {
    "store_id": "oak",
    "reference": "A-1",
    "buyer_id": "ann",
    "currency": "EUR",
    "placed_at": "2026-07-01T10:00:00Z",
    "ship_by": "2026-07-04T10:00:00Z",
    "promised_by": "2026-07-12T10:00:00Z",
    "payment_provider": "sandbox",
}


def ndjson(path, *documents, mapping=None):
    path.write_bytes(b"".join(json.dumps(one).encode() + b"\n" for one in documents))
    return NdjsonFeed(path, mapping)


def table(path, rows, mapping=None, separator=","):
    """A CSV file of those rows; every column that any of them has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, delimiter=separator, restval="")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return CsvFeed(path, mapping)


def said(feed, after=START):
    return [row.said for row in feed.rows(after)]


def refusals(feed):
    return [(row.line, row.said.code, row.said.facts.get("field")) for row in feed.rows(START) if is_refused(row)]


def is_refused(row):
    return isinstance(row.said, Refused)


@pytest.fixture
def orders(tmp_path):
    return tmp_path / "orders"


# --- NDJSON --------------------------------------------------------------------------------------------------------


def test_a_line_is_a_document(orders):
    feed = ndjson(orders, order(), {"type": "rated", "store_id": "oak", "order": "A-1001", "at": "2026-07-09T00:00:00Z"
    , "description": 5, "service": 4, "logistics": 3})  # fmt: skip
    first, (rated,) = said(feed)
    assert first == order_of(order_from(order()))
    assert isinstance(rated, RatedDocument)


def test_what_is_wrong_with_a_line_is_told_with_its_number_and_the_next_is_read(orders):
    orders.write_bytes(b'{"store_id": 7}\n\n{"type": "lost"}\nnothing\n' + json.dumps(order()).encode())
    rows = list(NdjsonFeed(orders, None).rows(START))
    assert [row.line for row in rows] == [1, 2, 3, 4, 5]
    assert [row.said.facts["field"] for row in rows if is_refused(row)] == ["store_id", "type", ""]
    assert rows[1].said == Ignored("blank_line")
    assert rows[4].said == order_of(order_from(order()))


def test_a_line_without_an_end_does_not_fill_the_memory(orders):
    orders.write_bytes(b"[" + b" " * (2 * LONGEST) + b"\n" + json.dumps(order()).encode() + b"\n")
    long, whole = NdjsonFeed(orders, None).rows(START)
    assert (long.line, long.said.code, whole.line) == (1, "bad_field", 2)
    assert whole.said == order_of(order_from(order()))


# --- going on ------------------------------------------------------------------------------------------------------


def test_reading_goes_on_after_any_row(orders):
    feed = ndjson(orders, order(), order(reference="B"), order(reference="C"))
    whole = list(feed.rows(START))
    for at, row in enumerate(whole):
        assert list(feed.rows(row.after)) == whole[at + 1 :]


def test_reading_a_table_goes_on_after_any_order(orders):
    rows = [ORDER | {"item": "1.00", "title": "two\nlines"}, ORDER | {"item": "2.00"}]
    rows += [ORDER | {"reference": name, "item": "3.00"} for name in "BCC"]
    feed = table(orders, rows)
    whole = list(feed.rows(START))
    assert [(row.line, row.count) for row in whole] == [(2, 2), (5, 1), (6, 2)]
    for at, row in enumerate(whole):
        assert list(CsvFeed(orders, None).rows(row.after)) == whole[at + 1 :]


def test_a_witness_stands_for_what_was_read_and_not_for_what_comes_later(orders):
    feed = ndjson(orders, order(), order(reference="B"))
    marks = [row.after for row in feed.rows(START)]
    first, both = (feed.witness(mark) for mark in marks)
    longer = ndjson(orders, order(), order(reference="C"))
    assert longer.witness(marks[0]) == first
    assert longer.witness(marks[1]) != both
    assert ndjson(orders).witness(marks[0]) == ""


# --- tables --------------------------------------------------------------------------------------------------------


def test_the_rows_of_an_order_are_its_lines(orders):
    rows = [
        ORDER
        | {"item": "40.00", "shipping": "5.00", "quantity": "2", "title": "Lamp", "disclosures": '{"volt": "220"}'},
        ORDER | {"item": "1.50", "tax": "0.30", "line_id": "x", "category": "toys"},
    ]
    (sold,) = said(table(orders, rows))
    first, second = sold.place.lines
    assert (first.id, first.quantity, first.item, first.shipping) == ("1", 2, 4000, 500)
    assert first.shown == o.Listing(title="Lamp", disclosures={"volt": "220"})
    assert (second.id, second.item, second.tax, second.category) == ("x", 150, 30, "toys")
    assert sold.place.payments == (o.Payment(id="1", provider="sandbox", minor=4680),)
    assert sold.place.at == datetime(2026, 7, 1, 10, tzinfo=UTC)


def test_a_voucher_stands_beside_the_payment(orders):
    (sold,) = said(table(orders, [ORDER | {"item": "40.00", "voucher_amount": "15.00"}]))
    assert [(p.minor, p.cash) for p in sold.place.payments] == [(2500, True), (1500, False)]


def test_payments_may_be_a_list(orders):
    payments = json.dumps([{"provider": "a", "amount": "30.00"}, {"id": "x", "provider": "b", "amount": money(1000)}])
    (sold,) = said(table(orders, [ORDER | {"item": "40.00", "payments": payments}]))
    assert [(p.id, p.provider, p.minor) for p in sold.place.payments] == [("1", "a", 3000), ("x", "b", 1000)]


def test_what_has_happened_stands_in_columns(orders):
    row = ORDER | {"item": "9.00", "paid_at": "2026-07-01T11:00:00Z", "commission": "0.90"}
    (sold,) = said(table(orders, [row | {"cancelled_at": "2026-07-02T11:00:00+02:00", "cancelled_by": "buyer"}]))
    paid, cancelled = sold.facts
    assert paid.commission == 90
    assert (cancelled.at, cancelled.party) == (datetime(2026, 7, 2, 9, tzinfo=UTC), "buyer")


def test_a_table_with_types_is_one_of_events(orders):
    rows = [
        {"type": "cancelled", "store_id": "oak", "order": "A-1", "at": "2026-07-02T11:00:00Z", "by": "seller"},
        {"type": "paid_out", "store_id": "oak", "order": "A-1", "at": "2026-08-02T11:00:00Z", "amount": "9.00"},
        {"type": "rated", "store_id": "oak", "order": "A-1", "at": "2026-08-02T11:00:00Z", "by": "ann"}
        | {"description": "5", "service": "4", "logistics": "five"},
    ]
    feed = table(orders, [row | {"currency": "EUR"} for row in rows])
    (cancelled,), (paid_out,), refused = said(feed)
    assert isinstance(cancelled, CancelledDocument)
    assert isinstance(paid_out, PaidOutDocument)
    assert (paid_out.amount.minor, paid_out.amount.currency) == (900, "EUR")
    assert refused.facts["field"] == "logistics"


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_are_seen_from_the_header(orders, separator):
    (sold,) = said(table(orders, [ORDER | {"item": "40.00"}], separator=separator))
    assert sold.place.lines[0].item == 4000


@pytest.mark.parametrize(
    ("cell", "field"),
    [
        ({"item": "4,00"}, "item"),
        ({"item": "4.001"}, "item"),
        ({"quantity": "one"}, "quantity"),
        ({"placed_at": "1/7/2026"}, "placed_at"),
        ({"disclosures": "{", "title": "x"}, "disclosures"),
        ({"payments": "card"}, "payments"),
        ({"buyer_id": ""}, "buyer_id"),
        ({"cancelled_by": "nobody"}, "cancelled_by"),
        ({"commission": "much"}, "commission"),
    ],
)
def test_what_is_wrong_with_a_row_is_told_with_its_line_and_field(orders, cell, field):
    good = ORDER | {"item": "40.00"}
    feed = table(orders, [good, good | {"reference": "B"} | cell, good | {"reference": "C"}])
    assert refusals(feed) == [(3, "bad_field", field)]
    assert len(said(feed)) == 3


def test_rows_of_one_order_that_say_different_things_of_it_are_refused(orders):
    feed = table(orders, [ORDER | {"item": "1.00"}, ORDER | {"item": "1.00", "buyer_id": "bob"}])
    assert refusals(feed) == [(2, "bad_field", "buyer_id")]


def test_a_row_with_too_few_cells_is_refused_alone(orders):
    table(orders, [ORDER | {"item": "1.00"}])
    with orders.open("a") as file:
        file.write("oak,B\n")
    assert refusals(CsvFeed(orders, None)) == [(3, "bad_field", "")]


def test_a_column_that_is_needed_and_one_that_is_not_known_are_named(orders):
    with pytest.raises(FeedError, match="no column buyer_id, promised_by"):
        table(orders, [{n: v for n, v in ORDER.items() if n not in ("buyer_id", "promised_by")} | {"item": "1"}])
    assert table(orders, [ORDER | {"item": "1", "colour": "red"}]).columns.unread == ["colour"]


def test_a_stray_quote_stops_the_file_at_its_line(orders):
    table(orders, [ORDER | {"item": "1.00"}])
    with orders.open("a") as file:
        file.write('oak,"B"x\n')
    with pytest.raises(FeedError, match="line 3"):
        said(CsvFeed(orders, None))


# --- Parquet -------------------------------------------------------------------------------------------------------


def test_parquet_reads_as_the_same_table_in_csv_does(orders):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = [ORDER | {"item": "40.00", "shipping": "5.10", "quantity": "2"}, ORDER | {"item": "1.50", "quantity": "1"}]
    rows.append(rows[0] | {"reference": "B"})
    typed = [
        row
        | {name: datetime.fromisoformat(row[name]) for name in ("placed_at", "ship_by", "promised_by")}
        | {"item": Decimal(row["item"]), "shipping": float(row.get("shipping", 0)), "quantity": int(row["quantity"])}
        for row in rows
    ]
    parquet.write_table(pyarrow.Table.from_pylist(typed), orders)
    feed = ParquetFeed(orders, None)
    whole = list(feed.rows(START))
    assert [row.said for row in whole] == said(table(orders.with_suffix(".csv"), rows))
    assert [(row.line, row.count) for row in whole] == [(1, 2), (3, 1)]
    assert list(feed.rows(whole[0].after)) == whole[1:]
    assert feed.whole == 3


def test_what_is_decoded_at_once_does_not_grow_with_the_rows(orders, monkeypatch):
    """Given 32 rows of 512 KiB, each its own, in two groups."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    monkeypatch.setattr("houbao.feeds.parquet.MOST_BYTES", 1 << 20)
    rows = (ORDER | {"reference": f"R{i}", "item": "40.00", "note": str(i) * (1 << 18)} for i in range(10, 42))
    parquet.write_table(pyarrow.Table.from_pylist([*rows]), orders, row_group_size=16)
    feed, count = ParquetFeed(orders, None), 0
    tracemalloc.start()
    for row in feed.rows(START):
        count += row.count
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (count, peak < 6 << 20) == (32, True)
    assert [row.line for row in feed.rows(Mark(20, 20))] == [*range(21, 33)]


def test_what_is_no_parquet_is_said_so(orders):
    pytest.importorskip("pyarrow")
    orders.write_bytes(b"PAR1 is what it begins with")
    with pytest.raises(FeedError, match="no Parquet file"):
        ParquetFeed(orders, None)


# --- mappings ------------------------------------------------------------------------------------------------------

SPANISH = """
zone = "Europe/Madrid"
time = "%d/%m/%Y %H:%M"
amounts = "minor"

[columns]
reference = "pedido"
buyer_id = "cliente"
placed_at = "fecha"
item = "importe"

[constants]
store_id = "oak"
currency = "EUR"
payment_provider = "sandbox"

[days]
ship_by = 3
promised_by = 10
"""


def test_a_mapping_names_columns_constants_zone_and_promises(orders, tmp_path):
    (tmp_path / "map.toml").write_text(SPANISH)
    row = {"pedido": "77", "cliente": "ann", "fecha": "01/07/2026 12:00", "importe": "4000", "item": "not this"}
    (sold,) = said(table(orders, [row], read_mapping(tmp_path / "map.toml")))
    noon = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    place = sold.place
    assert (place.store, place.reference, place.buyer, place.lines[0].item) == ("oak", "77", "ann", 4000)
    assert (place.at, place.ship_by, place.promised_by) == (noon, noon + timedelta(3), noon + timedelta(10))


def test_a_promise_on_a_day_that_no_calendar_has_is_refused(orders):
    row = {name: value for name, value in ORDER.items() if name != "promised_by"} | {"item": "40.00"}
    never = Mapping(days={"promised_by": 10**7})
    assert [refused.facts["field"] for refused in said(table(orders, [row], never))] == ["promised_by"]


def test_a_mapping_finds_its_way_inside_json(orders):
    mapping = Mapping(
        columns={"reference": "number", "buyer_id": "customer.id", "placed_at": "date", "lines": "items"},
        lines={"item": "price", "title": "name", "id": "sku"},
        payments={"provider": "via"},
        constants={"store_id": "oak", "currency": "EUR"},
        days={"ship_by": 1, "promised_by": 2},
        zone="UTC",
    )
    theirs = {
        "number": 77,
        "customer": {"id": 5, "name": "ignored"},
        "date": "2026-07-01 12:00",
        "items": [{"sku": 9, "price": 40.1, "name": "Lamp"}],
        "payments": [{"via": "sandbox", "amount": "40.10"}],
        "paid_at": None,
    }
    sold, refused = said(ndjson(orders, theirs, theirs | {"items": "none"}, mapping=mapping))
    assert (sold.place.reference, sold.place.buyer, sold.facts) == ("77", "5", ())
    assert sold.place.lines == (o.NewLine(id="9", item=4010, shown=o.Listing(title="Lamp")),)
    assert sold.place.payments == (o.Payment(id="1", provider="sandbox", minor=4010),)
    assert refused.facts["field"] == "lines"


def test_an_event_has_its_mapping_too(orders):
    mapping = Mapping(columns={"order": "number", "type": "what"}, constants={"store_id": "oak", "currency": "EUR"})
    theirs = {"number": 77, "what": "paid_out", "at": "2026-07-01T12:00:00Z", "amount": 9.5, "more": 1}
    ((event,),) = said(ndjson(orders, theirs, mapping=mapping))
    assert (event.order, event.amount.minor) == ("77", 950)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("zone = 'Mars/Base'", "Mars/Base"),
        ("[columns]\nreferense = 'x'", "referense"),
        ("[days]\npaid_at = 3", "paid_at"),
        ("zones = 'UTC'", "zones"),
        ("amounts = 'cents'", "cents"),
        ("zone = ", "cannot be used"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_what_is_wrong(tmp_path, text, named):
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(FeedError, match=named):
        read_mapping(tmp_path / "map.toml")


def test_a_time_without_its_zone_is_left_to_the_core(orders):
    (sold,) = said(table(orders, [ORDER | {"item": "1.00", "placed_at": "2026-07-01 12:00"}]))
    assert sold.place.at.tzinfo is None


def test_a_mark_is_a_place_in_the_file(orders):
    feed = ndjson(orders, order())
    (row,) = feed.rows(START)
    assert row.after == Mark(1, feed.whole)
