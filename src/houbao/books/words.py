"""The words of a statement in every language: English, 简体中文, Español, Português (Brasil), Русский."""

from houbao.books.extract import LANGUAGES, Language

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
    "recovery": ("recovery", "追回款", "recuperación", "recuperação", "взыскание"),
}
_PAYERS = {
    "fund": ("the fund", "保障基金", "el fondo", "o fundo", "фонд"),
    "seller": ("the seller", "卖家", "el vendedor", "o vendedor", "продавец"),
    "platform": ("the platform", "平台", "la plataforma", "a plataforma", "площадка"),
}
_REASONS = {
    "never_shipped": ("never shipped", "未发货", "nunca enviado", "nunca enviado", "не отправлено"),
    "in_transit_overdue": (
        "overdue in transit",
        "运输超时",
        "retrasado en tránsito",
        "atrasado no transporte",
        "задержка в пути",
    ),
    "tracking_invalid": (
        "invalid tracking",
        "运单号无效",
        "seguimiento no válido",
        "rastreio inválido",
        "неверный трек-номер",
    ),
    "delivered_not_received": (
        "delivered, not received",
        "显示妥投但未收到",
        "entregado, no recibido",
        "entregue, não recebido",
        "доставлено, но не получено",
    ),
    "held_by_customs": (
        "held by customs",
        "海关扣留",
        "retenido en aduana",
        "retido na alfândega",
        "задержано таможней",
    ),
    "returned_to_sender": (
        "returned to sender",
        "退回寄件人",
        "devuelto al remitente",
        "devolvido ao remetente",
        "возвращено отправителю",
    ),
    "wrong_address": ("wrong address", "地址错误", "dirección equivocada", "endereço errado", "неверный адрес"),
    "different_item": ("different item", "发错商品", "otro artículo", "outro item", "другой товар"),
    "wrong_variant": ("wrong variant", "规格不符", "variante equivocada", "variante errada", "не тот вариант"),
    "not_as_pictured": ("not as pictured", "与图片不符", "distinto de la foto", "diferente da foto", "не как на фото"),
    "poor_quality": ("poor quality", "质量差", "mala calidad", "má qualidade", "плохое качество"),
    "defective": ("defective", "有缺陷", "defectuoso", "defeituoso", "неисправно"),
    "damaged": ("damaged", "损坏", "dañado", "danificado", "повреждено"),
    "missing_parts": ("missing parts", "缺少部件", "faltan piezas", "faltam peças", "не хватает частей"),
    "short_quantity": ("short quantity", "数量不足", "cantidad incompleta", "quantidade menor", "меньше, чем заказано"),
    "counterfeit": ("counterfeit", "假冒", "falsificado", "falsificado", "подделка"),
    "changed_mind": ("changed mind", "改变主意", "cambio de opinión", "mudou de ideia", "передумали"),
    "ordered_by_mistake": (
        "ordered by mistake",
        "误下单",
        "pedido por error",
        "pedido por engano",
        "заказано по ошибке",
    ),
    "no_longer_needed": (
        "no longer needed",
        "不再需要",
        "ya no se necesita",
        "não é mais necessário",
        "больше не нужно",
    ),
    "does_not_fit": ("does not fit", "不合适", "no queda bien", "não serve", "не подошло"),
    "overcharged": ("overcharged", "多收费用", "cobrado de más", "cobrado a mais", "взято лишнее"),
    "customs_charge": ("customs charge", "关税费用", "cargo de aduana", "taxa alfandegária", "таможенный сбор"),
    "other": ("other", "其他", "otro", "outro", "другое"),
}
_WORDS = {"heading": HEADINGS, "kind": _KINDS, "payer": _PAYERS, "reason": _REASONS}


def word(family: str, name: str, language: Language) -> str:
    """A word of a family (heading, kind, payer, reason) in that language; the name itself, where there is none."""
    found = _WORDS[family].get(name)
    return found[LANGUAGES.index(language)] if found else name.replace("_", " ")
