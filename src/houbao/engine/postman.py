"""Mail, from the outbox to the mail server: official notices, what parties are told, alerts."""

import re
from datetime import datetime

from houbao.core.calendars import ends
from houbao.core.disputes import Dispute, DisputeRuled, NoticeAccepted, NoticeBounced, due_at
from houbao.core.orders import Order
from houbao.core.phases import TURNS
from houbao.core.policy import clock_of
from houbao.core.programme import WatchLifted, WatchSet
from houbao.core.terms import Actor, Refused
from houbao.engine.errands import Errands
from houbao.engine.letters import Reader, of_watch, write
from houbao.engine.outside import Letter, Notifier, Posted
from houbao.engine.ports import Delivery, Task
from houbao.engine.request import TRANSIENT, Request

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


class Postman:
    """Writes letters and hands them to the mail server. Alerts go to `alerts_to`; `console` is where buttons lead."""

    def __init__(self, errands: Errands, notifier: Notifier, alerts_to: str, console: str) -> None:
        self.errands = errands
        self.notifier = notifier
        self.alerts_to = alerts_to
        self.console = console

    def notice(self, task: Task) -> Delivery | None:
        """Serve the official notice; the seller's clock starts with the mail server's acceptance (R10)."""
        effect = task.effect
        dispute = self.errands.dispute(effect.dispute)
        if dispute.notice != effect.about or dispute.phase != "notifying":
            return self.errands.ended("outdated")
        if dispute.frozen:
            return self.errands.ended("frozen")  # it is served when the dispute goes on
        posted = self._post(task, dispute, "store", dispute.store)
        self.errands.probe("notice.posted")
        if posted.result == "later":
            return None
        facts = {"dispute": dispute.id, "notice": effect.about}
        if posted.result == "accepted":
            report = NoticeAccepted(**facts, message_id=posted.detail[:200])
        else:
            report = NoticeBounced(**facts, why=posted.detail[:200])
        (outcome,) = self.errands.execute([Request(report, MAIL, self.errands.clock())])
        if isinstance(outcome, Refused) and outcome.code in TRANSIENT:
            raise outcome  # else the seller's time would never begin
        late = str(outcome) if isinstance(outcome, Refused) else ""
        return self.errands.ended(late or posted.detail, failed=posted.result == "bounced")

    def mail(self, task: Task) -> Delivery | None:
        """Send what a party or the platform's people are told, unless the dispute has moved on since."""
        effect = task.effect
        dispute = self.errands.dispute(effect.dispute)
        if effect.kind == "mail" and dispute.phase not in SAYS_OF.get(effect.what, (dispute.phase,)):
            return self.errands.ended("outdated")
        match effect.kind, effect.to:
            case "alert", _:
                posted = self._post(task, dispute, "alerts", "")
            case _, "seller":
                posted = self._post(task, dispute, "store", dispute.store)
            case _:
                posted = self._post(task, dispute, "buyer", dispute.buyer)
        return self._outcome_of(posted)

    def _post(self, task: Task, dispute: Dispute, kind: str, reader: str) -> Posted:
        order = self.errands.database.order(self.errands.part, dispute.order)
        assert order is not None
        to = self._reader(kind, reader, order.coverage.programme)
        if not to.address:
            return Posted("bounced", "no address is known")
        reference = self._reference(task)
        reason = self._ruled_for(dispute) if task.effect.kind == "notice" else ""
        due = self._answer_by(dispute, order) if task.effect.kind == "notice" else due_at(dispute)
        return self._posted(write(task.effect, dispute, order, to, self.errands.part, reference, due, reason))

    def tell_of_watch(self, task: Task) -> Delivery | None:
        """Tell a store why its new orders are not covered, or that they are again, unless that changed meanwhile."""
        event = self.errands.database.event(self.errands.part, task.effect.about)
        assert isinstance(event, WatchSet | WatchLifted)
        store = self.errands.database.store(self.errands.part, event.store)
        if store is None or (store.watch is not None) != isinstance(event, WatchSet):
            return self.errands.ended("outdated")
        to = self._reader("store", store.id)
        if not to.address:
            return self.errands.ended("no address is known", failed=True)
        return self._outcome_of(self._posted(of_watch(event, to, self._reference(task))))

    def _outcome_of(self, posted: Posted) -> Delivery | None:
        """How it ended; None where the mail server was not reached."""
        if posted.result == "later":
            return None
        return self.errands.ended(posted.detail, failed=posted.result == "bounced")

    def _reference(self, task: Task) -> str:
        return f"{self.errands.part}.{task.position}.{task.n}"

    def _posted(self, letter: Letter) -> Posted:
        """What the mail server said, without addresses."""
        posted = self.notifier.post(letter)
        return Posted(posted.result, ADDRESS.sub("<address>", posted.detail.replace(letter.to, "<address>")))

    def _ruled_for(self, dispute: Dispute) -> str:
        """The reason of the ruling that found it out of scope (R10)."""
        events = [self.errands.database.event(self.errands.part, position) for position in dispute.history]
        return next((event.reason for event in reversed(events) if isinstance(event, DisputeRuled)), "")

    def _answer_by(self, dispute: Dispute, order: Order) -> datetime:
        """When the seller's time ends if the mail server accepts the notice now."""
        compiled = self.errands.database.compiled(dispute.policy, dispute.currency)
        assert compiled is not None
        policy, outages = compiled.policy, self.errands.database.head(self.errands.part).outages
        return ends(clock_of(policy, order.country, outages), self.errands.clock(), policy.timers.seller_answer)

    def _reader(self, kind: str, number: str, programme: str = "") -> Reader:
        """Whom a letter goes to. A store reads by its own clocks, a buyer by theirs, else by the programme's; the
        platform's people read English and UTC."""
        if kind == "alerts":
            return Reader(self.alerts_to, console=self.console)
        contact = self.errands.database.contact(self.errands.part, kind, number)
        if contact is None:
            return Reader("")
        zone = contact.zone or self._zone(kind, number, programme)
        return Reader(contact.email, contact.language, zone, self.console)

    def _zone(self, kind: str, number: str, programme: str) -> str:
        if kind == "store":
            store = self.errands.database.store(self.errands.part, number)
            return store.zone if store else "UTC"
        known = self.errands.database.programme(programme)
        return known.zone if known else "UTC"
