"""The worker: lets deadlines pass, does what the outbox says, and reports back with commands.

1. Sweep: every timer that is due by the horizon becomes a `pass_time` command.
2. Outbox: claim what is due under a lease, act, report, and only then finish it. A crash anywhere leaves the row, and
   the lease ends. Money is safe all the same: an attempt is committed as `sent` before the provider is called, and a
   task that finds its attempt sent already looks it up before it sends the same key again.
3. Hooks: what the provider says by itself comes in as the same report.
4. Statements: what was booked is filed by store, so that a page of a statement is found at once.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from houbao.core.calendars import ends
from houbao.core.disputes import Dispute, DisputeRuled, NoticeAccepted, NoticeBounced, PassTime, due_at, refund_of
from houbao.core.effects import Effect
from houbao.core.orders import Order
from houbao.core.phases import TURNS
from houbao.core.policy import clock_of
from houbao.core.programme import AssessStore, WatchLifted, WatchSet
from houbao.core.refunds import ReportRefund, SendRefund, ServeWaiting, Share, find_share
from houbao.core.terms import SYSTEM, Actor, Refused, public_id
from houbao.engine.letters import Reader, of_watch, write
from houbao.engine.ports import (
    TRANSIENT,
    Accepted,
    Database,
    Delivery,
    Letter,
    Notifier,
    Outcome,
    Posted,
    Probe,
    RefundProvider,
    Reply,
    Request,
    Task,
)

LEASE = timedelta(minutes=5)
MOST_DUE = 1000
AT_A_TIME = timedelta(hours=1)
"""A sweep's piece of time: no deadline sets another one that is sooner, as policies go."""
ASSESSED_OVER = timedelta(days=30)
ASSESSED_EVERY = timedelta(days=1)
FILED_FROM, FILED_AT_ONCE = 5_000, 20_000
"""Of how many events the stores' statements are filed at once: few enough that neither a reader of what is not filed
yet nor a writer that waits for the transaction notices it."""
MOST_TASKS = 5
"""Claimed at once: few enough that all of them, timing out at every step, end within the lease."""
BACKOFF = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 360, 1440))
"""Waits between tries of one effect, the last one repeated."""

ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")
"""A mail server's words often name whom it refused; events and deliveries hold no such address."""

OPEN = tuple(phase for phase in TURNS if phase != "closed")
SAYS_OF = {
    "opened": OPEN,
    "handled_for_you": OPEN,
    "handed_over": ("notifying", "awaiting_seller"),
    "answer_needed": ("awaiting_seller",),
    "your_turn": ("awaiting_buyer",),
    "more_time": ("awaiting_seller", "awaiting_buyer", "awaiting_return", "awaiting_replacement"),
    "reminder": ("awaiting_seller", "awaiting_buyer", "awaiting_return", "awaiting_replacement"),
    "platform_decides": ("adjudicating",),
    "evidence_wanted": ("verifying", "adjudicating"),
    "label_coming": ("awaiting_return",),
    "send_back": ("awaiting_return",),
    "inspect": ("return_in_transit",),
    "send_replacement": ("awaiting_replacement",),
    "replacement_sent": ("awaiting_replacement",),
    "reopened": OPEN,
    "appealed": ("adjudicating",),
    "payout_way": ("refunding",),
    "frozen": OPEN,
    "thawed": OPEN,
    "closed": ("closed",),
    "still_waiting": ("awaiting_funds",),
}
"""Mail → the phases of which it is true; sent late, when the dispute has moved on, it would say what is not so."""

MAIL = Actor("mail", "outbox")


class Done(Struct):
    """What one run did, and to which disputes. `troubles` are unexpected errors, each with the effect that stays in the
    outbox for it."""

    deadlines: int = 0
    effects: int = 0
    touched: set[int] = set()
    troubles: list[str] = []


class Worker:
    """Serves one part. `execute` is the engine's or the writer's; `horizon` says how far a sweep may go."""

    def __init__(
        self,
        database: Database,
        execute: Callable[[list[Request]], list[Outcome]],
        clock: Callable[[], datetime],
        *,
        providers: Mapping[str, RefundProvider],
        notifier: Notifier,
        alerts_to: str = "",
        console: str = "",
        horizon: Callable[[datetime], datetime] = lambda now: now,
        part: int = 0,
        probe: Probe = lambda point: None,
    ) -> None:
        self.database = database
        self.execute = execute
        self.clock = clock
        self.providers = providers
        self.notifier = notifier
        self.alerts_to = alerts_to
        self.console = console
        self.horizon = horizon
        self.part = part
        self.probe = probe
        self._moved_to: dict[int, int] = {}
        self._not_moved: dict[int, Refused] = {}

    def run(self) -> Done:
        """Do everything that is due now, and what that leads to, until nothing is."""
        done = Done()
        while True:
            swept, acted = self.sweep(done), self.serve(done)
            if not swept and not acted:
                self.file()
                return done

    def file(self) -> None:
        """File the stores' statements, once enough came together for a long sorted run."""
        while self.database.file(self.part, FILED_FROM, FILED_AT_ONCE):
            pass

    # --- deadlines -------------------------------------------------------------------------------------------------

    def sweep(self, done: Done) -> int:
        """Let what is due by the horizon happen, the earliest first; returns how many deadlines passed. A late sweep
        goes through the time that was missed piece by piece, since a deadline may set another one that comes before
        those of other disputes, and who comes first is served first."""
        now = self.horizon(self.clock())
        moved = 0
        after: tuple[datetime, int] | None = None  # what does not pass keeps nobody else: it is tried the next time
        while due := self.database.due(self.part, now, MOST_DUE, after):
            end = due[0][0] + AT_A_TIME
            piece = dict.fromkeys((at, dispute) for at, dispute in due if at <= end)
            requests = [Request(PassTime(dispute=dispute, until=at), SYSTEM, now) for at, dispute in piece]
            outcomes = self.execute(requests)
            done.touched.update(dispute for _, dispute in piece)
            passed = sum(isinstance(outcome, Accepted) and outcome.first > 0 for outcome in outcomes)
            stuck = [str(outcome) for outcome in outcomes if isinstance(outcome, Refused)]
            moved += passed
            done.troubles += stuck
            if stuck or not passed:
                after = [*piece][-1]
        done.deadlines += moved
        return moved

    def move_due_times(self, outage: int) -> int:
        """Move the due times of the next disputes that were there when the outages at position `outage` were entered;
        returns how many were looked at, 0 when none is left. Who asks about a dispute sees them moved in any case: this
        is for lists. Stopped and begun anew, it passes over what it has moved before; so it does after it raised
        Refused at the end, since one of them could not be moved for now."""
        after = self._moved_to.pop(outage, 0)
        disputes = self.database.unmoved(self.part, outage, after, MOST_DUE)
        if not disputes:
            if refused := self._not_moved.pop(outage, None):
                raise refused
            return 0
        now = self.horizon(self.clock())
        outcomes = self.execute([Request(PassTime(dispute=dispute), SYSTEM, now) for dispute in disputes])
        for outcome in outcomes:
            if isinstance(outcome, Refused):
                self._not_moved[outage] = outcome
        self._moved_to[outage] = disputes[-1]
        return len(disputes)

    def assess(self, done: Done) -> int:
        """Look at the stores that might buy from themselves, and have those watched that pass the policy's limits: once
        a day, and again where `done` tells of trouble. Returns of how many something new was found."""
        now, new = self.clock(), 0
        found = self.database.standings(self.part, now - ASSESSED_OVER, now)
        requests = [
            Request(AssessStore(store=store, standing=standing), SYSTEM, now) for store, standing in found.items()
        ]
        for start in range(0, len(requests), MOST_DUE):
            outcomes = self.execute(requests[start : start + MOST_DUE])
            new += sum(isinstance(outcome, Accepted) and outcome.first > 0 for outcome in outcomes)
            done.troubles += [str(outcome) for outcome in outcomes if isinstance(outcome, Refused)]
        return new

    # --- the outbox ------------------------------------------------------------------------------------------------

    def serve(self, done: Done) -> int:
        """Do the effects that are due; returns how many were ended or moved on."""
        tasks = self.database.claim(self.part, self.clock(), LEASE, MOST_TASKS)
        ended: list[tuple[Task, Delivery | datetime]] = []
        for task in tasks:
            self.probe("task.claimed")
            if task.effect.dispute:
                done.touched.add(task.effect.dispute)
            try:
                delivery = self._act(task)
            except Exception as trouble:  # noqa: BLE001 - one bad task must not stop the rest; it stays and is shown
                done.troubles.append(f"{task.effect.kind} of event {task.position}: {trouble!r}")
                delivery = None
            again = self.clock() + BACKOFF[min(task.tries, len(BACKOFF)) - 1]
            ended.append((task, delivery or again))
            self.probe("task.done")
        if ended:
            self.database.settle(self.part, ended)
            self.probe("tasks.settled")
        done.effects += len(tasks)
        return len(tasks)

    def _act(self, task: Task) -> Delivery | datetime | None:
        """Do one effect: how it ended, or when to go on with it; None to try again later."""
        match task.effect.kind:
            case "refund":
                return self._refund(task.effect)
            case "lookup":
                return self._look_up(task.effect)
            case "notice":
                return self._notice(task)
            case "serve":
                return self._serve_waiting(task.effect)
            case "outage":
                # A thousand at a time, so that refunds and mail are not kept waiting by many.
                return self.clock() if self.move_due_times(task.effect.about) else self._delivery()
            case "watch":
                return self._tell_of_watch(task)
            case _:
                return self._mail(task)

    def _delivery(self, detail: str = "", *, failed: bool = False) -> Delivery:
        return Delivery("failed" if failed else "done", self.clock(), detail)

    def _run(self, request: Request) -> Accepted:
        (outcome,) = self.execute([request])
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    def _dispute(self, number: int) -> Dispute:
        dispute = self.database.dispute(self.part, number)
        if dispute is None:
            raise Refused("unknown_dispute", f"no dispute {number}")
        return dispute

    # --- refunds ---------------------------------------------------------------------------------------------------

    def _refund(self, effect: Effect) -> Delivery | None:
        """Commit the attempt, then call; where it was committed before (a crash between), look it up first."""
        _, share = self._share(effect)
        if share is None or share.state not in ("due", "sent"):
            return self._delivery("settled before")
        if self._dispute(effect.dispute).frozen and share.state == "due":
            return self._delivery("frozen")  # it is sent when the bank has decided for the store
        if share.provider not in self.providers:
            raise LookupError(f"no refund provider {share.provider!r} is set up: nothing was sent")
        command = SendRefund(dispute=effect.dispute, payment=effect.payment, refund=effect.about)
        sent = self._run(Request(command, SYSTEM, self.clock()))
        dispute, share = self._share(effect)
        if share is None or share.state != "sent":
            return self._delivery("settled before")
        if share.attempt == sent.last:
            self.probe("refund.sent")
            reply = self._pay(dispute, share)
        else:
            reply = self._ask(dispute, share)
        if reply.result in ("pending", "not_found"):
            reply = Reply("unknown")
        self._report(dispute, share, reply)
        return self._delivery(reply.result)

    def _look_up(self, effect: Effect) -> Delivery | None:
        """Ask what became of an attempt nobody answered for, until there is a definite answer."""
        dispute = self._dispute(effect.dispute)
        found = (find_share(refund, attempt=effect.about) for refund in dispute.refunds)
        share = next((share for share in found if share), None)
        if share is None or share.state not in ("unknown", "lost"):
            return self._delivery("settled before")
        reply = self._ask(dispute, share)
        if reply.result in ("unknown", "pending"):
            return None
        if reply.result == "not_found":
            self._run(self._reported(dispute, share, "key_expired", reply))
            return None
        self._report(dispute, share, reply)
        return self._delivery(reply.result)

    def _ask(self, dispute: Dispute, share: Share) -> Reply:
        """Look an attempt up; where the provider never heard of it and its key still lives, send the same again."""
        provider = self.providers[share.provider]
        reply = provider.look_up(public_id("attempt", self.part, share.attempt))
        assert share.sent_at is not None
        if reply.result == "not_found" and self.clock() - share.sent_at < provider.key_life:
            return self._pay(dispute, share)
        return reply

    def _pay(self, dispute: Dispute, share: Share) -> Reply:
        order = self.database.order(self.part, dispute.order)
        assert order is not None
        key = public_id("attempt", self.part, share.attempt)
        self.probe("refund.calling")
        reply = self.providers[share.provider].pay(
            key, share.way or f"{order.reference}:{share.payment}", share.minor, order.currency
        )
        self.probe("refund.called")
        return reply

    def _report(self, dispute: Dispute, share: Share, reply: Reply) -> None:
        self._run(self._reported(dispute, share, reply.result, reply))
        self.probe("refund.reported")

    def _reported(self, dispute: Dispute, share: Share, result: str, reply: Reply) -> Request:
        report = ReportRefund(
            dispute=dispute.id,
            attempt=share.attempt,
            result=result,  # ty: ignore[invalid-argument-type]
            final=reply.final,
            code=reply.code,
        )
        return Request(report, Actor("provider", share.provider), self.clock())

    def _share(self, effect: Effect) -> tuple[Dispute, Share | None]:
        """The share that the effect is about; None where its refund was settled or abandoned."""
        dispute = self._dispute(effect.dispute)
        refund = refund_of(dispute, effect.about)
        return dispute, find_share(refund, payment=effect.payment) if refund and refund.state == "sending" else None

    def hear(self, provider: str, reports: Iterable[ReportRefund]) -> list[Outcome]:
        """Take in what a provider said by itself (webhooks), whatever the order it comes in."""
        by = Actor("provider", provider)
        requests = [Request(report, by, self.clock()) for report in reports]
        return self.execute(requests) if requests else []

    def _serve_waiting(self, effect: Effect) -> Delivery:
        while self._run(Request(ServeWaiting(currency=effect.what, account=effect.to), SYSTEM, self.clock())).first:
            pass
        return self._delivery()

    # --- mail ------------------------------------------------------------------------------------------------------

    def _notice(self, task: Task) -> Delivery | None:
        """Serve the official notice; the seller's clock starts with the mail server's acceptance (R10)."""
        effect = task.effect
        dispute = self._dispute(effect.dispute)
        if dispute.notice != effect.about or dispute.phase != "notifying":
            return self._delivery("outdated")
        if dispute.frozen:
            return self._delivery("frozen")  # it is served when the dispute goes on
        posted = self._post(task, dispute, "store", dispute.store)
        self.probe("notice.posted")
        if posted.result == "later":
            return None
        facts = {"dispute": dispute.id, "notice": effect.about}
        if posted.result == "accepted":
            report = NoticeAccepted(**facts, message_id=posted.detail[:200])
        else:
            report = NoticeBounced(**facts, why=posted.detail[:200])
        (outcome,) = self.execute([Request(report, MAIL, self.clock())])
        if isinstance(outcome, Refused) and outcome.code in TRANSIENT:
            raise outcome  # else the seller's time would never begin
        late = str(outcome) if isinstance(outcome, Refused) else ""
        return self._delivery(late or posted.detail, failed=posted.result == "bounced")

    def _mail(self, task: Task) -> Delivery | None:
        effect = task.effect
        dispute = self._dispute(effect.dispute)
        if effect.kind == "mail" and dispute.phase not in SAYS_OF.get(effect.what, (dispute.phase,)):
            return self._delivery("outdated")
        match effect.kind, effect.to:
            case "alert", _:
                posted = self._post(task, dispute, "alerts", "")
            case _, "seller":
                posted = self._post(task, dispute, "store", dispute.store)
            case _:
                posted = self._post(task, dispute, "buyer", dispute.buyer)
        if posted.result == "later":
            return None
        return self._delivery(posted.detail, failed=posted.result == "bounced")

    def _post(self, task: Task, dispute: Dispute, kind: str, reader: str) -> Posted:
        order = self.database.order(self.part, dispute.order)
        assert order is not None
        to = self._reader(kind, reader, order.coverage.programme)
        if not to.address:
            return Posted("bounced", "no address is known")
        reference = self._reference(task)
        reason = self._ruled_for(dispute) if task.effect.kind == "notice" else ""
        due = self._answer_by(dispute, order) if task.effect.kind == "notice" else due_at(dispute)
        return self._posted(write(task.effect, dispute, order, to, self.part, reference, due, reason))

    def _tell_of_watch(self, task: Task) -> Delivery | None:
        """Tell a store why its new orders are not covered, or that they are again, unless that changed meanwhile."""
        event = self.database.event(self.part, task.effect.about)
        assert isinstance(event, WatchSet | WatchLifted)
        store = self.database.store(self.part, event.store)
        if store is None or (store.watch is not None) != isinstance(event, WatchSet):
            return self._delivery("outdated")
        to = self._reader("store", store.id)
        if not to.address:
            return self._delivery("no address is known", failed=True)
        posted = self._posted(of_watch(event, to, self._reference(task)))
        return None if posted.result == "later" else self._delivery(posted.detail, failed=posted.result == "bounced")

    def _reference(self, task: Task) -> str:
        return f"{self.part}.{task.position}.{task.n}"

    def _posted(self, letter: Letter) -> Posted:
        """What the mail server said, without addresses."""
        posted = self.notifier.post(letter)
        return Posted(posted.result, ADDRESS.sub("<address>", posted.detail.replace(letter.to, "<address>")))

    def _ruled_for(self, dispute: Dispute) -> str:
        """The reason of the ruling that found it out of scope (R10)."""
        events = [self.database.event(self.part, position) for position in dispute.history]
        return next((event.reason for event in reversed(events) if isinstance(event, DisputeRuled)), "")

    def _answer_by(self, dispute: Dispute, order: Order) -> datetime:
        """When the seller's time ends if the mail server accepts the notice now."""
        compiled = self.database.compiled(dispute.policy, dispute.currency)
        assert compiled is not None
        policy, outages = compiled.policy, self.database.head(self.part).outages
        return ends(clock_of(policy, order.country, outages), self.clock(), policy.timers.seller_answer)

    def _reader(self, kind: str, number: str, programme: str = "") -> Reader:
        """Whom a letter goes to. A store reads by its own clocks, a buyer by theirs, else by the programme's; the
        platform's people read English and UTC."""
        if kind == "alerts":
            return Reader(self.alerts_to, console=self.console)
        contact = self.database.contact(self.part, kind, number)
        if contact is None:
            return Reader("")
        zone = contact.zone or self._zone(kind, number, programme)
        return Reader(contact.email, contact.language, zone, self.console)

    def _zone(self, kind: str, number: str, programme: str) -> str:
        if kind == "store":
            store = self.database.store(self.part, number)
            return store.zone if store else "UTC"
        known = self.database.programme(programme)
        return known.zone if known else "UTC"
