"""Evidence: photographs in a folder under the SHA-256 of their content, seen through links that end, and erasable.

Events name evidence by this digest alone; when the file is erased, the digest stays and shows nothing.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Literal

from houbao.core.claims import is_digest
from houbao.core.terms import Refused
from houbao.engine.evidence import Link, Piece, Shown
from houbao.gateways.photos import Photo, remake

ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png"}
SMALL = ".small.jpg"

LINK_LIFE = timedelta(minutes=15)
KEY_BYTES = 32

# --- links ---------------------------------------------------------------------------------------------------------


def link_ends(now: datetime) -> datetime:
    """When a link that is made `now` ends: in 15 to 30 minutes, at a full quarter of an hour, so that a page loaded
    twice has the same link twice, and the browser need not fetch the picture again."""
    quarter = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    return quarter + 2 * LINK_LIFE


def sign(key: bytes, digest: str, caller: str, until: datetime) -> str:
    """The signature of a link by which `caller` alone sees that evidence until then (whole seconds count): HMAC-SHA-256
    in hex."""
    return hmac.new(key, f"evidence\n{digest}\n{caller}\n{_second(until)}".encode(), hashlib.sha256).hexdigest()


def check(key: bytes, digest: str, caller: str, until: datetime, signature: str, now: datetime) -> None:
    """Raises Refused: bad_link, where the link was altered, made for somebody else, or has ended."""
    right = hmac.compare_digest(sign(key, digest, caller, until).encode(), signature.encode())
    if not right or now.timestamp() >= _second(until):
        raise Refused("bad_link", "the link to this evidence was made for somebody else, was altered, or has ended")


def _second(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp())


def link_key(path: Path) -> bytes:
    """The key that signs links: 32 random bytes in a file that only its owner reads, made when it is first asked for.
    Another key ends all links. Raises OSError; ValueError where the file holds something else."""
    if not path.exists():
        _write(path, secrets.token_bytes(KEY_BYTES), once=True)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path} holds {len(key)} bytes: a key has {KEY_BYTES}; remove the file to have one made")
    return key


# --- the folder ----------------------------------------------------------------------------------------------------


class EvidenceFolder:
    """The folder. A piece is `ab/abcd….jpg` or `.png`, beside it `ab/abcd….small.jpg`. `key_file` holds the key of its
    links."""

    def __init__(self, folder: Path, key_file: Path) -> None:
        self.folder = folder
        self.key_file = key_file
        self._one_at_a_time = threading.Lock()

    def keep(self, content: bytes) -> Piece:
        """Take in a photograph; what is kept is made anew from its pixels (`photos.remake`). Durable when it returns.
        Sent twice it is kept once. Raises Refused: bad_image, image_too_large, no_images, not_kept."""
        with self._one_at_a_time:  # unpacked it takes up to 200 MB
            photo = remake(content)
        digest = hashlib.sha256(photo.content).hexdigest()
        try:
            self._put(digest, photo)
        except OSError as error:
            raise Refused("not_kept", f"the folder of evidence cannot be written to: {error.strerror}") from None
        return Piece(digest, photo.media, photo.width, photo.height, len(photo.content))

    def _put(self, digest: str, photo: Photo) -> None:
        """The small one first: what has its file is whole."""
        path = self._path(digest, ENDINGS[photo.media])
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(self._path(digest, SMALL), photo.thumbnail)
        _write(path, photo.content)
        _sync_folder(path.parent)

    def unknown(self, digests: Iterable[str]) -> list[str]:
        """Those of which there is nothing: never sent, or erased."""
        return [digest for digest in digests if self._find(digest) is None]

    def show(self, digest: str, size: Literal["whole", "small"] = "whole") -> Shown:
        """A piece, or the small picture of it. Raises Refused: unknown_evidence."""
        path = self._find(digest)
        try:
            if path is not None:
                media = next(media for media, ending in ENDINGS.items() if ending == path.suffix)
                if size == "whole":
                    return Shown(path.read_bytes(), media)
                return Shown(self._path(digest, SMALL).read_bytes(), "image/jpeg")
        except FileNotFoundError:
            pass  # erased meanwhile
        raise Refused("unknown_evidence", f"there is no evidence {digest}")

    def sent_before(self, at: datetime) -> list[str]:
        """The pieces that nobody sent since then (machine's clock)."""
        files = (path for ending in ENDINGS.values() for path in self.folder.glob(f"??/*{ending}"))
        return sorted(path.stem for path in files if is_digest(path.stem) and path.stat().st_mtime < at.timestamp())

    def erase(self, digest: str) -> bool:
        """Forget a piece, its small picture and what an interrupted upload left of it; whether there was anything.
        Events keep the digest, which shows nothing. Raises Refused: bad_evidence."""
        if not is_digest(digest):
            raise Refused("bad_evidence", f"{digest!r} is no SHA-256 digest: 64 lower-case hex digits")
        folder = self.folder / digest[:2]
        files = list(folder.glob(f"{digest}.*"))
        for file in files:
            file.unlink(missing_ok=True)
        if files:
            _sync_folder(folder)
        return bool(files)

    def link(self, digest: str, caller: str, now: datetime) -> Link:
        """See engine.evidence.Evidence."""
        until = link_ends(now)
        return Link(until, sign(self._key, digest, caller, until))

    def check_link(self, digest: str, caller: str, until: datetime, signature: str, now: datetime) -> None:
        """See engine.evidence.Evidence."""
        check(self._key, digest, caller, until, signature, now)

    @cached_property
    def _key(self) -> bytes:
        try:
            return link_key(self.key_file)
        except (OSError, ValueError) as error:
            raise Refused("not_kept", f"the key of links to evidence cannot be used: {error}") from None

    def _find(self, digest: str) -> Path | None:
        if not is_digest(digest):
            return None
        paths = (self._path(digest, ending) for ending in ENDINGS.values())
        return next((path for path in paths if path.exists()), None)

    def _path(self, digest: str, ending: str) -> Path:
        return self.folder / digest[:2] / f"{digest}{ending}"


def _write(path: Path, content: bytes, *, once: bool = False) -> None:
    """Write a file whole or not at all, readable by its owner alone; with `once` an existing one stays."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if not once:
            temporary.replace(path)
        else:
            with contextlib.suppress(FileExistsError):  # another process was first: both use what it wrote
                os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """So that a name outlives a power cut, where the system can promise that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
