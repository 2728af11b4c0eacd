"""Plays orders and their complaints through the real engine and worker, over simulated time.

The script is what the data says: orders, payments, scans, complaints, each at its own time. Between two of its moments
the worker runs wherever a timer or an effect falls due, so that every deadline fires when it would have.
"""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct, field, structs

from houbao.core import disputes as d
from houbao.core.chargebacks import Chargeback
from houbao.core.fund import TopUp
from houbao.core.orders import Order, PlaceOrder
from houbao.core.programme import Enrol, RegisterStore
from houbao.core.subjects import Command
from houbao.core.terms import Actor, Refused
from houbao.demo.pictures import picture, teapot
from houbao.demo.players import Dice, Move, enrolled, has_photo, is_stuck, photo, react
from houbao.demo.scenes import SCENE_STORES, TEAPOT, UNREACHABLE, Scene, play, stage
from houbao.engine.request import Accepted, Request
from houbao.feeds.sold import Complaint, SoldOrder
from houbao.gateways.refunds.sandbox import Sandbox
from houbao.store import queries
from houbao.wiring import House

PLATFORM = Actor("platform", "demo")
FINANCE = Actor("finance", "simulated")
AFTERWARDS = timedelta(days=150)
"""How long the play goes on after the last order, so that every dispute comes to its end."""


class Refusal(Struct, frozen=True):
    """A complaint that did not become a dispute."""

    reason: str
    code: str
    rule: str


class Played(Struct):
    """What happened, as far as the database does not tell it."""

    refusals: list[Refusal] = []
    late: Counter[str] = field(default_factory=Counter)
    opened: int = 0
    deadlines: int = 0


class Play:
    """One demonstration: a house whose clock is `time`, moved by the script."""

    def __init__(self, house: House, time: "Clock", dice: Dice, *, capital: int, top_up: int, currency: str) -> None:
        self.house, self.time, self.dice = house, time, dice
        self.top_up_minor, self.currency = top_up, currency
        self.played = Played()
        self.numbers: dict[tuple[str, str], int] = {}
        self.stores: set[str] = set()
        self.moves: list[tuple[datetime, int, Move]] = []
        self.count = itertools.count()
        self.seen: dict[int, tuple[object, ...]] = {}
        self.topping_up = False
        self.scenes: dict[str, Scene] = {}
        self._do([Request(TopUp(minor=capital, currency=currency), FINANCE, time())])

    def run(self, orders: list[SoldOrder], progress: Callable[[int], None] = lambda done: None) -> Played:
        """Play all orders to their end; `progress` is told how many script entries are done."""
        script = _script(orders)
        end = max(at for at, _, _ in script) + AFTERWARDS
        staged, self.scenes = stage(end, self.currency)
        script = sorted([*script, *_script(staged)], key=lambda entry: entry[0])
        scored = height(orders)
        pending: list[tuple[datetime, SoldOrder, int]] = []
        for done, (at, order, step) in enumerate(script):
            if step < len(order.facts):
                pending.append((at, order, step))
                continue
            if at > scored > self.time():
                self._score(scored, pending)
            self._until(at, pending)
            self._complain(order)
            if done % 50 == 0:
                progress(done)
        if scored > self.time():
            self._score(scored, pending)
        self._until(end, pending)
        progress(len(script))
        return self.played

    def _score(self, at: datetime, pending: list[tuple[datetime, SoldOrder, int]]) -> None:
        """The worker keeps the scores up to the day before."""
        self._until(at, pending)
        self.house.scoring.keep()

    # --- time ------------------------------------------------------------------------------------------------------

    def _until(self, end: datetime, pending: list[tuple[datetime, SoldOrder, int]]) -> None:
        """Move the clock to `end`, with the worker, the people and the order feed acting at their own times."""
        while True:
            wake, move, hook = self._next_wake(), self._next_move(), self._next_hook()
            at = min(wake, move, hook)
            if at > end:
                break
            if move == at or self.house.database.due(0, at, 1):
                # Refunds and mails on their way ask nothing of the orders; people and deadlines do.
                self._feed(pending, at)
            self._set(at)
            if move == at:
                _, _, what = heapq.heappop(self.moves)
                self._move(what)
            else:
                self._work()
        self._feed(pending, end)
        self._set(end)

    def _set(self, at: datetime) -> None:
        if at > self.time():
            self.time.now = at

    def _next_wake(self) -> datetime:
        wake = self.house.database.next_wake(0)
        return max(wake, self.time()) if wake else datetime.max.replace(tzinfo=self.time().tzinfo)

    def _next_move(self) -> datetime:
        return max(self.moves[0][0], self.time()) if self.moves else datetime.max.replace(tzinfo=self.time().tzinfo)

    def _next_hook(self) -> datetime:
        provider = self.house.provider
        assert isinstance(provider, Sandbox)
        hook = provider.bank.next_hook()
        return max(hook, self.time()) if hook else datetime.max.replace(tzinfo=self.time().tzinfo)

    def _work(self) -> None:
        heard = self.house.listen()
        done = self.house.worker.run()
        if done.troubles:
            raise RuntimeError(f"the worker met trouble: {done.troubles}")
        self.played.deadlines += done.deadlines
        self._look(*heard, *sorted(done.touched - {0}))

    # --- the script ------------------------------------------------------------------------------------------------

    def _feed(self, pending: list[tuple[datetime, SoldOrder, int]], until: datetime) -> None:
        """Hand over what the marketplace knows by `until`: stores, orders, then what happened to them. It is booked
        when the last of it has happened."""
        ready = [entry for entry in pending if entry[0] <= until]
        if not ready:
            return
        del pending[: len(ready)]
        before = self.time()
        self._set(ready[-1][0])
        places = [order for _, order, step in ready if step < 0]
        self._register(places)
        placed = self._do(
            [Request(self._pictured(order), PLATFORM, max(before, at)) for at, order, s in ready if s < 0]
        )
        for order, outcome in zip(places, placed, strict=True):
            self.numbers[order.place.store, order.place.reference] = outcome.id
        facts = [
            Request(structs.replace(order.facts[step], order=self._number(order)), PLATFORM, max(before, at))
            for at, order, step in ready
            if step >= 0
        ]
        self._do(facts)

    def _pictured(self, order: SoldOrder) -> PlaceOrder:
        """The order, with a picture in the listings of teapots of the last scenes, which somebody will look at."""
        place = _with_mail(order)
        if order.place.reference not in self.scenes:
            return place
        drawn = teapot()
        photos = (self.house.evidence.keep(drawn).digest,) if drawn else ()
        lines = (
            structs.replace(one, shown=structs.replace(TEAPOT, photos=photos)) if one.shown == TEAPOT else one
            for one in place.lines
        )
        return structs.replace(place, lines=tuple(lines))

    def _register(self, orders: list[SoldOrder]) -> None:
        requests: list[Request] = []
        for order in orders:
            store, at = order.place.store, order.place.at
            if store not in self.stores:
                self.stores.add(store)
                mail = f"store-{store[:12]}@stores.example" if store != UNREACHABLE else ""
                requests.append(Request(RegisterStore(store=store, country="BR", email=mail), PLATFORM, at))
                if SCENE_STORES.get(store, enrolled(self.dice, store)):
                    requests.append(Request(Enrol(store=store, programme="standard", at=at), PLATFORM, at))
        self._do(requests)

    def _number(self, order: SoldOrder) -> int:
        return self.numbers[order.place.store, order.place.reference]

    def _complain(self, sold: SoldOrder) -> None:
        """The buyer complains: a dispute, or a refusal with its rule."""
        complaint = sold.complaint
        assert complaint is not None
        number = self._number(sold)
        order = self.house.database.order(0, number)
        assert order is not None
        evidence = (self._photo(order),) if has_photo(self.dice, order) else ()
        command = opening(sold, complaint, number, evidence)
        request = Request(command, Actor("buyer", order.buyer), complaint.at, key=f"complaint:{complaint.order}"[:64])
        (outcome,) = self.house.engine.execute([request])
        if isinstance(outcome, Refused):
            if order.reference in self.scenes:
                raise RuntimeError(f"a scene was refused: {outcome} ({command})")
            self.played.refusals.append(Refusal(complaint.reason, outcome.code, outcome.rule))
            return
        self.played.opened += 1
        self._look(outcome.id)

    def _photo(self, order: Order) -> str:
        """The digest of the buyer's photo: one that can be looked at where somebody will, in the last scenes."""
        drawn = picture(order.reference) if order.reference in self.scenes else None
        return self.house.evidence.keep(drawn).digest if drawn else photo(self.dice, order)

    # --- the people ------------------------------------------------------------------------------------------------

    def _move(self, move: Move) -> None:
        (outcome,) = self.house.engine.execute([Request(move.command, move.by, self.time())])
        if isinstance(move.command, TopUp):
            self.topping_up = False
        if isinstance(outcome, Refused):
            self.played.late[outcome.code] += 1
        elif outcome.id:
            self._look(*self._about(move.command, outcome.id))

    def _about(self, command: Command, number: int) -> list[int]:
        """The disputes that a command on a dispute or an order is about."""
        if isinstance(command, Chargeback):
            return [dispute.id for dispute in queries.disputes_of(self.house.database.connection, 0, number)]
        return [number]

    def _look(self, *numbers: int) -> None:
        """Where a dispute came into another phase, its people plan what they will do."""
        now = self.time()
        for number in numbers:
            dispute = self.house.database.dispute(0, number)
            assert dispute is not None
            parcel = dispute.parcel.state if dispute.parcel else ""
            current = (dispute.phase, is_stuck(dispute), parcel, dispute.offer, dispute.amount)
            if current == self.seen.get(number):
                continue
            opened = number not in self.seen
            self.seen[number] = current
            if dispute.phase == "awaiting_funds" and not self.topping_up:
                self.topping_up = True
                delay = self.dice.hours(6, 30, "top_up", number)
                self._plan(Move(now + delay, TopUp(minor=self.top_up_minor, currency=self.currency), FINANCE))
            order = self.house.database.order(0, dispute.order)
            assert order is not None
            if scene := self.scenes.get(order.reference):
                moves = play(scene, dispute) if opened else []
            else:
                moves = react(self.dice, dispute, order, now)
            for move in moves:
                self._plan(move)

    def _plan(self, move: Move) -> None:
        heapq.heappush(self.moves, (move.at, next(self.count), move))

    def _do(self, requests: list[Request]) -> list[Accepted]:
        outcomes = self.house.engine.execute(requests)
        for request, outcome in zip(requests, outcomes, strict=True):
            if isinstance(outcome, Refused):
                raise RuntimeError(f"the script was refused: {outcome} ({request.command})")
        return [outcome for outcome in outcomes if isinstance(outcome, Accepted)]


class Clock:
    """Simulated time: moved by the script alone."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The simulated time, aware UTC."""
        return self.now


def height(orders: list[SoldOrder]) -> datetime:
    """When scores are kept: at the end of the busiest 30 days, so that there is much to score; an export of orders
    thins out towards its end."""
    placed = sorted(order.place.at for order in orders)
    first = 0
    most, end = 0, placed[0]
    for last, at in enumerate(placed):
        while placed[first] < at - timedelta(days=30):
            first += 1
        if last - first >= most:
            most, end = last - first, at
    return end + timedelta(days=30)


def _script(orders: list[SoldOrder]) -> list[tuple[datetime, SoldOrder, int]]:
    """(when, order, step): step −1 places it, 0… are its facts, one past the last its complaint."""
    script: list[tuple[datetime, SoldOrder, int]] = []
    for order in orders:
        script.append((order.place.at, order, -1))
        script += [(fact.at, order, step) for step, fact in enumerate(order.facts)]
        if order.complaint:
            script.append((order.complaint.at, order, len(order.facts)))
    return script


def opening(sold: SoldOrder, complaint: Complaint, number: int, evidence: tuple[str, ...]) -> d.OpenDispute:
    """The command by which a complaint is opened as a dispute."""
    quantities = {line.id: line.quantity for line in sold.place.lines}
    return d.OpenDispute(
        order=number,
        lines=tuple((line, quantities[line]) for line in complaint.lines),
        reason=complaint.reason,
        amount=complaint.amount,
        statement=complaint.text,
        evidence=evidence,
    )


def _with_mail(order: SoldOrder) -> PlaceOrder:
    return structs.replace(order.place, buyer_email=f"buyer-{order.place.buyer[:12]}@buyers.example")
