"""Every route × every role: who is let in, who is refused, and that what belongs to others is not there."""

import re
from contextlib import closing

import pytest

import scenes
from given import Market
from houbao.store.access import Access
from houbao.web import keyring
from houbao.web.callers import NOBODY
from houbao.web.console import HANDLERS
from houbao.web.keyring import Keyring
from houbao.web.operation import operation_of
from houbao.web.server import API
from web.desk import PAGE
from web.served import claim, money
from web.shopfront import furnish

ROLES = ("nobody", "platform", "store:oak", "agent", "finance", "read", "buyer", "seller", "admin")
LETTERS = dict(zip("-psafrbSA", ROLES, strict=True))
"""s is a store's key; b and S are a buyer and a seller who came by a link."""

TOKENS = {"buyer's token": "buyer", "seller's token": "seller"}
"""Who bears the token of a link → as whom they would arrive by it: they may the same."""

MAY = {
    "register_store": "pA",
    "list_stores": "pafrA",
    "read_store": "psafrSA",
    "change_contact": "psSA",
    "enrol_store": "psSA",
    "read_statement": "psafrSA",
    "read_fund_records": "psafrSA",
    "read_entry": "psafrSA",
    "read_score": "psafrSA",
    "read_advice": "psafrSA",
    "repay": "sfSA",
    "write_off_of_store": "f",
    "place_order": "pA",
    "list_orders": "psafrbSA",
    "read_order": "psafrbSA",
    "report_event": "pA",
    "write_on_order": "psabS",
    "read_messages": "psafrbSA",
    "send_goodwill": "psS",
    "explain_claim": "psafrbSA",
    "open_dispute": "pb",
    "list_disputes": "psafrbSA",
    "read_dispute": "psafrbSA",
    "read_timeline": "psafrbSA",
    "add_evidence": "psabS",
    "read_evidence": "psafrbSA",
    "list_evidence": "psafrbSA",
    "accept": "psS",
    "accept_offer": "pb",
    "appeal": "psbS",
    "change_claim": "pb",
    "claim": "a",
    "confirm_return": "psS",
    "counter": "pb",
    "escalate": "pb",
    "evidence": "psabS",
    "messages": "psabS",
    "offer": "psS",
    "recover": "pf",
    "reject": "psS",
    "release": "a",
    "reopen": "pb",
    "report_replacement": "pb",
    "report_return": "psS",
    "request_evidence": "a",
    "resolve_refund": "f",
    "rule": "a",
    "scan_replacement": "p",
    "scan_return": "p",
    "send_label": "p",
    "serve_notice": "a",
    "set_payout_way": "pb",
    "settle_refund": "f",
    "ship_replacement": "psS",
    "ship_return": "pb",
    "sign": "a",
    "withdraw": "pb",
    "write_off": "f",
    "read_fund": "pfrA",
    "top_up": "fA",
    "move_cash": "fA",
    "read_fund_movements": "pfrA",
    "list_policies": "pafrA",
    "read_policy": "pafrA",
    "draft_policy": "fA",
    "publish_policy": "fA",
    "read_events": "prA",
    "open_portal": "p",
    "import_orders": "pA",
    "add_webhook": "pA",
    "list_webhooks": "pA",
    "read_webhook": "pA",
    "end_webhook": "pA",
    "rotate_secret": "pA",
    "list_deliveries": "pA",
    "redeliver": "pA",
    "hear_provider": "-psafrbSA",
    "healthz": "-psafrbSA",
    "readyz": "-psafrbSA",
}
"""Operation → who may, written out by hand: it is not made from the table that it checks."""

OPERATIONS = {said.name: said for handler in API if (said := operation_of(handler))}


def test_every_operation_of_the_api_is_in_the_table_and_no_other():
    assert set(MAY) == set(OPERATIONS)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A market with an order and a dispute between oak and ann, and another one between elm and bob."""
    from web.served import Served

    market = Market(tmp_path_factory.mktemp("roles"))
    served = Served(market)
    order = market.order(amount="40.00")
    served.names = {"order_id": f"order_0_{order}", "dispute_id": served.open(order, "damaged", "40.00")}
    entry = served.get("/v1/stores/oak/statement")["data"][0]["id"]
    served.names |= {"webhook_id": served.post("/v1/webhooks", {"url": "https://shop.example/hook"})["id"]}
    served.names |= {"store_id": "oak", "provider": "sandbox", "entry_id": entry, "version": "2026.1"}
    served.names |= {"digest": "0" * 64}
    served.post("/v1/stores", {"id": "elm"})
    other = market.order(store="elm", buyer="bob", amount="40.00")
    dispute = served.open(other, "damaged", "40.00")
    served.others = {"order_id": f"order_0_{other}", "dispute_id": dispute, "store_id": "elm"}
    yield served
    served.close()
    market.database.close()


@pytest.mark.parametrize("role", [*ROLES, *TOKENS])
@pytest.mark.parametrize("name", sorted(MAY))
def test_a_route_lets_in_those_who_may_and_nobody_else(place, name, role):
    said = OPERATIONS[name]
    path = said.path.replace(":str", "").format(**place.names)
    answer = place.call(said.method, path, {"no": "such field"} if said.method != "GET" else None, role=role)
    if TOKENS.get(role, role) in [LETTERS[letter] for letter in MAY[name]]:
        unsigned = answer.status_code == 401 and answer.json()["code"] == "bad_signature"  # a provider has no key
        assert unsigned or answer.status_code not in (401, 403, 404, 405, 500), answer.text
    else:
        assert answer.status_code == (401 if role == "nobody" else 403), answer.text
        assert answer.json()["code"] in ("unauthenticated", "not_permitted")


OF_OTHERS = sorted(name for name, said in OPERATIONS.items() if "_id:str}" in said.path and said.name != "read_entry")


@pytest.mark.parametrize(
    ("name", "role"),
    [
        (name, role)
        for name in OF_OTHERS
        for role in ("store:oak", "buyer", "seller", *TOKENS)
        if TOKENS.get(role, role) in [LETTERS[letter] for letter in MAY[name]]
    ],
)
def test_what_belongs_to_others_is_not_there(place, name, role):
    said = OPERATIONS[name]
    path = said.path.replace(":str", "").format(**place.others)
    body = said.example if said.example is not None else None
    answer = place.call(said.method, path, body, role=role)
    assert answer.status_code == 404, answer.text
    assert answer.json()["code"] in ("unknown_order", "unknown_dispute", "unknown_store")


@pytest.mark.parametrize("role", ["store:oak", "buyer", "seller"])
def test_lists_hold_nothing_of_others_whatever_is_asked_for(place, role):
    for path in ("/v1/disputes", "/v1/disputes?store_id=elm", "/v1/disputes?order=due", "/v1/orders?store_id=elm"):
        text = place.call("GET", path, role=role).text
        assert "elm" not in text
        assert "bob" not in text
    assert "oak" in place.call("GET", "/v1/disputes", role=role).text


NAMES = "payable|held|deposit|receivable|available|reserved|commission|expense|writeoff|backstop|[A-Z]{3}"
BOOKS = re.compile(rf"(store:\w+|platform|fund|fx):({NAMES})")
"""An account of the store's, the platform's or the fund's."""


def everything_to_read(served, names: dict[str, str]) -> list[str]:
    """The addresses of all that a buyer may read: of the API, and pages."""
    operations = [said.path for name, said in OPERATIONS.items() if said.method == "GET" and "b" in MAY[name]]
    pages = [path for handler in HANDLERS if "GET" in handler.http_methods for path in handler.paths]
    paths = [path.replace(":str", "") for path in [*operations, *pages] if not path.startswith("/live/")]
    return [path.format(**names) for path in paths if set(re.findall(r"\{(\w+)\}", path)) <= set(names)]


def test_no_answer_to_a_buyer_names_an_account_in_the_books(served):
    shown = furnish(served.market)
    numbers = {number for name, number in shown.items() if not name.endswith("order")}
    numbers |= {scenes.returning(served.market), scenes.refunding(served.market), scenes.coming(served.market)}
    moved = set()
    for number in sorted(numbers):
        names = {"dispute_id": f"dispute_0_{number}", "order_id": f"order_0_{served.market.dispute(number).order}"}
        for path in everything_to_read(served, names):
            answer = served.client.get(path, headers=served.headers("buyer") | PAGE)
            assert answer.status_code != 500, path
            assert not BOOKS.search(answer.text), path
        for entry in served.get(f"/v1/disputes/{names['dispute_id']}/timeline", role="buyer")["data"]:
            moved |= {(one["kind"], one["source"], one["target"]) for one in entry["money"]}
    assert moved == {("refund", "", "provider:sandbox")}


def test_what_a_buyer_or_seller_would_do_names_no_account_that_is_not_theirs(served):
    names = {"dispute_id": f"dispute_0_{scenes.offered(served.market)}"}
    path = "/v1/disputes/{dispute_id}/accept-offer?dry_run=true".format(**names)
    assert served.post(path)["money"][0]["source"] == "store:oak:payable"
    assert served.post(path, role="buyer")["money"] == []


@pytest.mark.parametrize("role", ["seller", "store:oak"])
def test_a_seller_sees_of_a_dispute_the_money_that_their_statement_has(served, role):
    number = scenes.exchanged(served.market)
    path = f"/v1/disputes/dispute_0_{number}/timeline"

    def accounts(who: str) -> list[set[str]]:
        moved = [one for entry in served.get(path, role=who)["data"] for one in entry["money"]]
        return [{one["source"], one["target"]} for one in moved]

    assert {"fund:available", "fx:EUR"} < set().union(*accounts("platform"))
    assert [len(ends) for ends in accounts(role)] == [2, 2]
    assert all("store:oak:held" in ends for ends in accounts(role))


def test_a_buyer_opens_no_dispute_on_somebody_elses_order(place):
    number = int(place.others["order_id"].rsplit("_", 1)[1])
    assert place.refuse("/v1/disputes", claim(number, "damaged", "40.00"), role="buyer")["code"] == "unknown_order"
    (outcome,) = place.post("/v1/disputes", [claim(number, "damaged", "40.00")], role="buyer")["data"]
    assert outcome["problem"]["code"] == "unknown_order"


def test_a_revoked_key_opens_nothing_at_once(place):
    key, secret = place.site.access.add_key("old", ("platform",), place.wall)
    headers = {"Authorization": f"Bearer {secret}"}
    assert place.client.get("/v1/stores", headers=headers).status_code == 200
    assert place.site.access.revoke_key(key.id, place.wall)
    assert place.client.get("/v1/stores", headers=headers).status_code == 401


def test_a_key_that_another_process_revoked_opens_nothing_a_second_later(place):
    key, secret = place.site.access.add_key("old", ("platform",), place.wall)
    seconds = 0.0
    ring = Keyring(place.site.reader, place.site.access, lambda: seconds)
    assert ring.caller(secret).id == key.id
    with closing(Access(place.site.reader.path)) as elsewhere:
        assert elsewhere.revoke_key(key.id, place.wall)
    seconds = 0.9
    assert ring.caller(secret).id == key.id
    seconds = 1.0
    assert ring.caller(secret) is NOBODY


def test_more_keys_than_are_known_at_once_are_each_found(place, monkeypatch):
    monkeypatch.setattr(keyring, "MOST_KNOWN", 2)
    made = [place.site.access.add_key(f"key {n}", (f"store:{n}",), place.wall) for n in range(5)]
    ring = Keyring(place.site.reader, place.site.access)
    for _ in range(2):
        assert [ring.caller(secret).id for _, secret in made] == [key.id for key, _ in made]
    assert ring.caller("hb_0_0") is NOBODY


def test_a_key_for_several_things_may_all_of_them_and_says_as_whom_where_that_is_open(place):
    both = {"Authorization": f"Bearer {place.key('platform', 'agent')}"}
    path = f"/v1/disputes/{place.names['dispute_id']}/messages"
    unsaid = place.client.post(path, json={"message": "hello"}, headers=both)
    assert (unsaid.status_code, unsaid.json()["code"]) == (400, "actor_needed")
    said = place.client.post(path, json={"message": "hello"}, headers=both | {"Houbao-Actor": "agent"})
    assert said.status_code == 200
    wrong = place.client.post(path, json={"message": "hello"}, headers=both | {"Houbao-Actor": "admin"})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "not_permitted")


def test_what_a_cookie_brings_along_needs_the_forms_token_too(place):
    path = f"/v1/disputes/{place.names['dispute_id']}/change-claim"
    headers = place.session("portal", "buyer", "ann")
    token = headers.pop("X-CSRF-Token")
    body = {"amount": money("30.00")}
    for wrong in ({}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": place.session("portal", "buyer", "ann")["Cookie"]}):
        answer = place.client.post(path, json=body, headers=headers | wrong)
        assert (answer.status_code, answer.json()["code"]) == (403, "bad_form")
    assert place.client.post(path, json=body, headers=headers | {"X-CSRF-Token": token}).status_code == 200
