"""The application: every handler, the one guard, the wrapper around every request."""

from typing import Any

from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.response import Redirect
from litestar.static_files import create_static_files_router

from houbao.web import console, problems, signin
from houbao.web.api import docs
from houbao.web.api.operations import OPERATIONS
from houbao.web.callers import Caller
from houbao.web.guard import guard, is_options, on, reach_of
from houbao.web.metrics import Metrics
from houbao.web.operation import MOST_BODY
from houbao.web.permissions import GRANTS, PUBLIC
from houbao.web.site import Site
from houbao.web.watch import Watch

API = (*OPERATIONS, docs.read_openapi, docs.read_docs)
"""Every operation of the API, and its document."""


def create_app(site: Site, metrics: Metrics | None = None) -> Litestar:
    """The application that serves one database. Whatever handler has no action does not start."""
    metrics = metrics or Metrics()
    handlers: list[Any] = [*API, *signin.HANDLERS, *console.HANDLERS]
    handlers.append(create_static_files_router("/static", [console.STATIC], opt=on(PUBLIC), name="static"))
    app = Litestar(
        handlers,
        guards=[guard],
        dependencies={
            "site": Provide(_site, sync_to_thread=False),
            "caller": Provide(_caller, sync_to_thread=False),
            "reach": Provide(reach_of, sync_to_thread=False),
        },
        exception_handlers={Exception: on_exception},
        request_max_body_size=MOST_BODY,
        openapi_config=None,
        logging_config=None,
    )
    app.state.site, app.state.metrics = site, metrics
    _check_actions(app)
    app.asgi_handler = Watch(app.asgi_handler, metrics, secure=site.secure)
    return app


def _check_actions(app: Litestar) -> None:
    """Every handler says what it is for: what nobody thought of is not served."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", [getattr(route, "route_handler", None)]):
            action = handler.opt.get("action") if handler else None
            if action != PUBLIC and action not in GRANTS and not is_options(handler):
                raise LookupError(f"{route.path} has no action of the permission table: nobody would be let in")


def _site(request: Request[Any, Any, Any]) -> Site:
    return request.app.state.site


def _caller(request: Request[Any, Any, Any]) -> Caller:
    return request.scope["state"]["caller"]


# --- errors --------------------------------------------------------------------------------------------------------


def on_exception(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A problem: as JSON, or as a page for whoever asked for one."""
    if not _wants_page(request):
        return problems.on_exception(request, error)
    refused = problems.as_refused(error)
    if refused.code == "unauthenticated":
        return Redirect(f"/sign-in?next={_path(request)}", status_code=303)
    if refused.code == "failed":
        request.scope["state"]["fault"] = error
    return console.problem_page(request, refused, request.scope["state"].get("request_id", ""))


def _wants_page(request: Request[Any, Any, Any]) -> bool:
    """Whether a browser asks for something of the console."""
    return not request.url.path.startswith("/v1/") and "text/html" in request.headers.get("accept", "")


def _path(request: Request[Any, Any, Any]) -> str:
    from urllib.parse import quote

    return quote(request.url.path, safe="/") if request.method == "GET" else "/"
