"""The address that a server answers on, taken before anything else is begun."""

import os
import socket

from houbao.commands.terminal import CommandFailed


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket that listens there; `shared` beside others of this user that do. Raises CommandFailed where that cannot
    be, saying what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        found = socket.create_server((host, port), family=family, backlog=2048, reuse_port=shared)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise CommandFailed(f"cannot answer on {host} port {port}: {why}; --host and --port name another") from None
    # Whoever connects inherits it: an answer's second packet does not wait 40 ms for the first to be acknowledged.
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def listen_together(host: str, port: int, processes: int) -> list[socket.socket]:
    """A socket for each process: the system deals who connects out among them. Raises CommandFailed as `listen` does,
    also where somebody else who shares listens there."""
    alone = listen(host, port)
    if processes == 1:
        return [alone]
    _, port, *_ = alone.getsockname()
    alone.close()
    return [listen(host, port, shared=True) for _ in range(processes)]


def listen_or_anywhere(host: str, port: int) -> socket.socket:
    """As `listen`; where the port is taken, on one that is free."""
    try:
        return listen(host, port)
    except CommandFailed:
        return listen(host, 0)
