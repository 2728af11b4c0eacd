"""A connection of the server: Uvicorn's on httptools, which bounds neither how much a sender says beside the body nor
how long that takes. Here both have a bound, so that whoever says nothing useful costs nothing for long."""

from asyncio import TimerHandle, Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from houbao.web.receiving import WHOLE

HEAD_SECONDS = 20.0
"""How long a connection may take to say what it asks for, until the last of its headers."""

MOST_HEAD = 32 * 1024
"""The most bytes of what is no body (headers, trailers, the sizes of chunks), beside what one read brings …"""

BESIDE_BODY = 8
"""… and so many for each byte of the body: a body may come in small pieces."""

TOO_SLOW = b"408 Request Timeout"
TOO_MUCH = b"431 Request Header Fields Too Large"


class Connection(HttpToolsProtocol):
    """One connection, from its first byte to its last."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._waiting: TimerHandle | None = None
        self._in_head = True
        self._begun = self._asked = 0
        self._beside = self._body = self._read = 0

    def connection_made(self, transport: Transport) -> None:
        """Somebody is there: they say what they want, or leave."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self._heard()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        self._begun += 1
        self._beside = self._body = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """It has said what it asks for."""
        self._in_head = False
        self._asked += 1
        self._heard()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        self._read += len(body)
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is here."""
        self.scope.setdefault("extensions", {})[WHOLE] = {}
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes came: of a head, a body, or both."""
        begun, read = self._begun, self._read
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._begun == begun:
            self._beside += len(data) - (self._read - read)
        if self._beside > MOST_HEAD + BESIDE_BODY * self._body:
            self._end(TOO_MUCH)
        elif self._in_head and self._waiting is None:
            self._wait_for_head()

    def _wait_for_head(self) -> None:
        self._waiting = self.loop.call_later(HEAD_SECONDS, self._end, TOO_SLOW)

    def _heard(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _end(self, why: bytes) -> None:
        """Say why, where something was asked and nothing else is being answered, and hang up. Who never said anything
        is told nothing: browsers connect in advance, and would take it for an answer. Where an answer is under way,
        slowness waits for its end."""
        self._heard()
        answering = self._asked > 0 and not self.cycle.response_complete
        if answering and why is TOO_SLOW:
            self.cycle.keep_alive = False
            return
        if self._begun and not answering:
            self.transport.write(b"HTTP/1.1 " + why + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()
