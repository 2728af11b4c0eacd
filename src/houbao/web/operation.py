"""An operation of the API: a function that is told what was asked and gives what to answer, with all that the OpenAPI
document says of it. `operation` makes the handler that reads the request, and writes the answer as JSON."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from inspect import iscoroutinefunction
from types import MappingProxyType
from typing import Any, Generic, TypeVar, get_args, get_origin

import msgspec
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Method, Receive, Send
from litestar.types import Scope as Connected
from msgspec import Struct

from houbao.core.scopes import Scope
from houbao.core.subjects import Command
from houbao.core.terms import Actor, Refused, check_reference
from houbao.engine.request import Accepted
from houbao.feeds.order_format import bad_field
from houbao.web.callers import Caller
from houbao.web.guard import on, reach_of
from houbao.web.permissions import PUBLIC
from houbao.web.receiving import body_of, header, media_of
from houbao.web.site import Site, encode, number_of

B = TypeVar("B")
Q = TypeVar("Q")

MOST_BODY = 1 << 20
"""The most bytes of one thing's body; a list takes more, and says so."""

MOST_AT_ONCE = 1000
MOST_LIST_BODY = 16 << 20
"""The most items and bytes of a list."""

JSON = "application/json"

READ: list[Method] = ["GET", "HEAD"]
"""The methods of whatever only reads: HEAD is answered as GET, without the body (`watch.py` leaves that out)."""


class Nothing(Struct):
    """No body, or no query."""


class Answer(Struct):
    """What to answer, where more is to be said than the body."""

    body: Any
    status: int = 0
    headers: dict[str, str] = {}


class Reply(Struct, frozen=True):
    """An answer as it goes out. It sends itself: the framework's own is made in three steps."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    async def __call__(self, scope: Connected, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


class Handler(HTTPRouteHandler):
    """A handler whose guards are given itself: the framework copies it for each of them, at each request."""

    async def authorize_connection(self, connection: ASGIConnection[Any, Any, Any, Any]) -> None:
        """Let every guard look. Raises what they raise."""
        for guard in self.resolve_guards():
            await guard(connection, self)  # ty: ignore[invalid-await]  # the framework makes every one async


class Operation(Struct, frozen=True):
    """What the API's document says of an operation. `also` are the replies of other kinds, by their status; `refuses`
    the codes that its own work may be refused with; `previews`: with `dry_run=true` it says what it would do."""

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
    previews: bool


class Ask(Generic[B, Q]):
    """What was asked: by whom, about whose things, with what body and query."""

    def __init__(self, request: Request[Any, Any, Any], body: B, query: Q) -> None:
        self.request = request
        self.site: Site = request.app.state.site
        self.caller: Caller = request.scope["state"]["caller"]
        self.scope: Scope = reach_of(request)
        self.body = body
        self.query = query

    def text(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def number(self, kind: str) -> int:
        """The number of an order, a dispute … that the path names. Raises Refused: bad_id."""
        return number_of(kind, self.text(f"{kind}_id"))

    def header(self, name: bytes) -> str:
        """A header, by its name in small letters; empty where there is none."""
        return header(self.request.scope, name).decode("latin-1")

    @property
    def key(self) -> str:
        """The idempotency key; empty without one. Raises Refused: bad_reference."""
        key = self.header(b"idempotency-key")
        if key:
            check_reference("Idempotency-Key", key)
        return key

    async def execute(
        self, command: Command, by: Actor, *, seen: int = 0, now: datetime | None = None, undated: bool = False
    ) -> Accepted:
        """What was asked, as a command, once for the sender's key; durable when this returns. Raises Refused."""
        sender = self.caller.sender
        return await self.site.execute(command, by, key=self.key, sender=sender, seen=seen, now=now, undated=undated)

    @property
    def acting_as(self) -> str:
        """The role that the header Houbao-Actor names."""
        return self.header(b"houbao-actor")

    @property
    def dry_run(self) -> bool:
        """Whether only to say what would happen. Raises Refused: bad_request."""
        if not self.request.scope["query_string"]:
            return False
        wish = self.request.query_params.get("dry_run", "false")
        if wish not in ("true", "false"):
            raise Refused("bad_request", f"dry_run is {wish!r}: say true or false")
        return wish == "true"


Work = Callable[[Ask[Any, Any]], Any]
"""What does it: gives what to answer, or an awaitable of that."""

Verify = Callable[[Request[Any, Any, Any], bytes], None]
"""Whether a request with those bytes comes from whom it says. Raises Refused."""


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
    verify: Verify | None = None,
    name: str = "",
    tag: str = "",
    previews: bool = False,
) -> Callable[[Work], HTTPRouteHandler]:
    """Make a handler of a function. One that is not `async` may wait for the database, and runs beside the event
    loop. `verify` looks at the body's bytes before anything is made of them."""

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
            previews=previews,
        )
        read = _reader(body, verify, most or 0)
        told = iscoroutinefunction(work)

        async def handle(request: Request[Any, Any, Any]) -> ASGIApp:
            query_read = _query(request, query, previews)
            ask = Ask(request, await read(request), query_read)
            done = await work(ask) if told else await asyncio.to_thread(work, ask)
            return _written(done, status, media)

        handle.__name__ = said.name
        handle.__doc__ = work.__doc__
        return Handler(
            path,
            http_method=READ if method == "GET" else method,  # ty: ignore[invalid-argument-type]
            opt={**on(action, files=takes.startswith("image/")), "operation": said},
            request_max_body_size=most,
            status_code=status,
        )(handle)

    return decorate


def _written(done: Any, status: int, media: str) -> Any:
    """What a work gave, ready to be sent."""
    if isinstance(done, Response):
        return done
    if not isinstance(done, Answer):
        done = Answer(done)
    content = done.body if isinstance(done.body, bytes) else encode(done.body)
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in done.headers.items()]
    headers += [(b"content-type", media.encode()), (b"content-length", str(len(content)).encode())]
    return Reply(done.status or status, headers, content)


def _reader(body: Any, verify: Verify | None, most: int) -> Callable[[Request[Any, Any, Any]], Awaitable[Any]]:
    """How a request's body becomes a record: strictly, so that what is mistyped is refused and not guessed. Of a list
    that cannot be read as a whole each item is read alone: a `Refused` stands in the place of one that cannot be."""
    if body is Nothing or body is bytes:  # bytes are read by the work itself, as they come
        return _no_body
    decode = msgspec.json.Decoder(body).decode
    item = next((get_args(kind)[0] for kind in get_args(body) if get_origin(kind) is list), None)
    decode_item = msgspec.json.Decoder(item).decode if item else None
    # A body of which every field may be left out may be left out too.
    empty = b"{}" if isinstance(body, type) and issubclass(body, Struct) and _optional(body) else b""

    async def read(request: Request[Any, Any, Any]) -> Any:
        by_cookie = request.scope["state"]["caller"].by_cookie  # then the guard may have read it, for the form's token
        content = await (request.body() if by_cookie else body_of(request, most))
        if verify:
            verify(request, content)
        if not content and empty:
            return decode(empty)
        if (media := media_of(request.scope)) != JSON:
            raise Refused("unsupported_media", f"the body is {media or 'of no type'}: send JSON")
        try:
            return decode(content)
        except UNREADABLE as error:
            if decode_item and content.lstrip(SPACE).startswith(b"["):
                return _items(content, decode_item)
            raise bad_field(error) from None

    return read


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
SPACE = b" \t\r\n"

_Raws = msgspec.defstruct("_Raws", [(f"item{n}", msgspec.Raw, None) for n in range(MOST_AT_ONCE + 1)], array_like=True)
"""An array of anything, of which no more is kept than one item above the most: so none costs more memory than a full
list, however many items it has."""

_raws_of = msgspec.json.Decoder(_Raws).decode


def _items(content: bytes, decode: Callable[[bytes | msgspec.Raw], Any]) -> list[Any]:
    """Each item of a list, or why it cannot be read. Raises Refused: bad_list; bad_field where the whole is no JSON."""
    try:
        raws = [raw for raw in msgspec.structs.astuple(_raws_of(content)) if raw is not None]
    except UNREADABLE as error:
        raise bad_field(error) from None
    check_count(len(raws))
    items: list[Any] = []
    for n, raw in enumerate(raws):
        try:
            items.append(decode(raw))
        except UNREADABLE as error:
            items.append(bad_field(error, f"[{n}]"))
    return items


def check_count(count: int) -> None:
    """`Refused('bad_list')` where a list has too few items, or too many."""
    if not 1 <= count <= MOST_AT_ONCE:
        found = f"more than {MOST_AT_ONCE}" if count else "no"
        raise Refused("bad_list", f"the list has {found} items: send 1 to {MOST_AT_ONCE}")


async def _no_body(request: Request[Any, Any, Any]) -> Nothing:
    return Nothing()


def _optional(body: type[Struct]) -> bool:
    return all(not field.required for field in msgspec.structs.fields(body))


def _query(request: Request[Any, Any, Any], query: Any, previews: bool) -> Any:
    """The query as a record. `dry_run` is known where there are previews alone: passed over, it would let happen what
    was only asked about. Raises Refused: bad_request."""
    if query is Nothing and not request.scope["query_string"]:
        return Nothing()
    known = {field.encode_name for field in msgspec.structs.fields(query)}
    given = {name: values[-1] for name, values in request.query_params.dict().items()}
    if not previews and "dry_run" in given:
        raise Refused("bad_request", "there is no preview of this: leave dry_run out, and it is done")
    if query is Nothing:
        return Nothing()
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
