"""The demonstration's report: read from the database it leaves, told for the manager of a marketplace."""

import sqlite3
from collections import Counter
from typing import Any

from msgspec import Struct

from houbao.core import disputes as d
from houbao.core.money import decimal
from houbao.core.policy_file import parse_policy
from houbao.core.refunds import RefundPaid
from houbao.core.rulings import compile_policy
from houbao.core.terms import public_id
from houbao.demo.play import Played
from houbao.demo.scenes import SCENE_STORES
from houbao.demo.scores import Scores
from houbao.demo.scores import told as tell_scores
from houbao.shipped import policy_text
from houbao.store import funds, queries
from houbao.telling import tell, why

SIMULATED = (
    "Simulated: sellers, buyers' answers, confirmations and ratings, agents, photos, the fund's capital and the refund"
    " provider."
)


class Report(Struct):
    """What `demo --json` prints. Amounts are minor units, times to refund are simulated seconds. `staged` are the last
    scenes, by where they stand: beside all other counts, and in the fund's figures."""

    source: str
    simulated: str
    orders: int
    covered_orders: int
    complaints: int
    disputes: int
    refused: dict[str, int]
    by_route: dict[str, int]
    by_outcome: dict[str, int]
    by_payer: dict[str, int]
    by_resolved_by: dict[str, int]
    refunded: dict[str, int]
    fund: dict[str, int]
    seconds: float
    disputes_per_second: float
    time_to_refund: dict[str, float]
    verify: str
    deadlines: int = 0
    late_answers: dict[str, int] = {}
    staged: dict[str, int] = {}
    peak_memory_mb: int = 0
    scores: Scores = Scores()


def gather(connection: sqlite3.Connection, played: Played, opening: int, currency: str) -> dict[str, Any]:
    """Every figure of the report that the database or the play can tell."""
    orders, covered = queries.order_counts(connection, 0, without=tuple(SCENE_STORES))
    staged: Counter[str] = Counter()
    route: Counter[str] = Counter()
    outcome: Counter[str] = Counter()
    resolved: Counter[str] = Counter()
    payer: Counter[str] = Counter()
    count = 0
    for dispute in queries.disputes(connection, 0):
        if dispute.store in SCENE_STORES:
            staged[dispute.outcome or f"open: {dispute.phase}"] += 1
            continue
        count += 1
        route[dispute.route] += 1
        outcome[dispute.outcome or f"open: {dispute.phase}"] += 1
        resolved[dispute.resolved_by or "open"] += 1
        payer.update(name for name, _ in d.funding_of(dispute))
    refunded, waits = _paid(connection)
    (fund,) = [f for f in funds.fund(connection, 0) if f.currency == currency]
    return {
        "orders": orders,
        "covered_orders": covered,
        "complaints": count + len(played.refusals),
        "disputes": count,
        "refused": dict(Counter(refusal.rule or refusal.code for refusal in played.refusals).most_common()),
        "by_route": dict(route.most_common()),
        "by_outcome": dict(outcome.most_common()),
        "by_payer": dict(payer.most_common()),
        "by_resolved_by": dict(resolved.most_common()),
        "refunded": refunded,
        "fund": {
            "opening": opening,
            "in": fund.capital - opening + fund.back,
            "out": fund.out,
            "closing": fund.available + fund.reserved,
        },
        "time_to_refund": {"p50": _quantile(waits, 0.5), "p95": _quantile(waits, 0.95)},
        "deadlines": played.deadlines,
        "late_answers": dict(played.late),
        "staged": dict(staged),
    }


def _paid(connection: sqlite3.Connection) -> tuple[dict[str, int], list[float]]:
    """(refunded per currency, seconds from opening to the money for every dispute paid by the fund)."""
    refunded: Counter[str] = Counter()
    waits: list[float] = []
    for dispute in queries.disputes(connection, 0):
        if not dispute.refunds or dispute.store in SCENE_STORES:
            continue
        paid = [event for _, event in queries.timeline(connection, 0, dispute) if isinstance(event, RefundPaid)]
        if dispute.phase == "closed":
            refunded[dispute.currency] += sum(refund.minor for refund in dispute.refunds)
        if paid and dispute.payer == "fund":
            waits.append((max(event.at for event in paid) - dispute.opened_at).total_seconds())
    return dict(refunded), sorted(waits)


def _quantile(values: list[float], q: float) -> float:
    return values[min(len(values) - 1, int(q * len(values)))] if values else 0.0


# --- told ----------------------------------------------------------------------------------------------------------


def told(report: Report, currency: str) -> list[str]:
    """The report as lines of text."""

    def money(minor: int) -> str:
        return f"{decimal(minor, currency):>12} {currency}"

    share = report.disputes * 100 / report.complaints if report.complaints else 0
    fund = report.fund
    lines = [
        f"Houbao demonstration · {report.source}",
        report.simulated,
        "",
        f"Orders             {report.orders:>7,}   covered by the guarantee {report.covered_orders:,}",
        f"Complaints         {report.complaints:>7,}   became disputes {report.disputes:,} ({share:.1f} %)",
    ]
    lines += [
        f"Refused            {sum(report.refused.values()):>7,}   by rule: {_counts(report.refused) or 'none'}",
        "",
        *_table("Where they went", report.by_route, "route"),
        *_table("How they ended", report.by_outcome, "outcome"),
        *_table("What resolved them", report.by_resolved_by, "resolved by"),
        *_table("Who paid", report.by_payer, "payer"),
        "Money back to buyers",
        *(f"  {decimal(minor, cur):>12} {cur}" for cur, minor in report.refunded.items()),
        "",
        "The fund",
        f"  opening capital {money(fund['opening'])}",
        f"  in              {money(fund['in'])}",
        f"  out             {money(fund['out'])}",
        f"  closing         {money(fund['closing'])}",
        "",
        "Time to refund, paid by the fund (simulated agents)",
        f"  half within {_span(report.time_to_refund['p50'])}, 95 % within {_span(report.time_to_refund['p95'])}",
        "",
        *tell_scores(report.scores),
        f"Deadlines that fell due and were acted on: {report.deadlines:,}",
        f"Answers that came too late or out of turn: {_counts(report.late_answers) or 'none'}",
        f"Staged beside all these, to show every phase and outcome: {sum(report.staged.values())} disputes",
        "",
    ]
    return lines


def stories(connection: sqlite3.Connection, part: int = 0) -> list[str]:
    """One dispute of each kind told in full."""
    policy = parse_policy(policy_text())
    wanted = {
        "Paid by the guarantee": lambda x: (
            x.route == "verify" and x.resolved_by == "guarantee" and x.outcome == "refunded"
        ),
        "Decided by the seller's silence": lambda x: x.resolved_by == "seller_timeout" and not x.notice,
        "Found out of scope and handed to the seller": lambda x: bool(x.notice) and x.phase == "closed",
        "Sent back": lambda x: x.route == "return" and x.outcome == "refunded",
        "Appealed": lambda x: x.resolved_by == "appeal",
        "Decided by the platform": lambda x: x.resolved_by == "adjudication" and x.outcome != "rejected",
    }
    lines: list[str] = []
    for title, fits in wanted.items():
        told_one = next((x for x in queries.disputes(connection, part) if fits(x)), None)
        if told_one is None:
            continue
        lines.append(f"{title}: {public_id('dispute', part, told_one.id)}")
        for _, event in queries.timeline(connection, part, told_one):
            lines.append(f"  {event.at:%Y-%m-%d %H:%M}  {tell(event, told_one.currency, part)}")
            if isinstance(event, d.DisputeOpened):
                lines += [
                    f"                    · {reason}"
                    for reason in why(event, compile_policy(policy, told_one.currency))
                ]
        lines.append("")
    return lines


def _table(title: str, counts: dict[str, int], what: str) -> list[str]:
    whole = sum(counts.values())
    if not whole:
        return [f"{title}: none", ""]
    width = max(len(name) for name in counts)
    return [title, *(f"  {name:<{width}}  {n:>6,}  {n * 100 / whole:5.1f} %" for name, n in counts.items()), ""]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.items())


def _span(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} d"
