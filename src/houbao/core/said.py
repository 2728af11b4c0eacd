"""Sentences that can be said again in another language.

The core speaks English and knows no other language. Where a page may want to tell a sentence to somebody who reads
another one, it is made as `Said`: it is its English text to everybody, and still knows its template and the values, so
that whoever has a catalogue can translate the template and fill the values in anew.
"""

from collections.abc import Mapping
from typing import Self


class Said(str):
    """A sentence in English: its template with `%(name)s` filled in. The template stands in the call as it is, so that
    the catalogues find it. A value that is a tuple is a list of words or sentences; one that is a `Said` or a `Code` is
    said in the other language too."""

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, **values: object) -> Self:
        """The sentence of that template and these values."""
        said = super().__new__(cls, template % {name: _plain(value) for name, value in values.items()})
        said.template, said.values = template, values
        return said

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        """By what a copy is made: not by the finished text, which is no template."""
        return (self.template,), dict(self.values)


class Code(str):
    """A code inside a sentence, such as a state: `of` names the table of words where it is looked up. In English it is
    told as the code itself, or as `text`."""

    __slots__ = ("code", "of")
    of: str
    code: str

    def __new__(cls, of: str, code: str, text: str = "") -> Self:
        """The code of that table."""
        named = super().__new__(cls, text or code)
        named.of, named.code = of, code
        return named

    def __getnewargs_ex__(self) -> tuple[tuple[str, str, str], dict[str, object]]:
        """By what a copy is made."""
        return (self.of, self.code, str(self)), {}


def fault_at(field: str, wrong: str) -> Said:
    """What is wrong with a field of a text that somebody wrote."""
    return Said("%(field)s: %(wrong)s", field=field, wrong=wrong)


def _plain(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value
