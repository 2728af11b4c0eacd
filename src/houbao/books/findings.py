"""What came of comparing a file with the ledger: how much agrees, and each difference with what would even it."""

from msgspec import Struct, to_builtins

from houbao.core.money import Money

SHOWN = 20
"""How many differences of a kind are told as text."""


class Theirs(Struct, frozen=True):
    """A line of the file."""

    place: str
    id: str
    day: str
    kind: str
    amount: Money


class Ours(Struct, frozen=True):
    """A movement of the ledger; `entry` names its event and which of its transfers it is."""

    entry: str
    day: str
    kind: str
    amount: Money
    store: str
    order: str
    dispute: str
    payment: str


class Even(Struct, frozen=True):
    """The entry that would even it. An account that is not known is empty."""

    source: str
    target: str
    amount: Money


class Finding(Struct, frozen=True):
    """A difference: the line, the movement, or both; which of amount, currency and date they tell differently; why (a
    `Said`), and what to run."""

    theirs: Theirs | None
    ours: Ours | None
    differs: list[str]
    reason: str
    entry: Even | None
    command: str


class Match(Struct, frozen=True):
    """A line and the movement that it agrees with: `by` the key it was booked under, a name (an id that both tell), or
    its amount alone, so many days `apart`."""

    theirs: Theirs
    ours: Ours
    by: str
    apart: int


class Reconciled(Struct, frozen=True):
    """Both sides compared: how many lines agree, and every one that does not. `theirs`, `ours` and `fees` are sums by
    currency, of all lines of the file, of the ledger's movements that were compared with them, and of what the provider
    kept. `matches` are the lines that agree, each with its ground."""

    file: str
    format: str
    account: str
    first: str
    last: str
    matched: int
    missing: list[Finding]
    extra: list[Finding]
    different: list[Finding]
    skipped: int
    theirs: list[Money]
    ours: list[Money]
    fees: list[Money]
    matches: list[Match] = []

    @property
    def by_amount(self) -> list[Match]:
        """The lines that agree by amount alone, with no id in common: it is for a person to say that they are these."""
        return [one for one in self.matches if one.by == "amount"]

    @property
    def even(self) -> bool:
        """Whether nothing differs."""
        return not (self.missing or self.extra or self.different)

    def document(self) -> object:
        """As JSON tells it, its sentences in English."""
        return to_builtins(self, enc_hook=str)

    def told(self) -> list[str]:
        """As lines of text."""
        lines = [f"{self.file}: {self.format}, {self.first} to {self.last}, beside {self.account}"]
        counts = {"missing": self.missing, "extra": self.extra, "different": self.different}
        lines.append(
            f"matched {self.matched:,}, " + ", ".join(f"{name} {len(all_):,}" for name, all_ in counts.items())
        )
        if self.by_amount:
            lines.append(f"  of the matched, {len(self.by_amount):,} by amount alone: look at them")
        if self.skipped:
            lines.append(f"{self.skipped:,} entries are not booked there yet: passed over")
        for name, sums in (("there", self.theirs), ("here", self.ours), ("fees kept there", self.fees)):
            if sums:
                lines.append(f"  {name}: {', '.join(map(str, sums))}")
        for name, findings in counts.items():
            lines += _section(name, findings)
        return [*lines, *_guessed(self.by_amount), "Nothing was booked."]


def _section(name: str, findings: list[Finding]) -> list[str]:
    """The findings of a kind as lines; those beyond SHOWN are only counted."""
    if not findings:
        return []
    lines = [f"{name.title()}:"]
    for finding in findings[:SHOWN]:
        lines += _sides(finding.theirs, finding.ours)
        lines.append(f"    {finding.reason}")
        if entry := finding.entry:
            lines.append(f"    entry: {entry.source or '?'} → {entry.target or '?'} {entry.amount}")
        if finding.command:
            lines.append(f"    run: {finding.command}")
    if findings[SHOWN:]:
        lines.append(f"  … and {len(findings) - SHOWN:,} more: --json tells all")
    return lines


def _sides(theirs: Theirs | None, ours: Ours | None) -> list[str]:
    lines: list[str] = []
    if theirs:
        lines.append(f"  there {theirs.day} {theirs.kind} {theirs.amount}  {theirs.id} ({theirs.place})")
    if ours:
        about = ", ".join(word for word in (ours.payment, ours.order, ours.dispute, ours.store) if word)
        lines.append(f"  here  {ours.day} {ours.kind} {ours.amount}  {about} (entry {ours.entry})")
    return lines


def _guessed(matches: list[Match]) -> list[str]:
    """The lines that agree by amount alone; those beyond SHOWN are only counted."""
    lines = ["By amount alone:"] if matches else []
    for one in matches[:SHOWN]:
        lines += _sides(one.theirs, one.ours)
        lines.append(f"    same amount, {one.apart} day{'' if one.apart == 1 else 's'} apart, no id in common")
    if matches[SHOWN:]:
        lines.append(f"  … and {len(matches) - SHOWN:,} more: --json tells all")
    return lines
