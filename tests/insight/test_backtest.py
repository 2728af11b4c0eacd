"""A backtest says of every dispute what the candidate's rules say, and sums up what that would have meant."""

import os
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from core.policies import FACTS, LIKELY, forgetful, next_policy, policies
from given import DAY, PLATFORM, Market, T
from houbao.core.conditions import FACTS as NAMES
from houbao.core.disputes import EXCESS
from houbao.core.policy import Limits, Policy, Rule
from houbao.core.policy_file import parse_policy
from houbao.core.programme import Enrol, RegisterStore
from houbao.core.rulings import caps_of, compile_policy
from houbao.core.tallies import Tally
from houbao.insight.columns import DISPUTES, PAYERS
from houbao.insight.lake import Lake, LakeError, open_lake, schema_of, write_lake
from houbao.insight.shifts import would_be
from houbao.shipped import policy_text
from houbao.store import history
from houbao.store.reading import reading

if os.environ.get("CI"):
    import ibis
    import pyarrow as pa
else:
    ibis = pytest.importorskip("ibis", reason="ibis is not installed: it comes with the extra `analytics`")
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed: it comes with the extra `analytics`")

from houbao.insight import shifts
from houbao.insight.backtest import Backtest, backtest
from houbao.insight.cube import AS_IT_WAS, Line, ruled, summed
from houbao.insight.engines import EngineError, engine_of

CONNECTION = ibis.duckdb.connect()
TODAY = T.date()


def silent(what: str, done: int, of: int) -> None:
    pass


# --- every figure, beside the same said in Python ---------------------------------------------------------------------


@st.composite
def candidates(draw: st.DrawFn) -> Policy:
    """A policy whose rules also differ in what they lead to, and which may limit what the fund pays."""
    policy = draw(policies())
    effects = st.one_of(
        st.builds(dict, refuse=st.sampled_from(["not_paid", "nothing_left"])),
        st.fixed_dictionaries(
            {
                "route": st.sampled_from(["verify", "instant", "seller", "return"]),
                "payer": st.sampled_from(PAYERS),
                "fault": st.sampled_from(["INR", "SNAD", "OTHER", "exempt"]),
            }
        ),
    )
    bare = [structs.replace(rule, route="", payer="", fault="") for rule in policy.rules[:-1]]
    rules = tuple(structs.replace(rule, **draw(effects)) for rule in bare)
    limits = Limits(per_dispute=draw(st.sampled_from(["", "0", "10", "14.99"])))
    return structs.replace(policy, rules=(*rules, policy.rules[-1]), limits=limits)


@st.composite
def past_disputes(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows of the lake, of a few stores, whatever was known and whatever became of them."""
    amounts = st.sampled_from([0, 0, 700, 1499, 4000])
    rows = []
    for number in range(draw(st.integers(1, 10))):
        facts = draw(FACTS | LIKELY | forgetful())
        row: dict[str, Any] = dict.fromkeys(DISPUTES)
        row |= {name: getattr(facts, name) for name in NAMES}
        row |= {
            "dispute_id": number,
            "store_id": draw(st.sampled_from(["oak", "elm"])),
            "currency": draw(st.sampled_from(["EUR", "JPY"])),
            "fund_currency": draw(st.sampled_from(["", "", "USD"])),
            "route": draw(st.sampled_from(["verify", "instant", "seller", "return", EXCESS])),
            "rule": draw(st.sampled_from(["first", "second"])),
            "payer": draw(st.sampled_from(PAYERS)),
            "fault": draw(st.sampled_from(["INR", "SNAD", "exempt"])),
            "fault_state": draw(st.sampled_from(["counted", "pending", "exempt"])),
            "adjudicated": draw(st.booleans()),
            "opened_at": T,
            "closed_at": draw(st.none() | st.just(T)),
            "amount": draw(amounts),
            **{f"{payer}_pays": draw(amounts) for payer in PAYERS},
        }
        rows.append(row)
    return rows


def said_in_python(row: dict[str, Any], policy: Policy) -> dict[str, int]:
    """What the head of `cube` says of one dispute, once more and row by row."""
    facts = {name: tuple(row[name]) if name == "categories" and row[name] is not None else row[name] for name in NAMES}
    rule: Rule = compile_policy(policy, row["currency"]).match(FactsOf(**facts))
    found = {payer: row[f"{payer}_pays"] for payer in PAYERS}
    whole = sum(found.values())
    now_instant = rule.route == "instant" and row["route"] != "instant"
    weighed = row["fault_state"] != "exempt"
    if row["route"] == EXCESS:
        kept = {f"now_{payer}": minor for payer, minor in found.items()}
        return {"number": AS_IT_WAS, **kept, "least": whole, "most": whole, "weighs": int(weighed)}
    if rule.refuse:
        pays, least, most = dict.fromkeys(PAYERS, 0), 0, 0
    elif now_instant:
        pays, least, most = dict.fromkeys(PAYERS, 0) | {rule.payer: row["amount"]}, row["amount"], row["amount"]
    elif rule.payer == row["payer"]:
        stays = rule.route == row["route"]
        pays, least, most = found, whole if stays else 0, whole if stays else max(whole, row["amount"])
    else:
        pays = dict.fromkeys(PAYERS, 0) | {rule.payer: whole}
        least, most = 0, max(whole, row["amount"])
    limit = caps_of(policy.limits, row["currency"]).per_dispute
    if limit is not None and row["fund_currency"] == "" and pays["fund"]:
        both = pays["fund"] + pays["platform"]
        pays = pays | {"fund": min(both, limit), "platform": both - min(both, limit)}
    elif row["fund_currency"] == "" and pays["fund"]:
        pays = pays | {"fund": pays["fund"] + pays["platform"], "platform": 0}
    weighs = weighed
    if row["fault"] == "exempt":
        weighs = (row["amount"] if now_instant else whole) > 0
    if rule.refuse or rule.fault == "exempt":
        weighs = False
    return {
        "number": policy.rules.index(rule),
        **{f"now_{payer}": minor for payer, minor in pays.items()},
        "least": least,
        "most": most,
        "weighs": int(weighs),
    }


class FactsOf:
    """The facts of a row, any of which may be missing."""

    def __init__(self, **facts: Any) -> None:
        self.__dict__.update(facts)


@settings(deadline=None, max_examples=80)
@given(candidates(), past_disputes())
def test_every_sum_is_that_of_its_disputes_taken_one_by_one(policy, rows):
    table = ibis.memtable(pa.Table.from_pylist(rows, schema=schema_of(DISPUTES)))
    currencies = {row["currency"] for row in rows}
    found = CONNECTION.to_pyarrow(summed(ruled(table, policy, currencies), policy, currencies)).to_pylist()
    lines = [Line(**row) for row in found]
    expected: dict[tuple[Any, ...], Counter[str]] = {}
    for row in rows:
        said = said_in_python(row, policy)
        key = tuple(row[name] for name in ("store_id", "currency", "rule", "route", "payer", "fault"))
        sums = expected.setdefault((*key, said.pop("number")), Counter())
        for name, value in said.items():
            sums[name] += value
        for payer in PAYERS:
            sums[f"was_{payer}"] += row[f"{payer}_pays"]
        sums["disputes"] += 1
        sums["open"] += row["closed_at"] is None
        sums["claimed"] += row["amount"]
        sums["adjudicated"] += row["adjudicated"]
        sums["weighed"] += row["fault_state"] != "exempt"
    assert len(lines) == len(expected)
    for line in lines:
        own = expected[line.store_id, line.currency, line.rule, line.route, line.payer, line.fault, line.number]
        assert {name: getattr(line, name) for name in own} == dict(own)


# --- over a real past -------------------------------------------------------------------------------------------------


@pytest.fixture
def market(tmp_path):
    """Four disputes: verified and paid, rejected, paid at once, and one that the seller's silence decided."""
    market = Market(tmp_path)
    market.sell(12)
    verified, rejected, instant, silent_one = (market.order() for _ in range(4))
    paid = market.open(verified, "damaged", "40.00")
    market.rule(paid)
    market.rule(market.open(rejected, "defective", "30.00"), "unjustified")
    market.open(instant, "damaged", "12.00", evidence=("ab" * 32,))
    market.open(silent_one, "delivered_not_received", "25.00")
    market.go(T + 6 * DAY)
    return market


def lake_of(market: Market, folder: Path) -> Lake:
    with reading(market.database.path) as connection:
        write_lake(folder, history.past(connection, 0), market.now, silent)
    return open_lake(folder)


def changed(*pairs: tuple[str, str]) -> Policy:
    """The shipped policy under another version, with some of its text replaced."""
    text = policy_text().replace('"2026.1"', '"2027.1"')
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return parse_policy(text)


def asked(lake: Lake, candidate: Policy, *, on: date | None = TODAY) -> Backtest:
    engine = engine_of("duckdb")
    try:
        return backtest(engine, lake, candidate, silent, on=on)
    finally:
        engine.close()


INSTANT = ('["instant_sum", "at_most", "15.00"]', '["instant_sum", "at_most", "90.00"]')
NO_PHOTO = ('    ["evidence", "is", true],\n', "")
INR = 'when = [["reason_class", "is", "INR"]'
INR_BY_FUND = (
    f'{INR}]\nroute = "seller"\npayer = "seller"\nfault = "INR"',
    f'{INR}, ["covered", "is", true]]\nroute = "verify"\npayer = "fund"\nfault = "exempt"',
)


def test_the_policy_in_force_changes_nothing(market, tmp_path):
    found = asked(lake_of(market, tmp_path / "lake"), changed())
    assert (found.disputes, found.changed, found.checked) == (4, 0, 4)
    assert found.was == found.now
    assert found.was.by_route == {"verify": 2, "instant": 1, "seller": 1}
    assert found.was.pays == {"EUR": {"fund": 5200, "seller": 2500, "platform": 0}}
    assert found.range == {"EUR": {"fund": (5200, 5200), "seller": (2500, 2500), "platform": (0, 0)}}
    assert (found.stories, found.moved, found.not_assessed) == ([], [], [])


def handed_over(folder: Path) -> Market:
    """The fund pays 25.00 of 40.00; the rest was handed to the seller, who was silent and pays it."""
    text = next_policy("2026.1", per_dispute='"25.00"', over='"hand_over"')
    market = Market(folder, policy=text)
    market.sell(12)
    market.rule(market.open(market.order(), "damaged", "40.00"))
    market.go(T + 8 * DAY)
    return market


REFUSING = ('route = "verify"\npayer = "fund"\nfault = "SNAD"', 'refuse = "outside_window"')
HANDS_OVER = (('per_dispute = ""', 'per_dispute = "25.00"'), ('over = "platform_pays"', 'over = "hand_over"'))


def test_the_policy_in_force_changes_nothing_of_what_was_handed_over_either(tmp_path):
    found = asked(lake_of(handed_over(tmp_path), tmp_path / "lake"), changed(*HANDS_OVER))
    assert found.was.pays == {"EUR": {"fund": 2500, "seller": 1500, "platform": 0}}
    assert (found.disputes, found.changed, found.checked, found.moved) == (2, 0, 1, [])
    assert found.was == found.now
    assert found.range == {"EUR": {"fund": (2500, 2500), "seller": (1500, 1500), "platform": (0, 0)}}
    (store,) = found.stores
    assert (store.weighed, store.gains) == (store.weighs, {"EUR": 0})


def test_a_rule_that_refuses_leaves_what_was_handed_over_as_it_was(tmp_path):
    found = asked(lake_of(handed_over(tmp_path), tmp_path / "lake"), changed(REFUSING, *HANDS_OVER))
    assert (found.refused, found.now.by_route) == (1, {"hand_over": 1, "refused": 1})
    assert found.now.pays["EUR"] == {"fund": 0, "seller": 1500, "platform": 0}
    assert [(one.disputes, one.claimed) for one in found.moved] == [(1, {"EUR": 4000})]
    (store,) = found.stores
    assert (store.weighed, store.weighs) == (2, 1)
    assert store.score is not None
    assert (store.score.weight_was, store.score.weight_now) == (6586, 8125)


def test_a_wider_instant_rule_pays_whole_claims_and_spares_the_agents(market, tmp_path):
    found = asked(lake_of(market, tmp_path / "lake"), changed(INSTANT, NO_PHOTO))
    assert found.now.by_route == {"instant": 3, "seller": 1}
    assert found.now.pays["EUR"] == {"fund": 4000 + 3000 + 1200, "seller": 2500, "platform": 0}
    assert (found.was.agents["verified"], found.now.agents["verified"]) == (2, 0)
    assert [(one.was, one.now, one.disputes) for one in found.moved] == [("verify", "instant", 2)]


def test_another_payer_pays_what_was_found_and_the_range_says_how_sure_that_is(market, tmp_path):
    found = asked(lake_of(market, tmp_path / "lake"), changed(INR_BY_FUND))
    assert found.now.pays["EUR"] == {"fund": 7700, "seller": 0, "platform": 0}
    assert found.range["EUR"]["fund"] == (5200, 7700)
    (store,) = found.stores
    assert (store.store, store.gains, store.changed) == ("oak", {"EUR": 2500}, 1)
    assert (store.weighed, store.weighs) == (3, 2)


def test_a_limit_of_the_candidate_makes_the_platform_pay_the_rest(market, tmp_path):
    found = asked(lake_of(market, tmp_path / "lake"), changed(('per_dispute = ""', 'per_dispute = "30.00"')))
    assert found.now.pays["EUR"] == {"fund": 4200, "seller": 2500, "platform": 1000}


def test_a_rule_that_refuses_leaves_nothing_of_a_dispute(market, tmp_path):
    found = asked(lake_of(market, tmp_path / "lake"), changed(REFUSING))
    assert found.refused == 2
    assert found.now.by_route == {"refused": 2, "instant": 1, "seller": 1}
    assert found.now.pays["EUR"]["fund"] == 1200


def test_scores_were_those_of_the_store_and_would_be_those_of_a_store_never_disputed_so(market, tmp_path):
    exempt = ('route = "verify"\npayer = "fund"\nfault = "SNAD"', 'route = "verify"\npayer = "fund"\nfault = "exempt"')
    lake = lake_of(market, tmp_path / "lake")
    found = asked(lake, changed(exempt, INR_BY_FUND))
    (store,) = found.stores
    was = market.score(day=T.date())
    assert was is not None
    assert store.score is not None
    assert store.score.weight_was == was.weight
    assert store.score.was == sum(was.parts.values()) * 100 // was.scale
    assert store.score.now > store.score.was
    assert store.score.weight_now > store.score.weight_was


class Overheard:
    """An engine, with the stores whose records each of its answers held."""

    def __init__(self) -> None:
        self.engine = engine_of("duckdb")
        self.name, self.table, self.close = self.engine.name, self.engine.table, self.engine.close
        self.held: list[set[str]] = []

    def rows(self, question: Any) -> Any:
        rows = [*self.engine.rows(question)]
        self.held += [{row["store_id"] for row in rows}] if rows and "answered" in rows[0] else []
        return iter(rows)


def test_the_records_of_only_so_many_stores_are_held_together_and_the_scores_are_the_same(
    market, tmp_path, monkeypatch
):
    market.accept(RegisterStore(store="elm"), PLATFORM)
    market.accept(Enrol(store="elm", programme="standard", at=market.now), PLATFORM)
    market.rule(market.open(market.order(store="elm", paid=market.now), "damaged", "40.00"))
    lake, candidate = lake_of(market, tmp_path / "lake"), changed(REFUSING)
    held = []
    for together in (shifts.TOGETHER, 1):
        monkeypatch.setattr(shifts, "TOGETHER", together)
        engine = Overheard()
        held.append((engine.held, backtest(engine, lake, candidate, silent, on=TODAY).stores))
        engine.close()
    (together, whole), (alone, parted) = held
    assert (together, sorted(map(sorted, alone))) == ([{"elm", "oak"}], [["elm"], ["oak"]])
    assert parted == whole
    assert all(store.score for store in whole)


def test_three_changed_rulings_are_told_with_the_reasons_of_both(market, tmp_path):
    found = asked(lake_of(market, tmp_path / "lake"), changed(INSTANT, NO_PHOTO, INR_BY_FUND))
    assert [(story.was.rule, story.now.rule, story.amount) for story in found.stories] == [
        ("verify", "instant", 4000),
        ("verify", "instant", 3000),
        ("not_received", "not_received", 2500),
    ]
    first = found.stories[0]
    assert "not instant: evidence is false; it needs: is true" in first.was.reasons
    assert (
        first.now.reasons[0] == "instant: A small, covered claim with evidence is paid at once and audited by sample."
    )
    assert (first.outcome, first.paid) == ("refunded", {"fund": 4000})


def test_what_it_does_not_run_is_named(market, tmp_path):
    found = asked(lake_of(market, tmp_path / "lake"), changed(('seller_answer = "5 d"', 'seller_answer = "6 d"')))
    assert (found.changed, found.not_assessed) == (0, ["timers"])
    assert len(found.cannot_know) > 3


def test_a_dispute_that_a_policy_before_ruled_is_retold_by_that_one(market, tmp_path):
    lake = lake_of(market, tmp_path / "lake")
    found = asked(lake, changed(INSTANT, NO_PHOTO))
    assert {story.was.policy for story in found.stories} == {"2026.1"}
    assert {story.now.policy for story in found.stories} == {"2027.1"}


def test_a_lake_with_fewer_disputes_than_it_says_is_not_believed(market, tmp_path):
    lake = lake_of(market, tmp_path / "lake")
    manifest = (tmp_path / "lake" / "manifest.json").read_text()
    (tmp_path / "lake" / "manifest.json").write_text(
        manifest.replace('"2026-07": 4', '"2026-07": 5').replace('"rows": 4', '"rows": 5')
    )
    assert lake.manifest.tables["disputes"].rows == 4
    with pytest.raises(LakeError, match="holds 4 disputes, its manifest says 5"):
        asked(open_lake(tmp_path / "lake"), changed())


def test_a_past_without_disputes_has_nothing_to_say(tmp_path):
    found = asked(lake_of(Market(tmp_path), tmp_path / "lake"), changed(), on=None)
    assert (found.disputes, found.stores, found.day) == (0, [], None)


def test_a_ruling_that_stays_leaves_the_record_as_it_is():
    tally = Tally(dispute=1, store="oak", order=1, kind="SNAD", state="counted", opened_at=T, guaranteed=True)
    row = {"route": "verify", "payer": "fund", "fault": "SNAD", "pays": 4000, "amount": 4000}
    stays = next(rule for rule in changed().rules if rule.name == "verify")
    assert would_be(tally, row, stays) is tally
    seller = structs.replace(stays, route="seller", payer="seller")
    assert would_be(tally, row, seller) == structs.replace(tally, guaranteed=False)
    assert would_be(tally, row | {"fault": "exempt"}, stays) == tally


# --- on Spark ---------------------------------------------------------------------------------------------------------


def test_without_spark_it_says_what_to_install():
    try:
        import pyspark  # noqa: F401
    except ImportError:
        with pytest.raises(EngineError, match=r"pip install 'houbao\[spark\]'"):
            engine_of("spark")
    else:
        pytest.skip("pyspark is installed here")


def test_spark_says_the_same_in_a_cluster(market, tmp_path, monkeypatch):
    pytest.importorskip(
        "pyspark", reason="pyspark is not installed: it comes with the extra `spark`, and needs Java 17"
    )
    monkeypatch.setenv("HOUBAO_SPARK_MASTER", "local-cluster[2,1,1024]")
    lake = lake_of(market, tmp_path / "lake")
    candidate = changed(INSTANT, NO_PHOTO, INR_BY_FUND)
    engine = engine_of("spark")
    try:
        found = backtest(engine, lake, candidate, silent, on=T.date())
    finally:
        engine.close()
    assert structs.replace(found, engine="duckdb") == asked(lake, candidate)


def test_a_policy_may_have_any_number_of_rules():
    """Ibis walks an expression as deep as it is, and a policy's rules make it no deeper."""
    one = Rule(name="other", when=(), says="", route="seller", payer="seller", fault="OTHER")
    many = structs.replace(
        parse_policy(policy_text()), rules=tuple(structs.replace(one, name=f"rule-{n}") for n in range(1000))
    )
    disputes = ibis.memtable(schema_of(DISPUTES).empty_table())
    assert "GROUP BY" in ibis.to_sql(summed(ruled(disputes, many, ["EUR"]), many, ["EUR"]), dialect="duckdb")
