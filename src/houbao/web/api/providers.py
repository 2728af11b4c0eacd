"""What a refund provider says by itself: of attempts, and of chargebacks. It signs its messages (Standard Webhooks)."""

from typing import Annotated, Any, Literal

from litestar import Request
from msgspec import Meta, Struct

from houbao.core.chargebacks import Chargeback
from houbao.core.money import Money
from houbao.core.refunds import RefundSent, ReportRefund
from houbao.core.scopes import EVERYTHING
from houbao.core.terms import Actor, Refused
from houbao.store import lists
from houbao.web.api.bodies import minor_in
from houbao.web.api.disputes import found_order
from houbao.web.operation import Ask, operation
from houbao.web.permissions import PUBLIC
from houbao.web.site import PART, number_of


class RefundWord(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="refund"):
    """What became of an attempt, by the idempotency key that it was sent with. `returned`: it came back."""

    key: str
    result: Literal["paid", "refused", "unknown", "returned"]
    final: bool = False
    code: Annotated[str, Meta(max_length=200)] = ""


class ChargebackWord(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="chargeback"):
    """The buyer's bank asks for a payment back, or has decided."""

    order_id: str
    payment_id: str
    reference: str
    amount: Money
    state: Literal["opened", "won", "lost"]


class Heard(Struct, kw_only=True):
    """Whether what was said changed anything: said twice it does not."""

    changed: bool


def _signed(request: Request[Any, Any, Any], content: bytes) -> None:
    request.app.state.site.verified(request.path_params["provider"], dict(request.headers), content)


@operation(
    "POST",
    "/v1/providers/{provider:str}/webhook",
    action=PUBLIC,
    body=RefundWord | ChargebackWord,
    reply=Heard,
    refuses=(
        "bad_signature",
        "bad_id",
        "bad_amount",
        "bad_currency",
        "unknown_order",
        "no_refund",
        "not_yours",
        "chargeback_turn",
        "unknown_payment",
    ),
    verify=_signed,
    example={"type": "refund", "key": "attempt_0_47", "result": "paid"},
)
async def hear_provider(ask: Ask[Any, Any]) -> Heard:
    """A provider says by itself what became of an attempt, or that a bank asks for a payment back."""
    site, said = ask.site, ask.body
    by = Actor("provider", ask.text("provider"))
    with site.snapshot() as reading:
        if isinstance(said, ChargebackWord):
            order = found_order(reading, EVERYTHING, said.order_id)
            command = Chargeback(
                order=order.id,
                payment=said.payment_id,
                reference=said.reference,
                minor=minor_in(said.amount, order.currency),
                state=said.state,
            )
        else:
            attempt = number_of("attempt", said.key)
            sent = lists.event(reading, PART, attempt)
            if not isinstance(sent, RefundSent):
                raise Refused("no_refund", f"no attempt was sent with the key {said.key}")
            command = ReportRefund(
                dispute=sent.dispute, attempt=attempt, result=said.result, final=said.final, code=said.code
            )
    accepted = await site.execute(command, by)
    return Heard(changed=accepted.first > 0 and not accepted.replayed)
