"""Webhooks over HTTPS: signed by the Standard Webhooks specification, and never to a machine inside.

The receiver's name is looked up once, every address it has must be a public one, and the connection goes to that very
address: a name that changes its mind between the check and the call (DNS rebinding) gains nothing. Redirects are not
followed.
"""

import base64
import http.client
import secrets
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from standardwebhooks import Webhook, WebhookVerificationError

from houbao.core.terms import Refused
from houbao.engine.announcing import Answered, Hook

SECONDS = 10.0
"""How long the whole exchange may take, and each step before it: to find the address, to connect, to agree on TLS."""

MOST_ANSWER = 64 * 1024
"""The most bytes of an answer that are read; none of it is kept."""

MOST_URL = 2048

NAT64 = ip_network("64:ff9b::/96")
"""IPv4 addresses as networks without IPv4 write them (RFC 6052)."""

Resolve = Callable[[str, int], list[str]]


def new_secret() -> str:
    """A secret to sign with: 24 random bytes, as the specification writes them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def signatures(hook: Hook, message: str, at: datetime, body: str) -> str:
    """The signature of every secret of the webhook that is in use, in one header."""
    in_use = [one.secret for one in hook.secrets if one.until is None or at < one.until]
    return " ".join(Webhook(secret).sign(message, at, body) for secret in in_use)


def check_signed(secrets_of: Mapping[str, str], provider: str, headers: Mapping[str, str], body: bytes) -> None:
    """`Refused('bad_signature')` unless the provider signed the body with its own secret, a few minutes ago at most."""
    secret = secrets_of.get(provider, "")
    try:
        Webhook(secret or new_secret()).verify(body.decode(), dict(headers))
    except (WebhookVerificationError, UnicodeDecodeError, ValueError):
        secret = ""
    if not secret:
        raise Refused("bad_signature", "the message is not signed as that provider signs")


def check_url(url: str, *, local: bool = False) -> None:
    """`Refused('bad_url')` unless it is a full https address without name or password in it. `local` allows http, for
    a machine on which nothing else is."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("bad_url", "the url cannot be read") from None
    schemes = ("https", "http") if local else ("https",)
    if len(url) > MOST_URL or parts.scheme not in schemes or not parts.hostname or parts.username or port == 0:
        raise Refused("bad_url", "the url must be a full https address, without a name or password in it")


def resolved(host: str, port: int) -> list[str]:
    """Every address that the name has."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def public(address: str) -> bool:
    """Whether an address is one of the open internet: not this machine, not a network inside, nobody's group, no tunnel
    to any of these."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.is_site_local or ip.sixtofour or ip.teredo:
            return False
        ip = ip.ipv4_mapped or (IPv4Address(int(ip) & 0xFFFF_FFFF) if ip in NAT64 else ip)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


class Poster:
    """Posts messages. `local` lets them go to addresses inside too: for tests, and for a machine of its own."""

    def __init__(self, *, local: bool = False, resolve: Resolve = resolved) -> None:
        self.local = local
        self.resolve = resolve
        self.context = ssl.create_default_context()

    def send(self, hook: Hook, message: str, body: bytes, at: datetime) -> Answered:
        """Post one signed message; whatever goes wrong is an answer too."""
        try:
            return self._send(hook, message, body, at)
        except Refused as refused:
            return Answered(0, refused.detail)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Answered(0, f"no answer: {type(error).__name__}")

    def _send(self, hook: Hook, message: str, body: bytes, at: datetime) -> Answered:
        check_url(hook.url, local=self.local)
        parts = urlsplit(hook.url)
        assert parts.hostname
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = self._address(parts.hostname, port)
        connection = _To(address, parts.hostname, port, self.context if parts.scheme == "https" else None)
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "houbao",
            "webhook-id": message,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signatures(hook, message, at, body.decode()),
        }
        deadline = threading.Timer(SECONDS, connection.cut)
        deadline.daemon = True
        deadline.start()
        try:
            connection.request("POST", path, body=body, headers=headers)
            response = connection.getresponse()
            response.read(MOST_ANSWER)
            connection.check_time()
            return Answered(response.status, response.reason[:100] if response.reason else "")
        finally:
            deadline.cancel()
            connection.close()

    def _address(self, host: str, port: int) -> str:
        """An address of the name, if all that it has are public ones. Raises Refused: bad_url; TimeoutError."""
        found: Future[list[str]] = Future()

        def look() -> None:
            try:
                found.set_result(self.resolve(host, port))
            except Exception as fault:  # noqa: BLE001 - raised where it is waited for
                found.set_exception(fault)

        threading.Thread(target=look, daemon=True, name="resolver").start()  # no resolver can be interrupted
        addresses = found.result(SECONDS)
        if not addresses or (not self.local and not all(map(public, addresses))):
            raise Refused("bad_url", "the address is not one of the open internet")
        return addresses[0]


class _To(http.client.HTTPConnection):
    """A connection to an address that was checked, by the name that the certificate must have."""

    def __init__(self, address: str, name: str, port: int, context: ssl.SSLContext | None) -> None:
        super().__init__(name, port, timeout=SECONDS)
        self._address = address
        self._context = context
        self._kept: socket.socket | None = None
        self._over = False

    def connect(self) -> None:
        """Connect to the very address that was checked."""
        plain = socket.create_connection((self._address, self.port), SECONDS)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host) if self._context else plain
        self._kept = self.sock  # the connection forgets it before an answer without a length is read
        self.check_time()

    def cut(self) -> None:
        """The time is over, whatever is still said: a limit for each read would be met by one byte at a time."""
        self._over = True
        if self._kept:
            with suppress(OSError):
                socket.socket.shutdown(self._kept, socket.SHUT_RDWR)  # not TLS's own, which waits for an answer

    def check_time(self) -> None:
        """Raises TimeoutError where the time was over: what was read may be cut short."""
        if self._over:
            raise TimeoutError
