"""What the commands of a batch may see: what was loaded, as the commands before each of them left it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, get_args

import msgspec
from msgspec import Struct

from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core.accounts import AVAILABLE, BACKSTOP, store_account, store_of
from houbao.core.calendars import DAY
from houbao.core.claims import Given, given_of
from houbao.core.exchange import OLDEST, Rate
from houbao.core.ledger import Transfer
from houbao.core.scene import Purse
from houbao.core.subjects import SUBJECTS
from houbao.core.world import World, queue_change
from houbao.engine.needs import INSTANT_DAYS, may_owe
from houbao.engine.ports import Batch, Database, Head, Loaded, Noted
from houbao.engine.request import Request

NOTED = frozenset(get_args(Noted))

NOTHING_GIVEN = Given()

OF_STORE = ("payable", "deposit", "receivable")
"""A purse's side of the store: its accounts."""

decode_order = msgspec.json.Decoder(o.Order).decode


class Span(Struct, frozen=True, gc=False):
    """The rates of two currencies from one time to another."""

    since: datetime
    until: datetime
    rates: tuple[Rate, ...]


class Known:
    """What was loaded for a batch, brought up to date command by command."""

    def __init__(self, database: Database, head: Head, loaded: Loaded) -> None:
        self.database = database
        self.loaded = loaded
        self.position = head.position
        self.outages = head.outages
        self.breakers = head.breakers
        self.orders: dict[int, o.Order] = {}
        self._rates_of: dict[tuple[str, str], Span] = {}
        self._order_of = {number: order for order, group in loaded.disputes.items() for number in group}

    # --- what a command may see ------------------------------------------------------------------------------------

    def world(self, request: Request, text: str) -> World:
        """What that command may see now, after all the commands before it."""
        loaded = self.loaded
        command: Any = request.command  # what it has, its subject says
        match SUBJECTS[type(command)]:
            case "claim":
                order = self._order(command.order)
                key = ("dispute", order.store, command.reference) if order and command.reference else None
                given = self._given(request, order)
                return self._of_order(order, request, text, taken=key in loaded.taken, given=given)
            case "dispute":
                return self._of_order(self._order(self._order_of.get(command.dispute, 0)), request, text)
            case "order":
                return self._of_order(self._order(command.order), request, text)
            case "new order":
                return self._of_new_order(command)
            case "store":
                return self._of_store(command, request.received_at, text)
            case "money":
                purse = self._purse(command.store, command.currency, owed=True)
                return World(position=self.position, store=loaded.stores.get(command.store), purse=purse)
            case "queue":
                waiting = {dispute.id: dispute for dispute in loaded.waiting}
                purse = self._purse(store_of(command.account), command.currency, owed=True)
                return World(position=self.position, disputes=waiting, purse=purse, outages=self.outages)
            case "part":
                return World(position=self.position, outages=self.outages, breakers=self.breakers)

    def _of_store(self, command: p.StoreCommand, now: datetime, text: str) -> World:
        loaded = self.loaded
        store = loaded.stores.get(command.store)
        programme = loaded.programmes.get(_programme_name(command, store, loaded))
        policy = None
        if isinstance(command, p.AssessStore) and programme:
            version = p.policy_in_force(programme, now)
            policy = self.database.compiled(version, programme.currency)
        return World(position=self.position, store=store, programme=programme, policy=policy, text=text)

    def _of_order(
        self, order: o.Order | None, request: Request, text: str, *, taken: bool = False, given: Given = NOTHING_GIVEN
    ) -> World:
        """An order with its disputes and all that they are decided by; nothing where there is no such order."""
        if order is None:
            return World(position=self.position, text=text)
        loaded, command, database = self.loaded, request.command, self.database
        store = loaded.stores.get(order.store)
        programme = loaded.programmes.get(order.coverage.programme or _programme_name(command, store, loaded))
        currency, disputes = order.currency, loaded.disputes.get(order.id, {})
        rules = policy = database.compiled(order.coverage.policy, currency)
        at_opening = disputes[command.dispute].policy if disputes and isinstance(command, d.DisputeCommand) else ""
        if not at_opening and programme:
            then = command.at if isinstance(command, o.Paid) else request.received_at
            at_opening = p.policy_in_force(programme, then)
        if at_opening != order.coverage.policy:
            policy = database.compiled(at_opening, currency)
        return World(
            position=self.position,
            store=store,
            programme=programme,
            order=order,
            disputes=disputes,
            rules=rules,
            policy=policy,
            purse=self._purse(order.store, currency, order.coverage.currency, owed=bool(disputes) or may_owe(command)),
            rates=self._rates(order, disputes, request.received_at) if order.coverage.currency else (),
            given=given,
            reference_taken=taken,
            text=text,
            outages=self.outages,
            breakers=self.breakers,
        )

    def _of_new_order(self, command: o.PlaceOrder) -> World:
        """What a new order may see; where it is paid already, what deciding on its payment may read."""
        store = self.loaded.stores.get(command.store)
        exists = ("order", command.store, command.reference) in self.loaded.taken
        paid = next((fact for fact in command.facts if isinstance(fact, o.Paid)), None)
        if paid is None or store is None or exists:
            return World(position=self.position, store=store, reference_taken=exists)
        programme = self.loaded.programmes.get(_programme_name(paid, store, self.loaded))
        policy = None
        if programme and programme.mode == "premium":
            policy = self.database.compiled(p.policy_in_force(programme, paid.at), command.currency)
        return World(
            position=self.position,
            store=store,
            programme=programme,
            policy=policy,
            purse=self._purse(command.store, command.currency, owed=True),
            breakers=self.breakers,
        )

    def _order(self, number: int) -> o.Order | None:
        """The order as the commands before left it."""
        if order := self.orders.get(number):
            return order
        body = self.loaded.orders.get(number)
        return decode_order(body) if body else None

    def _rates(self, order: o.Order, disputes: Mapping[int, d.Dispute], now: datetime) -> tuple[Rate, ...]:
        """The rates by which a refund may be approved now, or might have been by itself since this was last seen. They
        are read by whole days, once for all commands of the batch: which of them counts, its time says."""
        due = [timer.at for dispute in disputes.values() for timer in dispute.timers]
        since, until = _day_of(min([now, *due]) - OLDEST), _day_of(now) + DAY
        pair = (order.coverage.currency, order.currency)
        if known := self._rates_of.get(pair):
            if known.since <= since and until <= known.until:
                return known.rates
            since, until = min(since, known.since), max(until, known.until)
        self._rates_of[pair] = read = Span(since, until, self.database.rates(*pair, since, until))
        return read.rates

    def _purse(self, store: str, currency: str, of_fund: str = "", *, owed: bool) -> Purse:
        """The fund's side of the purse; with `owed` the store's too, which was loaded only where a rule may read it."""
        balance, queues = self.loaded.balances.get, self.loaded.queues.get
        funds = of_fund or currency
        available = (AVAILABLE, funds)
        in_fund, behind, queue = balance(available, 0), balance((BACKSTOP, funds), 0), queues(available, 0)
        if not owed:
            return Purse(available=in_fund, backstop=behind, queue=queue)
        payable, deposit, debt = [(store_account(store, kind), currency) for kind in OF_STORE]
        return Purse(
            available=in_fund,
            backstop=behind,
            queue=queue,
            payable=balance(payable, 0),
            deposit=balance(deposit, 0),
            receivable=balance(debt, 0),
            payable_queue=queues(payable, 0),
            deposit_queue=queues(deposit, 0),
        )

    def _given(self, request: Request, order: o.Order | None) -> Given:
        if order is None or not order.coverage.covered:
            return NOTHING_GIVEN
        sums, since = self.loaded.instants.get(request.by.id, ()), request.received_at - INSTANT_DAYS
        total = sum(minor for at, cur, minor in sums if at > since and cur == order.currency) if sums else 0
        store = self.loaded.stores.get(order.store)
        return given_of(store, request.by.id, order.currency, total, request.received_at)

    # --- what it left ----------------------------------------------------------------------------------------------

    def note(self, event: Noted) -> None:
        """Bring the queues of waiting refunds and the instant sums up to date."""
        loaded = self.loaded
        match event:
            case d.DisputeOpened():
                loaded.instants.setdefault(event.buyer, []).append((event.at, event.currency, event.amount))
            case _:
                if change := queue_change(event):
                    account, currency, more = change
                    loaded.queues[account, currency] = loaded.queues.get((account, currency), 0) + more

    def move(self, moved: list[Transfer]) -> None:
        """Bring the balances that rules may read up to date."""
        balances = self.loaded.balances
        for t in moved:
            source, target = (t.source, t.currency), (t.target, t.currency)
            balances[source] = balances.get(source, 0) - t.minor
            balances[target] = balances.get(target, 0) + t.minor

    def keep(self, before: World, after: World, batch: Batch) -> None:
        """Put changed states back, for the commands that follow and for saving."""
        loaded = self.loaded
        self.outages = after.outages or self.outages
        self.breakers = after.breakers or self.breakers
        if after.store is not before.store and after.store is not None:
            loaded.stores[after.store.id] = batch.stores[after.store.id] = after.store
        order = after.order
        if order is not None and order is not before.order:
            self.orders[order.id] = batch.orders[order.id] = order
            loaded.taken.add(("order", order.store, order.reference))
        if after.disputes is before.disputes:
            return
        if order is not None:
            loaded.disputes[order.id] = after.disputes
        for number, dispute in after.disputes.items():
            old = before.disputes.get(number)
            if dispute is not old:
                if old is not None and number not in batch.disputes:
                    batch.old_disputes[number] = old
                batch.disputes[number] = dispute
                if order is None:
                    loaded.disputes[dispute.order] = {**loaded.disputes.get(dispute.order, {}), number: dispute}
                if dispute.reference:
                    loaded.taken.add(("dispute", dispute.store, dispute.reference))
                self._order_of[number] = dispute.order


def noted_of(event: Any) -> Noted | None:
    """The event, if it leaves more than its bytes and transfers."""
    if type(event) in NOTED:
        return event if not isinstance(event, d.DisputeOpened) or event.route == "instant" else None
    return None


def _day_of(at: datetime) -> datetime:
    """When its day began, in UTC."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _programme_name(command: object, store: p.Store | None, loaded: Loaded) -> str:
    """The programme a command is about: the one it names, the store's own at that time, else the only one."""
    if isinstance(command, p.Enrol | p.RegisterStore) and command.programme:
        return command.programme
    if store is not None:
        at = getattr(command, "at", None)
        enrolment = p.enrolment_at(store, at) if at is not None else None
        if enrolment:
            return enrolment.programme
    return next(iter(loaded.programmes), "")
