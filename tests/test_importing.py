"""Files of orders into a database: twice changes nothing, stopped it goes on, and every row is accounted for."""

import gc
import json
from pathlib import Path

import pytest

from feeds.test_files import ORDER, SPANISH, table
from feeds.test_order_format import money, order
from feeds.test_shops import bought, carted
from given import T, standard
from houbao.commands import importing
from houbao.commands.import_files import import_file
from houbao.core.programme import RegisterStore
from houbao.core.terms import Actor, Refused
from houbao.engine.request import Request
from houbao.feeds.mapping import FeedError, Mapping, read_mapping
from houbao.settings import Settings
from houbao.store import queries, schema
from houbao.store.changes import inserting
from houbao.store.rows import encode
from houbao.store.verify import verify
from houbao.wiring import House, create_database

PAID = {"paid_at": "2026-07-01T11:00:00Z", "commission": money(480)}


@pytest.fixture
def house(tmp_path):
    url = f"sqlite:///{tmp_path}/live.db"
    create_database(url, currency="EUR", launched_at=T, sandbox_clock=T)
    house = House(Settings(database_url=url))
    yield house
    assert verify(house.database.path) == []
    house.close()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "orders.ndjson"


def write(file, *documents):
    file.write_text("".join(json.dumps(one) + "\n" for one in documents))


def take(house, file, source="ndjson", **more):
    given = {"mapping": None, "programme": "", "country": "", "resume": False, "progress": lambda *where: None}
    return import_file(house, source, file, **given | more)


def event(kind, at="2026-07-05T10:00:00Z", **more):
    return {"type": kind, "store_id": "oak", "order": "A-1001", "at": at, **more}


def the_order(house, store="oak", reference="A-1001"):
    return queries.orders_by_references(house.database.connection, 0, [(store, reference)]).get((store, reference))


def contents(house):
    """Every row of every table but how far imports have come."""
    names = [name for (name,) in house.database.connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    read = house.database.connection.execute
    return {name: read(f"SELECT * FROM {name}").fetchall() for name in names if name != "imports"}


def rejected(file):
    return [json.loads(line) for line in Path(f"{file}.rejected.ndjson").read_text().splitlines()]


def accounted(summary):
    return summary.imported + summary.known + sum(summary.rejected.values()) + sum(summary.ignored.values())


LIFE = [
    order(**PAID),
    event("shipped", "2026-07-02T10:00:00Z"),
    event("tracking", "2026-07-03T10:00:00Z", state="moving"),
    event("delivered"),
    event("rated", description=5, service=4, logistics=3),
    event("rated", description=1, service=1, logistics=1, id="again"),
    event("chargeback", payment="card", reference="cb-1", amount=money(1000), state="opened"),
    event("chargeback", payment="card", reference="cb-1", amount=money(1000), state="won"),
    event("confirmed", "2026-07-06T10:00:00Z"),
    event("paid_out", "2026-07-07T10:00:00Z", amount=money(1000), fee=money(10)),
    event("paid_out", "2026-07-07T10:00:00Z", amount=money(1000), fee=money(10), id="second"),
]


# --- twice ---------------------------------------------------------------------------------------------------------


def test_the_life_of_an_order_comes_in_from_one_file(house, file):
    write(file, *LIFE)
    summary = take(house, file)
    found = the_order(house)
    assert (summary.imported, summary.rejected) == (len(LIFE), {})
    assert (found.status, found.ratings, found.paid_out, found.commission) == ("confirmed", (1, 1, 1), 2000, 480)
    assert [charge.state for charge in found.chargebacks] == ["won"]


def test_importing_twice_changes_nothing(house, file):
    write(file, *LIFE)
    take(house, file)
    before = contents(house)
    again = take(house, file)
    assert (again.imported, again.known, again.rejected) == (0, len(LIFE), {})
    assert again.commands["new"] == again.commands["refused"] == {}
    assert contents(house) == before


def test_the_same_orders_as_a_table_are_there_already(house, file, tmp_path):
    write(file, order(lines=[{"id": "1", "item": money(4000)}], payments=[], promised_by="2026-07-12T10:00:00Z"))
    take(house, file)
    row = {name: cell for name, cell in ORDER.items() if name != "payment_provider"} | {"reference": "A-1001"}
    table(tmp_path / "orders.csv", [row | {"placed_at": "2026-07-01 12:00:00+02:00", "item": "40.00"}])
    assert take(house, tmp_path / "orders.csv", "csv").known == 1


def test_an_order_that_is_there_and_says_something_else_is_rejected(house, file):
    write(file, order(), order(buyer_id="bob"))
    summary = take(house, file)
    assert (summary.imported, summary.rejected) == (1, {"order_exists": 1})
    assert rejected(file) == [
        {
            "line": 2,
            "field": "buyer_id",
            "reason": "order_exists",
            "detail": "store oak has an order A-1001 already, with another buyer",
        }
    ]


def test_an_order_that_is_there_and_comes_with_a_listing_too_large_is_rejected_alone(house, file):
    write(file, order())
    take(house, file)
    (line,) = order()["lines"]
    large = line | {"listing": {"title": "Lamp", "description": "y" * 70_000}}
    write(file, order(lines=[large]), order(reference="A-2"))
    summary = take(house, file)
    assert (summary.imported, summary.rejected) == (1, {"order_exists": 1})


def test_what_happened_is_not_told_again_with_another_time(house, file):
    write(file, order(**PAID), event("shipped"), event("shipped", "2026-07-06T10:00:00Z"))
    assert take(house, file).rejected == {"key_reused": 1}


# --- every row -----------------------------------------------------------------------------------------------------


def test_every_row_is_accounted_for_and_the_rejected_say_line_field_and_reason(house, file):
    write(
        file,
        order(**PAID),
        order(reference="naive", placed_at="2026-07-01T10:00:00"),
        order(reference="B", currency="EURO"),
        order(reference="spaced out"),
        order(reference="C", paid_at="2026-07-01T11:00:00Z", commission=money(999_999)),
        event("shipped") | {"order": "nobody's"},
        event("rated", description=9, service=1, logistics=1),
        {"store_id": 7},
    )
    with file.open("a") as more:
        more.write("\n" + json.dumps(order()) + "\n")
    summary = take(house, file)
    assert [(one["line"], one["field"], one["reason"]) for one in rejected(file)] == [
        (2, "placed_at", "naive_time"),
        (3, "currency", "bad_currency"),
        (4, "reference", "bad_reference"),
        (5, "commission", "bad_amount"),
        (6, "order", "unknown_order"),
        (7, "type", "order_turn"),
        (8, "store_id", "bad_field"),
    ]
    assert (summary.rows, accounted(summary)) == (10, 10)
    assert (summary.imported, summary.known, summary.ignored, summary.in_part) == (1, 1, {"blank_line": 1}, 1)
    assert rejected(file)[3]["placed"] == f"order_0_{the_order(house, reference='C').id}"


def test_an_event_before_its_order_is_rejected_however_near_they_stand(house, file):
    write(file, event("shipped"), order(**PAID))
    assert take(house, file).rejected == {"unknown_order": 1}
    assert the_order(house).status == "paid"


def test_pieces_make_no_difference(house, file, monkeypatch):
    write(file, *LIFE, *(order(reference=f"R{number}", **PAID) for number in range(7)))
    monkeypatch.setattr("houbao.commands.import_files.BATCH", 2)
    summary = take(house, file)
    assert (summary.imported, summary.rejected) == (len(LIFE) + 7, {})


FAT = "x" * 5_000


def fat(source, number):
    """An order whose listing has a long text, as that kind of file has it."""
    line = {"id": 1, "name": FAT, "price": "20.00", "quantity": 1, "total": "20.00"}
    match source:
        case "shopify":
            return bought(id=number, line_items=[line])
        case "woocommerce":
            return carted(id=number, line_items=[line])
        case "ndjson":
            shown = {"title": "Lamp", "description": FAT}
            return order(
                reference=f"R{number}", lines=[{"id": "1", "item": money(4000), "listing": shown}], payments=[]
            )
    return ORDER | {"reference": f"R{number}", "item": "40.00", "title": "Lamp", "description": FAT}


@pytest.mark.parametrize("source", ["ndjson", "csv", "parquet", "shopify", "woocommerce"])
def test_rows_are_taken_in_by_their_bytes_too(house, file, monkeypatch, source):
    monkeypatch.setattr("houbao.commands.import_files.MOST_BYTES", 14_000)
    rows = [fat(source, number) for number in range(1, 9)]
    match source:
        case "csv":
            table(file, rows)
        case "parquet":
            pyarrow = pytest.importorskip("pyarrow")
            from pyarrow import parquet

            parquet.write_table(pyarrow.Table.from_pylist(rows), file)
        case _:
            write(file, *rows)
    reached = []
    mapping = Mapping(constants={"store_id": "oak"})
    summary = take(house, file, source, mapping=mapping, progress=lambda here, whole, read: reached.append(read))
    assert reached == [3, 6, 8]
    assert (summary.imported, summary.rejected) == (8, {})


def test_an_event_may_name_its_order_by_its_id(house, file):
    write(file, order(**PAID))
    take(house, file)
    number = the_order(house).id
    write(file, {"type": "shipped", "order": f"order_0_{number}", "at": "2026-07-02T10:00:00Z"})
    assert take(house, file).imported == 1


def test_rejected_rows_of_an_earlier_import_are_gone_when_nothing_is_wrong_any_more(house, file):
    write(file, order(buyer_id="?"))
    assert take(house, file).rejected_file
    write(file, order())
    take(house, file)
    assert not Path(f"{file}.rejected.ndjson").exists()


@pytest.mark.parametrize(
    "refused",
    [
        lambda number: event("shipped", order=f"nobody-{number}"),
        lambda number: {"store_id": "oak"},
        lambda number: order(reference="?"),
        lambda number: order(reference=f"R{number}", cancelled_at="2026-07-01T12:00:00Z", confirmed_at=T.isoformat()),
    ],
    ids=["an event of no order", "no order", "a bad order", "an order with a fact that cannot be"],
)
def test_what_was_refused_is_not_kept_until_the_end(house, file, monkeypatch, request, refused):
    monkeypatch.setattr("houbao.commands.import_files.BATCH", 2)
    write(file, *map(refused, range(8)))

    def refusals(*where):
        kept.append(sum(isinstance(one, Refused) for one in gc.get_objects()))

    kept = []
    gc.collect()
    gc.disable()  # they are freed by count, whenever it comes by
    request.addfinalizer(gc.enable)
    assert sum(take(house, file, progress=refusals).rejected.values()) == 8
    assert kept[-1] == kept[0]


# --- stores --------------------------------------------------------------------------------------------------------


def test_new_stores_are_registered_and_enrolled_from_now_on(house, file):
    write(file, order(), order(store_id="elm"), order(store_id="elm", reference="B"))
    take(house, file, programme="standard", country="DE")
    elm = house.database.store(0, "elm")
    assert (elm.country, [stay.programme for stay in elm.enrolments]) == ("DE", ["standard"])
    again = take(house, file, programme="standard")
    assert again.commands["known already"]["register_store"] == 2


def test_an_import_that_dies_leaves_no_store_that_would_never_be_enrolled(house, file):
    write(file, order(store_id="elm"))

    def die(point):
        if point == "batch.committed":
            raise Stopped

    house.engine.probe = die
    with pytest.raises(Stopped):
        take(house, file, programme="standard")
    house.engine.probe = lambda point: None
    take(house, file, programme="standard")
    assert [stay.programme for stay in house.database.store(0, "elm").enrolments] == ["standard"]


def test_new_stores_join_the_programme_that_is_named(house, file):
    database = house.database
    for name in ("annual", "weekly"):
        database.connection.execute(inserting(schema.programmes), (name, encode(standard(name=name, currency="EUR"))))
        write(file, order(store_id=name))
        take(house, file, programme=name)
        assert [stay.programme for stay in database.store(0, name).enrolments] == [name]


def test_a_store_that_was_there_is_not_enrolled_by_an_import(house, file):
    write(file, order(), order(store_id="no store"))
    take(house, file)
    summary = take(house, file, programme="standard")
    assert house.database.store(0, "oak").enrolments == ()
    assert "enrol" not in summary.commands["new"]
    assert summary.commands["known already"]["register_store"] == 1


def test_a_store_that_cannot_be_registered_is_refused_once_and_not_enrolled(house, file, monkeypatch):
    monkeypatch.setattr("houbao.commands.import_files.BATCH", 1)
    write(file, order(store_id="no store"), order(store_id="no store", reference="B"))
    summary = take(house, file, programme="standard")
    assert summary.commands["refused"] == {"register_store: bad_reference": 1, "place_order: bad_reference": 2}
    assert summary.commands["new"] == {}


def test_a_store_that_somebody_else_registers_meanwhile_is_known_and_not_enrolled(house, file, monkeypatch):
    monkeypatch.setattr("houbao.commands.import_files.BATCH", 1)
    write(file, order(), order(reference="B"))
    other, clock = House(Settings(database_url=f"sqlite:///{house.database.path}")), house.clock

    def meanwhile():
        other.engine.execute([Request(RegisterStore(store="oak"), Actor("platform", "shop"), T)])
        return clock()

    house.clock = meanwhile
    summary = take(house, file, programme="standard")
    other.close()
    assert summary.commands["known already"] == {"register_store": 1}
    assert (summary.commands["new"], summary.commands["refused"]) == ({"place_order": 2}, {})
    assert house.database.store(0, "oak").enrolments == ()


def test_a_programme_that_is_not_there_stops_the_import_before_anything_is_written(house, file):
    write(file, order())
    before = contents(house)
    with pytest.raises(Refused, match="unknown_programme"):
        take(house, file, programme="gold")
    assert contents(house) == before


# --- stopped -------------------------------------------------------------------------------------------------------


class Stopped(Exception):
    pass


@pytest.fixture
def stopped(house, file, monkeypatch):
    """Five orders, one of them bad, of which two pieces of two came in."""
    monkeypatch.setattr("houbao.commands.import_files.BATCH", 2)
    write(file, *(order(reference="?" if number == 1 else f"R{number}") for number in range(5)))

    def stop(here, whole, read):
        if read == 4:
            raise Stopped

    with pytest.raises(Stopped):
        take(house, file, progress=stop)
    return file


def test_a_stopped_import_goes_on_where_it_was(house, stopped):
    seen = []
    summary = take(house, stopped, resume=True, progress=lambda here, whole, read: seen.append((here.line, read)))
    assert seen == [(5, 1)]
    assert (summary.resumed_at, summary.rows, summary.imported, summary.known) == (4, 5, 4, 0)
    assert [one["line"] for one in rejected(stopped)] == [2]


def test_what_was_appended_meanwhile_comes_in_too(house, stopped):
    with stopped.open("a") as more:
        more.write(json.dumps(order(reference="R6")) + "\n")
    assert take(house, stopped, resume=True).imported == 5


def test_a_file_that_is_not_what_it_was_is_not_gone_on_with(house, stopped):
    stopped.write_text(stopped.read_text().replace("R3", "X3"))
    before = contents(house)
    with pytest.raises(FeedError, match="has changed before line 4"):
        take(house, stopped, resume=True)
    assert contents(house) == before
    assert take(house, stopped).known == 2


@pytest.mark.parametrize("left", [None, 10], ids=["gone", "shorter"])
def test_rejected_rows_that_are_gone_are_not_gone_on_with(house, stopped, left):
    file = stopped.with_name(stopped.name + ".rejected.ndjson")
    kept = file.read_bytes()
    file.unlink() if left is None else file.write_bytes(kept[:left])
    with pytest.raises(FeedError, match="without --resume"):
        take(house, stopped, resume=True)
    assert not file.exists() if left is None else file.read_bytes() == kept[:left]
    assert take(house, stopped).rejected == {"bad_reference": 1}
    assert file.read_bytes() == kept


def test_without_being_told_to_go_on_it_begins_again(house, stopped):
    summary = take(house, stopped)
    assert (summary.resumed_at, summary.imported, summary.known) == (0, 1, 3)


def test_there_is_nothing_to_go_on_with_when_it_has_ended(house, file):
    write(file, order())
    take(house, file)
    assert (take(house, file, resume=True).resumed_at, take(house, file, resume=True).known) == (0, 1)


def test_an_import_that_died_between_a_piece_and_its_note_takes_the_piece_again(house, file, monkeypatch):
    write(file, order(**PAID), order(reference="?"))

    def die(*note):
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr("houbao.commands.import_files.keep_progress", die)
        with pytest.raises(Stopped):
            take(house, file)
    summary = take(house, file, resume=True)
    assert (summary.imported, summary.known, summary.rejected) == (0, 1, {"bad_reference": 1})
    assert len(rejected(file)) == 1


def test_the_stores_that_are_remembered_do_not_grow_with_the_file(house, file, monkeypatch):
    monkeypatch.setattr(importing, "MOST_STORES", 1)
    monkeypatch.setattr("houbao.commands.import_files.BATCH", 1)
    write(file, *(order(store_id=store, reference=str(n)) for n, store in enumerate("abcab")))
    assert take(house, file).imported == 5


# --- other sources -------------------------------------------------------------------------------------------------


def test_a_table_in_other_words_comes_in_under_its_mapping(house, tmp_path):
    (tmp_path / "map.toml").write_text(SPANISH)
    row = {"pedido": "77", "cliente": "ann", "fecha": "01/07/2026 12:00", "importe": "4000", "tienda": "x"}
    table(tmp_path / "orders.csv", [row], read_mapping(tmp_path / "map.toml"))
    summary = take(house, tmp_path / "orders.csv", "csv", mapping=read_mapping(tmp_path / "map.toml"))
    assert (summary.imported, summary.unread) == (1, ["tienda"])
    assert the_order(house, reference="77").lines[0].item == 4000


def test_the_objects_of_shops_come_in(house, file):
    mapping = Mapping(constants={"store_id": "oak"})
    write(file, bought(), {"refund": {"order_id": 450}}, {"order_id": 450, "status": "delivered"})
    summary = take(house, file, "shopify", mapping=mapping)
    assert (summary.imported, summary.ignored, summary.rejected) == (1, {"refunded_in_the_shop": 1}, {"bad_field": 1})
    assert the_order(house, reference="450").status == "delivered"
    write(file, carted())
    assert take(house, file, "woocommerce", mapping=mapping).imported == 1


def test_parquet_comes_in(house, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist([ORDER | {"item": "40.00"}]), tmp_path / "orders.parquet")
    assert take(house, tmp_path / "orders.parquet", "parquet").imported == 1


@pytest.mark.parametrize("source", ["ndjson", "csv", "parquet", "shopify"])
def test_a_file_that_is_not_there_is_told(house, tmp_path, source):
    with pytest.raises(FeedError, match="nowhere"):
        take(house, tmp_path / "nowhere", source, mapping=Mapping(constants={"store_id": "oak"}))
