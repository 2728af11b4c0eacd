"""The lake: all of the past, by month, for any reader of Parquet; nobody is found in it, and it is replaced whole."""

import os
import shutil
from pathlib import Path

import pytest

from given import AGENT, DAY, PLATFORM, SELLER, Market, T
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core.acts import SendGoodwill
from houbao.core.conditions import FACTS
from houbao.insight import columns, lake
from houbao.store import history
from houbao.store.reading import reading

if os.environ.get("CI"):
    import duckdb
    import polars
else:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed: it comes with the extra `analytics`")
    polars = pytest.importorskip("polars", reason="polars is not installed: it comes with the extra `dev`")

SECRETS = ("ann", "zoe", "mail.example", "shops.example", "It came in pieces", "lee", "sorry about that")
"""What the market below knows of people, and what they wrote."""


@pytest.fixture
def market(tmp_path):
    """A dispute that the guarantee paid, one that waits, and a gift; the orders are months apart."""
    market = Market(tmp_path)
    early = market.order("early", paid=T - 70 * DAY, promised=T - 60 * DAY)
    paid, waits = market.order("paid"), market.order("waits")
    dispute = market.open(paid, "damaged", "40.00", statement="It came in pieces")
    market.accept(d.Rule(dispute=dispute, finding="justified", reason="photos", note="clear"), AGENT)
    market.work()
    market.open(waits, "defective", "12.00", evidence=("ab" * 32,))
    market.accept(SendGoodwill(order=early, amount=100, note="sorry about that"), SELLER)
    market.accept(o.Confirmed(order=early, at=T), PLATFORM)
    return market


def export(market: Market, folder: Path, progress: lake.Progress = lambda what, done, of: None) -> lake.Manifest:
    with reading(market.database.path) as connection:
        return lake.write_lake(folder, history.past(connection, 0), market.now, progress)


def by_duckdb(folder: Path, question: str) -> list[tuple]:
    return duckdb.sql(question.format(lake=folder)).fetchall()


# --- everything is there ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["events", "transfers", "orders"])
def test_every_row_of_the_database_is_there_for_both_readers(market, tmp_path, table):
    export(market, tmp_path / "lake")
    ((rows,),) = market.database.connection.execute(f"SELECT count(*) FROM {table}")
    assert by_duckdb(tmp_path / "lake", f"SELECT count(*) FROM '{{lake}}/{table}/*/*.parquet'") == [(rows,)]
    assert len(polars.read_parquet(tmp_path / "lake" / table, hive_partitioning=True)) == rows


def test_both_readers_find_the_same_money_as_the_ledger(market, tmp_path):
    export(market, tmp_path / "lake")
    found = "SELECT kind, sum(minor) FROM {} GROUP BY 1 ORDER BY 1"
    ledger = market.database.connection.execute(found.format("transfers")).fetchall()
    assert by_duckdb(tmp_path / "lake", found.format("'{lake}/transfers/*/*.parquet'")) == ledger
    frame = polars.read_parquet(tmp_path / "lake" / "transfers").group_by("kind").agg(polars.col("minor").sum())
    assert sorted(frame.rows()) == ledger


def test_a_dispute_stands_there_with_what_became_of_it_and_without_the_gift(market, tmp_path):
    export(market, tmp_path / "lake")
    found = by_duckdb(
        tmp_path / "lake",
        "SELECT rule, route, payer, rules, outcome, fund_pays, seller_pays, refunded, fault_state, guaranteed"
        " FROM '{lake}/disputes/*/*.parquet' ORDER BY dispute_id",
    )
    assert found == [
        ("verify", "verify", "fund", "2026.1", "refunded", 4000, 0, 4000, "counted", True),
        ("instant", "instant", "fund", "2026.1", "", 1200, 0, 0, "pending", False),
    ]


def test_the_facts_are_those_that_were_ruled_on(market, tmp_path):
    export(market, tmp_path / "lake")
    rows = polars.read_parquet(tmp_path / "lake" / "disputes").sort("dispute_id").to_dicts()
    assert len(rows) == 2
    for row in rows:
        opened = market.database.event(0, row["dispute_id"])
        assert isinstance(opened, d.DisputeOpened)
        kept = {name: getattr(opened.facts, name) for name in FACTS}
        assert {name: tuple(row[name]) if name == "categories" else row[name] for name in FACTS} == kept


def test_rows_are_in_the_month_in_which_it_happened(market, tmp_path):
    export(market, tmp_path / "lake")
    found = by_duckdb(
        tmp_path / "lake",
        "SELECT DISTINCT month, strftime(placed_at AT TIME ZONE 'UTC', '%Y-%m')"
        " FROM read_parquet('{lake}/orders/*/*.parquet', hive_partitioning=true, hive_types_autocast=false) ORDER BY 1",
    )
    assert found == [("2026-04", "2026-04"), ("2026-06", "2026-06")]


def test_rows_that_come_in_no_order_are_all_written_however_few_are_held(market, tmp_path, monkeypatch):
    monkeypatch.setattr(lake, "TOGETHER", 3)
    monkeypatch.setattr(lake, "MOST_HELD", 4)
    told: list[tuple[str, int, int]] = []
    manifest = export(market, tmp_path / "lake", lambda *one: told.append(one))
    for table, filed in manifest.tables.items():
        question = f"SELECT count(*) FROM '{{lake}}/{table}/*/*.parquet'"
        assert by_duckdb(tmp_path / "lake", question) == [(filed.rows,)]
        assert sum(filed.months.values()) == filed.rows
    events = [(done, of) for what, done, of in told if what == "events"]
    assert len(events) > 3
    assert events[-1][0] == events[-1][1] == manifest.tables["events"].rows


def test_the_manifest_says_up_to_which_link_of_the_chain_it_goes(market, tmp_path):
    manifest = export(market, tmp_path / "lake")
    head = market.database.head(0)
    assert [(part.position, part.chain) for part in manifest.parts] == [(head.position, head.chain.hex())]
    opened = lake.open_lake(tmp_path / "lake")
    assert opened.manifest == manifest
    assert opened.policies == {"2026.1": market.database.policy_text("2026.1")}


def test_a_database_without_a_past_makes_a_lake_with_empty_tables(tmp_path):
    export(Market(tmp_path, fund="0", owed="0", enrolled=False), tmp_path / "lake")
    for table in ("disputes", "transfers", "orders"):
        assert by_duckdb(tmp_path / "lake", f"SELECT count(*) FROM '{{lake}}/{table}/*/*.parquet'") == [(0,)]


@pytest.mark.parametrize("kinds", columns.TABLES.values())
def test_every_column_has_a_kind_that_can_be_written(kinds):
    assert lake.schema_of(kinds).names == [*kinds]


# --- nobody can be found in it ---------------------------------------------------------------------------------------


def test_no_name_address_or_free_text_is_in_it(market, tmp_path):
    export(market, tmp_path / "lake")
    texts: set[str] = set()
    for table in columns.TABLES:
        for row in polars.read_parquet(tmp_path / "lake" / table).rows():
            texts |= {cell for cell in row if isinstance(cell, str)}
    assert "oak" in texts
    assert [text for text in texts for secret in SECRETS if secret in text.replace("store:", "")] == []


def test_a_buyer_is_the_same_within_a_lake_and_another_in_the_next(market, tmp_path):
    question = "SELECT DISTINCT buyer FROM '{lake}/%s/*/*.parquet' WHERE %s"
    seen = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        export(market, folder)
        (disputes,) = by_duckdb(folder, question % ("disputes", "true"))
        (orders,) = by_duckdb(folder, question % ("orders", "paid=4000"))
        assert disputes == orders
        seen.append(orders)
    assert seen[0] != seen[1]


# --- it is replaced whole --------------------------------------------------------------------------------------------


def test_a_second_export_takes_the_place_of_the_first(market, tmp_path):
    export(market, tmp_path / "lake")
    (tmp_path / "lake" / "disputes" / "month=1999-01").mkdir()
    market.order("another")
    manifest = export(market, tmp_path / "lake")
    assert not (tmp_path / "lake" / "disputes" / "month=1999-01").exists()
    assert by_duckdb(tmp_path / "lake", "SELECT count(*) FROM '{lake}/orders/*/*.parquet'") == [
        (manifest.tables["orders"].rows,)
    ]
    assert [path.name for path in tmp_path.iterdir() if "lake" in path.name] == ["lake"]


@pytest.mark.parametrize("exchanged", [True, False])
def test_an_export_that_breaks_off_leaves_the_lake_as_it_was(market, tmp_path, monkeypatch, exchanged):
    if not exchanged:
        monkeypatch.setattr(lake, "_exchanged", lambda one, other: False)
    before = export(market, tmp_path / "lake")
    market.order("another")

    def broken(what: str, done: int, of: int) -> None:
        if what == "transfers":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(market, tmp_path / "lake", broken)
    assert lake.open_lake(tmp_path / "lake").manifest == before
    after = export(market, tmp_path / "lake")
    assert lake.open_lake(tmp_path / "lake").manifest == after != before
    assert [path.name for path in tmp_path.iterdir() if "lake" in path.name] == ["lake"]


def test_a_folder_with_other_things_is_never_replaced(market, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(lake.LakeError, match="holds other things than a lake"):
        export(market, tmp_path / "home")
    with pytest.raises(lake.LakeError, match="is a file"):
        export(market, tmp_path / "home" / "letter.txt")
    assert (tmp_path / "home" / "letter.txt").read_text() == "dear"


# --- what is no lake is named ----------------------------------------------------------------------------------------


def test_no_lake_a_torn_one_and_one_of_another_format_are_named(market, tmp_path):
    with pytest.raises(lake.LakeError, match="no lake in"):
        lake.open_lake(tmp_path / "nothing")
    folder = tmp_path / "lake"
    export(market, folder)
    shutil.rmtree(folder / "disputes" / "month=2026-07")
    with pytest.raises(lake.LakeError, match="is missing: export the lake again"):
        lake.open_lake(folder).files("disputes")
    (folder / "policies" / "2026.1.toml").write_text("another")
    with pytest.raises(lake.LakeError, match="another text"):
        lake.open_lake(folder)
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text.replace('"format": 1', '"format": 99'))
    with pytest.raises(lake.LakeError, match="has format 99"):
        lake.open_lake(folder)
    (folder / "manifest.json").write_text(text[:50])
    with pytest.raises(lake.LakeError, match="cannot be read"):
        lake.open_lake(folder)


def test_a_policy_of_any_name_has_a_file_of_its_own():
    versions = ("2026.1", "a/b", "a%2f%b", "../up", "a b", "ä", "a:b")
    names = {lake.file_name(version) for version in versions}
    assert len(names) == len(versions)
    assert not any("/" in name for name in names)
