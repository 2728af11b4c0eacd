"""A batch being decided: the commands one after the other, each seeing what those before it left."""

from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct, structs

from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.acts import SendGoodwill
from houbao.core.chain import link
from houbao.core.decider import Decision, decide
from houbao.core.messages import OrderMessageWritten
from houbao.core.placing import encode_listing
from houbao.core.subjects import SUBJECTS
from houbao.core.terms import Refused, check_aware, check_reference, from_micros
from houbao.core.world import Event, World
from houbao.engine.known import Known, noted_of
from houbao.engine.personal import PERSONAL, free_text
from houbao.engine.ports import Batch, Contact, Database, Head, Loaded, Receipt, Text, Written
from houbao.engine.request import Accepted, Outcome, Preview, Request

WITH_TEXT = (r.DisputeEvent, OrderMessageWritten)
"""The events that pin a text by its digest."""


BAD_TEXT = "a text of the command is no valid Unicode"


encode = msgspec.json.Encoder().encode


decode_event = msgspec.json.Decoder(Event).decode


class Asked(Struct, frozen=True, gc=False):
    """A request with what its receipt is found by and what it pins; no content where that is no valid Unicode."""

    request: Request
    name: tuple[str, str]
    content: bytes


def asked_of(request: Request) -> Asked:
    """The request, encoded once."""
    by = str(request.by)
    name = (request.sender or by, request.key)
    try:
        return Asked(request, name, encode(((by, request.key), _said(request))))
    except UnicodeEncodeError:
        return Asked(request, name, b"")


def _said(request: Request) -> Any:
    """The command, without the time that nobody gave."""
    command: Any = request.command
    return structs.replace(command, at=from_micros(0)) if request.undated else command


class Work:
    """A batch being decided: what was loaded, brought up to date command by command."""

    def __init__(
        self,
        database: Database,
        head: Head,
        loaded: Loaded,
        receipts: dict[tuple[str, str], Receipt],
        now: datetime,
        salts: list[bytes],
    ) -> None:
        self.known = Known(database, head, loaded)
        self.receipts = receipts
        self.chain = head.chain
        self.head = head
        self.now = now
        self.salts = salts
        self.batch = Batch(head, old_stores=set(loaded.stores), old_orders=set(loaded.orders))

    def run(self, asked: Asked) -> Outcome:
        """Decide one command and take its consequences into the batch; a refusal leaves no trace, and neither does a
        fault of ours in deciding it: the others of the batch must not suffer from it."""
        request, name = asked.request, asked.name
        try:
            if not asked.content:
                raise Refused("bad_text", BAD_TEXT)
            check_aware("received_at", request.received_at)
            if request.key:
                check_reference("Idempotency-Key", request.key)
                if name in self.receipts:
                    return _replay(asked, self.receipts[name])
            text = free_text(request.command)
            salt = self.salts.pop() if text or type(request.command) in PERSONAL else b""
            digest = blake2b(text.encode(), key=salt, digest_size=16).hexdigest() if text else ""
            world = self.known.world(request, digest)
            if request.seen:
                _check_seen(world, request)
            decision = decide(world, request.command, request.by, request.received_at)
        except Refused as refused:
            refused.__context__ = None  # it is an answer: where it was raised holds the whole batch, and is in no log
            return refused.with_traceback(None)
        except Exception as fault:  # noqa: BLE001 - deciding is pure: nothing was taken yet, and the caller is told
            return Refused("failed", f"a fault in deciding {type(request.command).__name__}: {fault!r}")
        accepted = self._take(decision, request, world, text, salt)
        if request.key and accepted.first:
            receipt = Receipt(_digest(asked.content, salt), salt, accepted.id, accepted.first, accepted.last)
            self.receipts[name] = receipt
            self.batch.receipts.append((*name, receipt, request.received_at))
        return accepted

    def _take(self, decision: Decision, request: Request, before: World, text: str, salt: bytes) -> Accepted:
        """Take a decision into the batch. Its own event is the last one that is not an earlier deadline's."""
        known, batch, world = self.known, self.batch, decision.world
        before_it = position = known.position
        chain, write = self.chain, batch.events.append
        for one in decision.consequences:
            event, moved = one.event, one.transfers
            position += 1
            body = encode(event)
            chain = link(chain, position, body)
            noted = noted_of(event)
            write(Written(position, noted, body, chain, moved, one.effects))
            if moved:
                known.move(moved)
            if noted is not None:
                known.note(noted)
            if text and isinstance(event, WITH_TEXT) and event.text:
                batch.texts.append(Text(position, salt, text))
        known.position, self.chain = position, chain
        known.keep(before, world, batch)
        if type(request.command) in PERSONAL:
            self._keep_personal(request.command, world.order)
        subject = _subject(request.command, decision)
        dispute = world.disputes.get(subject)
        if position == before_it:
            return Accepted(id=subject, dispute=dispute)
        return Accepted(id=subject, first=before_it + 1, last=position, dispute=dispute, events=decision.events)

    def _keep_personal(self, command: object, order: o.Order | None) -> None:
        match command:
            case p.ChangeContact():
                self.batch.contacts.append(_contact_of_store(command))
            case p.RegisterStore() if command.email or command.name:
                self.batch.contacts.append(_contact_of_store(command))
            case o.PlaceOrder():
                if command.buyer_email:
                    self.batch.contacts.append(_contact_of_buyer(command))
                assert order is not None
                for line, kept in zip(command.lines, order.lines, strict=True):
                    if line.shown is not None:
                        self.batch.snapshots[kept.listing] = encode_listing(line.shown)

    def preview(self, accepted: Accepted) -> Preview:
        """What was decided, for a command that is alone in its batch."""
        batch = self.batch
        return Preview(
            accepted=accepted,
            events=[decode_event(written.body) for written in batch.events],
            transfers=[one for written in batch.events for one in written.transfers],
            effects=[one for written in batch.events for one in written.effects],
            orders=batch.orders,
            disputes=batch.disputes,
        )

    def finish(self) -> Batch:
        """The batch with the part's new head; booking time never goes back."""
        booked_at = max(self.head.booked_at, self.now)
        known, clock = self.known, self.head.clock
        self.batch.head = Head(known.position, booked_at, self.chain, clock, known.outages, known.breakers)
        return self.batch


def _contact_of_store(command: p.RegisterStore | p.ChangeContact) -> Contact:
    return Contact("store", command.store, command.name, command.email, command.language)


def _contact_of_buyer(command: o.PlaceOrder) -> Contact:
    return Contact("buyer", command.buyer, "", command.buyer_email, command.buyer_language, command.buyer_zone)


def _check_seen(world: World, request: Request) -> None:
    """`Refused('stale')` where more has happened in the dispute than the command's author knew of."""
    dispute = world.disputes.get(getattr(request.command, "dispute", 0))
    if dispute is not None and dispute.history[-1] != request.seen:
        raise Refused("stale", "something happened in the dispute since it was read: read it again, then decide")


def _subject(command: Any, decision: Decision) -> int:
    """The number of the dispute or order that the command made or was about."""
    match SUBJECTS[type(command)]:
        case "claim":
            events = (consequence.event for consequence in decision.consequences)
            return next(event.dispute for event in events if isinstance(event, d.DisputeOpened))
        case "order" if isinstance(command, SendGoodwill):
            return max(decision.world.disputes)
        case "order" | "new order" if decision.world.order is not None:
            return decision.world.order.id
        case "dispute":
            return command.dispute
        case _:
            return 0


def _digest(content: bytes, salt: bytes) -> bytes:
    """What a receipt pins: who asked for what. Keyed where there is free text or an address, so that erasing the key
    erases it."""
    return blake2b(content, key=salt, digest_size=16).digest()


def _replay(asked: Asked, receipt: Receipt) -> Accepted:
    if _digest(asked.content, receipt.salt) != receipt.digest:
        raise Refused("key_reused", f"the key {asked.request.key} was used for another command")
    return Accepted(id=receipt.id, first=receipt.first, last=receipt.last, replayed=True)
