"""The folder of evidence: kept under the hash of its content, seen by signed links that end, erased for good."""

import hashlib
import os
import sys
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

pytest.importorskip("pillow_heif", reason="pillow-heif is not installed: it comes with the extra `images`")
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from houbao.core.terms import Refused
from houbao.gateways.evidence import LINK_LIFE, EvidenceFolder, check, link_ends, link_key, sign

KEY = bytes(range(32))
NOON = datetime(2026, 7, 8, 12, tzinfo=UTC)
NEVER_SENT = hashlib.sha256(b"never sent").hexdigest()


def jpeg(colour: str = "red") -> bytes:
    file = BytesIO()
    Image.new("RGB", (640, 480), colour).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def evidence(tmp_path: Path) -> EvidenceFolder:
    return EvidenceFolder(tmp_path / "evidence", tmp_path / "key")


def code(call, *args, **more) -> str:
    with pytest.raises(Refused) as error:
        call(*args, **more)
    return error.value.code


# --- the folder ----------------------------------------------------------------------------------------------------


def test_a_photograph_lies_under_the_hash_of_its_content_with_a_small_one_beside_it(evidence):
    kept = evidence.keep(jpeg())
    shown, small = evidence.show(kept.digest), evidence.show(kept.digest, "small")
    assert hashlib.sha256(shown.content).hexdigest() == kept.digest and len(shown.content) == kept.bytes
    assert (shown.media, kept.media, kept.width, kept.height) == ("image/jpeg", "image/jpeg", 640, 480)
    assert max(Image.open(BytesIO(small.content)).size) == 320
    files = sorted(path.relative_to(evidence.folder).as_posix() for path in evidence.folder.rglob("*.*"))
    assert files == [f"{kept.digest[:2]}/{kept.digest}{ending}" for ending in (".jpg", ".small.jpg")]


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has these permissions")
def test_only_its_owner_reads_it(evidence):
    kept = evidence.keep(jpeg())
    modes = [path.stat().st_mode & 0o077 for path in evidence.folder.rglob(f"{kept.digest}*")]
    assert modes == [0, 0]


def test_the_same_photograph_sent_twice_is_kept_once(evidence):
    assert evidence.keep(jpeg()) == evidence.keep(jpeg())
    assert evidence.keep(jpeg("blue")) != evidence.keep(jpeg())
    assert len(list(evidence.folder.rglob("*.*"))) == 4


def test_what_was_never_sent_is_unknown(evidence):
    kept = evidence.keep(jpeg())
    assert evidence.unknown([kept.digest, NEVER_SENT, "../../etc/passwd", ""]) == [NEVER_SENT, "../../etc/passwd", ""]
    assert code(evidence.show, NEVER_SENT) == code(evidence.show, "../key") == "unknown_evidence"


def test_what_is_erased_is_gone_with_all_that_was_made_of_it(evidence):
    kept, other = evidence.keep(jpeg()), evidence.keep(jpeg("blue"))
    left_over = evidence.folder / kept.digest[:2] / f"{kept.digest}.jpg.x7.tmp"
    left_over.write_bytes(b"an upload that was interrupted")
    assert evidence.erase(kept.digest) is True
    assert not list(evidence.folder.rglob(f"{kept.digest}*"))
    assert evidence.unknown([kept.digest, other.digest]) == [kept.digest]
    assert code(evidence.show, kept.digest, "small") == "unknown_evidence"
    assert evidence.erase(kept.digest) is False
    assert code(evidence.erase, "*") == code(evidence.erase, "../..") == "bad_evidence"


def test_a_folder_that_cannot_be_written_is_said_plainly_and_leaves_nothing(tmp_path):
    (tmp_path / "evidence").write_text("in the way")
    assert code(EvidenceFolder(tmp_path / "evidence", tmp_path / "key").keep, jpeg()) == "not_kept"


def test_a_disk_that_is_full_leaves_no_half_of_a_photograph(evidence, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert code(evidence.keep, jpeg()) == "not_kept"
    assert not list(evidence.folder.rglob("*.*"))


def test_erasing_needs_nothing_that_reads_photographs(evidence, monkeypatch):
    sent = jpeg()
    kept = evidence.keep(sent)
    for name in ("PIL", "pillow_heif", "filetype"):
        monkeypatch.setitem(sys.modules, name, None)
    assert evidence.show(kept.digest).content
    assert evidence.erase(kept.digest)
    assert code(evidence.keep, sent) == "no_images"


# --- links ---------------------------------------------------------------------------------------------------------


def link(caller: str = "buyer:ann", now: datetime = NOON) -> tuple[datetime, str]:
    until = link_ends(now)
    return until, sign(KEY, NEVER_SENT, caller, until)


def test_a_link_works_for_its_caller_until_it_ends():
    until, signature = link()
    check(KEY, NEVER_SENT, "buyer:ann", until, signature, NOON)
    check(KEY, NEVER_SENT, "buyer:ann", until, signature, until - timedelta(seconds=1))
    assert code(check, KEY, NEVER_SENT, "buyer:ann", until, signature, until) == "bad_link"


@pytest.mark.parametrize(
    "changed",
    [
        {"key": bytes(32)},
        {"digest": NEVER_SENT[:-1] + "0"},
        {"caller": "buyer:bob"},
        {"caller": "buyer:ann\n"},
        {"until": NOON + timedelta(days=365)},
        {"signature": ""},
        {"signature": "é" * 64},
    ],
    ids=str,
)
def test_a_link_that_is_altered_or_somebody_elses_works_for_nobody(changed):
    until, signature = link()
    right = {"key": KEY, "digest": NEVER_SENT, "caller": "buyer:ann", "until": until, "signature": signature}
    check(**right, now=NOON)
    assert code(check, **right | changed, now=NOON) == "bad_link"


@given(st.timedeltas(timedelta(0), timedelta(days=2)).map(lambda gone: NOON + gone))
def test_a_link_lives_a_quarter_to_half_an_hour_and_is_the_same_within_a_quarter(now):
    until = link_ends(now)
    assert LINK_LIFE < until - now <= 2 * LINK_LIFE
    quarter = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    assert until == link_ends(quarter) == link_ends(quarter + LINK_LIFE - timedelta(microseconds=1))


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path):
    path = tmp_path / "houbao.key"
    key = link_key(path)
    assert len(key) == 32 and link_key(path) == key and path.read_bytes() == key
    if os.name == "posix":
        assert path.stat().st_mode & 0o077 == 0
    assert [file.name for file in tmp_path.iterdir()] == ["houbao.key"]
    assert link_key(tmp_path / "other.key") != key


def test_a_key_file_that_holds_something_else_is_an_error_at_once(tmp_path):
    (tmp_path / "houbao.key").write_bytes(b"too short")
    with pytest.raises(ValueError, match="9 bytes: a key has 32"):
        link_key(tmp_path / "houbao.key")
