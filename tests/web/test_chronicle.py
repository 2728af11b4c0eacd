"""Every event of a dispute has its sentence, every code its word: none is told by its name in the code."""

from typing import get_args

import pytest

from houbao.core.disputes import Event
from houbao.core.phases import TURNS
from houbao.core.terms import REASONS
from houbao.web.console import chronicle, words
from houbao.web.console.deeds import DEEDS
from houbao.web.console.states import WAITING


def kinds(union: object) -> set[type]:
    """The records of a union, and of the unions in it."""
    parts = get_args(union)
    return set().union(*map(kinds, parts)) if parts else {union}  # ty: ignore[invalid-return-type]


def test_every_event_of_a_dispute_has_its_sentence():
    assert {kind.__name__ for kind in kinds(Event) - set(chronicle.TELLERS)} == set()


def test_every_reason_and_phase_has_its_word():
    assert set(REASONS) <= set(words.REASON)
    assert set(TURNS) - {"closed"} == set(WAITING)


def test_every_deed_of_buyers_and_sellers_has_its_form():
    theirs = {name for turns in TURNS.values() for name, turn in turns.items() if {"buyer", "seller"} & set(turn.by)}
    assert theirs == set(DEEDS)


@pytest.mark.parametrize("deed", DEEDS.values(), ids=lambda deed: deed.name)
def test_a_deed_says_what_it_asks_for_what_follows_and_names_its_effect(deed):
    assert deed.label and deed.then and deed.button
    assert deed.plain or deed.money or not deed.fields, "what cannot be previewed says what the money hangs on"
