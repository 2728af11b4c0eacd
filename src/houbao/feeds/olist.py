"""The published Olist tables ("Brazilian E-Commerce Public Dataset by Olist", CC BY-NC-SA 4.0) as Houbao's orders.

The dataset is not part of Houbao: whoever has it names its folder. Each row of each table ends as used or as skipped
with a reason (`Summary`); what the tables do not say is not invented:

- **Money**: BRL. An order of several sellers becomes one order per store with the same reference; each payment is split
  over them in proportion to what their lines are worth with freight, exactly; a part of zero is left out.
- **Time**: the tables' times are São Paulo's. A day without a time ends at its 24:00: promised by the next midnight.
- **Paid** at `order_approved_at`. Where that is missing but the status or a later date proves the payment, the purchase
  time stands for it (`no_payment_time`): the last known moment before it. Without such proof there are no facts at all.
- An order without any payment row (`no_payment`) is placed and stays unpaid: a complaint about it is refused by name.
- **Order of facts**: the later fact is the better witness. What is dated after a fact that needs it is moved back to
  that fact (`paid_moved`, `shipped_moved`); what is dated before the purchase is moved up to it (`before_purchase`).
- **Cancelled**: `canceled` and `unavailable` say no time, so there is no Cancelled fact (`no_cancel_time`): such an
  order stays as its other dates left it, mostly paid and never shipped. The same for `delivered` without a date
  (`no_delivery_time`).
- **Complaint**: the earliest answered review with a score of 2 or less. The review is of the whole order; the complaint
  goes to the store that sold its most expensive line, the first among equals. Higher scores are no complaint.
"""

from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from houbao.core import money
from houbao.core.orders import Delivered, Fact, Listing, NewLine, Paid, Payment, PlaceOrder, Shipped
from houbao.core.placing import decide_place
from houbao.core.programme import Store
from houbao.core.terms import Actor, Record, Refused
from houbao.feeds.complaints import classify
from houbao.feeds.sold import Complaint, SoldOrder, claim, commission
from houbao.feeds.tables import (
    CATEGORIES,
    COLUMNS,
    CURRENCY,
    CUSTOMERS,
    ITEMS,
    ORDERS,
    PAYMENTS,
    PRODUCTS,
    REVIEWS,
    SELLERS,
    Rows,
    Skip,
    Table,
    end_of_day,
    measure,
    minor_units,
    utc,
    utc_or_none,
)

LOW_SCORE = 2

_PAYS = {"approved", "processing", "invoiced", "shipped", "delivered"}
_PLATFORM = Actor("platform")


class Summary(Record, frozen=True, kw_only=True):
    """What was read, by file, and in how many Olist orders the facts had to be repaired, by rule (module docstring)."""

    tables: dict[str, Table]
    repaired: dict[str, int]


def read(directory: Path) -> tuple[list[SoldOrder], Summary]:
    """Every order of the tables in `directory`, by the time it was placed, and what became of each row.

    Raises OlistError when a file or a column is missing or a file is no CSV; a bad row is skipped and counted.
    """
    tables = {name: Rows(directory / name, columns) for name, columns in COLUMNS.items()}
    reader = _Reader(tables)
    sold = reader.orders()
    sold.sort(key=lambda order: (order.place.at, order.place.reference, order.place.store))
    return sold, Summary(
        tables={name: table.counted() for name, table in sorted(tables.items())},
        repaired=dict(sorted(reader.repaired.items())),
    )


# --- what a row says -----------------------------------------------------------------------------------------------


class _Item(NamedTuple):
    id: str
    product: str
    seller: str
    ship_by: datetime
    price: int
    freight: int


class _Low(NamedTuple):
    at: datetime
    id: str
    score: int
    text: str


class _Product(NamedTuple):
    category: str
    photos: str
    weight: str
    size: tuple[str, ...]


class _Dates(NamedTuple):
    """An order's own dates; after `_repair` in an order that its life accepts."""

    placed: datetime
    paid: datetime | None
    shipped: datetime | None
    delivered: datetime | None


class _Sale(NamedTuple):
    """What one Olist order says, for all its stores."""

    id: str
    buyer: str
    dates: _Dates
    promised_by: datetime


# --- reading -------------------------------------------------------------------------------------------------------


class _Reader:
    """The tables around the orders, held while the orders are read against them."""

    def __init__(self, tables: dict[str, Rows]) -> None:
        self.tables = tables
        self.repaired: Counter[str] = Counter()
        self.customers = self._pairs(CUSTOMERS)
        self.categories = self._pairs(CATEGORIES)
        self.sellers = self._sellers()
        self.products = self._products()
        self.unusable: dict[str, str] = {}  # order → why: one of its items or payments cannot be read
        self.items = self._items()
        self.payments = self._payments()
        self.stars: dict[str, int] = {}
        self.lows, self.higher = self._reviews()
        self.listings: dict[tuple[str, str], Listing] = {}
        self.sold_products: set[str] = set()

    def _pairs(self, name: str) -> dict[str, str]:
        table = self.tables[name]
        pairs: dict[str, str] = {}
        for key, value in table:
            if not key or not value:
                table.skip("empty")
            elif key in pairs:
                table.skip("duplicate")
            else:
                pairs[key] = value
        return pairs

    def _sellers(self) -> dict[str, str]:
        table = self.tables[SELLERS]
        sellers: dict[str, str] = {}
        for seller, city, state in table:
            if seller in sellers:
                table.skip("duplicate")
            else:
                sellers[seller] = f"{city}, {state}"
        return sellers

    def _products(self) -> dict[str, _Product]:
        table = self.tables[PRODUCTS]
        products: dict[str, _Product] = {}
        for product, category, *measures in table:
            try:
                if product in products:
                    raise Skip("duplicate")
                photos, weight, *size = map(measure, measures)
                products[product] = _Product(category, photos, weight, tuple(size))
            except Skip as skip:
                table.skip(skip.reason)
        return products

    def _items(self) -> dict[str, dict[str, _Item]]:
        table = self.tables[ITEMS]
        items: defaultdict[str, dict[str, _Item]] = defaultdict(dict)
        for order, item, product, seller, ship_by, price, freight in table:
            try:
                if item in items[order]:
                    raise Skip("duplicate")
                items[order][item] = _Item(
                    item, product, seller, utc(ship_by), minor_units(price), minor_units(freight)
                )
            except Skip as skip:
                table.skip(skip.reason)
                if skip.reason != "duplicate":
                    self.unusable[order] = "unreadable_item"
        return items

    def _payments(self) -> dict[str, dict[str, Payment]]:
        table = self.tables[PAYMENTS]
        payments: defaultdict[str, dict[str, Payment]] = defaultdict(dict)
        for order, number, kind, value in table:
            try:
                if number in payments[order]:
                    raise Skip("duplicate")
                minor = minor_units(value)
            except Skip as skip:
                table.skip(skip.reason)
                if skip.reason != "duplicate":
                    self.unusable[order] = "unreadable_payment"
                continue
            if minor:
                payments[order][number] = Payment(id=number, provider="sandbox", minor=minor, cash=kind != "voucher")
            else:
                table.skip("zero_value")
        return payments

    def _reviews(self) -> tuple[dict[str, list[_Low]], Counter[str]]:
        """The low reviews of each order, and how many others it has. A review id may repeat over orders."""
        table = self.tables[REVIEWS]
        lows: defaultdict[str, list[_Low]] = defaultdict(list)
        higher: Counter[str] = Counter()
        seen: set[tuple[str, str]] = set()
        for order, review, score, title, message, answered in table:
            try:
                if (order, review) in seen:
                    raise Skip("duplicate")
                seen.add((order, review))
                if score not in ("1", "2", "3", "4", "5"):
                    raise Skip("bad_number")
                self.stars[order] = int(score)
                if int(score) > LOW_SCORE:
                    higher[order] += 1
                else:
                    text = f"{title}\n{message}".strip()
                    lows[order].append(_Low(utc(answered), review, int(score), text))
            except Skip as skip:
                table.skip(skip.reason)
        return lows, higher

    # --- orders ----------------------------------------------------------------------------------------------------

    def orders(self) -> list[SoldOrder]:
        """Every order, one per store; afterwards every row of every table is accounted for."""
        table = self.tables[ORDERS]
        sold: list[SoldOrder] = []
        seen: set[str] = set()
        buyers: set[str] = set()
        for order, customer, *rest in table:
            if order in seen:
                table.skip("duplicate")
                continue
            seen.add(order)
            try:
                sold += self._order(order, customer, rest)
                buyers.add(customer)
            except Skip as skip:
                table.skip(skip.reason)
                self._give_up(order, "order_skipped")
        for order in {*self.items, *self.payments, *self.lows, *self.higher} - seen:
            self._give_up(order, "unknown_order")
        self._unused(sold, buyers)
        return sold

    def _give_up(self, order: str, reason: str) -> None:
        """The rows around an order that is not used."""
        self.tables[ITEMS].skip(reason, len(self.items.get(order, ())))
        self.tables[PAYMENTS].skip(reason, len(self.payments.get(order, ())))
        self.tables[REVIEWS].skip(reason, len(self.lows.get(order, ())) + self.higher[order])

    def _unused(self, sold: list[SoldOrder], buyers: set[str]) -> None:
        """What no order that was read speaks of."""
        products = self.products.keys() & self.sold_products
        categories = {self.products[product].category for product in products}
        for name, known, used in (
            (CUSTOMERS, self.customers, buyers),
            (SELLERS, self.sellers, {order.place.store for order in sold}),
            (PRODUCTS, self.products, products),
            (CATEGORIES, self.categories, categories),
        ):
            self.tables[name].skip("not_in_an_order", len(known.keys() - used))

    def _order(self, order: str, customer: str, rest: list[str]) -> list[SoldOrder]:
        """One Olist order, one per store; `Skip` when it cannot be used, having counted nothing."""
        status, placed, paid, shipped, delivered, promised = rest
        if order in self.unusable:
            raise Skip(self.unusable[order])
        items = self.items.get(order, {})
        if not items:
            raise Skip("no_items")
        payments = self.payments.get(order, {})
        if customer not in self.customers:
            raise Skip("unknown_customer")
        dates = _Dates(utc(placed), utc_or_none(paid), utc_or_none(shipped), utc_or_none(delivered))
        repairs: Counter[str] = Counter()
        dates = _repair(dates, status, repairs) if payments else _Dates(dates.placed, None, None, None)
        repairs["no_payment"] += not payments
        sale = _Sale(order, self.customers[customer], dates, end_of_day(promised))
        places = self._places(sale, list(items.values()), list(payments.values()))
        for place in places:
            try:
                decide_place(False, Store(id=place.store), place, _PLATFORM)
            except Refused as refused:  # what the core would refuse is skipped under the core's own name for it
                raise Skip(refused.code) from None
        self.repaired += +repairs
        self.sold_products.update(item.product for item in items.values())
        complaint = self._complaint(sale, places)
        unpaid = len(items) - sum(len(place.lines) for place in places)
        self.tables[ITEMS].skip("nothing_paid", unpaid)
        return [
            SoldOrder(
                place=place,
                facts=_facts(place, sale.dates),
                complaint=complaint if i == 0 else None,
                stars=self.stars.get(order, 0),
            )
            for i, place in enumerate(places)
        ]

    def _places(self, sale: _Sale, items: list[_Item], payments: list[Payment]) -> list[PlaceOrder]:
        """One order per store, the one with the most expensive line first; without those that got no payment at all."""
        stores: dict[str, list[_Item]] = {}
        for item in sorted(items, key=lambda item: item.price + item.freight, reverse=True):
            stores.setdefault(item.seller, []).append(item)
        weights = [sum(item.price + item.freight for item in own) for own in stores.values()]
        parts = [money.split(payment.minor, weights) for payment in payments]
        places = []
        for i, (seller, own) in enumerate(stores.items()):
            shares = tuple(
                Payment(id=payment.id, provider=payment.provider, minor=part[i], cash=payment.cash)
                for payment, part in zip(payments, parts, strict=True)
                if part[i]
            )
            if payments and not shares:
                continue
            places.append(
                PlaceOrder(
                    store=seller,
                    reference=sale.id,
                    buyer=sale.buyer,
                    currency=CURRENCY,
                    lines=tuple(self._line(item) for item in sorted(own, key=lambda item: (len(item.id), item.id))),
                    payments=shares,
                    ship_by=max(item.ship_by for item in own),
                    promised_by=sale.promised_by,
                    at=sale.dates.placed,
                )
            )
        return places

    def _line(self, item: _Item) -> NewLine:
        listing = self._listing(item.product, item.seller)
        return NewLine(id=item.id, item=item.price, shipping=item.freight, category=listing.category, shown=listing)

    def _listing(self, product: str, seller: str) -> Listing:
        """What the tables tell of a listing: category, number of photos, weight, size, where it ships from."""
        key = (product, seller)
        if key not in self.listings:
            known = self.products.get(product, _Product("", "", "", ()))
            category = self.categories.get(known.category, known.category)
            title = category.replace("_", " ").capitalize() or "Uncategorised product"
            size = " × ".join(known.size) if all(known.size) else ""
            told = {
                "weight": f"{known.weight} g" if known.weight else "",
                "size": f"{size} cm" if size else "",
                "ships_from": self.sellers.get(seller, ""),
            }
            self.listings[key] = Listing(
                title=title,
                description=f"{title}; photos shown: {known.photos}" if known.photos else title,
                category=category,
                disclosures={name: text for name, text in told.items() if text},
            )
        return self.listings[key]

    def _complaint(self, sale: _Sale, places: list[PlaceOrder]) -> Complaint | None:
        """The order's complaint, and what became of its reviews. `places[0]` sold the most expensive line."""
        table = self.tables[REVIEWS]
        table.skip("score_above_2", self.higher[sale.id])
        lows = sorted(self.lows.get(sale.id, ()))
        possible = [low for low in lows if low.at >= sale.dates.placed]
        table.skip("before_the_order", len(lows) - len(possible))
        if not possible:
            return None
        table.skip("later_low_review", len(possible) - 1)
        low, place = possible[0], places[0]
        shipped, delivered = sale.dates.shipped, sale.dates.delivered
        was_shipped = shipped is not None and shipped <= low.at
        reason, why = classify(
            low.text,
            delivered=delivered is not None and delivered <= low.at,
            shipped=was_shipped,
            overdue=sale.promised_by <= low.at or (not was_shipped and place.ship_by <= low.at),
            late=delivered is not None and delivered > sale.promised_by,
        )
        lines, amount = claim(place, reason)
        if not amount:
            table.skip("nothing_to_claim")
            return None
        return Complaint(
            order=sale.id,
            at=low.at,
            score=low.score,
            text=low.text,
            reason=reason,
            why=why,
            lines=lines,
            amount=amount,
        )


def _repair(dates: _Dates, status: str, repairs: Counter[str]) -> _Dates:
    """The dates in an order that the order's life accepts; rules in the module docstring, each counted by its name."""
    placed, paid, shipped, delivered = dates
    if paid is None and (shipped or delivered or status in _PAYS):
        paid = placed
        repairs["no_payment_time"] += 1
    if shipped and delivered and shipped > delivered:
        shipped = delivered
        repairs["shipped_moved"] += 1
    later = shipped or delivered
    if paid and later and paid > later:
        paid = later
        repairs["paid_moved"] += 1
    if any(at < placed for at in (paid, shipped, delivered) if at):
        paid, shipped, delivered = (max(at, placed) if at else None for at in (paid, shipped, delivered))
        repairs["before_purchase"] += 1
    if status in ("canceled", "unavailable"):
        repairs["no_cancel_time"] += 1
    if status == "delivered" and not delivered:
        repairs["no_delivery_time"] += 1
    return _Dates(placed, paid, shipped, delivered)


def _facts(place: PlaceOrder, dates: _Dates) -> tuple[Fact, ...]:
    """What happened to one store's order, in time order; the dates are those of the whole Olist order."""
    facts: list[Fact] = []
    if dates.paid:
        facts.append(Paid(order=0, at=dates.paid, commission=commission(place)))
    if dates.shipped:
        facts.append(Shipped(order=0, at=dates.shipped))
    if dates.delivered:
        facts.append(Delivered(order=0, at=dates.delivered))
    return tuple(facts)
