"""The words of a statement in every language: English, 简体中文, Español, Português (Brasil), Русский."""

from functools import lru_cache

from houbao.books.extract import LANGUAGES, Language
from houbao.core.terms import spelled
from houbao.engine.speech import Speech

HEADINGS = {
    "statement": ("Statement", "对账单", "Extracto", "Extrato", "Выписка"),
    "store": ("Store", "店铺", "Tienda", "Loja", "Магазин"),
    "from": ("From", "自", "Desde", "De", "С"),
    "to": ("To", "至", "Hasta", "Até", "По"),
    "made": ("Made at", "生成时间", "Emitido", "Emitido em", "Составлено"),
    "utc": ("times in UTC", "时间为协调世界时", "horas en UTC", "horários em UTC", "время UTC"),
    "time": ("Time", "时间", "Hora", "Horário", "Время"),
    "what": ("What", "项目", "Concepto", "Descrição", "Операция"),
    "for": ("For", "事由", "Motivo", "Motivo", "Основание"),
    "order": ("Order", "订单", "Pedido", "Pedido", "Заказ"),
    "dispute": ("Dispute", "纠纷", "Disputa", "Disputa", "Спор"),
    "reason": ("Reason", "原因", "Razón", "Razão", "Причина"),
    "rule": ("Rule", "规则", "Regla", "Regra", "Правило"),
    "payer": ("Paid by", "付款方", "Pagador", "Pagador", "Плательщик"),
    "counterparty": ("Counterparty", "对方账户", "Contraparte", "Contraparte", "Контрагент"),
    "amount": ("Amount", "金额", "Importe", "Valor", "Сумма"),
    "balance": ("Balance", "余额", "Saldo", "Saldo", "Остаток"),
    "entry": ("Entry", "分录", "Asiento", "Lançamento", "Запись"),
    "opening": ("Opening balance", "期初余额", "Saldo inicial", "Saldo inicial", "Входящий остаток"),
    "incoming": ("In", "收入", "Entradas", "Entradas", "Приход"),
    "outgoing": ("Out", "支出", "Salidas", "Saídas", "Расход"),
    "closing": ("Closing balance", "期末余额", "Saldo final", "Saldo final", "Исходящий остаток"),
    "page": ("Page", "页", "Página", "Página", "Страница"),
}
_KINDS = {
    "payment": ("payment", "货款", "pago", "pagamento", "оплата"),
    "commission": ("commission", "佣金", "comisión", "comissão", "комиссия"),
    "premium": ("premium", "保费", "prima", "prêmio", "взнос в фонд"),
    "repayment": ("repayment", "还款", "devolución del anticipo", "reembolso do adiantamento", "погашение долга"),
    "payout": ("payout", "提现", "liquidación", "repasse", "выплата"),
    "deposit": ("deposit", "保证金存入", "depósito", "depósito", "взнос в депозит"),
    "deposit_pays": ("deposit pays", "保证金支付", "paga el depósito", "depósito paga", "оплата из депозита"),
    "deposit_back": ("deposit back", "保证金退回", "vuelve al depósito", "volta ao depósito", "возврат в депозит"),
    "hold": ("hold", "冻结", "retención", "retenção", "удержание"),
    "release": ("release", "解冻", "liberación", "liberação", "снятие удержания"),
    "guarantee": ("guarantee", "保障基金赔付", "garantía", "garantia", "гарантия"),
    "guarantee_returned": (
        "guarantee returned",
        "保障赔付退回",
        "garantía devuelta",
        "garantia devolvida",
        "возврат гарантии",
    ),
    "refund": ("refund", "退款", "reembolso", "reembolso", "возврат покупателю"),
    "refund_returned": (
        "refund returned",
        "退款退回",
        "reembolso devuelto",
        "reembolso devolvido",
        "возврат не зачислен",
    ),
    "commission_back": (
        "commission back",
        "佣金退还",
        "comisión devuelta",
        "comissão devolvida",
        "возврат комиссии",
    ),
    "commission_again": (
        "commission again",
        "佣金重新收取",
        "comisión de nuevo",
        "comissão novamente",
        "комиссия снова",
    ),
    "given_back": ("given back", "返还", "restituido", "restituído", "возмещено"),
    "chargeback": ("chargeback", "拒付", "contracargo", "estorno", "чарджбэк"),
    "write_off": ("written off", "核销", "condonado", "baixado", "списание"),
    "taken_back": ("taken back", "追回", "retirado por fraude", "retomado por fraude", "взыскано за обман"),
    "freight": ("freight of a return", "退货运费", "flete de devolución", "frete da devolução", "доставка возврата"),
    "recovery": ("recovery", "追回款", "recuperación", "recuperação", "взыскание"),
}
_PAYERS = {
    "fund": ("the fund", "保障基金", "el fondo", "o fundo", "фонд"),
    "seller": ("the seller", "卖家", "el vendedor", "o vendedor", "продавец"),
    "platform": ("the platform", "平台", "la plataforma", "a plataforma", "площадка"),
}
_WORDS = {"heading": HEADINGS, "kind": _KINDS, "payer": _PAYERS}


@lru_cache
def word(family: str, name: str, language: Language) -> str:
    """A word of a family (heading, kind, payer, reason) in that language; the name itself, where there is none. A
    dispute's reason is called as in the mails about it."""
    if family == "reason":
        return Speech(language).say(spelled(name))
    found = _WORDS[family].get(name)
    return found[LANGUAGES.index(language)] if found else spelled(name)
