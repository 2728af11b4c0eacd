"""A sentence is its English text to everybody, and can be said again in another language by whoever has the words."""

from copy import copy, deepcopy
from pickle import dumps, loads

import pytest

from houbao.core.said import Code, Said
from houbao.core.terms import Refused


def test_a_sentence_is_its_english_text_and_knows_its_template_and_values():
    said = Said("%(amount)s less there", amount="1.00 EUR")
    assert said == "1.00 EUR less there"
    assert (said.template, dict(said.values)) == ("%(amount)s less there", {"amount": "1.00 EUR"})


def test_sentences_codes_and_lists_stand_inside_a_sentence_as_words():
    inside = Said("it is %(state)s", state=Code("status", "confirmation_timed_out"))
    assert Said("%(reason)s; say %(left)s", reason=inside, left=("A", "B")) == "it is confirmation_timed_out; say A, B"
    assert Said("a %(kind)s", kind=Code("entry", "payout_fee", "payout fee")) == "a payout fee"


@pytest.mark.parametrize(("detail", "again"), [(Said("no %(what)s", what="order"), True), ("no order", False)])
def test_a_refusal_is_told_in_plain_text_and_keeps_the_sentence_where_it_can_be_said_again(detail, again):
    refused = Refused("unknown_order", detail)
    assert (refused.detail, type(refused.detail)) == ("no order", str)
    assert (refused.said is detail) == again


def test_a_copy_is_the_same_sentence_still_with_its_template():
    for said in (Said("%(n)s less", n="5 % off"), Said("nothing is left")):
        for again in (copy(said), deepcopy(said), loads(dumps(said))):
            assert (again, again.template, again.values) == (said, said.template, said.values)
