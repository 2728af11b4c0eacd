"""Refunds, from the outbox to the provider and back.

An attempt is committed as `sent` before the provider is called, and a task that finds its attempt sent already looks it
up before it sends the same key again: a crash anywhere pays nobody twice.
"""

from collections.abc import Iterable, Mapping

from houbao.core.disputes import Dispute, refund_of
from houbao.core.effects import Effect
from houbao.core.refunds import ReportRefund, SendRefund, ServeWaiting, Share, find_share
from houbao.core.terms import SYSTEM, Actor, public_id
from houbao.engine.errands import Errands
from houbao.engine.outside import RefundProvider, Reply
from houbao.engine.ports import Delivery
from houbao.engine.request import Outcome, Request


class Cashier:
    """Has the providers pay what is due, and takes in what they say."""

    def __init__(self, errands: Errands, providers: Mapping[str, RefundProvider]) -> None:
        self.errands = errands
        self.providers = providers

    def refund(self, effect: Effect) -> Delivery | None:
        """Commit the attempt, then call; where it was committed before (a crash between), look it up first."""
        _, share = self._share(effect)
        if share is None or share.state not in ("due", "sent"):
            return self.errands.ended("settled before")
        if self.errands.dispute(effect.dispute).frozen and share.state == "due":
            return self.errands.ended("frozen")  # it is sent when the bank has decided for the store
        if share.provider not in self.providers:
            raise LookupError(f"no refund provider {share.provider!r} is set up: nothing was sent")
        command = SendRefund(dispute=effect.dispute, payment=effect.payment, refund=effect.about)
        sent = self.errands.run(Request(command, SYSTEM, self.errands.clock()))
        dispute, share = self._share(effect)
        if share is None or share.state != "sent":
            return self.errands.ended("settled before")
        if share.attempt == sent.last:
            self.errands.probe("refund.sent")
            reply = self._pay(dispute, share)
        else:
            reply = self._ask(dispute, share)
        if reply.result in ("pending", "not_found"):
            reply = Reply("unknown")
        self._report(dispute, share, reply)
        return self.errands.ended(reply.result)

    def look_up(self, effect: Effect) -> Delivery | None:
        """Ask what became of an attempt nobody answered for, until there is a definite answer."""
        dispute = self.errands.dispute(effect.dispute)
        found = (find_share(refund, attempt=effect.about) for refund in dispute.refunds)
        share = next((share for share in found if share), None)
        if share is None or share.state not in ("unknown", "lost"):
            return self.errands.ended("settled before")
        reply = self._ask(dispute, share)
        if reply.result in ("unknown", "pending"):
            return None
        if reply.result == "not_found":
            self.errands.run(self._reported(dispute, share, "key_expired", reply))
            return None
        self._report(dispute, share, reply)
        return self.errands.ended(reply.result)

    def hear(self, provider: str, reports: Iterable[ReportRefund]) -> list[Outcome]:
        """Take in what a provider said by itself (webhooks), whatever the order it comes in."""
        by = Actor("provider", provider)
        requests = [Request(report, by, self.errands.clock()) for report in reports]
        return self.errands.execute(requests) if requests else []

    def serve_waiting(self, effect: Effect) -> Delivery:
        """Money came in: let the refunds that wait for it have it, one after the other."""
        while self.errands.run(
            Request(ServeWaiting(currency=effect.what, account=effect.to), SYSTEM, self.errands.clock())
        ).first:
            pass
        return self.errands.ended()

    def _ask(self, dispute: Dispute, share: Share) -> Reply:
        """Look an attempt up; where the provider never heard of it and its key still lives, send the same again."""
        provider = self.providers[share.provider]
        reply = provider.look_up(public_id("attempt", self.errands.part, share.attempt))
        assert share.sent_at is not None
        if reply.result == "not_found" and self.errands.clock() - share.sent_at < provider.key_life:
            return self._pay(dispute, share)
        return reply

    def _pay(self, dispute: Dispute, share: Share) -> Reply:
        order = self.errands.database.order(self.errands.part, dispute.order)
        assert order is not None
        key = public_id("attempt", self.errands.part, share.attempt)
        self.errands.probe("refund.calling")
        reply = self.providers[share.provider].pay(
            key, share.way or f"{order.reference}:{share.payment}", share.minor, order.currency
        )
        self.errands.probe("refund.called")
        return reply

    def _report(self, dispute: Dispute, share: Share, reply: Reply) -> None:
        self.errands.run(self._reported(dispute, share, reply.result, reply))
        self.errands.probe("refund.reported")

    def _reported(self, dispute: Dispute, share: Share, result: str, reply: Reply) -> Request:
        report = ReportRefund(
            dispute=dispute.id,
            attempt=share.attempt,
            result=result,  # ty: ignore[invalid-argument-type]
            final=reply.final,
            code=reply.code,
        )
        return Request(report, Actor("provider", share.provider), self.errands.clock())

    def _share(self, effect: Effect) -> tuple[Dispute, Share | None]:
        """The share that the effect is about; None where its refund was settled or abandoned."""
        dispute = self.errands.dispute(effect.dispute)
        refund = refund_of(dispute, effect.about)
        return dispute, find_share(refund, payment=effect.payment) if refund and refund.state == "sending" else None
