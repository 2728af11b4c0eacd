"""The published Olist tables as files: their names and columns, and how a row and a cell of them are read."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from houbao.core import money
from houbao.core.terms import Record

CURRENCY = "BRL"
ZONE = ZoneInfo("America/Sao_Paulo")

ORDERS = "olist_orders_dataset.csv"
ITEMS = "olist_order_items_dataset.csv"
PAYMENTS = "olist_order_payments_dataset.csv"
REVIEWS = "olist_order_reviews_dataset.csv"
CUSTOMERS = "olist_customers_dataset.csv"
SELLERS = "olist_sellers_dataset.csv"
PRODUCTS = "olist_products_dataset.csv"
CATEGORIES = "product_category_name_translation.csv"

COLUMNS = {
    CUSTOMERS: ("customer_id", "customer_unique_id"),
    SELLERS: ("seller_id", "seller_city", "seller_state"),
    CATEGORIES: ("product_category_name", "product_category_name_english"),
    PRODUCTS: (
        "product_id",
        "product_category_name",
        "product_photos_qty",
        "product_weight_g",
        "product_length_cm",
        "product_height_cm",
        "product_width_cm",
    ),
    ITEMS: ("order_id", "order_item_id", "product_id", "seller_id", "shipping_limit_date", "price", "freight_value"),
    PAYMENTS: ("order_id", "payment_sequential", "payment_type", "payment_value"),
    REVIEWS: (
        "order_id",
        "review_id",
        "review_score",
        "review_comment_title",
        "review_comment_message",
        "review_answer_timestamp",
    ),
    ORDERS: (
        "order_id",
        "customer_id",
        "order_status",
        "order_purchase_timestamp",
        "order_approved_at",
        "order_delivered_carrier_date",
        "order_delivered_customer_date",
        "order_estimated_delivery_date",
    ),
}
"""The tables and the columns that are read; other columns may come and go."""

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)


class OlistError(Exception):
    """A table that cannot be read at all: which file, which column, what to do."""


class Table(Record, frozen=True, kw_only=True):
    """What became of the rows of one file: `rows == used + sum(skipped.values())`."""

    rows: int
    used: int
    skipped: dict[str, int]


# --- rows ----------------------------------------------------------------------------------------------------------


class Skip(Exception):
    """This row is not used, and why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Rows:
    """One file's rows, each counted as used or skipped."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self.path = path
        self.columns = columns
        self.rows = 0
        self.skipped: Counter[str] = Counter()
        if not path.is_file():
            raise OlistError(
                f"{path.name} is missing in {path.parent}: put the published tables there under their names"
            )

    def __iter__(self) -> Iterator[list[str]]:
        """The wanted columns of each well-formed row; strict, for a stray quote would swallow the rows after it."""
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, strict=True)
            try:
                header = next(lines, [])
                at = [self._position(header, column) for column in self.columns]
                for row in lines:
                    if not row:
                        continue
                    self.rows += 1
                    if len(row) == len(header):
                        yield [row[i].strip() for i in at]
                    else:
                        self.skip("bad_row")
            except (csv.Error, UnicodeDecodeError) as error:
                raise OlistError(
                    f"{self.path.name} is damaged after line {lines.line_num} ({error}): take the published file again"
                ) from error

    def _position(self, header: list[str], column: str) -> int:
        if column not in header:
            raise OlistError(
                f"{self.path.name} has no column {column}: take the published file, its first line unchanged"
            )
        return header.index(column)

    def skip(self, reason: str, rows: int = 1) -> None:
        """Count rows that were read as not used after all."""
        if rows:
            self.skipped[reason] += rows

    def counted(self) -> Table:
        """What became of the rows, once they have been read."""
        skipped = dict(sorted(self.skipped.items()))
        return Table(rows=self.rows, used=self.rows - sum(skipped.values()), skipped=skipped)


# --- cells -----------------------------------------------------------------------------------------------------------


def minor_units(text: str) -> int:
    """An amount of the tables' currency, not below zero."""
    try:
        minor = money.parse(text, CURRENCY)
    except ValueError:
        raise Skip("bad_number") from None
    if not 0 <= minor <= money.LARGEST:
        raise Skip("bad_number")
    return minor


def utc(text: str) -> datetime:
    """A time of the tables' zone."""
    if not _TIME.fullmatch(text):
        raise Skip("bad_date")
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Skip("bad_date") from None


def utc_or_none(text: str) -> datetime | None:
    """The same; None where the cell is empty."""
    return utc(text) if text else None


def end_of_day(text: str) -> datetime:
    """The day's 24:00, whatever time stands beside it."""
    try:
        return utc(f"{datetime.fromisoformat(text).date() + timedelta(days=1)} 00:00:00")
    except (ValueError, OverflowError):
        raise Skip("bad_date") from None


def measure(text: str) -> str:
    """A measure as it is written, without the tables' ".0"; empty where it is not known."""
    if text and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text, re.ASCII):
        raise Skip("bad_number")
    return text.removesuffix(".0")
