"""`houbao policy backtest FILE`: a candidate policy over history, told in lines."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from houbao.commands import lakes
from houbao.commands.terminal import opened
from houbao.commands.times import day_of
from houbao.core.money import decimal
from houbao.core.policy import Policy
from houbao.insight.backtest import Backtest, StoreEffect, backtest
from houbao.insight.columns import PAYERS
from houbao.insight.engines import EngineName, engine_of
from houbao.insight.lake import Lake, Progress, open_lake
from houbao.insight.retold import Retold, Story

SHOWN = 10
"""How many stores and rules are told; `--json` has them all."""


def run(candidate: Policy, lake: Lake, engine: EngineName, on: str, progress: Progress) -> Backtest:
    """The backtest on that engine, with the scores of the day `on`. Raises LakeError, CommandFailed, Refused:
    bad_time."""
    day = day_of("--on", on) if on else None
    lakes.need(f"a backtest on {engine}", "spark" if engine == "spark" else "analytics", *LIBRARIES[engine])
    asked = engine_of(engine)
    try:
        return backtest(asked, lake, candidate, progress, on=day)
    finally:
        asked.close()


LIBRARIES: dict[EngineName, tuple[str, ...]] = {
    "duckdb": ("ibis", "duckdb", "pyarrow"),
    "spark": ("ibis", "pyspark", "pandas", "pyarrow"),
}


@contextmanager
def lake_of(folder: Path | None, database: str | None, progress: Progress) -> Generator[Lake]:
    """The lake in a folder; without one, the database's own past as a lake that is thrown away afterwards."""
    if folder is not None:
        yield open_lake(folder)
        return
    with tempfile.TemporaryDirectory(prefix="houbao-lake-") as kept:
        with opened(database) as house:
            lakes.export(house, Path(kept) / "lake", progress)
        yield open_lake(Path(kept) / "lake")


# --- told ------------------------------------------------------------------------------------------------------------


def told(found: Backtest) -> list[str]:
    """It as lines of text."""
    share = f" ({found.changed * 100 / found.disputes:.1f} %)" if found.disputes else ""
    past = "a simulated past" if found.simulated else "the past"
    lines = [
        f"Policy {found.policy} over {past} of {found.disputes:,} disputes, up to {found.until:%Y-%m-%d %H:%M} UTC",
        f"  asked on {found.engine}; {found.checked:,} disputes were also ruled one by one by assess, all alike",
        f"  rulings that would be another: {found.changed:,}{share}; refused: {found.refused:,}",
        "",
    ]
    if not found.disputes:
        return [*lines, "There is nothing to compare yet.", ""]
    lines += _counts("Where they go", found.was.by_route, found.now.by_route)
    lines += _counts("Which rule", found.was.by_rule, found.now.by_rule)
    lines += _pays(found)
    lines += _counts("What agents must decide", found.was.agents, found.now.agents)
    lines += _counts("Against their store", {"count": found.was.weighing}, {"count": found.now.weighing})
    lines += _moved(found)
    lines += _stores(found)
    for story in found.stories:
        lines += _story(story)
    if found.not_assessed:
        lines += [f"Differs from the policy in force, and is not run here: {', '.join(found.not_assessed)}", ""]
    return [*lines, "What a backtest cannot know", *(f"  {line}" for line in found.cannot_know)]


def _counts(title: str, was: dict[str, int], now: dict[str, int]) -> list[str]:
    names = sorted({**was, **now}, key=lambda name: (-was.get(name, 0), -now.get(name, 0), name))
    lines = [f"{title:<28} {'then':>12} {'now':>12}"]
    for name in names:
        then, here = was.get(name, 0), now.get(name, 0)
        change = f" {here - then:>+12,}" if here != then else ""
        lines.append(f"  {name:<26} {then:>12,} {here:>12,}{change}")
    return [*lines, ""]


def _pays(found: Backtest) -> list[str]:
    lines: list[str] = []
    for currency, was in found.was.pays.items():
        now, between = found.now.pays[currency], found.range[currency]
        lines.append(f"{f'Who pays, {currency}':<28} {'then':>12} {'now':>12}   between")
        for payer in PAYERS:
            least, most = (decimal(minor, currency) for minor in between[payer])
            figures = f"{decimal(was[payer], currency):>12} {decimal(now[payer], currency):>12}"
            lines.append(f"  {payer:<26} {figures}   {least} and {most}")
        lines.append("")
    return lines


def _moved(found: Backtest) -> list[str]:
    if not found.moved:
        return ["No ruling would be another.", ""]
    lines = ["What changes"]
    for one in found.moved[:SHOWN]:
        claimed = ", ".join(f"{decimal(minor, currency)} {currency}" for currency, minor in one.claimed.items())
        lines.append(f"  {one.was} → {one.now}: {one.disputes:,} disputes, {claimed} claimed")
    rest = len(found.moved) - SHOWN
    return [*lines, *([f"  … {rest} more changes"] if rest > 0 else []), ""]


def _stores(found: Backtest) -> list[str]:
    changed = [store for store in found.stores if store.changed]
    if not changed:
        return []
    lines = [f"Stores that gain or lose most, of {len(changed):,} with changes (scores of {found.day})"]
    lines += [f"  {_store(store)}" for store in changed[:SHOWN]]
    rest = len(changed) - SHOWN
    return [*lines, *([f"  … {rest:,} more stores"] if rest > 0 else []), ""]


def _store(effect: StoreEffect) -> str:
    gains = ", ".join(
        f"{'+' if minor >= 0 else ''}{decimal(minor, currency)} {currency}" for currency, minor in effect.gains.items()
    )
    said = f"{effect.store}: {gains}; {effect.changed} of {effect.disputes} disputes change"
    if effect.weighed != effect.weighs:
        said += f"; {effect.weighed} counted, {effect.weighs} would"
    score = effect.score
    if score and score.was is not None and score.now is not None:
        said += f"; score {score.was / 1e6:.2f} → {score.now / 1e6:.2f}"
        if score.weight_was is not None and score.weight_now is not None:
            said += f", weight {score.weight_was / 1e4:.4f} → {score.weight_now / 1e4:.4f}"
    return said


def _story(story: Story) -> list[str]:
    amount = f"{decimal(story.amount, story.currency)} {story.currency}"
    paid = ", ".join(f"{decimal(minor, story.currency)} by the {payer}" for payer, minor in story.paid.items())
    return [
        f"A changed ruling: {story.dispute} of {story.store}",
        f"  {story.opened:%Y-%m-%d}: {story.reason.replace('_', ' ')}, asks {amount}; ended: {story.outcome},"
        f" paid {paid or 'nothing'}",
        *_retold("then", story.was),
        *_retold("now", story.now),
        "",
    ]


def _retold(when: str, said: Retold) -> list[str]:
    effect = f"refused ({said.refuse})"
    if not said.refuse:
        counts = "exempt" if said.fault == "exempt" else f"counts as {said.fault}"
        effect = f"route {said.route}, paid by the {said.payer}, {counts}"
    return [f"  {when}, by {said.policy}: {said.rule}: {effect}", *(f"    {reason}" for reason in said.reasons)]
