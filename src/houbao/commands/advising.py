"""`houbao advise STORE`: would it have paid to be in the guarantee?"""

from datetime import timedelta

from houbao.core.money import decimal
from houbao.insight.advice import Advice, Standing, advise
from houbao.store import history
from houbao.wiring import House

VERDICTS = {
    "pays": "Being inside would have paid.",
    "costs": "Being inside would have cost more than it saved.",
    "open": "It is too close to tell: chance alone could have made it either.",
    "too_few": "There are too few disputes to tell.",
}


def advice_of(house: House, store: str, days: int) -> Advice:
    """The advice for a store over its last days. Raises Refused: unknown_store, unknown_programme, no_policy."""
    now = house.clock()
    return advise(history.store_past(house.database, 0, store, now - timedelta(days=days), now), now, days)


def told(advice: Advice) -> list[str]:
    """It as lines of text."""
    now = "in" if advice.member else "not in"
    lines = [
        f"Store {advice.store} · {advice.since:%Y-%m-%d} to {advice.until:%Y-%m-%d} · {advice.orders} orders paid,"
        f" {advice.disputes} disputes ended, {advice.open} open",
        f"  it is {now} the programme {advice.programme} (mode {advice.mode}), by policy {advice.policy}",
        f"  the guarantee would settle {advice.guaranteed} of these disputes; of what it verifies,"
        f" {advice.handed / 10:.1f} % is handed to the seller",
    ]
    if advice.watched:
        lines.append("  it is watched: new orders would not be covered until that is lifted")
    lines += ["", f"{'':34}{'outside':>14}{'inside':>14}"]
    for currency, one in advice.balances.items():
        outside, inside, premium = (decimal(minor, currency) for minor in (one.outside, one.inside, one.premium))
        low, high = decimal(one.low, currency), decimal(one.high, currency)
        lines += [
            f"  {f'refunds that it bears, {currency}':<32}{outside:>14}{inside:>14}",
            f"  {f'premiums, {currency}':<32}{'0':>14}{premium:>14}",
            f"  {f'being inside saves, {currency}':<32}{'':>14}{decimal(one.saves, currency):>14}"
            f"   90 %: {low} to {high}",
        ]
    lines += [
        f"  {'service score today':<32}{_score(advice.outside):>14}{_score(advice.inside):>14}",
        f"  {'weight in the search':<32}{_weight(advice.outside):>14}{_weight(advice.inside):>14}",
        "",
        VERDICTS[advice.verdict],
        f"Uncertainty: {advice.method}.",
    ]
    return [*lines, "What it cannot know", *(f"  {line}" for line in advice.cannot_know)]


def _score(standing: Standing) -> str:
    return "-" if standing.score is None else f"{standing.score / 1e6:.2f}"


def _weight(standing: Standing) -> str:
    return "-" if standing.weight is None else f"{standing.weight / 1e4:.4f}"
