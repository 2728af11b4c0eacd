"""A store's record: score, parts, disputes behind them, forecast."""

from typing import Any

from litestar import Request, Response, get

from houbao.core.said import Said
from houbao.core.terms import Refused
from houbao.web.console import frame
from houbao.web.console.charts import chart
from houbao.web.console.language import N_
from houbao.web.console.views.record import record
from houbao.web.console.words import word
from houbao.web.guard import on
from houbao.web.site import PART

AnyRequest = Request[Any, Any, Any]
FAULTS = {
    "uncompleted": N_("%(n)s of %(of)s orders did not come about: %(rate)s"),
    "inr": N_("%(n)s of %(of)s orders disputed as not received: %(rate)s"),
    "snad": N_("%(n)s of %(of)s orders disputed as not as described: %(rate)s"),
}
"""Part of the score → what its rate counts."""


@get("/score", opt=on("stores.score"), sync_to_thread=True)
def show_score(request: AnyRequest) -> Response[str]:
    """The store's score of today and everything that explains it. Raises Refused: not_permitted."""
    voice, site, caller = frame.speak(request), frame.site_of(request), frame.caller_of(request)
    if not caller.store:
        raise Refused("not_permitted", Said("these are a store's own pages"))
    with site.snapshot() as reading:
        found = record(reading, site.scorebook, PART, caller.store, site.clock())
    drawn = None
    if found and len(found.days) > 1:
        drawn = chart(found.days, found.marks, (found.curves.passing, found.curves.good, found.curves.excellent))
    months = (
        [(voice.month(one.month), voice.points(one.score), word(voice, "grade", one.grade)) for one in found.months]
        if found
        else []
    )
    return frame.page(
        request, voice, "seller/score.html", at="score", view=found, chart=drawn, month_rows=months, FAULTS=FAULTS
    )


HANDLERS = (show_score,)
