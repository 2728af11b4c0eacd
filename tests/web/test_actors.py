"""As whom a key acts, and whose signature is awaited."""

import scenes
from web.served import claim


def test_who_names_an_actor_with_an_id_is_told_what_the_header_takes(served):
    dispute = served.open(served.market.order(), "damaged", "40.00")
    path, words = f"/v1/disputes/{dispute}/messages", {"message": "hello"}
    for wish in ("buyer:ann", "Buyer", "ann"):
        refused = served.refuse(path, words, Houbao_Actor=wish)
        assert refused["code"] == "actor_needed"
        takes = "it takes buyer, seller, agent, finance, admin or platform, and no id"
        assert refused["detail"] == f"Houbao-Actor is {wish!r}: {takes}"
    assert served.refuse(path, words, Houbao_Actor="finance")["code"] == "not_permitted"
    assert served.post(path, words, Houbao_Actor="buyer")


def test_an_id_of_the_wrong_kind_is_told_in_good_words(served):
    refused = served.call("GET", "/v1/orders/dispute_0_1").json()
    assert refused["detail"] == "'dispute_0_1' is not the id of an order; one looks like order_0_47"


def test_a_ruling_of_fraud_that_waits_for_a_signature_is_seen_by_whom_it_concerns(served):
    path = f"/v1/disputes/dispute_0_{scenes.suspected(served.market)}"
    for role in ("agent", "platform", "read", "finance"):
        proposed = served.get(path, role=role)["proposed"]
        assert proposed["by"].startswith("agent:")
        assert proposed["fraud"] in ("seller", "buyer")
        assert set(proposed) == {"by", "fraud", "finding", "reason", "amount", "remedy", "payer", "fault"}
    for role in ("seller", "buyer"):
        answer = served.call("GET", path, role=role)
        if answer.status_code == 200:
            assert answer.json()["proposed"] is None
    assert served.call("GET", path, role="seller").status_code == 200
    served.post(f"{path}/sign", role="agent")
    assert served.get(path, role="agent")["proposed"] is None


def test_where_nothing_was_proposed_nothing_is_shown(served):
    opened = served.post("/v1/disputes", claim(served.market.order(), "damaged", "40.00"))
    assert opened["proposed"] is None
