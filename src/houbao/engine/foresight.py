"""What a command would do to a store's score of today: the second half of a preview."""

from datetime import datetime

from msgspec import Struct

from houbao.core.score import Score, score_on, standing
from houbao.core.tallies import Deal, Tally, deal_of, tally_of
from houbao.engine.request import Preview
from houbao.engine.scorebook import Lines, Scorebook
from houbao.engine.scoring import curves_of, zone_in


class Shift(Struct, frozen=True):
    """A store's score of the day as it stands, and as it would be; None where its record says nothing yet."""

    before: Score | None
    after: Score | None


def shift(book: Scorebook, part: int, store: str, preview: Preview, now: datetime) -> Shift:
    """The score of `store` today without and with what the preview says. Reads only."""
    programme = book.programme()
    if programme is None:
        return Shift(None, None)
    zone = zone_in(programme)
    today = now.astimezone(zone).date()
    curves = curves_of(book, programme, today, zone)
    lines = book.lines(part, None, store).get(store, Lines())
    before, after = (
        score_on(standing(one.deals, one.tallies, zone), today, curves) for one in (lines, _with(lines, store, preview))
    )
    return Shift(before, after)


def _with(lines: Lines, store: str, preview: Preview) -> Lines:
    """The record with the lines of the disputes and orders that would change."""
    deals: dict[int, Deal] = {deal.order: deal for deal in lines.deals}
    tallies: dict[int, Tally] = {tally.dispute: tally for tally in lines.tallies}
    for order in preview.orders.values():
        if order.store == store and (deal := deal_of(order)):
            deals[order.id] = deal
    for dispute in preview.disputes.values():
        if dispute.store == store and (tally := tally_of(dispute)):
            tallies[dispute.id] = tally
    return Lines([*deals.values()], [*tallies.values()])
