"""What was shown is what is sent: the button of a preview carries a mark of what was filled in when it was made, and
nothing else is done by it."""

import json
from collections.abc import Mapping
from hashlib import sha256

from houbao.core.said import Said
from houbao.core.terms import Refused

APART = ("csrf_token", "key", "previewed")
"""Fields that say nothing of what is done."""


def mark(target: str, form: Mapping[str, object]) -> str:
    """The mark of a form that is to be sent to that path; fields that are empty are as if they were not there."""
    said = {name: _lines(str(value)) for name, value in form.items() if name not in APART and value not in ("", "0", 0)}
    return sha256(json.dumps([target, said], sort_keys=True).encode()).hexdigest()[:32]


def check_mark(target: str, form: Mapping[str, str]) -> None:
    """`Refused('bad_form')` where the form is not what its preview showed, or nothing was shown."""
    if form.get("previewed", "") != mark(target, form):
        raise Refused("bad_form", Said("this is not what was shown before it was sent: see what happens again"))


def _lines(text: str) -> str:
    """Browsers write the end of a line in two ways."""
    return "\n".join(text.splitlines())
