"""The marketplace of the benchmark: many stores, paid and delivered orders, one claim each, of every route."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from time import perf_counter

from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core.fund import TopUp
from houbao.core.terms import Actor
from houbao.engine.engine import Engine
from houbao.engine.request import Accepted, Request
from houbao.shipped import policy_text
from houbao.store import sqlite
from houbao.store.creating import create

NOW = datetime(2026, 7, 8, 12, tzinfo=UTC)
DAY = timedelta(days=1)
STORES = 1000
PLATFORM = Actor("platform", "bench")
CLAIMS = (
    ("damaged", 4000, True),
    ("defective", 5900, True),
    ("poor_quality", 3200, True),
    ("in_transit_overdue", 2500, True),
    ("missing_parts", 1200, True),
    ("not_as_pictured", 7700, False),
    ("delivered_not_received", 4100, False),
    ("different_item", 2600, True),
)
"""(reason, amount, with a photo): six routed to verification or paid at once where covered, two to the seller."""


class OpenDisputes:
    """A database with that many orders, and for each the request that opens its dispute: a sandbox at a fixed time, or
    one that is live, made as if it were `live_at`."""

    def __init__(
        self,
        path: Path,
        count: int,
        *,
        claims: Sequence[tuple[str, int, bool]] = CLAIMS,
        opened: Callable[[Path], sqlite.SQLite] = sqlite.SQLite,
        live_at: datetime | None = None,
    ) -> None:
        self.path = path
        self.claims = claims
        self.now = live_at or NOW
        launched = self.now - 400 * DAY
        programme = p.Programme(name="standard", currency="EUR", launched_at=launched, policies=((launched, "2026.1"),))
        create(path, policy=policy_text(), programme=programme, sandbox_clock=None if live_at else NOW)
        self.opened = opened
        self.database = opened(path)
        self.points: list[tuple[str, float]] = []
        self.engine = Engine(self.database, lambda: self.now, probe=self._point)
        stores = [f"store-{number:04}" for number in range(STORES)]
        self._do([Request(p.RegisterStore(store=store), PLATFORM, self.now) for store in stores])
        enrolled = [store for number, store in enumerate(stores) if number % 10 < 6]
        self._do([Request(p.Enrol(store=s, programme="standard", at=launched), PLATFORM, self.now) for s in enrolled])
        self._do([Request(TopUp(minor=10**12, currency="EUR"), Actor("finance", "bench"), self.now)])
        self.orders: list[int] = []
        self.place(count)

    def place(self, count: int) -> None:
        """So many more orders, each paid, shipped and delivered."""
        paid = self.now - 12 * DAY
        facts = (o.Paid(order=0, at=paid), o.Shipped(order=0, at=paid + DAY), o.Delivered(order=0, at=self.now - DAY))
        known = len(self.orders)
        places = [
            o.PlaceOrder(
                store=f"store-{number * 7919 % STORES:04}",
                reference=f"o-{number}",
                buyer=f"buyer-{number}",
                currency="EUR",
                lines=(o.NewLine(id="1", item=7000, shipping=900, tax=300, category="toys"),),
                payments=(o.Payment(id="card", provider="sandbox", minor=8200),),
                ship_by=paid + 3 * DAY,
                promised_by=self.now - DAY,
                at=paid - DAY,
                facts=facts,
            )
            for number in range(known, known + count)
        ]
        self.orders += [accepted.id for accepted in self._do([Request(place, PLATFORM, self.now) for place in places])]

    def requests(self, start: int, count: int) -> list[Request]:
        """The requests that open the disputes of `count` orders, made anew, as a server has just read them."""
        return [self._claim(self.orders[number], number) for number in range(start, start + count)]

    def _claim(self, order: int, number: int) -> Request:
        reason, amount, photo = self.claims[number % len(self.claims)]
        command = d.OpenDispute(
            order=order,
            lines=(("1", 1),),
            reason=reason,
            amount=amount,
            statement=f"The parcel of order {number} was not what the page had promised; photos are attached.",
            evidence=(sha256(str(number).encode()).hexdigest(),) if photo else (),
        )
        at = self.now + number * timedelta(milliseconds=1)
        return Request(command, Actor("buyer", f"buyer-{number}"), at, key=f"{number:012}")

    def _do(self, requests: list[Request]) -> list[Accepted]:
        outcomes = self.engine.execute(requests)
        accepted = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
        assert len(accepted) == len(requests), next(o for o in outcomes if not isinstance(o, Accepted))
        return accepted

    def execute(self, requests: list[Request]) -> None:
        """Open those disputes in one list; every one must be accepted."""
        self._do(requests)

    def _point(self, name: str) -> None:
        self.points.append((name, perf_counter()))

    def where(self) -> dict[str, float]:
        """The shares of the engine's time between its points, since the last time it was asked."""
        spent = {"load": 0.0, "decide": 0.0, "save": 0.0, "commit": 0.0}
        ends = {"batch.loaded": "load", "batch.decided": "decide", "batch.saved": "save", "batch.committed": "commit"}
        for (_, start), (name, end) in zip(self.points, self.points[1:], strict=False):
            if name in ends:
                spent[ends[name]] += end - start
        self.points.clear()
        whole = sum(spent.values()) or 1.0
        return {name: seconds / whole for name, seconds in spent.items()}

    def reopen(self) -> None:
        """Open the file anew, as somebody who has read nothing of it yet."""
        self.database.close()
        self.database = self.opened(self.path)
        self.engine = Engine(self.database, lambda: self.now, probe=self._point)

    def checkpoint(self) -> None:
        """Bring the write-ahead log into the file."""
        self.database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def size(self) -> int:
        """Bytes of all pages."""
        (pages,) = self.database.connection.execute("PRAGMA page_count").fetchone()
        (size,) = self.database.connection.execute("PRAGMA page_size").fetchone()
        return pages * size

    def close(self) -> None:
        """Close the database."""
        self.database.close()
