"""`verify`: derive everything again from the events, by the functions the engine uses, and compare it row by row.

One pass over the events of a part, inside one read transaction, so that it can run beside a writer. Whatever an event
makes is keyed by the event's position, so the stored rows are read in that order too and compared as the events go by:
in memory stay the stores, the balances, and the orders and disputes between their first and their last event.

What a database cannot know about itself is not looked for: the last rows of everything cut off together with the head
(keep a daily root elsewhere), `booked_at` moved between its neighbours, the words of names and addresses, a receipt or
an erased text that is gone, and what only the worker knows: when an effect was tried, how it ended, and in what words.
"""

import sqlite3
from hashlib import blake2b, sha256
from itertools import islice
from math import gcd
from pathlib import Path
from typing import Any

from houbao.core import chargebacks as c
from houbao.core import disputes as d
from houbao.core import messages as m
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.accounts import AVAILABLE, COMMISSION, RESERVED, keeps_balance
from houbao.core.breaker import Breaker, BreakerEvent, evolve_breakers
from houbao.core.calendars import Outage
from houbao.core.effects import Effect, effects
from houbao.core.evolving import evolve_dispute
from houbao.core.fund import CapitalAdded, CashMoved, DebtRepaid, DepositPaid
from houbao.core.ledger import Transfer, transfers
from houbao.core.outages import OutageEntered, evolve_outages
from houbao.core.world import Event
from houbao.store import rows, schema
from houbao.store.differences import COLUMNS, MOST_PER_TABLE, ROW, UNDECODABLE, Difference, Notes, fields
from houbao.store.filing import Balances, entry_rows
from houbao.store.reading import reading
from houbao.store.rows import Row
from houbao.store.scores import check_scores
from houbao.store.sqlite import decode_programme
from houbao.store.stored import END, STORE_EVENTS, Chain, Lives, Reader, Receipts


def verify(database: sqlite3.Connection | str | Path, part: int = 0) -> list[Difference]:
    """Every way in which a part of the database (a file or an open connection) is not what its events say; empty: ok.

    Reads only. Each table gets at most MOST_PER_TABLE differences.
    """
    notes = Notes()
    try:
        with reading(database) as connection:
            _Check(connection, part, notes).run()
    except (sqlite3.Error, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # A damaged file can hold what no column may, such as a text where a number belongs.
        notes.unreadable("(file)", f"{type(error).__name__}: {error}")
    return notes.found


class _Check:
    """One part being verified."""

    def __init__(self, connection: sqlite3.Connection, part: int, notes: Notes) -> None:
        reader = self.read = Reader(connection, part, notes)
        self.part = part
        self.notes = notes
        self.chain = Chain(part, notes)
        self.position = self.booked_at = 0
        self.stores: dict[str, p.Store] = {}
        self.balances: dict[tuple[str, str], int] = {}
        self.left: dict[int, dict[str, int]] = {}
        self.commissions: dict[int, int] = {}
        self.waiting: dict[Row, tuple[Row, list[Row]]] = {}
        self.policies: set[str] = set()
        self.outages: tuple[Outage, ...] = ()
        self.breakers: tuple[Breaker, ...] = ()
        self.listings: set[str] = set()
        self._check_file(connection)
        self.head: Row = next(reader.rows("parts"), ())
        self.transfers = reader.stream("transfers", "position", "n")
        self.entries = reader.stream("entries", "position", "n")
        self.statements: Balances = {}
        self.filed = next(reader.rows("filed"), (part, 0))[1]
        self.outbox = reader.stream("outbox", "position", "n")
        self.deliveries = reader.stream("deliveries", "position", "n")
        self.instants = reader.stream("instants", "dispute_id")
        self.waits = reader.stream("waiting", "position")
        self.texts = reader.stream("texts", "position")
        self.receipts = Receipts(notes, reader.stream("receipts", "first"), self.head[1] if self.head else END)
        self.orders = Lives(
            notes,
            (reader.stream("orders", "id"), reader.stream("deals", "order_id")),
            lambda order: [[rows.order_row(part, order)], rows.deal_rows(part, order)],
            rows.decode_order,
        )
        self.disputes = Lives(
            notes,
            (
                reader.stream("disputes", "id"),
                reader.stream("timers", "dispute_id", "due_at", "kind"),
                reader.stream("tallies", "dispute_id"),
            ),
            lambda dispute: [
                [rows.dispute_row(part, dispute)],
                sorted(rows.timer_rows(part, dispute)),
                rows.tally_rows(part, dispute),
            ],
            rows.decode_dispute,
        )

    def _check_file(self, connection: sqlite3.Connection) -> None:
        """What the database engine itself can tell of its file."""
        for (said,) in connection.execute("PRAGMA integrity_check(1)"):
            if said != "ok":
                self.notes.unreadable("(file)", said)

    def run(self) -> None:
        """Walk the events, then look at what is left."""
        for row in self.read.rows("events", "ORDER BY position"):
            self._check_event(*row)
        if "events" in self.notes.lost:
            return
        self._check_head()
        self._check_settings()
        self.orders.finish()
        self.disputes.finish()
        for stream in (self.transfers, self.entries, self.outbox, self.deliveries, self.instants, self.texts):
            stream.skip()
        self.receipts.finish(self.position)
        self._check_waiting()
        self._check_stores()
        self._check_balances()
        self._check_snapshots()
        check_scores(self.read, self.notes, self.position)

    # --- an event --------------------------------------------------------------------------------------------------

    def _check_event(self, part: int, position: int, booked_at: int, body: bytes, chain: bytes) -> None:
        ended = self.head and self.head[1] == self.position and self.head[3] == self.chain.head
        if ended or position <= self.position:
            self.notes.extra("events", (part, position, booked_at, body, chain))
            return
        self._check_gap(position)
        self.position = position
        self.chain.follow(position, body, chain)
        if booked_at < self.booked_at:
            self.notes.add("events", (part, position), "booked_at", f"at least {self.booked_at}", booked_at)
        self.booked_at = booked_at
        try:
            event = rows.decode_event(body)
            self._follow(position, event)
        except (AssertionError, AttributeError, LookupError, ValueError, *UNDECODABLE) as error:
            why = f"{type(error).__name__}: {error}"
            self.notes.add("events", (part, position), "body", f"an event that follows from those before ({why})", body)

    def _check_gap(self, position: int) -> None:
        first = self.position + 1
        if position > first:
            self.chain.gap()
        for missing in islice(range(first, position), MOST_PER_TABLE):
            self.notes.add("events", (self.part, missing), ROW, "an event", None)

    def _follow(self, position: int, event: Event) -> None:
        """All that the event leads to, by the engine's own functions."""
        dispute = self._evolve(position, event)
        if moved := transfers(event):
            self._check_transfers(position, moved)
        if told := effects(event, dispute, position):
            self._check_tasks(position, told)
        if isinstance(event, r.DisputeEvent):
            self._check_queues(position, event)
        if isinstance(event, r.DisputeEvent | m.OrderMessageWritten) and event.text:
            self._check_text(position, event.text)
        self.receipts.follow(position, event)

    def _evolve(self, position: int, event: Event) -> d.Dispute | None:
        """The state after the event; the dispute, where it is about one."""
        match event:
            case _ if isinstance(event, STORE_EVENTS):
                self.stores[event.store] = p.evolve_store(self.stores.get(event.store), event)
            case o.OrderPlaced():
                self.listings |= {line.listing for line in event.lines if line.listing}
                self.orders.put(position, None, o.evolve_order(None, event, position))
            case o.OrderPaid() | o.OrderMoved() | o.OrderPaidOut() | o.OrderRated():
                order = self.orders.get(event.order)
                if isinstance(event, o.OrderPaid):
                    self.policies.add(event.coverage.policy)
                self.orders.put(position, order, o.evolve_order(order, event, position))
            case c.ChargebackMoved():
                self._charge(position, event)
            case m.OrderMessageWritten():
                order = self.orders.get(event.order)
                self.orders.put(position, order, m.evolve_message(order, position))
            case BreakerEvent():
                self.breakers = evolve_breakers(self.breakers, event)
            case OutageEntered():
                self.outages = evolve_outages(self.outages, event, position)
            case CapitalAdded() | DepositPaid() | CashMoved() | DebtRepaid():
                pass
            case _:
                return self._evolve_dispute(position, event)
        return None

    def _evolve_dispute(self, position: int, event: d.Event) -> d.Dispute:
        before: d.Dispute | None = None
        if isinstance(event, d.DisputeOpened | d.GoodwillSent):
            self.policies.add(event.policy)
        else:
            before = self.disputes.get(event.dispute)
        after = evolve_dispute(before, event, position)
        self.disputes.put(position, before, after)
        if isinstance(event, r.RefundApproved):
            self._check_approval(position, event)
        elif isinstance(event, r.RefundResolved) and before is not None:
            self._give_back(before, after)
        return after

    # --- money -----------------------------------------------------------------------------------------------------

    def _check_transfers(self, position: int, moved: list[Transfer]) -> None:
        """The rows; and the laws that, at any position, an amount is above zero, no account of a promise below it, and
        what a store owes not above."""
        due = rows.transfer_rows(self.part, position, moved)
        self.notes.compare("transfers", due, self.transfers.take(position))
        if position <= self.filed:
            self.notes.compare("entries", [*entry_rows(due, self.statements)], self.entries.take(position))
        for n, t in enumerate(moved):
            key = (self.part, position, n)
            if t.minor <= 0 or t.source == t.target:
                self.notes.add("transfers", key, "minor", "above zero, from one account to another", t.minor)
            if t.kind in ("commission_back", "commission_again"):
                self._check_commission(key, t)
            for account, minor in ((t.source, -t.minor), (t.target, t.minor)):
                if keeps_balance(account):
                    balance = self.balances.get((account, t.currency), 0) + minor
                    self.balances[account, t.currency] = balance
                    if balance < 0 and minor < 0 and _never_below_zero(account):
                        self.notes.add("transfers", key, "minor", f"at most the {balance - minor} in {account}", -minor)
                    if balance > 0 and minor > 0 and account.endswith(":receivable"):
                        self.notes.add("transfers", key, "minor", f"at most the {minor - balance} owed", minor)

    def _check_commission(self, key: Row, t: Transfer) -> None:
        """The law that of no order's commission more comes back than there was, and no more is due again than came."""
        back = self.commissions.get(t.order, 0) + (t.minor if t.target != COMMISSION else -t.minor)
        self.commissions[t.order] = back
        whole = self.orders.get(t.order).commission
        if not 0 <= back <= whole:
            self.notes.add("transfers", key, "minor", f"with what came back before from 0 to {whole}", t.minor)

    def _check_approval(self, position: int, event: r.RefundApproved) -> None:
        """The law that of no payment more is approved to go back than was paid."""
        left = self._left(event.order)
        for share in event.shares:
            there = left.get(share.payment, 0)
            left[share.payment] = there - share.minor
            if there < share.minor:
                self._break(position, "shares", f"at most the {there} left of payment {share.payment}", share.minor)
        if event.minor != sum(share.minor for share in event.shares):
            self._break(position, "minor", "the sum of its shares", event.minor)

    def _left(self, number: int) -> dict[str, int]:
        """Payment → what can still be approved to go back; below zero where a bank took more."""
        left = self.left.get(number)
        if left is None:
            order = self.orders.get(number)
            paid = order.payments if order.paid_at is not None else ()
            left = self.left[number] = {payment.id: payment.minor for payment in paid}
        return left

    def _charge(self, position: int, event: c.ChargebackMoved) -> None:
        """A chargeback: what the bank asks back or took is not refunded too."""
        left, before = self._left(event.order), self.orders.get(event.order)
        after = c.evolve_chargeback(before, event, position)
        self.orders.put(position, before, after)
        held, now = c.charged(before), c.charged(after)
        for payment in {*held, *now}:
            left[payment] = left.get(payment, 0) + held.get(payment, 0) - now.get(payment, 0)

    def _break(self, position: int, field: str, expected: str, found: int) -> None:
        self.notes.add("events", (self.part, position), "body", expected, found, field)

    def _give_back(self, before: d.Dispute, after: d.Dispute) -> None:
        """What of a refund was abandoned can be approved again."""
        held, kept = (r.taken(x.refunds)[1] for x in (before, after))
        left = self.left.get(after.order, {})
        for payment, minor in held.items():
            left[payment] = left.get(payment, 0) + minor - kept.get(payment, 0)

    # --- what must be done, and what waits -------------------------------------------------------------------------

    def _check_tasks(self, position: int, told: list[Effect]) -> None:
        """Never forgotten: each effect has ended or is to be done, once."""
        notes = self.notes
        found = [("deliveries", row[2], row) for row in self.deliveries.take(position)]
        found += [("outbox", row[3], row) for row in self.outbox.take(position)]
        for row in rows.effect_rows(self.part, position, told):
            n = row[3]
            mine = [(table, stored) for table, number, stored in found if number == n]
            if not mine:
                for table in ("outbox", "deliveries"):  # which of the two it was in, nobody knows any more
                    notes.add(table, (self.part, position, n), ROW, row[-1], None)
            for table, stored in mine[:1]:
                self._check_task(table, (self.part, position, n), row, stored)
            for table, stored in mine[1:]:
                notes.extra(table, stored)
        for table, number, stored in found:
            if not 0 <= number < len(told):
                notes.extra(table, stored)

    def _check_task(self, table: str, key: tuple[Any, ...], row: Row, stored: Row) -> None:
        """An untried task is as it was made; one that was tried, or has ended, keeps its body."""
        add, body = self.notes.add, stored[-1]
        if body != row[-1]:
            for field, want, have in fields(row[-1], body):
                add(table, key, "body", want, have, field)
        tries = stored[COLUMNS[table].index("tries")]
        if tries < (table == "deliveries"):
            add(table, key, "tries", "a number of tries", tries)
        if table == "outbox" and tries == 0 and stored[1] != row[1]:
            add(table, key, "due_at", row[1], stored[1])
        if table == "deliveries" and stored[3] not in ("done", "failed"):
            add(table, key, "state", "done or failed", stored[3])

    def _check_queues(self, position: int, event: Event) -> None:
        if row := rows.instant_row(self.part, position, event):
            self.notes.compare("instants", [row], self.instants.take(position))
        if row := rows.waiting_row(self.part, position, event):
            self.waiting[row[:4]] = (row, self.waits.take(position))
        if key := rows.served_key(self.part, event):
            _, found = self.waiting.pop(key)
            self.notes.compare("waiting", [], found)

    def _check_waiting(self) -> None:
        self.waits.skip()
        for row, found in self.waiting.values():
            self.notes.compare("waiting", [row], found)

    # --- words -----------------------------------------------------------------------------------------------------

    def _check_text(self, position: int, digest: str) -> None:
        for _, _, salt, text in self.texts.take(position):
            key = (self.part, position)
            if len(salt) != 16:
                self.notes.add("texts", key, "salt", "16 bytes", salt)
            elif blake2b(text.encode(), key=salt, digest_size=16).hexdigest() != digest:
                self.notes.add("texts", key, "body", f"what hashes to {digest}", text)

    def _check_snapshots(self) -> None:
        for _, digest, body in self.read.rows("snapshots"):
            key = (self.part, digest)
            if digest not in self.listings:
                self.notes.add("snapshots", key, ROW, None, body)
            elif sha256(body).hexdigest() != digest:
                self.notes.add("snapshots", key, "body", f"what hashes to {digest}", body)
            self.listings.discard(digest)
        for digest in sorted(self.listings):
            self.notes.add("snapshots", (self.part, digest), ROW, "what was shown to a buyer", None)

    # --- the end ---------------------------------------------------------------------------------------------------

    def _check_head(self) -> None:
        """The part's own row against its last event."""
        key, notes = (self.part,), self.notes
        if not self.head:
            self.chain.gap()
            notes.add("parts", key, ROW, (self.position, self.booked_at), None)
            return
        _, position, booked_at, chain, _, outages, breakers = self.head
        self.chain.end(chain)
        if chain != self.chain.head and position > self.position:
            for missing in islice(range(self.position + 1, position + 1), MOST_PER_TABLE):
                notes.add("events", (self.part, missing), ROW, "an event", None)
            return
        if chain != self.chain.head:
            notes.add("parts", key, "chain", self.chain.head, chain)
        if position != self.position:
            notes.add("parts", key, "position", self.position, position)
        if booked_at != self.booked_at:
            notes.add("parts", key, "booked_at", self.booked_at, booked_at)
        if not 0 <= self.filed <= self.position:
            notes.add("filed", key, "position", f"at most {self.position}", self.filed)
        if outages != rows.outages(self.outages):
            notes.add("parts", key, "outages", rows.outages(self.outages), outages)
        if breakers != rows.breakers(self.breakers):
            notes.add("parts", key, "breakers", rows.breakers(self.breakers), breakers)

    def _check_settings(self) -> None:
        """Settings, programmes and policies: what the events and each other name is there."""
        notes = self.notes
        settings = dict(self.read.rows("meta"))
        parts = settings.get("parts", "")
        clock = "sandbox" if self.head and self.head[4] is not None else "live"
        sane = {
            "schema": (str(schema.SCHEMA_VERSION), settings.get("schema") == str(schema.SCHEMA_VERSION)),
            "parts": (f"more than {self.part}", parts.isdecimal() and int(parts) > self.part),
            "policy": ("a policy's version", bool(settings.get("policy"))),
            "kind": (clock, settings.get("kind") == clock or not self.head),
        }
        for name, (expected, good) in sane.items():
            if not good:
                notes.add("meta", (name,), "value" if name in settings else ROW, expected, settings.get(name))
        self.policies.add(settings.get("policy", ""))
        for name, body in self.read.rows("programmes"):
            try:
                self.policies |= {version for _, version in decode_programme(body).policies}
            except UNDECODABLE as error:
                notes.add("programmes", (name,), "body", f"a programme ({error})", body)
        self._check_policies()
        self._check_rates()

    def _check_policies(self) -> None:
        for version, digest, text in self.read.rows("policies"):
            if sha256(text.encode()).hexdigest() != digest:
                self.notes.add("policies", (version,), "text", f"what hashes to {digest}", text)
            self.policies.discard(version)
        for version in sorted(self.policies - {""}):
            self.notes.add("policies", (version,), ROW, "a policy that was in force", None)

    def _check_rates(self) -> None:
        for *key, numerator, denominator in self.read.rows("rates"):
            if numerator <= 0 or denominator <= 0 or gcd(numerator, denominator) != 1:
                self.notes.add("rates", tuple(key), "numerator", "a ratio above zero in lowest terms", numerator)

    def _check_stores(self) -> None:
        left = {store.id: rows.store_row(self.part, store) for store in self.stores.values()}
        for row in self.read.rows("stores"):
            expected = left.pop(row[1], None)
            self.notes.compare("stores", [expected] if expected else [], [row])
        self.notes.compare("stores", [*left.values()], [])

    def _check_balances(self) -> None:
        """Σ transfers; a row of zero may be there or not."""
        left = dict(self.balances)
        for row in self.read.rows("balances"):
            part, account, currency, minor = row
            expected = left.pop((account, currency), None)
            if expected is None and minor:
                self.notes.extra("balances", row)
            elif minor != (expected or 0):
                self.notes.add("balances", (part, account, currency), "minor", expected, minor)
        missing = ((self.part, *account, minor) for account, minor in left.items() if minor)
        self.notes.compare("balances", [*missing], [])


def _never_below_zero(account: str) -> bool:
    return account in (AVAILABLE, RESERVED) or account.endswith((":held", ":deposit"))
