"""import-orders: a file of orders, each with what happened to it, through `houbao import ndjson` as a user runs it,
from its first byte to its last note. Beside it the bare driver writes the very rows of each piece."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from houbao.bench.copies import BASE, fill_orders
from houbao.bench.figures import Figure, Say, machine
from houbao.bench.replay import Recorded, Turns
from houbao.commands.import_files import import_file
from houbao.core.orders import Paid
from houbao.core.terms import tag_of
from houbao.feeds.files import Mark
from houbao.feeds.generated import START, generate
from houbao.feeds.sold import SoldOrder
from houbao.settings import Settings
from houbao.wiring import House, create_database

PATTERNS = 2000
"""How many orders are made up; the file repeats them under other references and buyers."""

TURN = 10
"""How many pieces of the file the engine takes in before it is the bare driver's turn: what the engine does beside its
next piece, it does not do beside the driver."""

CURRENCY = "BRL"


def write_orders(path: Path, count: int, seed: int = 7, name: str = "order") -> None:
    """A file of that many orders in the order format; the memory that this takes does not grow with it."""
    patterns = [_document(sold) for sold in generate(min(count, PATTERNS), seed)]
    encode = msgspec.json.encode
    with path.open("wb") as file:
        for number in range(count):
            own = {"reference": f"{name}-{number}", "buyer_id": f"buyer-{number * 7919 % max(1, count // 3)}"}
            file.write(encode(patterns[number % len(patterns)] | own) + b"\n")


def _document(sold: SoldOrder) -> dict[str, object]:
    place = sold.place
    said: dict[str, object] = {
        "store_id": place.store,
        "currency": CURRENCY,
        "placed_at": place.at,
        "ship_by": place.ship_by,
        "promised_by": place.promised_by,
        "lines": [
            {"id": line.id, "item": _money(line.item), "shipping": _money(line.shipping), "listing": line.shown}
            for line in place.lines
        ],
        "payments": [
            {"id": one.id, "provider": one.provider, "amount": _money(one.minor), "cash": one.cash}
            for one in place.payments
        ],
    }
    for fact in sold.facts:
        said[f"{tag_of(fact)}_at"] = fact.at
        if isinstance(fact, Paid):
            said["commission"] = _money(fact.commission)
    return said


def _money(minor: int) -> dict[str, object]:
    return {"minor": minor, "currency": CURRENCY}


def measure(orders: int, known: int, say: Say) -> list[Figure]:
    """The figure of one file of that many orders, into a database in which there are `known` others."""
    where = f"among {known:,} others" if known else "into an empty database"
    say(f"import-orders: {orders:,} orders of a file {where}, and the bare rows of each piece in turn")
    with TemporaryDirectory(prefix="houbao-bench-") as name:
        folder = Path(name)
        write_orders(folder / "orders.ndjson", orders)
        url = f"sqlite:///{folder}/import.db"
        create_database(url, currency=CURRENCY, launched_at=START, sandbox_clock=START)
        if known:
            _fill(folder, url, known)
        database = Recorded(folder / "import.db")
        house = House(Settings(database_url=url), database=database)
        turns = Turns(database)
        pieces = count(1)
        turns.start()
        _import(house, folder / "orders.ndjson", orders, lambda: turns.next() if next(pieces) % TURN == 0 else None)
        turns.next()
        turns.close()
        house.close()
    figure = Figure(
        scenario="import-orders",
        of=f"among {known:,}" if known else "",
        value=round(orders / turns.engine, 1),
        unit="orders/s",
        limit=round(orders / turns.bare, 1),
        ratio=round(turns.bare / turns.engine, 3),
        command=f"houbao bench import-orders --orders {orders} --known {known}",
        machine=machine(),
        rows_per_second=round(turns.rows / turns.engine, 1),
    )
    say(
        f"  {figure.value:,.0f} orders/s ({figure.rows_per_second:,.0f} rows/s), bare {figure.limit:,.0f}/s,"
        f" ratio {figure.ratio:.2f}\n"
    )
    return [figure]


def _fill(folder: Path, url: str, known: int) -> None:
    """So many other orders, in a database that is closed again: whoever opens it has read nothing of it yet."""
    house = House(Settings(database_url=url))
    first = min(BASE, known)
    write_orders(folder / "others.ndjson", first, name="other")
    _import(house, folder / "others.ndjson", first, lambda: None)
    fill_orders(house.database.connection, known)
    house.close()


def _import(house: House, file: Path, orders: int, piece: Callable[[], None]) -> None:
    """Bring in a file of so many new orders, as a user does; `piece` is called after each of its pieces."""

    def progress(here: Mark, whole: int, read: int) -> None:
        piece()

    summary = import_file(
        house,
        "ndjson",
        file,
        mapping=None,
        programme="standard",
        country="BR",
        resume=False,
        progress=progress,
    )
    assert summary.imported == orders, summary
