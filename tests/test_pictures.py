"""The pictures of the demonstration: taken as photographs are, each order's its own."""

import pytest

pytest.importorskip("pillow_heif", reason="pillow-heif is not installed: it comes with the extra `images`")

from houbao.demo.pictures import picture, teapot
from houbao.gateways.evidence import EvidenceFolder


def test_each_order_has_a_picture_of_its_own_and_always_the_same(tmp_path):
    evidence = EvidenceFolder(tmp_path / "evidence", tmp_path / "key")
    first, again, other = (evidence.keep(picture(name)) for name in ("order-1", "order-1", "order-2"))
    assert first == again
    assert other.digest != first.digest
    assert (first.width, first.height) == (960, 720)
    assert evidence.keep(teapot()).digest not in (first.digest, other.digest)
