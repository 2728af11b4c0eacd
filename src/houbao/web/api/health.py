"""Whether the server is well: it tells the truth, and tells what is wrong."""

from datetime import timedelta
from ipaddress import ip_address
from sqlite3 import Error
from typing import Any

from litestar import Request, Response, route
from msgspec import Struct

from houbao.core.terms import Refused
from houbao.engine.writer import MOST_WAITING
from houbao.store import lists
from houbao.web.guard import on
from houbao.web.operation import READ, Answer, Ask, operation
from houbao.web.permissions import PUBLIC, scope_of
from houbao.web.site import PART

LATEST_BEAT = timedelta(seconds=60)
"""How long ago a living worker ran at the latest."""


class Health(Struct, kw_only=True):
    """`ok`, or what is wrong with each part."""

    status: str
    checks: dict[str, str] = {}


@operation("GET", "/healthz", action=PUBLIC, reply=Health)
async def healthz(ask: Ask[Any, Any]) -> Health:
    """Whether the process answers at all."""
    return Health(status="ok")


@operation("GET", "/readyz", action=PUBLIC, reply=Health, also={503: Health})
def readyz(ask: Ask[Any, Any]) -> Answer:
    """Whether it can do its work: the database can be read, the writer keeps up, the worker runs. 503 where not."""
    site = ask.site
    checks: dict[str, str] = {}
    try:
        with site.snapshot() as reading:
            lists.clock(reading, PART)
        checks["database"] = "ok"
    except Error as error:
        checks["database"] = f"cannot be read: {type(error).__name__}"
    waiting = site.writer.waiting()
    checks["writer"] = "ok" if site.writer.alive() and waiting < MOST_WAITING // 2 else f"{waiting} commands wait"
    beat = site.beat.at
    late = beat is not None and site.wall() - beat > LATEST_BEAT
    checks["worker"] = "runs elsewhere" if beat is None else "has not run for a minute" if late else "ok"
    well = all(said in ("ok", "runs elsewhere") for said in checks.values())
    return Answer(Health(status="ok" if well else "not ready", checks=checks), status=200 if well else 503)


@route("/metrics", http_method=READ, opt=on(PUBLIC), sync_to_thread=True)
def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Figures for Prometheus: for a key that may read, and for whoever asks on this machine itself, by no proxy."""
    caller = request.scope["state"]["caller"]
    if not _is_local(request) and scope_of(caller, "metrics.read") is None:
        if caller.kind == "nobody":
            raise Refused("unauthenticated", "from elsewhere the figures take an API key with the scope read")
        raise Refused("not_permitted", "the figures are for the platform's own people and software")
    content = request.app.state.metrics.serve(request.app.state.site)
    return Response(content, media_type="text/plain; version=0.0.4")  # its charset is added


FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


def _is_local(request: Request[Any, Any, Any]) -> bool:
    """Whether it was asked on this machine, and not for somebody else by a proxy."""
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
