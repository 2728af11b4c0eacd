"""The hash chain over a part's events: whoever changes a stored byte must change every head after it."""

from hashlib import sha256


def link(chain: bytes, position: int, body: bytes) -> bytes:
    """The next head of a part's hash chain: SHA-256 over the last head, the position and the stored bytes."""
    head = _EMPTY.copy()
    head.update(b"%b%d:%b" % (chain, position, body))
    return head.digest()


_EMPTY = sha256()
"""Copied for each link: that is cheaper than to look the algorithm up anew."""
