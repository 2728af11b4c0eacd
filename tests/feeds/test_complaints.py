"""The keyword rules over sentences of our own: what a buyer would have picked in a form."""

import pytest

from houbao.core.terms import REASONS
from houbao.feeds.complaints import RULES, classify, plain

DELIVERED = [
    ("Produto falsificado, com certeza.", "counterfeit"),
    ("O perfume não é original!", "counterfeit"),
    ("Recebi o relógio original e ele veio com defeito", "defective"),
    ("Comprei duas lâmpadas e recebi apenas uma", "short_quantity"),
    ("Só recebi 1 dos 3 travesseiros", "short_quantity"),
    ("O outro produto não chegou", "short_quantity"),
    ("Recebi o vaso mas não recebi a bandeja", "short_quantity"),
    ("Não recebi todos os itens", "short_quantity"),
    ("A estante veio faltando parafusos", "missing_parts"),
    ("Chegou sem o manual", "missing_parts"),
    ("A xícara chegou QUEBRADA", "damaged"),
    ("O produto chegou em perfeito estado, sem defeito? Não: veio amassado", "damaged"),
    ("Não liga de jeito nenhum", "defective"),
    ("Parou de funcionar no segundo dia", "defective"),
    ("Pedi a camisa azul e veio verde", "wrong_variant"),
    ("Veio na cor errada", "wrong_variant"),
    ("Tamanho diferente do que pedi", "wrong_variant"),
    ("Veio errado", "different_item"),
    ("Comprei uma chaleira e mandaram uma torradeira", "different_item"),
    ("Não recebi o produto correto", "different_item"),
    ("Muito diferente da foto", "not_as_pictured"),
    ("Não corresponde à descrição", "not_as_pictured"),
    ("Consta como entregue mas não recebi nada", "delivered_not_received"),
    ("Ainda não chegou", "delivered_not_received"),
    ("Cadê meu pedido?", "delivered_not_received"),
    ("A bota não serviu", "does_not_fit"),
    ("Ficou muito apertado", "does_not_fit"),
    ("Comprei errado, foi erro meu", "ordered_by_mistake"),
    ("Não preciso mais dele", "no_longer_needed"),
    ("Me arrependi da compra", "changed_mind"),
    ("Quero devolver", "changed_mind"),
    ("Péssima qualidade", "poor_quality"),
    ("Tecido muito fino", "poor_quality"),
    ("Fui cobrado duas vezes", "overcharged"),
    ("Demorou demais", "other"),
    ("Tive que buscar na agência dos correios", "other"),
    ("Ninguém responde", "other"),
    ("Adorei, chegou antes do prazo", "other"),
    ("O pacote foi devolvido ao remetente", "returned_to_sender"),
    ("Entregaram para outra pessoa", "wrong_address"),
]


@pytest.mark.parametrize(("text", "reason"), DELIVERED)
def test_a_delivered_order_s_text_gives_the_reason_a_buyer_would_pick(text: str, reason: str) -> None:
    found, why = classify(text, delivered=True, shipped=True, overdue=False)
    assert (found, why.split(":")[0]) == (reason, "keyword")


@pytest.mark.parametrize(
    "text",
    [
        "Não recebi resposta da loja",
        "Não recebi nenhum retorno",
        "Não recebi o reembolso",
        "Não recebi a nota fiscal",
        "Até agora não tive nenhum retorno",
    ],
)
def test_an_answer_that_did_not_come_is_not_a_parcel_that_did_not_come(text: str) -> None:
    assert classify(text, delivered=True, shipped=True, overdue=False)[0] == "other"


@pytest.mark.parametrize("text", ["Boa qualidade, mas demorou", "Qualidade boa, mas atrasou"])
def test_praise_of_the_quality_is_no_complaint_about_it(text: str) -> None:
    assert classify(text, delivered=True, shipped=True, overdue=False) == ("other", "keyword: atraso")


@pytest.mark.parametrize("text", ["Não recebi nada", "NAO RECEBI NADA", "  não   recebi\r\nnada ", "nâo recebí nada"])
def test_accents_case_and_spaces_change_nothing(text: str) -> None:
    assert classify(text, delivered=True, shipped=True, overdue=False)[0] == "delivered_not_received"


@pytest.mark.parametrize(("text", "_reason"), DELIVERED)
@pytest.mark.parametrize("shipped", [True, False])
def test_nothing_can_be_wrong_with_goods_that_were_never_delivered(text: str, _reason: str, shipped: bool) -> None:
    for overdue in (True, False):
        reason, _ = classify(text, delivered=False, shipped=shipped, overdue=overdue)
        assert REASONS[reason] == "INR" or (reason, overdue) == ("other", False)


def test_facts_decide_where_the_goods_have_not_come() -> None:
    assert classify("", delivered=False, shipped=False, overdue=True) == ("never_shipped", "fact: not shipped in time")
    assert classify("veio quebrado", delivered=False, shipped=True, overdue=True) == (
        "in_transit_overdue",
        "fact: not delivered by the promised day",
    )
    assert classify("", delivered=False, shipped=True, overdue=False)[0] == "other"
    assert classify("não recebi", delivered=False, shipped=True, overdue=False) == (
        "in_transit_overdue",
        "keyword: não recebi",
    )


def test_the_parcel_s_own_fate_is_believed_before_delivery_too() -> None:
    assert classify("voltou para o remetente", delivered=False, shipped=True, overdue=True)[0] == "returned_to_sender"
    assert classify("está parado na alfândega", delivered=False, shipped=True, overdue=True)[0] == "held_by_customs"
    assert classify("código de rastreio inválido", delivered=False, shipped=True, overdue=True)[0] == "tracking_invalid"


def test_silence_is_about_the_delay_or_else_about_the_goods() -> None:
    assert classify("", delivered=True, shipped=True, overdue=True, late=True) == (
        "other",
        "fact: delivered after the promised day",
    )
    assert classify("", delivered=True, shipped=True, overdue=False) == (
        "poor_quality",
        "fact: delivered in time, nothing else said",
    )


def test_every_rule_names_a_reason_of_houbao_and_words_of_its_own() -> None:
    assert {rule.reason for rule in RULES} <= set(REASONS)
    assert len({rule.words for rule in RULES}) == len(RULES)


def test_plain_text_has_no_accents_capitals_or_line_ends() -> None:
    assert plain("  Não\n É  BOM ") == "nao e bom"
