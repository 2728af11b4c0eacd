"""`houbao bench backtest`: a candidate policy over a lake of made-up disputes, beside the same query written by hand.

The lake is made anew by DuckDB: as many disputes as asked for, over 24 months and 1,000 stores. In turn the backtest's
own question (Ibis) and the query below (SQL, the rules as `case_sql` writes them) run over all of it, with the same
engine and the same threads; both must give the same sums.
"""

import statistics
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec

from houbao.bench.figures import Figure, machine
from houbao.core.policy import Policy
from houbao.core.policy_file import parse_policy
from houbao.core.policy_sql import case_sql
from houbao.core.programme import Programme
from houbao.insight.columns import DISPUTES, TABLES
from houbao.insight.cube import Line, ask
from houbao.insight.engines import engine_of
from houbao.insight.lake import FORMAT, MANIFEST, Filed, Lake, Manifest, open_lake, schema_of
from houbao.shipped import policy_text

MONTHS = tuple(f"{2024 + n // 12}-{n % 12 + 1:02}" for n in range(24))
START = datetime(2024, 1, 1, tzinfo=UTC)

MADE = {
    "part": "0",
    "dispute_id": "n",
    "order_id": "n",
    "store_id": "'store-' || (n * 7919 % 1000)",
    "buyer": "printf('%016x', n * 7919 % 1000000)",
    "currency": "'EUR'",
    "opened_at": "make_timestamptz(1704067200000000 + n * 1000000)",
    "closed_at": "CASE WHEN n % 50 > 0 THEN make_timestamptz(1704500000000000 + n * 1000000) END",
    "policy": "'2026.1'",
    "rules": "'2026.1'",
    "route": "CASE WHEN kind = 'INR' THEN 'seller' WHEN kind = 'REMORSE' THEN 'return' WHEN n % 3 > 0 THEN 'verify'"
    " ELSE 'seller' END",
    "rule": "CASE WHEN kind = 'INR' THEN 'not_received' WHEN kind = 'REMORSE' THEN 'no_reason' WHEN n % 3 > 0 THEN"
    " 'verify' ELSE 'not_covered' END",
    "payer": "CASE WHEN kind = 'SNAD' AND n % 3 > 0 THEN 'fund' ELSE 'seller' END",
    "fault": "CASE WHEN kind = 'REMORSE' THEN 'exempt' ELSE kind END",
    "fault_state": "CASE WHEN kind = 'REMORSE' OR n % 7 = 0 THEN 'exempt' ELSE 'counted' END",
    "adjudicated": "n % 11 = 0",
    "fund_pays": "CASE WHEN kind = 'SNAD' AND n % 3 > 0 AND n % 7 > 0 THEN asked ELSE 0 END",
    "seller_pays": "CASE WHEN NOT (kind = 'SNAD' AND n % 3 > 0) AND n % 7 > 0 THEN asked ELSE 0 END",
    "platform_pays": "0",
    "reason": "CASE kind WHEN 'INR' THEN 'in_transit_overdue' WHEN 'REMORSE' THEN 'changed_mind' ELSE 'damaged' END",
    "reason_class": "kind",
    "paid": "true",
    "in_window": "true",
    "open_on_lines": "false",
    "ruled_on_lines": "false",
    "amount": "asked",
    "refundable": "asked * 2",
    "covered": "n % 3 > 0",
    "categories": "[CASE WHEN n % 40 = 0 THEN 'perishables' ELSE 'toys' END]",
    "evidence": "n % 5 > 0",
    "instant_sum": "CASE WHEN n % 9 > 0 THEN asked END",
    "buyer_standing": "'good'",
    "store_watch": "CASE WHEN n % 100 = 0 THEN 'watched' ELSE 'none' END",
}
"""Column → how it is made up of a dispute's number; the others are unknown, or empty where they are never that."""

NEVER_NULL = ("fund_currency", "outcome", "phase")
KIND = "CASE n % 10 WHEN 0 THEN 'REMORSE' WHEN 1 THEN 'INR' WHEN 2 THEN 'INR' WHEN 3 THEN 'INR' ELSE 'SNAD' END"

BY_HAND = """
WITH ruled AS (SELECT *, {case} AS name FROM read_parquet('{lake}/disputes/*/*.parquet', hive_partitioning=false)),
     effect AS (SELECT *,
       name = 'instant' AND route <> 'instant' AS at_once,
       name IN ('instant', 'verify') AS by_fund,
       fund_pays + seller_pays + platform_pays AS found,
       CASE WHEN name = 'instant' THEN 'instant' WHEN name = 'verify' THEN 'verify'
            WHEN name = 'no_reason' THEN 'return' ELSE 'seller' END AS now_route
     FROM ruled),
     paid AS (SELECT *,
       CASE WHEN at_once THEN amount ELSE found END AS pays,
       by_fund = (payer = 'fund') AND payer <> 'platform' AND NOT at_once AS same_payer
     FROM effect),
     split AS (SELECT *,
       CASE WHEN same_payer THEN fund_pays WHEN by_fund THEN pays ELSE 0 END AS of_fund,
       CASE WHEN same_payer THEN seller_pays WHEN NOT by_fund THEN pays ELSE 0 END AS of_seller,
       CASE WHEN same_payer THEN platform_pays ELSE 0 END AS of_platform,
       (same_payer AND route = now_route) OR at_once AS certain
     FROM paid)
SELECT store_id, currency, rule, route, payer, fault, name, count(*) AS disputes,
  count(*) FILTER (closed_at IS NULL) AS open, sum(amount) AS claimed, count(*) FILTER (adjudicated) AS adjudicated,
  sum(fund_pays) AS was_fund, sum(seller_pays) AS was_seller, sum(platform_pays) AS was_platform,
  sum(CASE WHEN fund_currency = '' AND of_fund > 0 THEN of_fund + of_platform ELSE of_fund END) AS now_fund,
  sum(of_seller) AS now_seller,
  sum(CASE WHEN fund_currency = '' AND of_fund > 0 THEN 0 ELSE of_platform END) AS now_platform,
  sum(CASE WHEN certain THEN pays ELSE 0 END) AS least,
  sum(CASE WHEN certain THEN pays ELSE greatest(amount, pays) END) AS most,
  count(*) FILTER (fault_state <> 'exempt') AS weighed,
  count(*) FILTER (CASE WHEN name = 'no_reason' THEN false WHEN fault = 'exempt' THEN pays > 0
                   ELSE fault_state <> 'exempt' END) AS weighs,
  max(epoch(opened_at)::BIGINT) AS last
FROM split GROUP BY ALL
"""
SUMS = (
    "disputes",
    "open",
    "claimed",
    "adjudicated",
    "was_fund",
    "was_seller",
    "was_platform",
    "now_fund",
    "now_seller",
)
SUMS += ("now_platform", "least", "most", "weighed", "weighs")


def run(rows: int, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """Measure, the two in turn; medians over the rounds. Raises AssertionError where they differ."""
    candidate = parse_policy(policy_text().replace('"15.00"', '"60.00"').replace('"2026.1"', '"2027.1"'))
    say(f"backtest: {rounds} rounds over {rows:,} made-up disputes, Ibis and SQL by hand in turn")
    ours: list[float] = []
    bare: list[float] = []
    with tempfile.TemporaryDirectory(prefix="houbao-bench-") as folder:
        lake = make_lake(Path(folder) / "lake", rows)
        for _ in range(rounds):
            seconds, lines = _timed(lambda: _by_ibis(lake, candidate))
            ours.append(seconds)
            seconds, found = _timed(lambda: _by_hand(lake, candidate))
            bare.append(seconds)
            assert _sums(lines, candidate) == found, "the backtest and the query by hand differ"
    value, limit = rows / statistics.median(ours), rows / statistics.median(bare)
    ratio = statistics.median(hand / own for own, hand in zip(ours, bare, strict=True))
    say(f"{'':>6} {value:>10,.0f} {limit:>10,.0f} {ratio:>6.2f}  disputes/s, by hand, ratio")
    return [
        Figure(
            scenario="backtest",
            of=f"{rows:,} disputes",
            value=round(value, 1),
            unit="disputes/s",
            limit=round(limit, 1),
            ratio=round(ratio, 3),
            command=f"houbao bench backtest --rows {rows} --rounds {rounds}",
            machine=machine(),
        )
    ]


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = perf_counter()
    found = work()
    return perf_counter() - started, found


def _by_ibis(lake: Lake, candidate: Policy) -> list[Line]:
    engine = engine_of("duckdb")
    try:
        return ask(engine, lake, candidate, lambda what, done, of: None)
    finally:
        engine.close()


def _by_hand(lake: Lake, candidate: Policy) -> dict[tuple[str, ...], tuple[int, ...]]:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(BY_HAND.format(case=case_sql(candidate, "EUR"), lake=lake.folder))
        rows = connection.fetchall()
    return {row[:7]: tuple(map(int, row[7:21])) for row in rows}


def _sums(lines: list[Line], candidate: Policy) -> dict[tuple[str, ...], tuple[int, ...]]:
    """The lines of all steps together, as the query by hand has them."""
    sums: dict[tuple[str, ...], list[int]] = {}
    for line in lines:
        key = (line.store_id, line.currency, line.rule, line.route, line.payer, line.fault)
        own = sums.setdefault((*key, candidate.rules[line.number].name), [0] * len(SUMS))
        for place, name in enumerate(SUMS):
            own[place] += getattr(line, name)
    return {key: tuple(own) for key, own in sums.items()}


def make_lake(folder: Path, rows: int) -> Lake:
    """A lake with so many made-up disputes, and nothing else."""
    import duckdb
    import pyarrow.parquet as pq

    columns = ", ".join(f"{_made(name)} AS {name}" for name in DISPUTES)
    months: dict[str, int] = {}
    with duckdb.connect() as connection:
        for place, month in enumerate(MONTHS):
            first, end = rows * place // len(MONTHS), rows * (place + 1) // len(MONTHS)
            file = folder / "disputes" / f"month={month}" / "part-0.parquet"
            file.parent.mkdir(parents=True)
            months[month] = end - first
            source = f"SELECT range AS n, 500 + range * 31 % 9000 AS asked FROM range({first}, {end})"
            connection.execute(
                f"COPY (SELECT {columns} FROM (SELECT *, {KIND} AS kind FROM ({source})))"
                f" TO '{file}' (FORMAT parquet, COMPRESSION zstd)"
            )
    for table in TABLES.keys() - {"disputes"}:
        file = folder / table / "month=0000-00" / "part-0.parquet"
        file.parent.mkdir(parents=True)
        pq.write_table(schema_of(TABLES[table]).empty_table(), file)
    text = policy_text()
    (folder / "policies").mkdir()
    (folder / "policies" / "2026.1.toml").write_text(text, encoding="utf-8")
    manifest = Manifest(
        format=FORMAT,
        until=START,
        sandbox=True,
        parts=[],
        programmes=[Programme(name="standard", currency="EUR", launched_at=START, policies=((START, "2026.1"),))],
        policies={"2026.1": sha256(text.encode()).hexdigest()},
        currencies=["EUR"],
        tables={table: Filed(0, {}) for table in TABLES} | {"disputes": Filed(rows, months)},
    )
    (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    return open_lake(folder)


_TYPES = {"int": "BIGINT", "text": "VARCHAR", "flag": "BOOLEAN", "time": "TIMESTAMPTZ", "texts": "VARCHAR[]"}


def _made(name: str) -> str:
    made = MADE.get(name, "''" if name in NEVER_NULL else "NULL")
    return f"({made})::{_TYPES[DISPUTES[name]]}"
