"""The catalogues of messages: what the pages say, gathered from templates and Python, and each language's translation.

`python -m houbao.web.console.catalogues` brings every catalogue up to date: new messages are added without a
translation, and those that nobody says any more are left out. Translations are written by hand.
"""

from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract, extract_from_dir
from babel.messages.pofile import read_po, write_po

from houbao.core import promise, said
from houbao.core.policy_file import parse_policy
from houbao.core.terms import REASONS, spelled
from houbao.shipped import policy_text
from houbao.web.console.language import LANGUAGES, catalogue

WEB = Path(__file__).parents[1]
ROOMS = WEB.parent
SAID, SAID_FROM = {"Said": None}, "from houbao.core.said import"
"""What marks the sentences of the other rooms that a page can tell in its reader's language: their templates."""

KEYWORDS = {"_": None, "N_": None, "say_n": (1, 2)} | SAID
CORE = {"say": None, "message": None}
"""What marks the sentences of core/promise.py, which the page of the guarantee says."""

OWN_WORDS = ("categories", "reason")
"""Facts whose values are words of a policy's own, or codes that it tells as words."""

HEAD = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: {locale}\\n"
"Plural-Forms: {plurals}\\n"

"""
"""How a catalogue begins: without a date or a person, so that bringing it up to date changes nothing else."""

METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]


def gathered() -> Catalog:
    """Every message that the console may say, with where it is said."""
    found = Catalog(project="houbao", charset="utf-8")
    for folder in ("console", "templates"):
        for name, line, message, comments, context in extract_from_dir(
            WEB / folder,
            method_map=METHODS,
            options_map={"**.html": {"extensions": "jinja2.ext.do", "newstyle_gettext": "true", "silent": "false"}},
            keywords=KEYWORDS,
        ):
            found.add(message, None, [(f"{folder}/{name}", line)], auto_comments=comments, context=context)
    with Path(promise.__file__).open("rb") as source:
        for line, message, _, _ in extract("python", source, keywords=CORE):
            found.add(message, None, [("core/promise.py", line)])
    for path in said_in():
        with path.open("rb") as source:
            for line, message, _, _ in extract("python", source, keywords=SAID):
                found.add(message, None, [(path.relative_to(ROOMS).as_posix(), line)])
    for reason in REASONS:
        found.add(spelled(reason), None, [("core/terms.py", 0)])
    for rule in parse_policy(policy_text()).rules:
        found.add(rule.says, None, [("shipped/policy.toml", 0)])
        for condition in rule.when:
            values = condition.value if isinstance(condition.value, list) else [condition.value]
            for one in values if condition.fact in OWN_WORDS else ():
                found.add(spelled(one), None, [("shipped/policy.toml", 0)])
    return found


def said_in() -> list[Path]:
    """The sources outside the console that make sentences as `Said`."""
    others = [path for path in sorted(ROOMS.rglob("*.py")) if not path.is_relative_to(WEB / "console")]
    return [path for path in others if makes_sentences(path)]


def makes_sentences(source: Path) -> bool:
    """Whether the source makes sentences as `Said`."""
    return source == Path(said.__file__) or SAID_FROM in source.read_text("utf-8")


def read(language: str) -> Catalog:
    """A language's catalogue as it stands; an empty one where there is none yet."""
    path = catalogue(language)
    if not path.exists():
        return Catalog(locale=language.replace("-", "_"), project="houbao", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language.replace("-", "_"))


def update(language: str) -> int:
    """Bring a catalogue up to date; returns how many messages are without a translation."""
    known, wanted = read(language), gathered()
    fresh = Catalog(locale=language.replace("-", "_"), project="houbao", charset="utf-8")
    missing = 0
    for message in wanted:
        if not message.id:
            continue
        old = known.get(message.id)
        string = old.string if old is not None else message.string
        files = sorted({(name, 0) for name, _ in message.locations})
        fresh.add(message.id, string, files)
        missing += not (all(string) if isinstance(string, list | tuple) else string)
    path = catalogue(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(HEAD.format(locale=fresh.locale_identifier, plurals=fresh.plural_forms).encode())
        write_po(file, fresh, width=120, sort_output=True, omit_header=True, include_lineno=False)
    return missing


if __name__ == "__main__":
    for language in LANGUAGES:
        if language != "en":
            print(f"{language}: {update(language)} messages without a translation")
