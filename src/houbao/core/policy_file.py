"""Reading a policy: from TOML to records, with every field at fault named."""

import re
import tomllib
from datetime import timedelta
from hashlib import sha256
from typing import Any, get_args

from houbao.core.calendars import Calendar, Span, parse_calendar, parse_wait
from houbao.core.conditions import is_amount
from houbao.core.policy import (
    MOST_REMINDERS,
    Commission,
    CoveredReturn,
    Limits,
    Over,
    Policy,
    PolicyError,
    Returns,
    ScoreCurves,
    Timers,
)
from houbao.core.policy_rules import parse_rules
from houbao.core.said import Said, fault_at
from houbao.core.watches import WatchLimits

TABLES: dict[str, tuple[str, ...]] = {
    "window": ("days",),
    "timers": Timers.__struct_fields__,
    "refunds": ("attempts", "retry"),
    "limits": Limits.__struct_fields__,
    "returns": Returns.__struct_fields__,
    "premium": ("per_mille",),
    "score": ScoreCurves.__struct_fields__,
    "watch": WatchLimits.__struct_fields__,
}
"""Table → the fields it may have. Those of `window`, `timers` and `refunds` are needed, the others have defaults."""

TEXTS = ("version", "title")

PARTS = ("uncompleted", "inr", "snad", "description", "service", "logistics")
"""The parts of the score, which share its 100 points."""

SCORE_RANGES = {
    **dict.fromkeys(PARTS, (0, 100)),
    "worst_rate": (1, 10_000),
    "worst_rating": (100, 499),
    "window": (1, 365),
    "long_window": (1, 365),
    "least_orders": (1, 10_000),
    "excellent": (0, 100),
    "good": (0, 100),
    "passing": (0, 100),
    "graded_on": (1, 28),
    "weight_base": (0, 10_000),
    "weight_of_point": (0, 10_000),
    "weight_of_guarantee": (0, 10_000),
    "weight_floor": (1, 10_000),
}


def parse_policy(text: str) -> Policy:
    """The policy written in `text` (TOML). Raises PolicyError naming every field at fault."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError([Said("not TOML: %(error)s", error=error)]) from None
    faults = [
        fault_at(key, Said("no such field")) for key in raw.keys() - TABLES.keys() - {*TEXTS, "rules", "calendars"}
    ]
    version, title = (_text(raw, key, faults) for key in TEXTS)
    tables = {name: _table(raw, name, faults) for name in TABLES}
    days = _integer(tables, "window.days", 1, 365, faults)
    attempts = _integer(tables, "refunds.attempts", 1, 20, faults)
    retry = _duration(tables, "refunds.retry", faults)
    waits = [name for name in Timers.__struct_fields__ if name != "reminders"]
    timers = {name: _span(tables, f"timers.{name}", faults) for name in waits}
    reminders = _reminders(tables, faults)
    limits, returns, score = _limits(tables, faults), _returns(tables, faults), _score(tables, faults)
    premium = _integer(tables, "premium.per_mille", 0, 1000, faults, default=0)
    watch = _watch(tables, faults)
    calendars = _calendars(raw.get("calendars", {}), faults)
    rules = parse_rules(raw.get("rules"), faults)
    if faults:
        raise PolicyError(faults)
    return Policy(
        version=version,
        title=title,
        digest=sha256(text.encode()).hexdigest(),
        window_days=days,
        timers=Timers(**timers, reminders=reminders),
        attempts=attempts,
        retry=retry,
        rules=rules,
        limits=limits,
        returns=returns,
        premium=premium,
        score=score,
        calendars=calendars,
        watch=watch,
    )


# --- fields --------------------------------------------------------------------------------------------------------

Tables = dict[str, dict[str, Any]]


def _text(raw: dict[str, Any], name: str, faults: list[Said]) -> str:
    value = raw.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= 80:
        faults.append(
            fault_at(name, Said("a text of 1 to 80 characters is needed, found %(found)s", found=repr(value)))
        )
        return ""
    return value


def _table(raw: dict[str, Any], name: str, faults: list[Said]) -> dict[str, Any]:
    table = raw.get(name, {})
    if not isinstance(table, dict):
        faults.append(
            fault_at(name, Said("a table [%(name)s] is needed, found %(found)s", name=name, found=repr(table)))
        )
        return {}
    wrong = Said("no such timer") if name == "timers" else Said("no such field")
    faults += [fault_at(f"{name}.{field}", wrong) for field in table.keys() - set(TABLES[name])]
    return table


def _value(tables: Tables, where: str, default: Any) -> Any:
    table, _, field = where.partition(".")
    return tables[table].get(field, default)


def _integer(tables: Tables, where: str, low: int, high: int, faults: list[Said], *, default: int | None = None) -> int:
    value = _value(tables, where, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        faults.append(
            fault_at(
                where,
                Said(
                    "a whole number from %(low)s to %(high)s is needed, found %(found)s",
                    low=low,
                    high=high,
                    found=repr(value),
                ),
            )
        )
        return low
    return value


def _duration(tables: Tables, where: str, faults: list[Said]) -> timedelta:
    value = _value(tables, where, None)
    wait = _wait(value)
    if wait is None:
        faults.append(
            fault_at(where, Said('a time such as "5 d" or "24 h" is needed, found %(found)s', found=repr(value)))
        )
    return wait or timedelta()


def _span(tables: Tables, where: str, faults: list[Said]) -> Span:
    """A wait in exact time, or in business days."""
    value = _value(tables, where, None)
    try:
        wait = parse_wait(value if isinstance(value, str) else "")
    except ValueError:
        faults.append(
            fault_at(
                where,
                Said(
                    'a time such as "5 d", "24 h" or "3 bd" (business days) is needed, found %(found)s',
                    found=repr(value),
                ),
            )
        )
        return timedelta()
    return wait if wait.unit == "bd" else _wait(value) or timedelta()


def _wait(value: Any) -> timedelta | None:
    match = re.fullmatch(r"([1-9][0-9]{0,3}) (d|h)", value, re.ASCII) if isinstance(value, str) else None
    return timedelta(hours=int(match[1]) * (24 if match[2] == "d" else 1)) if match else None


def _reminders(tables: Tables, faults: list[Said]) -> tuple[timedelta, ...]:
    value = _value(tables, "timers.reminders", None)
    waits = [_wait(item) for item in value] if isinstance(value, list) and len(value) <= MOST_REMINDERS else [None]
    if None in waits:
        faults.append(
            fault_at(
                "timers.reminders",
                Said(
                    'up to %(most)s times such as ["48 h", "2 h"] are needed, found %(found)s',
                    most=MOST_REMINDERS,
                    found=repr(value),
                ),
            )
        )
        return ()
    return tuple(wait for wait in waits if wait)


def _amount(tables: Tables, where: str, default: str, faults: list[Said], *, empty: bool = False) -> str:
    value = _value(tables, where, default)
    if not is_amount(value) and not (empty and value == ""):
        faults.append(
            fault_at(
                where,
                Said('an amount such as "15.00", or an empty text is needed, found %(found)s', found=repr(value))
                if empty
                else Said('an amount such as "15.00" is needed, found %(found)s', found=repr(value)),
            )
        )
    return value


def _one_of(tables: Tables, where: str, known: tuple[str, ...], default: str, faults: list[Said]) -> Any:
    value = _value(tables, where, default)
    if value not in known:
        faults.append(fault_at(where, Said("%(found)s is not one of %(known)s", found=repr(value), known=tuple(known))))
    return value


# --- tables --------------------------------------------------------------------------------------------------------


def _limits(tables: Tables, faults: list[Said]) -> Limits:
    unsaid = Limits()
    limits = Limits(
        per_dispute=_amount(tables, "limits.per_dispute", unsaid.per_dispute, faults, empty=True),
        over=_one_of(tables, "limits.over", get_args(Over), unsaid.over, faults),
        backstop=_amount(tables, "limits.backstop", unsaid.backstop, faults),
        advance=_amount(tables, "limits.advance", unsaid.advance, faults),
    )
    if limits.over == "hand_over" and not limits.per_dispute.strip("0."):
        faults.append(
            fault_at(
                "limits.per_dispute",
                Said(
                    "to hand over what is above it, it must be above 0, found %(found)s", found=repr(limits.per_dispute)
                ),
            )
        )
    return limits


def _watch(tables: Tables, faults: list[Said]) -> WatchLimits:
    unsaid = WatchLimits()

    def amount(name: str) -> str:
        return _amount(tables, f"watch.{name}", getattr(unsaid, name), faults, empty=True)

    def count(name: str, low: int, high: int) -> int:
        return _integer(tables, f"watch.{name}", low, high, faults, default=getattr(unsaid, name))

    return WatchLimits(
        exposure=amount("exposure"),
        young_exposure=amount("young_exposure"),
        young_days=count("young_days", 0, 3650),
        buyer_share=count("buyer_share", 0, 1000),
        least_disputes=count("least_disputes", 1, 10_000),
        shared=count("shared", 0, 3),
    )


def _returns(tables: Tables, faults: list[Said]) -> Returns:
    unsaid = Returns()
    return Returns(
        covered=_one_of(tables, "returns.covered", get_args(CoveredReturn), unsaid.covered, faults),
        commission=_one_of(tables, "returns.commission", get_args(Commission), unsaid.commission, faults),
    )


def _score(tables: Tables, faults: list[Said]) -> ScoreCurves:
    unsaid, found = ScoreCurves(), len(faults)
    figures = {
        name: _integer(tables, f"score.{name}", low, high, faults, default=getattr(unsaid, name))
        for name, (low, high) in SCORE_RANGES.items()
    }
    curves = ScoreCurves(**figures)
    if len(faults) > found:
        return curves
    if (points := sum(figures[part] for part in PARTS)) != 100:
        faults.append(
            fault_at(
                "score",
                Said(
                    "the points of %(known)s must be 100 together, found %(points)s", known=tuple(PARTS), points=points
                ),
            )
        )
    if not curves.excellent > curves.good > curves.passing:
        faults.append(fault_at("score", Said("excellent must be above good, and good above passing")))
    if curves.long_window < curves.window:
        faults.append(
            fault_at(
                "score.long_window", Said("at least the window of %(window)s days is needed", window=curves.window)
            )
        )
    return curves


def _calendars(raw: Any, faults: list[Said]) -> dict[str, Calendar]:
    """Country → its business days."""
    if not isinstance(raw, dict):
        faults.append(
            fault_at(
                "calendars",
                Said("a table for each country such as [calendars.BR] is needed, found %(found)s", found=repr(raw)),
            )
        )
        return {}
    calendars: dict[str, Calendar] = {}
    for country, table in raw.items():
        if not isinstance(table, dict):
            faults.append(
                fault_at(f"calendars.{country}", Said("a table is needed, found %(found)s", found=repr(table)))
            )
            continue
        calendars[country], found = parse_calendar(country, table)
        faults += [fault_at(f"calendars.{country}", fault) for fault in found]
    return calendars
