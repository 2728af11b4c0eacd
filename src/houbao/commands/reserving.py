"""`houbao fund reserves`: what the fund holds, what it will owe, and what cover should cost."""

from houbao.core.money import decimal
from houbao.insight.reserves import DEAR, FEW_CLAIMS, Premium, Reserves


def told(found: list[Reserves]) -> list[str]:
    """It as lines of text."""
    lines: list[str] = []
    for one in found:
        lines += [*_owed(one), "", *_premiums(one), "", *_stress(one), ""]
    return lines[:-1]


def _owed(one: Reserves) -> list[str]:
    def money(minor: int) -> str:
        return f"{decimal(minor, one.currency):>14}"

    lines = [
        f"The fund in {one.currency} at {one.at:%Y-%m-%d %H:%M} UTC",
        f"  holds                        {money(one.holds)}   of which promised {decimal(one.promised, one.currency)}",
        f"  will owe for covered orders  {money(one.owes)}",
        f"    promised                   {money(one.promised)}",
        f"    waiting for money          {money(one.waiting)}",
        f"    open disputes              {money(one.case)}   {one.open_disputes} claims,"
        f" of which {one.paid_share / 10:.1f} % was paid so far",
        f"    not yet reported (IBNR)    {money(one.ibnr)}   chain ladder over {one.periods} periods of 30 days",
        f"  coverage ratio               {ratio_of(one.ratio):>14}",
    ]
    if one.rests_on_one:
        largest, without = (decimal(minor, one.currency) for minor in (one.largest_claim, one.ibnr_without))
        lines.append(
            f"    one claim of {largest} {one.currency} decides what is not yet reported: without it {without}"
        )
    if one.left_out:
        lines.append(f"  {one.left_out} covered orders and open disputes in other currencies are left out")
    return lines


def ratio_of(ratio: int | None) -> str:
    """Per mille as a decimal text."""
    return "owes nothing" if ratio is None else f"{ratio // 1000}.{ratio % 1000:03}"


def _premiums(one: Reserves) -> list[str]:
    lines = ["Suggested premium, per mille of a covered order's price, by the stores' last grade"]
    for name, premium in one.premiums.items():
        lines.append(
            f"  {name:<10} {premium.suggested:>5}   expected {premium.expected:.3f}, own {premium.own:.3f},"
            f" credibility {premium.credibility:.3f}; {premium.stores} stores, {premium.orders:,} orders,"
            f" {premium.claims:,} claims"
        )
        lines += [f"{'':<18}{doubt}" for doubt in _doubts(premium, one.currency)]
    return [*lines, f"  Method: {one.premium_method}."]


def _doubts(premium: Premium, currency: str) -> list[str]:
    """Why the rate is no suggestion yet."""
    largest, share = f"{decimal(premium.largest, currency)} {currency}", premium.largest_share / 10
    said = {
        "one_claim": f"one claim of {largest} is {share:.0f} % of this: without it {premium.without}",
        "dear": f"above {DEAR} (a fifth of the price): no price of cover, look at what it rests on",
        "few_claims": f"it rests on fewer than {FEW_CLAIMS} claims of all stores: one more may change it much",
    }
    return [said[name] for name in premium.doubts]


def _stress(one: Reserves) -> list[str]:
    exposure = f"{decimal(one.largest_exposure, one.currency)} {one.currency}"
    lines = ["Hard times"]
    for stress in one.stress:
        verdict = "the fund lasts" if stress.lasts else "the fund does not last"
        owes = decimal(stress.owes, one.currency)
        lines.append(f"  {stress.name:<28} owes {owes:>14}   coverage ratio {ratio_of(stress.ratio)}: {verdict}")
    largest = f"{one.largest_store}, {exposure} of covered orders under protection" if one.largest_store else "none"
    return [*lines, f"  The largest store: {largest}."]
