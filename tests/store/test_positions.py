"""From a time to its position and back: the way is halved, and ends where a walk over every event would."""

import pytest

from given import DAY, SECOND, T
from houbao.store.positions import booked_at, first_since, last_before, last_position


def test_a_times_position_is_that_of_the_first_event_booked_then_or_later(market):
    for _ in range(3):
        market.now += DAY
        market.order()
    connection = market.database.connection
    last = last_position(connection, 0)
    times = {position: booked_at(connection, 0, position) for position in range(1, last + 1)}
    for at in {T - DAY, market.now + DAY, *times.values(), *(time + SECOND for time in times.values())}:
        since = [position for position, time in times.items() if time >= at]
        assert first_since(connection, 0, at) == (since[0] if since else last + 1)
        assert last_before(connection, 0, at) == max(times.keys() - {*since}, default=0)
    with pytest.raises(LookupError):
        booked_at(connection, 0, last + 1)
