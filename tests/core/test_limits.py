"""What the fund pays for one dispute at most (R8, routing row 6): the platform pays what is above."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from core.policies import next_policy
from core.pure import Desk
from core.test_cells import IN_BRL
from given import AGENT, BUYER, DAY, FINANCE, PLATFORM, PROVIDER, SELLER, SENIOR, T
from houbao.core import chargebacks as c
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import returns as g
from houbao.core.accounts import AVAILABLE, EXPENSE, RESERVED
from houbao.core.refunds import ResolveRefund, SendRefund
from houbao.core.terms import SYSTEM

HELD, PROVIDER_CASH = "store:oak:held", "provider:sandbox"


def limited(limit: str = '"25.00"', **given: Any) -> Desk:
    """The fund pays so much for one dispute at most."""
    return Desk(policy=next_policy(version="2026.1", per_dispute=limit), **given)


def funding(desk: Desk) -> dict[str, int]:
    return dict(d.funding_of(desk.state()))


def pay_all(desk: Desk) -> None:
    """The worker sends whatever is due, and the provider pays it."""
    for refund in desk.state().refunds:
        for share in refund.shares:
            command = SendRefund(dispute=desk.dispute, payment=share.payment, refund=refund.id)
            if desk.do(command, SYSTEM).events:
                desk.report(desk.world.position, "paid")


def ruled(limit: str = '"25.00"', **given: Any) -> Desk:
    """A claim of 40.00 was found justified."""
    desk = limited(limit, **given)
    desk.open("damaged", "40.00")
    desk.rule()
    return desk


def test_above_the_limit_the_platform_pays_in_a_refund_of_its_own() -> None:
    desk = ruled()
    assert funding(desk) == {"platform": 1500, "fund": 2500}
    assert desk.moved() == [("reserve", AVAILABLE, RESERVED, "25.00")]
    pay_all(desk)
    assert desk.moved()[1:] == [
        ("guarantee", EXPENSE, HELD, "15.00"),
        ("refund", HELD, PROVIDER_CASH, "15.00"),
        ("guarantee", RESERVED, HELD, "25.00"),
        ("refund", HELD, PROVIDER_CASH, "25.00"),
    ]
    state = desk.state()
    assert (state.phase, state.outcome, state.resolved_by, state.fault.state) == (
        "closed",
        "refunded",
        "guarantee",
        "counted",
    )


def test_each_part_is_sent_at_once_and_the_dispute_is_open_until_both_are_paid() -> None:
    desk = ruled()
    above, rest = desk.state().refunds
    assert [e.about for e in desk.effects if e.kind == "refund"] == [above.id, rest.id]
    desk.report(desk.send(), "paid")
    assert desk.state().phase == "refunding"
    pay_all(desk)
    assert desk.state().phase == "closed"


@pytest.mark.parametrize("limit", ['"40.00"', '"40.01"', '""'])
def test_up_to_the_limit_the_fund_pays_all_of_it(limit) -> None:
    assert funding(ruled(limit)) == {"fund": 4000}


def test_with_a_limit_of_nothing_the_platform_pays_all_of_it() -> None:
    desk = ruled('"0"')
    assert (funding(desk), len(desk.state().refunds), desk.moved()) == ({"platform": 4000}, 1, [])


def test_what_is_paid_at_once_has_the_limit_too() -> None:
    desk = limited('"4.00"')
    desk.open("damaged", "10.00", evidence=("a" * 64,))
    assert (desk.state().route, desk.state().phase) == ("instant", "refunding")
    assert funding(desk) == {"platform": 600, "fund": 400}
    pay_all(desk)
    assert desk.state().phase == "closed"


def test_so_has_what_the_platform_did_not_verify_in_time() -> None:
    desk = limited()
    desk.open("damaged", "40.00")
    desk.sweep(desk.due())
    assert funding(desk) == {"platform": 1500, "fund": 2500}


def test_so_has_what_is_paid_when_the_goods_are_back() -> None:
    desk = limited()
    desk.open("damaged", "40.00")
    desk.rule(remedy="return_refund")
    desk.do(g.ShipReturn(dispute=desk.dispute, carrier="post", tracking="X1"), BUYER)
    desk.do(g.ConfirmReturn(dispute=desk.dispute), PLATFORM)
    assert funding(desk) == {"platform": 1500, "fund": 2500}


def test_an_appeal_finds_what_the_fund_paid_before() -> None:
    desk = limited()
    desk.open("damaged", "40.00")
    desk.rule(amount=1000)
    pay_all(desk)
    desk.do(d.FileAppeal(dispute=desk.dispute, about="remedy"), BUYER)
    desk.do(d.Rule(dispute=desk.dispute, finding="justified", reason="photos"), SENIOR)
    assert funding(desk) == {"fund": 2500, "platform": 1500}
    pay_all(desk)
    assert (desk.state().phase, desk.state().outcome) == ("closed", "refunded")


def test_an_appeal_gives_the_fund_no_more_than_its_limit_to_bear() -> None:
    desk = limited()
    desk.open("never_shipped", "40.00")
    desk.sweep(desk.due())
    pay_all(desk)
    desk.do(d.FileAppeal(dispute=desk.dispute, about="funding"), SELLER)
    ruling = d.Rule(dispute=desk.dispute, finding="justified", reason="photos", payer="fund")
    refused = desk.refuse(ruling, SENIOR)
    assert (refused.code, refused.facts) == ("bad_ruling", {"most": 2500, "currency": "EUR"})
    assert "no more than 25.00 EUR" in refused.detail
    desk.do(structs.replace(ruling, payer="platform"), SENIOR)
    assert funding(desk) == {"platform": 4000}


def test_in_another_currency_the_limit_is_the_funds() -> None:
    desk = limited('"10.00"', **IN_BRL)
    desk.open("damaged", "100.00")
    desk.rule()
    above, rest = desk.state().refunds
    assert (above.payer, above.in_fund, above.minor + rest.minor) == ("platform", None, 10_000)
    assert (rest.payer, rest.in_fund.minor) == ("fund", 1000)
    assert desk.moved() == [("reserve", AVAILABLE, RESERVED, "10.00")]
    pay_all(desk)
    assert desk.state().phase == "closed"


def test_in_deposit_mode_the_deposit_pays_up_to_the_limit() -> None:
    desk = ruled(mode="deposit", deposit="30.00")
    assert desk.moved() == [("deposit_pays", "store:oak:deposit", RESERVED, "25.00")]
    assert funding(desk) == {"platform": 1500, "fund": 2500}


def test_where_the_fund_is_short_its_part_waits_and_the_platforms_does_not() -> None:
    desk = ruled(fund="20.00")
    assert (desk.state().phase, desk.moved()) == ("awaiting_funds", [])
    pay_all(desk)
    assert (desk.state().phase, [t[3] for t in desk.moved()]) == ("awaiting_funds", ["15.00", "15.00"])
    desk.top_up("5.00")
    desk.serve()
    pay_all(desk)
    assert (desk.state().phase, desk.balance(AVAILABLE), desk.balance(RESERVED)) == ("closed", "0.00", "0.00")


def test_where_the_part_that_waits_is_given_up_the_other_goes_on() -> None:
    desk = ruled(fund="20.00")
    desk.do(ResolveRefund(dispute=desk.dispute, how="abandon"), FINANCE)
    assert (desk.state().phase, d.due_at(desk.state())) == ("refunding", None)
    desk.sweep(T + 10 * DAY)
    pay_all(desk)
    assert (desk.state().phase, desk.state().outcome) == ("closed", "partially_refunded")


def test_what_was_given_up_leaves_room_again() -> None:
    desk = ruled(fund="20.00")
    desk.do(ResolveRefund(dispute=desk.dispute, how="abandon"), FINANCE)
    pay_all(desk)
    desk.do(d.FileAppeal(dispute=desk.dispute, about="remedy"), BUYER)
    desk.top_up("5.00")
    desk.do(d.Rule(dispute=desk.dispute, finding="justified", reason="photos", payer="fund"), SENIOR)
    assert funding(desk) == {"platform": 1500, "fund": 2500}


@pytest.mark.parametrize(("limit", "payer"), [('"64.99"', "platform"), ('"65.00"', "fund")])
def test_a_lost_chargeback_is_the_funds_only_as_far_as_its_limit(limit, payer) -> None:
    desk = limited(limit)
    desk.open("damaged", "25.00")
    desk.rule()
    pay_all(desk)
    for state in ("opened", "lost"):
        desk.do(
            c.Chargeback(order=desk.order().id, payment="card", reference="cb", minor=4000, state=state),
            PROVIDER,
        )
    assert [e.payer for e in desk.events if isinstance(e, c.ChargebackMoved)][-1] == payer


@given(
    mode=st.sampled_from(["capital", "premium"]),
    limit=st.none() | st.integers(0, 5000),
    claims=st.lists(st.integers(1, 2000), min_size=1, max_size=2),
    paid=st.sampled_from([(4000,), (2500, 1500)]),
    ends=st.sampled_from(["ruled", "sent_back", "platform_silent"]),
    commission=st.integers(0, 400),
)
def test_the_sellers_net_over_a_covered_dispute_is_zero_and_the_fund_pays_at_most_its_limit(
    mode, limit, claims, paid, ends, commission
) -> None:
    text = f'"{limit // 100}.{limit % 100:02}"' if limit is not None else '""'
    payments = tuple(o.Payment(id=f"p{n}", provider="sandbox", minor=minor) for n, minor in enumerate(paid))
    lines = tuple(o.NewLine(id=str(n), item=2000) for n in (1, 2))
    desk = limited(
        text, mode=mode, payments=payments, lines=lines, commission=f"{commission // 100}.{commission % 100:02}"
    )
    before = {account: minor for account, minor in desk.balances.items() if account.startswith("store:")}
    asked = {
        desk.open("damaged", f"{claim // 100}.{claim % 100:02}", lines=((str(line), 1),)): claim
        for line, claim in enumerate(claims, 1)
    }
    if ends == "platform_silent":
        desk.sweep(desk.due())
    for number, claim in asked.items():
        desk.dispute = number
        if ends != "platform_silent":
            desk.rule(dispute=number, remedy="return_refund" if ends == "sent_back" else "")
        if ends == "sent_back":
            desk.do(g.ShipReturn(dispute=number, carrier="post", tracking="X1"), BUYER)
            desk.do(g.ConfirmReturn(dispute=number), PLATFORM)
        pay_all(desk)
        moved = [t for t in desk.transfers if t.dispute == number]
        by_fund = sum(t.minor for t in moved if (t.kind, t.source) == ("guarantee", RESERVED))
        by_platform = sum(t.minor for t in moved if (t.kind, t.source) == ("guarantee", EXPENSE))
        assert desk.state().outcome == "refunded"
        assert by_fund == (claim if limit is None else min(claim, limit))
        assert by_fund + by_platform == claim
        assert funding(desk) == {payer: n for payer, n in (("platform", by_platform), ("fund", by_fund)) if n}
        assert not sum(t.minor * (t.target.startswith("store:") - t.source.startswith("store:")) for t in moved)
    after = {account: minor for account, minor in desk.balances.items() if account.startswith("store:") and minor}
    assert after == {account: minor for account, minor in before.items() if minor}


def test_nobody_else_is_refused_or_asked_because_of_a_limit() -> None:
    desk = ruled()
    assert [e.kind for e in desk.effects if e.kind == "alert"] == []
    assert desk.state().judges == (str(AGENT),)
