"""The journal for hledger, as `hledger check --strict` wants it: every account and commodity declared."""

from datetime import UTC

from houbao.books.chart import account_name
from houbao.books.journals import Span, about, currencies, opening_postings, postings, words
from houbao.core.money import DIGITS, decimal
from houbao.store.bookings import Booked


def head(span: Span) -> str:
    """What is declared."""
    lines = ["; Houbao's ledger, times in UTC. What the accounts are: docs/ledger.md\n", "decimal-mark .\n"]
    lines += [f"commodity {_sample(currency)} {currency}\n" for currency in currencies(span)]
    lines += [f"account {name}\n" for name in sorted(map(account_name, span.accounts))]
    return "".join([*lines, "\n"])


def opening(span: Span) -> str:
    """The balances from before the span."""
    return f"{span.first} opening balances\n{opening_postings(span)}\n"


def booking(booked: Booked) -> str:
    """One transaction."""
    tags = ", ".join(f"{name}:{value}" for name, value in about(booked).items())
    return f"{booked.at.astimezone(UTC).date()} {words(booked)}  ; {tags}\n{postings(booked)}\n"


def closing(span: Span) -> str:
    """Every balance, asserted."""
    checks = (
        f"  {account_name(account):<48}  {decimal(0, code)} {code} = {decimal(-minor, code)} {code}\n"
        for (account, code), minor in sorted(span.closing.items())
    )
    return f"{span.last} closing balances\n{''.join(checks)}" if span.closing else ""


def _sample(currency: str) -> str:
    """An amount that shows how many decimals the currency has; the point stands even where there are none."""
    return f"1000.{'0' * DIGITS[currency]}"
