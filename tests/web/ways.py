"""For every operation of the API what to send so that it succeeds, in a market where that can happen."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from standardwebhooks import Webhook

import scenes
from core.policies import next_policy
from given import DAY, T
from houbao.web.api.orders import ORDER_EXAMPLE
from web.served import SIGNING, Served, claim, money

PHOTO = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")
"""A PNG of one pixel."""

ROLES = "platform", "agent", "finance"
"""What the key that sends all this is for."""


class Way(Struct):
    """One request: the names in its path, its query, its body (JSON, or bytes of a kind), and its headers."""

    names: dict[str, str] = {}
    query: dict[str, str] = {}
    body: Any = None
    content: bytes = b""
    headers: dict[str, str] = {}


Ways = list[Way]
Maker = Callable[[Served], Way | Ways]


def furnish(served: Served) -> None:
    """What the ways find there: a record, and a policy that wants labels."""
    served.market.sell(3)
    served.label_wanted = scenes.label_wanted(served.market)


def order(served: Served, **more: Any) -> dict[str, str]:
    return {"order_id": f"order_0_{served.market.order(**more)}"}


def dispute(number: int) -> dict[str, str]:
    return {"dispute_id": f"dispute_0_{number}"}


def on(scene: Callable[..., int], body: Any = None, by: str = "") -> Maker:
    """A command on a dispute of that scene."""
    headers = {"Houbao-Actor": by} if by else {}
    return lambda served: Way(dispute(scene(served.market)), body=body, headers=headers)


def of_store(**query: str) -> Maker:
    return lambda served: Way({"store_id": "oak"}, query)


def plain(**query: str) -> Maker:
    return lambda served: Way(query=query)


def hook(served: Served) -> dict[str, str]:
    """A webhook to which an event is due."""
    made = served.post("/v1/webhooks", {"url": "https://shop.example/hook"})["id"]
    served.market.order()
    while served.site.hooks.gather(0, 500, served.wall):
        pass
    return {"webhook_id": made}


def redeliver(served: Served) -> Way:
    names = hook(served)
    (due, *_) = served.get(f"/v1/webhooks/{names['webhook_id']}/deliveries")["data"]
    return Way(names, body={"delivery_id": due["id"]})


def orders(served: Served) -> Ways:
    one, two, three = (ORDER_EXAMPLE | {"reference": f"W-{n}"} for n in range(3))
    return [Way(body=one), Way(body=[two, three])]


def disputes(served: Served) -> Ways:
    one, two, three = (claim(served.market.order(), "damaged", "40.00") for _ in range(3))
    return [Way(body=one), Way(body=[two, three])]


def imported(served: Served) -> Way:
    lines = b"\n".join(json.dumps(ORDER_EXAMPLE | {"reference": f"L-{n}"}).encode() for n in range(2))
    return Way(content=lines, headers={"Content-Type": "application/x-ndjson"})


def uploaded(served: Served) -> Any:
    headers = {"Authorization": f"Bearer {served.key(*ROLES)}", "Content-Type": "image/png"}
    return served.client.post("/v1/evidence", content=PHOTO, headers=headers).json()


def seen(served: Served) -> Way:
    piece = uploaded(served)
    query = dict(part.split("=", 1) for part in piece["url"].split("?", 1)[1].split("&"))
    return Way({"digest": piece["digest"]}, {name: value.replace("%3A", ":") for name, value in query.items()})


def shown(served: Served) -> Way:
    way = Way(dispute(scenes.verifying(served.market)), body={"evidence": [uploaded(served)["digest"]]})
    way.headers = {"Houbao-Actor": "buyer"}
    return way


def released(served: Served) -> Way:
    names = dispute(scenes.verifying(served.market))
    headers = {"Authorization": f"Bearer {served.key(*ROLES)}"}
    served.client.post(f"/v1/disputes/{names['dispute_id']}/claim", headers=headers)
    return Way(names)


def said_by_provider(served: Served) -> Way:
    """What the provider says of a refund on its way, signed now."""
    _, attempt = scenes.sent(served.market)
    at, text = datetime.now(UTC), json.dumps({"type": "refund", "key": f"attempt_0_{attempt}", "result": "paid"})
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "Content-Type": "application/json"}
    headers |= {"webhook-signature": Webhook(SIGNING).sign("msg_1", at, text)}
    return Way({"provider": "sandbox"}, content=text.encode(), headers=headers)


def repaid(served: Served) -> Way:
    scenes.indebted(served.market)
    return Way({"store_id": "ivy"}, body={"amount": money("1.00")})


def lost(served: Served) -> Way:
    return Way({"store_id": "fig"}, body=dispute(scenes.owed_for_long(served.market, "fig")))


def entry(served: Served) -> Way:
    first = served.get("/v1/stores/oak/statement")["data"][0]["id"]
    return Way({"store_id": "oak", "entry_id": first})


def sent_label(served: Served) -> Way:
    label = {"carrier": "Post", "tracking": "LB1", "amount": money("4.50")}
    return Way(dispute(served.label_wanted), body=label)


def published(served: Served) -> Way:
    start = (T + 40 * DAY).isoformat()
    return Way({"version": "2026.8"}, body={"text": next_policy("2026.8"), "start": start})


def explained(served: Served) -> Way:
    return Way(body=order(served) | {"reason": "damaged", "amount": money("40.00")})


BY_POST = {"carrier": "Post", "tracking": "RR1"}

WAYS: dict[str, Maker] = {
    "register_store": lambda served: Way(body={"id": "yew", "country": "DE", "email": "yew@shops.example"}),
    "list_stores": plain(limit="1"),
    "read_store": of_store(),
    "change_contact": lambda served: Way({"store_id": "oak"}, body={"email": "claims@oak.example"}),
    "enrol_store": lambda served: Way({"store_id": "oak"}, body={"enrolled": True}),
    "read_score": of_store(),
    "read_advice": of_store(days="30"),
    "repay": repaid,
    "write_off_of_store": lost,
    "read_statement": of_store(currency="EUR"),
    "read_fund_records": of_store(),
    "read_entry": entry,
    "place_order": orders,
    "import_orders": imported,
    "list_orders": plain(store_id="oak", limit="2"),
    "read_order": lambda served: Way(order(served)),
    "report_event": lambda served: Way(order(served, delivered=False), body={"type": "delivered", "at": T.isoformat()}),
    "write_on_order": lambda served: Way(order(served), body={"message": "m"}, headers={"Houbao-Actor": "buyer"}),
    "read_messages": lambda served: Way(order(served)),
    "send_goodwill": lambda served: Way(order(served), body={"amount": money("5.00"), "note": "Sorry."}),
    "explain_claim": explained,
    "open_dispute": disputes,
    "list_disputes": plain(phase="verifying", limit="2"),
    "read_dispute": on(scenes.sent_back),
    "read_timeline": on(scenes.offered),
    "add_evidence": lambda served: Way(content=PHOTO, headers={"Content-Type": "image/png"}),
    "read_evidence": seen,
    "list_evidence": on(scenes.verifying),
    "accept": on(scenes.awaiting_seller),
    "accept_offer": on(scenes.offered),
    "appeal": on(scenes.turned_down, {"about": "remedy", "note": "n"}, by="buyer"),
    "change_claim": on(scenes.awaiting_seller, {"amount": money("1.00"), "note": "n"}),
    "claim": on(scenes.verifying),
    "confirm_return": on(scenes.sent_back),
    "counter": on(scenes.rejected, {"amount": money("1.00")}),
    "escalate": on(scenes.rejected, {"note": "n"}),
    "evidence": shown,
    "messages": on(scenes.verifying, {"message": "m"}, by="seller"),
    "offer": on(scenes.awaiting_seller, {"amount": money("1.00"), "remedy": "refund"}),
    "recover": on(
        scenes.owed_for_long, {"source": "carrier", "amount": money("1.00"), "reference": "c-7"}, by="finance"
    ),
    "reject": on(scenes.awaiting_seller, {"reason": "no", "note": "n"}),
    "release": released,
    "reopen": on(scenes.withdrawn, {"note": "n"}),
    "report_replacement": on(scenes.coming, {"problem": "damaged"}),
    "report_return": on(scenes.sent_back, {"problem": "empty"}),
    "request_evidence": on(scenes.verifying, {"party": "buyer"}),
    "resolve_refund": on(scenes.refunding, {"how": "abandon"}),
    "rule": on(scenes.verifying, {"finding": "justified", "reason": "photos"}),
    "scan_replacement": on(scenes.coming),
    "scan_return": on(scenes.sent_back),
    "send_label": sent_label,
    "serve_notice": on(scenes.notifying),
    "set_payout_way": on(scenes.unpayable, {"payment": "card", "way": "iban-7"}),
    "settle_refund": on(scenes.exchanged, {"payment": "card", "taken": money("0.01")}),
    "ship_replacement": on(scenes.replacing, BY_POST),
    "ship_return": on(scenes.returning, BY_POST),
    "sign": on(scenes.suspected),
    "withdraw": on(scenes.verifying),
    "write_off": on(lambda market: scenes.owed_for_long(market, "gum")),
    "read_fund": plain(),
    "top_up": lambda served: Way(body={"amount": money("1.00")}),
    "move_cash": lambda served: Way(body={"provider": "sandbox", "amount": money("1.00")}),
    "read_fund_movements": plain(limit="5"),
    "list_policies": plain(),
    "draft_policy": lambda served: Way(body={"text": next_policy("2026.9")}),
    "read_policy": lambda served: Way({"version": "2026.1"}),
    "publish_policy": published,
    "read_events": plain(limit="10"),
    "open_portal": lambda served: Way(body={"buyer_id": "ann"}),
    "hear_provider": said_by_provider,
    "add_webhook": lambda served: Way(body={"url": "https://shop.example/hook", "store_id": "oak"}),
    "list_webhooks": plain(),
    "read_webhook": lambda served: Way(hook(served)),
    "end_webhook": lambda served: Way(hook(served)),
    "rotate_secret": lambda served: Way(hook(served)),
    "list_deliveries": lambda served: Way(hook(served)),
    "redeliver": redeliver,
    "healthz": plain(),
    "readyz": plain(),
}
"""Operation → what makes it succeed."""
