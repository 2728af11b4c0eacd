"""What is read for an answer: the statements that ran on the site's reading connections."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from sqlite3 import Connection
from typing import Any

from web.served import Served


class Read:
    """The statements, and which of them ran on the event loop, where everybody waits for them."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self.on_loop: list[str] = []

    def note(self, statement: str) -> None:
        """A statement ran, in the thread that calls this."""
        if not statement.startswith("SELECT"):
            return
        self.all.append(statement)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        self.on_loop.append(statement)

    def of(self, table: str) -> list[str]:
        """Those that read a table."""
        return [one for one in self.all if f" {table} " in f"{one} ".replace("\n", " ")]


@contextmanager
def statements(served: Served) -> Generator[Read]:
    """What is read meanwhile, by whatever thread."""
    read, reader = Read(), served.site.reader
    taken, put_back = reader.taken, reader.put_back

    def traced() -> Connection:
        connection = taken()
        connection.set_trace_callback(read.note)
        return connection

    def untraced(connection: Connection) -> None:
        connection.set_trace_callback(None)
        put_back(connection)

    watched: Any = reader
    watched.taken, watched.put_back = traced, untraced
    try:
        yield read
    finally:
        del watched.taken, watched.put_back
