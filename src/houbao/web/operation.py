"""An operation of the API: a function that is told what was asked and gives what to answer, with all that the OpenAPI
document says of it. `operation` makes the handler that reads the request, and writes the answer as JSON."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from inspect import iscoroutinefunction
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from houbao.core.scopes import NOTHING, Scope
from houbao.core.terms import Refused, check_reference
from houbao.feeds.order_format import bad_field
from houbao.web.callers import Caller
from houbao.web.guard import on
from houbao.web.permissions import PUBLIC
from houbao.web.site import Site, encode, number_of

B = TypeVar("B")
Q = TypeVar("Q")

MOST_BODY = 1 << 20
"""The most bytes of one thing's body; a list of up to 1,000 takes more, and says so."""

JSON = "application/json"


class Nothing(Struct):
    """No body, or no query."""


class Answer(Struct):
    """What to answer, where more is to be said than the body."""

    body: Any
    status: int = 0
    headers: dict[str, str] = {}


class Operation(Struct, frozen=True):
    """What the API's document says of an operation. `also` are the replies of other kinds, by their status; `refuses`
    the codes that its own work may be refused with."""

    name: str
    method: str
    path: str
    action: str
    summary: str
    body: Any
    query: Any
    reply: Any
    status: int
    also: dict[int, Any]
    refuses: tuple[str, ...]
    example: Any
    media: str
    takes: str
    tag: str


class Ask(Generic[B, Q]):
    """What was asked: by whom, about whose things, with what body and query."""

    def __init__(self, request: Request[Any, Any, Any], body: B, query: Q) -> None:
        self.request = request
        self.site: Site = request.app.state.site
        self.caller: Caller = request.scope["state"]["caller"]
        self.scope: Scope = request.scope["state"].get("reach") or NOTHING
        self.body = body
        self.query = query

    def text(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def number(self, kind: str) -> int:
        """The number of an order, a dispute … that the path names. Raises Refused: bad_id."""
        return number_of(kind, self.text(f"{kind}_id"))

    @property
    def key(self) -> str:
        """The idempotency key; empty without one. Raises Refused: bad_reference."""
        key = self.request.headers.get("idempotency-key", "")
        if key:
            check_reference("Idempotency-Key", key)
        return key

    @property
    def acting_as(self) -> str:
        """The role that the header Houbao-Actor names."""
        return self.request.headers.get("houbao-actor", "")

    @property
    def dry_run(self) -> bool:
        """Whether only to say what would happen. Raises Refused: bad_request."""
        wish = self.request.query_params.get("dry_run", "false")
        if wish not in ("true", "false"):
            raise Refused("bad_request", f"dry_run is {wish!r}: say true or false")
        return wish == "true"


Work = Callable[[Ask[Any, Any]], Any]
"""What does it: gives what to answer, or an awaitable of that."""


def operation(
    method: str,
    path: str,
    *,
    action: str,
    summary: str = "",
    body: Any = Nothing,
    query: Any = Nothing,
    reply: Any = Nothing,
    status: int = 200,
    also: Mapping[int, Any] = MappingProxyType({}),
    refuses: tuple[str, ...] = (),
    example: Any = None,
    media: str = JSON,
    takes: str = JSON,
    most: int | None = MOST_BODY,
    name: str = "",
    tag: str = "",
) -> Callable[[Work], HTTPRouteHandler]:
    """Make a handler of a function. One that is not `async` may wait for the database, and runs in a
    thread of its own."""

    def decorate(work: Work) -> HTTPRouteHandler:
        said = Operation(
            name=name or getattr(work, "__name__", ""),
            method=method,
            path=path,
            action=action,
            summary=summary or (work.__doc__ or "").split("\n\n")[0].replace("\n    ", " "),
            body=body,
            query=query,
            reply=reply,
            status=status,
            also=dict(also),
            refuses=refuses,
            example=example,
            media=media,
            takes=takes,
            tag=tag or path.split("/")[2] if path.startswith("/v1/") else "server",
        )
        read = _reader(body)
        told = iscoroutinefunction(work)

        async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:
            query_read = _query(request, query)
            ask = Ask(request, await read(request), query_read)
            done = await work(ask) if told else await asyncio.to_thread(work, ask)
            return _written(done, status, media)

        handle.__name__ = said.name
        handle.__doc__ = work.__doc__
        return HTTPRouteHandler(
            path,
            http_method=method,  # ty: ignore[invalid-argument-type]
            opt={**on(action, files=takes.startswith("image/")), "operation": said},
            request_max_body_size=most,
            status_code=status,
        )(handle)

    return decorate


def _written(done: Any, status: int, media: str) -> Response[bytes]:
    if isinstance(done, Response):
        return done
    if not isinstance(done, Answer):
        done = Answer(done)
    content = done.body if isinstance(done.body, bytes) else encode(done.body)
    return Response(content, status_code=done.status or status, media_type=media, headers=done.headers)


def _reader(body: Any) -> Callable[[Request[Any, Any, Any]], Awaitable[Any]]:
    """How a request's body becomes a record: strictly, so that what is mistyped is refused and not guessed."""
    if body is Nothing or body is bytes:  # bytes are read by the work itself, as they come
        return _no_body
    decode = msgspec.json.Decoder(body).decode
    # A body of which every field may be left out may be left out too.
    empty = b"{}" if isinstance(body, type) and issubclass(body, Struct) and _optional(body) else b""

    async def read(request: Request[Any, Any, Any]) -> Any:
        content = await request.body()
        if not content and empty:
            return decode(empty)
        if request.content_type[0] != JSON:
            raise Refused("unsupported_media", f"the body is {request.content_type[0] or 'of no type'}: send JSON")
        try:
            return decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise bad_field(error) from None

    return read


async def _no_body(request: Request[Any, Any, Any]) -> Nothing:
    return Nothing()


def _optional(body: type[Struct]) -> bool:
    return all(not field.required for field in msgspec.structs.fields(body))


def _query(request: Request[Any, Any, Any], query: Any) -> Any:
    """The query as a record. Raises Refused: bad_request."""
    if query is Nothing:
        return Nothing()
    known = {field.encode_name for field in msgspec.structs.fields(query)}
    given = {name: values[-1] for name, values in request.query_params.dict().items()}
    if unknown := [name for name in given if name not in known and name != "dry_run"]:
        raise Refused("bad_request", f"the query has {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    try:
        return msgspec.convert({name: value for name, value in given.items() if name in known}, query, strict=False)
    except msgspec.ValidationError as error:
        raise Refused("bad_request", f"the query cannot be used: {error}") from None


def operation_of(handler: Any) -> Operation | None:
    """What the document says of a handler; None of what is no operation of the API."""
    found = handler.opt.get("operation")
    return found if isinstance(found, Operation) else None


def is_public(said: Operation) -> bool:
    """Whether it takes no key."""
    return said.action == PUBLIC
