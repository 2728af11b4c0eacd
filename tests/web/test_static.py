"""What is served as it is: vendored files are those that were taken, colours are tokens, no page reaches out."""

import re
from hashlib import sha256
from pathlib import Path

from houbao.web.console.rendering import STATIC, TEMPLATES

TESTS = Path(__file__).parents[1]


def vendored(folder: Path) -> dict[str, str]:
    """File → the SHA-256 that was noted when it was taken."""
    notes = (folder / "README.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `([^`]+)`.*`([0-9a-f]{64})` \|$", notes, re.MULTILINE))


def test_every_vendored_file_is_the_one_that_was_taken_and_brings_its_licence():
    for folder in (STATIC / "vendor", TESTS / "vendor"):
        noted = vendored(folder)
        assert {str(path.relative_to(folder)) for path in folder.rglob("*.js")} == set(noted)
        for name, digest in noted.items():
            assert sha256((folder / name).read_bytes()).hexdigest() == digest, name
            assert (folder / name).with_name("LICENSE").exists()


def test_colours_stand_in_the_tokens_alone():
    for path in (STATIC / "style").glob("*.css"):
        if path.name != "tokens.css":
            found = re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsl\(", path.read_text(encoding="utf-8"))
            assert found == [], path.name


def test_no_template_has_script_or_style_of_its_own_or_reaches_out():
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<style|\bstyle=|\son\w+=|javascript:|<script(?![^>]* src=)", text), path.name
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text), path.name
        for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL):
            assert "csrf_token" in form or "f.hidden(" in form, f"{path.name}: {form[:80]}"
