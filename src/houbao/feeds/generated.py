"""Orders of the same shape as a marketplace's, made from a seed: the demonstration for those who have no data.

Nothing is copied from anyone: sentences, categories and figures are ours. The same number and seed give the same orders
on every machine, so no draw goes through a logarithm or another function that machines round differently.

| what | how often |
|---|---|
| stores | one per 8 orders; the n-th most popular sells in proportion to 1/n |
| lines | 1 in 80 %, 2 in 15 %, 3 in 5 % of the orders |
| a line's price | around 60.00 BRL, each doubling or halving rarer (a binomial power of two: log-normal in shape) |
| payments | card 92 %, card and voucher 6 %, voucher 2 % |
| delivered after the promised day | 3 % |
| never delivered | 3 %: a third each cancelled, never shipped, lost on the way |
| complaints | 14 %: 70 % of the never delivered, 60 % of the late, 11 % of the rest (`REASONS_DRAWN`) |
"""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from houbao.core.orders import Cancelled, Delivered, Fact, Listing, NewLine, Paid, Payment, PlaceOrder, Shipped
from houbao.feeds.sold import Complaint, SoldOrder, claim, commission, worth

START = datetime(2017, 1, 1, tzinfo=UTC)
DAYS = 730
ORDERS_PER_STORE = 8

REASONS_DRAWN = {
    "poor_quality": 25,
    "short_quantity": 18,
    "different_item": 10,
    "defective": 9,
    "damaged": 8,
    "delivered_not_received": 8,
    "not_as_pictured": 6,
    "wrong_variant": 4,
    "missing_parts": 4,
    "changed_mind": 3,
    "counterfeit": 2,
    "does_not_fit": 2,
    "other": 1,
}
"""Reason → its share, in percent, of the complaints about orders delivered in time."""

TEXTS = {
    "poor_quality": ("Material muito fraco, esperava mais.", "A qualidade é ruim pelo preço que paguei."),
    "short_quantity": ("Comprei dois e recebi apenas um.", "Só veio metade do pedido, falta entregar o resto."),
    "different_item": ("Veio o produto errado.", "Pedi uma luminária e mandaram outro produto."),
    "defective": ("Chegou com defeito, não liga.", "Usei uma vez e parou de funcionar."),
    "damaged": ("A caixa chegou amassada e o vidro quebrado.", "O espelho veio trincado."),
    "delivered_not_received": ("Consta como entregue, mas não recebi nada.", "Até hoje não chegou aqui em casa."),
    "not_as_pictured": ("Bem diferente da foto do anúncio.", "Propaganda enganosa, na foto parecia maior."),
    "wrong_variant": ("Veio na cor errada.", "Mandaram o tamanho errado da camiseta."),
    "missing_parts": ("Veio faltando parafusos e o manual.", "Chegou sem o carregador."),
    "changed_mind": ("Me arrependi, quero devolver.", "Desisti da compra, como faço a devolução?"),
    "counterfeit": ("O relógio não é original.", "Perfume falsificado, um absurdo."),
    "does_not_fit": ("Não serviu em mim.", "Ficou muito apertado."),
    "other": ("Ninguém responde no atendimento.", "Não mandaram a nota fiscal."),
    "never_shipped": ("Ainda não enviaram meu pedido.", "Paguei e nada foi despachado até agora."),
    "in_transit_overdue": ("Passou do prazo e não chegou.", "O rastreio está parado há dias, cadê meu pedido?"),
}
"""Reason → what buyers say; a test holds that the keyword rules read each sentence as its reason."""

LISTINGS = (
    Listing(title="Table lamp", category="housewares", disclosures={"voltage": "110/220 V", "weight": "850 g"}),
    Listing(title="Cotton T-shirt", category="fashion", disclosures={"size tolerance": "2 cm", "colour": "may vary"}),
    Listing(
        title="Wrist watch", category="watches_gifts", disclosures={"water": "splash proof", "warranty": "90 days"}
    ),
    Listing(title="Eau de parfum 50 ml", category="perfumery", disclosures={"returns": "sealed only"}),
    Listing(
        title="Office chair", category="furniture_decor", disclosures={"weight": "11 kg", "assembly": "by the buyer"}
    ),
    Listing(title="Phone charger", category="electronics", disclosures={"plug": "type N", "warranty": "90 days"}),
    Listing(title="Wall mirror", category="furniture_decor", disclosures={"size": "60 × 40 cm"}),
    Listing(title="Building blocks", category="toys", disclosures={"age": "from 3 years", "pieces": "120"}),
)


def generate(orders: int, seed: int) -> list[SoldOrder]:
    """`orders` orders in BRL from `seed`, by the time they were placed: two years from 2017 on (table above)."""
    rng = Random(seed)
    stores = max(1, orders // ORDERS_PER_STORE)
    popular = [10**6 // (n + 1) for n in range(stores)]
    seconds = sorted(rng.randrange(DAYS * 86_400) for _ in range(orders))
    return [
        _sold(rng, number, f"store-{store + 1}", START + timedelta(seconds=second))
        for number, (second, store) in enumerate(
            zip(seconds, rng.choices(range(stores), weights=popular, k=orders), strict=True), start=1
        )
    ]


def _sold(rng: Random, number: int, store: str, at: datetime) -> SoldOrder:
    lines = tuple(_line(rng, i) for i in range(1, 1 + _pick(rng, {1: 80, 2: 15, 3: 5})))
    paid_at = at + timedelta(minutes=rng.randint(2, 24 * 60))
    ship_by = paid_at + timedelta(days=rng.randint(3, 6))
    place = PlaceOrder(
        store=store,
        reference=f"order-{number}",
        buyer=f"buyer-{rng.randint(1, number)}",
        currency="BRL",
        lines=lines,
        payments=_payments(rng, sum(worth(line) for line in lines)),
        ship_by=ship_by,
        promised_by=(ship_by + timedelta(days=rng.randint(9, 22))).replace(hour=3, minute=0, second=0),
        at=at,
    )
    fate = _pick(rng, {"in time": 940, "late": 30, "lost": 10, "never shipped": 10, "cancelled": 10})
    facts, complaint_at = _facts(rng, place, paid_at, fate)
    complains = rng.randrange(100) < {"in time": 11, "late": 60}.get(fate, 70)
    return SoldOrder(
        place=place, facts=facts, complaint=_complaint(rng, place, fate, complaint_at) if complains else None
    )


def _line(rng: Random, number: int) -> NewLine:
    step = rng.getrandbits(8).bit_count()
    listing = rng.choice(LISTINGS)
    return NewLine(
        id=str(number),
        item=rng.randint(250 << step, 500 << step),
        shipping=rng.randint(700, 3_500),
        category=listing.category,
        shown=listing,
    )


def _payments(rng: Random, total: int) -> tuple[Payment, ...]:
    way = _pick(rng, {"card": 92, "both": 6, "voucher": 2})
    voucher = {"card": 0, "both": total * rng.randint(5, 60) // 100, "voucher": total}[way]
    amounts = ((total - voucher, True), (voucher, False))
    return tuple(
        Payment(id=str(i), provider="sandbox", minor=minor, cash=cash)
        for i, (minor, cash) in enumerate(amounts, start=1)
        if minor
    )


def _facts(rng: Random, place: PlaceOrder, paid_at: datetime, fate: str) -> tuple[tuple[Fact, ...], datetime]:
    """What happened, in time order, and when the buyer would complain about it."""
    paid = Paid(order=0, at=paid_at, commission=commission(place))
    overdue = place.promised_by + timedelta(hours=rng.randint(6, 240))
    if fate == "never shipped":
        return (paid,), overdue
    if fate == "cancelled":
        at = paid_at + timedelta(hours=rng.randint(1, 60))
        return (paid, Cancelled(order=0, at=at, party="seller")), at + timedelta(hours=rng.randint(1, 72))
    shipped = Shipped(order=0, at=paid_at + timedelta(hours=rng.randint(6, 72)))
    if fate == "lost":
        return (paid, shipped), overdue
    if fate == "late":
        arrival = overdue + timedelta(hours=rng.randint(1, 120))
        return (paid, shipped, Delivered(order=0, at=arrival)), overdue
    left = int((place.promised_by - shipped.at).total_seconds())
    delivered = Delivered(order=0, at=shipped.at + timedelta(seconds=rng.randint(86_400, left - 1)))
    return (paid, shipped, delivered), delivered.at + timedelta(hours=rng.randint(2, 240))


def _complaint(rng: Random, place: PlaceOrder, fate: str, at: datetime) -> Complaint:
    if fate == "in time":
        reason = _pick(rng, REASONS_DRAWN)
    else:
        reason = "in_transit_overdue" if fate in ("late", "lost") else "never_shipped"
    lines, amount = claim(place, reason)
    return Complaint(
        order=place.reference,
        at=at,
        score=rng.randint(1, 2),
        text=rng.choice(TEXTS[reason]),
        reason=reason,
        why=f"generated: {fate}",
        lines=lines,
        amount=amount,
    )


def _pick(rng: Random, weights: dict[Any, int]) -> Any:
    """One of the keys, as often as its weight says."""
    return rng.choices(list(weights), weights=list(weights.values()))[0]
