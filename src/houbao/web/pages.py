"""Templates: every page is made by one engine, escapes by itself, and knows the form's token."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from litestar.plugins.jinja import JinjaTemplateEngine

from houbao.web.guard import csrf_token

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"


def environment() -> Environment:
    """Jinja, strict and escaping, with gettext's `{% trans %}`. The console adds its own filters and languages."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    known: dict[str, Any] = made.globals
    known["csrf_token"] = _token
    return made


@pass_context
def _token(context: Any) -> str:
    """The token of the form on the page that is being written."""
    return csrf_token(context["request"])


def engine() -> JinjaTemplateEngine:
    """The template engine of the application."""
    return JinjaTemplateEngine.from_environment(environment())
