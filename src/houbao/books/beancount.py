"""The journal for Beancount, as `bean-check` wants it."""

from datetime import UTC, timedelta

from houbao.books.chart import account_name
from houbao.books.journals import Span, about, currencies, opening_postings, postings, words
from houbao.core.money import decimal
from houbao.store.bookings import Booked


def head(span: Span) -> str:
    """What is declared."""
    lines = ["; Houbao's ledger, times in UTC. What the accounts are: docs/ledger.md\n"]
    lines += [f'option "operating_currency" "{currency}"\n' for currency in currencies(span)]
    lines += [f"{span.first} commodity {currency}\n" for currency in currencies(span)]
    lines += [f"{span.first} open {name}\n" for name in sorted(map(account_name, span.accounts))]
    return "".join([*lines, "\n"])


def opening(span: Span) -> str:
    """The balances from before the span."""
    return f'{span.first} * "opening balances"\n{opening_postings(span)}\n'


def booking(booked: Booked) -> str:
    """One transaction."""
    named = "".join(f'  {name}: "{value}"\n' for name, value in about(booked).items())
    return f'{booked.at.astimezone(UTC).date()} * "{words(booked)}"\n{named}{postings(booked)}\n'


def closing(span: Span) -> str:
    """Every balance, asserted: Beancount compares it as it is when a day begins."""
    day = span.last + timedelta(days=1)
    return "".join(
        f"{day} balance {account_name(account):<48} {decimal(-minor, code)} {code}\n"
        for (account, code), minor in sorted(span.closing.items())
    )
