"""The hash chain over a part's events: whoever changes a stored byte must change every head after it."""

from hashlib import sha256


def link(chain: bytes, position: int, body: bytes) -> bytes:
    """The next head of a part's hash chain: SHA-256 over the last head, the position and the stored bytes."""
    return sha256(b"%b%d:%b" % (chain, position, body)).digest()
