"""Two sides of the same cash, line by line: what agrees, what one of them lacks, and what they tell differently.

1. By name: a line that names a movement of ours (its attempt, payment, chargeback, dispute or order) with the same
   amount is that movement; the stronger the name and the nearer the day, the earlier.
2. By a strong name, or by a name that only one movement has: the same movement, told differently.
3. By amount: a line that names nothing of ours is the nearest movement of that amount within the days allowed.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from msgspec import Struct

from houbao.books.cash import KEY, OURS, STRONG, Cash
from houbao.books.external import External, key_of

Candidates = dict[str, list[int]]


class Pair(Struct, frozen=True):
    """A line of theirs and the movement of ours that it is. `by` says how it was found: by the key it was booked under,
    by a name, or by its amount and day."""

    theirs: External
    ours: Cash
    by: str


class Matched(Struct, frozen=True):
    """Both sides, taken apart. `different` tells the same movement another way; `compared` is all of ours that was laid
    beside the file: what a line was found to be, whatever its day, and what is missing there."""

    matched: list[Pair]
    different: list[Pair]
    missing: list[Cash]
    extra: list[External]
    compared: list[Cash]


def match(theirs: list[External], ours: list[Cash], first: date, last: date, days: int) -> Matched:
    """Every line of theirs once, and every movement of ours from the first day to the last. Two days may lie `days`
    apart and be the same."""
    matcher = _Matcher(ours, days)
    left = matcher.by_name(theirs)
    left = matcher.by_strong_name(left)
    extra = matcher.by_amount(left)
    matcher.with_fees()
    near = timedelta(days=days)
    different = [pair for pair in matcher.found if differs(pair, near)]
    missing = [one for at, one in enumerate(ours) if at not in matcher.used and first <= one.day <= last]
    compared = [*(ours[at] for at in sorted(matcher.used)), *missing]
    return Matched([pair for pair in matcher.found if not differs(pair, near)], different, missing, extra, compared)


def differs(pair: Pair, near: timedelta) -> list[str]:
    """What the two tell differently: amount, currency, date. What was booked for the line itself was booked later."""
    theirs, ours = pair.theirs, pair.ours
    told = {
        "amount": theirs.minor != ours.minor and theirs.currency == ours.currency,
        "currency": theirs.currency != ours.currency,
        "date": abs(theirs.day - ours.day) > near and pair.by != "key",
    }
    return [name for name, other in told.items() if other]


class _Matcher:
    """What has been found so far, and which movements of ours are still free."""

    def __init__(self, ours: list[Cash], days: int) -> None:
        self.ours = ours
        self.near = timedelta(days=days)
        self.used: set[int] = set()
        self.found: list[Pair] = []
        self.by_names: Candidates = defaultdict(list)
        self.by_sums: dict[tuple[str, int, date], list[int]] = defaultdict(list)
        for at, one in enumerate(ours):
            for name in one.names:
                self.by_names[name].append(at)
            if KEY not in one.names.values():
                self.by_sums[one.currency, one.minor, one.day].append(at)

    def by_name(self, theirs: list[External]) -> list[External]:
        """Take those that name a movement with the same amount."""
        left: list[External] = []
        for line in theirs:
            sum_of = (line.currency, line.minor)
            same = [at for at in self._named(line) if (self.ours[at].currency, self.ours[at].minor) == sum_of]
            self._take(line, same, left)
        return left

    def by_strong_name(self, theirs: list[External]) -> list[External]:
        """Take those that can be no other movement, though they tell it differently."""
        left: list[External] = []
        for line in theirs:
            named = [at for at in self._named(line) if (self.ours[at].minor > 0) == (line.minor > 0)]
            strong = [at for at in named if self._strength(line, at) >= STRONG]
            self._take(line, strong or (named if len(named) == 1 else []), left)
        return left

    def by_amount(self, theirs: list[External]) -> list[External]:
        """Take those that name nothing of ours, by amount and day; the nearest days first."""
        left = theirs
        for apart in range(self.near.days + 1):
            left = [line for line in left if not self._take_of_day(line, timedelta(days=apart))]
        return left

    def _take_of_day(self, line: External, apart: timedelta) -> bool:
        """Whether a movement of that amount was free, so many days before or after."""
        if any(OURS.fullmatch(token) for token in line.tokens):
            return False
        for day in (line.day - apart, line.day + apart):
            free = self.by_sums.get((line.currency, line.minor, day), [])
            while free:
                at = free.pop(0)
                if at not in self.used:
                    self.used.add(at)
                    self.found.append(Pair(line, self.ours[at], "amount"))
                    return True
        return False

    def with_fees(self) -> None:
        """Take the fee that was booked with a movement and that its line tells beside the amount."""
        fees = {one.position: at for at, one in enumerate(self.ours) if one.kind == "payout_fee"}
        for pair in self.found:
            at = fees.get(pair.ours.position)
            if at is not None and self.ours[at].minor == -pair.theirs.fee:
                self.used.add(at)

    def _named(self, line: External) -> list[int]:
        found = {at for name in (key_of(line), *line.tokens) for at in self.by_names.get(name, ())}
        return sorted(found - self.used)

    def _strength(self, line: External, at: int) -> int:
        said = {key_of(line), *line.tokens}
        return max(strength for name, strength in self.ours[at].names.items() if name in said)

    def _take(self, line: External, candidates: Iterable[int], left: list[External]) -> None:
        best = min(
            candidates,
            key=lambda at: (-self._strength(line, at), abs(self.ours[at].day - line.day), at),
            default=None,
        )
        if best is None:
            left.append(line)
        else:
            self.used.add(best)
            by = "key" if self._strength(line, best) == KEY else "name"
            self.found.append(Pair(line, self.ours[best], by))
