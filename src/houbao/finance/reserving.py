"""What the funds hold, what they will owe, and what cover should cost, of a database as it stands."""

from datetime import datetime
from pathlib import Path

from houbao.insight.lake import Progress
from houbao.insight.reserves import Reserves, reserves
from houbao.store import history, queries
from houbao.store.reading import reading
from houbao.store.scores import Scorebook
from houbao.wiring import House


def all_reserves(house: House, progress: Progress) -> list[Reserves]:
    """The reserves of every currency in which a programme pays."""
    return reserves_of(house.database.path, Scorebook(house.database), house.clock(), progress)


def reserves_of(path: Path, book: Scorebook, now: datetime, progress: Progress) -> list[Reserves]:
    """The reserves of a database file, at that time. Stores are classed by their last monthly grade."""
    classes = book.last_grades(0)
    with reading(path) as connection:
        return [
            reserves(history.past(connection, 0), classes, now, currency, progress)
            for currency in queries.programme_currencies(connection)
        ]
