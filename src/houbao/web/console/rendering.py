"""Templates and what they may say: one Jinja environment, whose every page speaks by its reader's `Voice`.

A template has `v` (the voice), the domain's words (`word`, `low`, `state_chip`, …), `_()` and `say_n()`, and what
its page gives it. Everything is escaped; no page has script or style of its own (the content policy forbids both).
"""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from houbao.core.accounts import provider_of
from houbao.core.disputes import Dispute
from houbao.core.hearings import paid
from houbao.core.money import decimal
from houbao.core.score import of_hundred
from houbao.core.terms import id_in, public_id, role_of
from houbao.web.console import states, words
from houbao.web.console.language import LANGUAGES, Voice
from houbao.web.console.previewed import mark

WEB = Path(__file__).parents[1]
STATIC = WEB / "static"
TEMPLATES = WEB / "templates"


def environment() -> Environment:
    """The templates, made ready once."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # ty: ignore[missing-attribute]
    said: dict[str, Any] = {
        "languages": LANGUAGES,
        "static": static_url,
        "id_of": id_of,
        "id_in": id_in,
        "role_of": role_of,
        "provider_of": provider_of,
        "word": _spoken(words.word),
        "low": _spoken(words.low),
        "disclosed_word": _spoken(words.disclosed),
        "account_word": _spoken(words.account),
        "retell": _spoken(words.retell),
        "programme_name": _spoken(words.programme_name),
        "say_n": _spoken(Voice.say_n),
        "carried_out": _spoken(words.carried_out),
        "offered": _spoken(words.offered),
        "state_chip": _spoken(states.state_chip),
        "fault_chip": _spoken(states.fault_chip),
        "share_words": words.SHARE,
        "watch_words": words.WATCH,
        "span": _spoken(seconds_told),
        "of_hundred": of_hundred,
        "decimal_of": decimal,
        "paid_of": paid,
        "approved_of": approved_of,
        "mark_of": mark,
    }
    made.globals.update(said)
    return made


def id_of(kind: str, number: int) -> str:
    """The public id of a thing."""
    return public_id(kind, 0, number)


def seconds_told(voice: Voice, seconds: float) -> Markup:
    """A stretch of time given in seconds."""
    return voice.span(timedelta(seconds=seconds))


def approved_of(dispute: Dispute) -> int:
    """What was approved for its buyer and not given up (minor units)."""
    return sum(refund.minor for refund in dispute.refunds)


def render(templates: Environment, template: str, voice: Voice, /, **given: Any) -> Markup:
    """A page for one reader."""
    return Markup(templates.get_template(template).render(v=voice, **given))


def static_url(name: str) -> str:
    """Where a file of web/static is served; with a part of its digest, so that a new one is never mistaken for an old
    one that a browser keeps."""
    known = _digests.get(name)
    if known is None:
        known = _digests[name] = sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?{known}"


_digests: dict[str, str] = {}


def _spoken(function: Any) -> Any:
    """A function of words as templates call it: without the voice, which is the page's."""

    @pass_context
    def spoken(context: Context, *given: Any, **named: Any) -> Any:
        return function(context["v"], *given, **named)

    return spoken


@pass_context
def _gettext(context: Context, message: str) -> str:
    return context["v"].messages.ugettext(message)


@pass_context
def _ngettext(context: Context, one: str, many: str, n: int) -> str:
    return context["v"].messages.ungettext(one, many, n)
