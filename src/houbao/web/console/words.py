"""The domain's words, as readers meet them: code → message. A code that is not here is shown as it is, without
underscores, so that a policy's own words (an agent's reason, a rule's name) stay readable."""

from markupsafe import Markup

from houbao.core.accounts import kind_of, provider_of, store_of
from houbao.core.money import Money
from houbao.core.said import Code, Said
from houbao.web.console.happenings import HAPPENING
from houbao.web.console.language import N_, Voice
from houbao.web.console.refusals import TITLES

REASON = {
    "never_shipped": N_("Never shipped"),
    "in_transit_overdue": N_("Not received, overdue"),
    "tracking_invalid": N_("Not received, tracking invalid"),
    "delivered_not_received": N_("Marked delivered, not received"),
    "held_by_customs": N_("Held by customs"),
    "returned_to_sender": N_("Returned to the sender"),
    "wrong_address": N_("Went to a wrong address"),
    "different_item": N_("Different item"),
    "wrong_variant": N_("Wrong colour, size or model"),
    "not_as_pictured": N_("Not as pictured"),
    "poor_quality": N_("Poor quality"),
    "defective": N_("Defective"),
    "damaged": N_("Damaged"),
    "missing_parts": N_("Missing parts"),
    "short_quantity": N_("Fewer pieces than ordered"),
    "counterfeit": N_("Counterfeit"),
    "changed_mind": N_("Changed mind"),
    "ordered_by_mistake": N_("Ordered by mistake"),
    "no_longer_needed": N_("No longer needed"),
    "does_not_fit": N_("Does not fit"),
    "overcharged": N_("Charged too much"),
    "customs_charge": N_("Customs charge"),
    "other": N_("Something else"),
    "goodwill": N_("Goodwill"),
    # What people rule and reject by, in the demonstration and the examples.
    "proof_of_delivery": N_("Proof of delivery"),
    "as_described": N_("As described"),
    "disclosed": N_("Said in the listing"),
    "evidence": N_("The evidence shows it"),
    "photos": N_("The photos show it"),
    "part_of_it": N_("Part of it is shown"),
    "goods_back": N_("Against the goods"),
    "not_our_fault": N_("Not the seller’s fault"),
    "no_proof_of_delivery": N_("No proof of delivery"),
    "within_tolerance": N_("Within the stated tolerance"),
    "nothing_shows_it": N_("Nothing shows it"),
    "excluded": N_("Excluded by the policy"),
}

KIND = {
    "INR": N_("not received"),
    "SNAD": N_("not as described"),
    "REMORSE": N_("changed mind"),
    "OTHER": N_("other"),
}

OUTCOME = {
    "refunded": N_("Refunded"),
    "partially_refunded": N_("Partly refunded"),
    "replaced": N_("Replaced"),
    "rejected": N_("Rejected"),
    "withdrawn": N_("Withdrawn"),
    "lapsed": N_("Lapsed"),
    "unclaimed": N_("Unclaimed"),
    "charged_back": N_("Charged back"),
}

RESOLVED_BY = {
    "guarantee": N_("decided under the guarantee"),
    "agreement": N_("by agreement"),
    "seller_timeout": N_("the seller did not answer in time"),
    "buyer_timeout": N_("the buyer did not answer in time"),
    "platform_timeout": N_("the platform did not decide in time"),
    "adjudication": N_("the platform decided"),
    "appeal": N_("by an appeal"),
    "return": N_("the goods came back"),
    "withdrawal": N_("the buyer withdrew"),
    "chargeback": N_("the bank took the payment back"),
    "goodwill": N_("of the seller’s own accord"),
}

EXEMPT = {
    "withdrawn": N_("withdrawn"),
    "rejected": N_("rejected"),
    "lapsed": N_("nothing was paid"),
    "nothing_left": N_("nothing was left to pay"),
    "unclaimed": N_("nothing was paid"),
    "platform_timeout": N_("the platform was late"),
    "policy": N_("by the policy"),
    "ruled": N_("so ruled"),
    "goodwill": N_("goodwill"),
}

PAYER = {
    "fund": N_("guarantee"),
    "seller": N_("seller"),
    "platform": N_("platform"),
    "buyer": N_("buyer"),
    "carrier": N_("carrier"),
}

PARTY = {
    "buyer": N_("buyer"),
    "seller": N_("seller"),
    "agent": N_("platform"),
    "platform": N_("platform"),
    "finance": N_("finance"),
    "admin": N_("platform"),
    "provider": N_("payment provider"),
    "mail": N_("mail"),
    "system": N_("by itself"),
}

REMEDY = {
    "refund": N_("Refund, goods kept"),
    "return_refund": N_("Refund when the goods are back"),
    "replacement": N_("Replacement"),
}

PROBLEM = {
    "not_received": N_("did not arrive"),
    "damaged": N_("damaged"),
    "empty": N_("empty parcel"),
    "different": N_("another item"),
    "missing": N_("parts are missing"),
}

ABOUT = {
    "remedy": N_("what the buyer gets"),
    "funding": N_("who pays"),
    "fault": N_("whether it counts"),
}

GRADE = {
    "excellent": N_("excellent"),
    "good": N_("good"),
    "pass": N_("pass"),
    "fail": N_("fail"),
    "": N_("too few orders for a grade"),
}

STATUS = {
    "placed": N_("Not paid yet"),
    "paid": N_("Paid"),
    "shipped": N_("On its way"),
    "delivered": N_("Delivered"),
    "confirmed": N_("Received"),
    "confirmation_timed_out": N_("Received"),
    "cancelled": N_("Cancelled"),
}

MOVED = STATUS | {"tracking": N_("A scan of the carrier")}

CHARGEBACK = {
    "opened": N_("The bank asks the payment back"),
    "won": N_("The payment stays"),
    "lost": N_("The bank took the payment back"),
}

WATCH = {
    "exposure": N_("The fund paid much for it"),
    "young_exposure": N_("It is new, and the fund has paid much for it"),
    "buyer_share": N_("One buyer opened many of its disputes"),
    "shared": N_("It shares addresses, devices or photos with its buyers"),
}

UNCOVERED = {
    "not_enrolled": N_("the store was not in the guarantee when it was paid"),
    "no_programme": N_("there was no guarantee when it was paid"),
    "before_launch": N_("paid before the guarantee began"),
    "after_end": N_("paid after the guarantee ended"),
    "currency": N_("paid in a currency that the guarantee does not cover"),
    "watch": N_("the store was under watch when it was paid"),
    "": N_("not paid yet"),
}

PART = {
    "uncompleted": N_("Deals that came about"),
    "inr": N_("Goods arrived"),
    "snad": N_("Goods as described"),
    "description": N_("Rating: description"),
    "service": N_("Rating: service"),
    "logistics": N_("Rating: delivery"),
}

ENTRY = {
    "payment": N_("Order paid"),
    "commission": N_("Commission"),
    "commission_back": N_("Commission back"),
    "commission_again": N_("Commission again"),
    "premium": N_("Premium of the guarantee"),
    "payout": N_("Paid out to you"),
    "guarantee": N_("Guarantee"),
    "guarantee_returned": N_("Guarantee, returned"),
    "refund": N_("Refund to the buyer"),
    "refund_returned": N_("Refund, returned by the provider"),
    "hold": N_("Put aside for a refund"),
    "release": N_("No longer put aside"),
    "given_back": N_("Given back to you"),
    "chargeback": N_("Chargeback"),
    "deposit": N_("Deposit paid in"),
    "deposit_pays": N_("Deposit pays for a refund"),
    "deposit_back": N_("Back to the deposit"),
    "repayment": N_("Repayment of what was advanced"),
    "recovery": N_("Paid back by others"),
    "write_off": N_("Debt written off"),
    "capital": N_("Capital"),
    "backstop": N_("Added by the treasury"),
    "cash_move": N_("Cash moved"),
    "payout_fee": N_("Fee of a payout"),
    "reserve": N_("Reserved for a refund"),
    "exchange": N_("Exchanged"),
    "exchange_returned": N_("Exchanged back"),
    "settlement": N_("Settled with the provider"),
    "difference": N_("Difference of rates"),
    "freight": N_("Freight of a return"),
    "taken_back": N_("Taken back from the seller"),
}

MOVEMENT = ENTRY | {
    "guarantee": N_("Refund paid"),
    "guarantee_returned": N_("Refund, returned by the provider"),
    "given_back": N_("Given back to the store"),
    "release": N_("No longer reserved"),
}
"""The same kinds, as finance meets them at the fund."""

SHARE = {
    "due": ("other", N_("About to be sent")),
    "sent": ("other", N_("Sent, no answer yet")),
    "unknown": ("unknown", N_("Unknown")),
    "lost": ("unknown", N_("Unknown")),
    "paid": ("good", N_("Paid")),
    "elsewhere": ("good", N_("Paid another way")),
    "stuck": ("bad", N_("Failed")),
    "waiting": ("other", N_("Waits for money")),
    "held": ("other", N_("Put aside")),
    "sending": ("other", N_("On its way to the buyer")),
    "abandoned": ("none", N_("Given up")),
    "booked": ("good", N_("Booked")),
}

CARRIED_OUT = {
    "buyers_amount_by_seller": N_("<b>%(amount)s is refunded from the seller’s balance</b>"),
    "buyers_refund_by_seller": N_("<b>%(amount)s is refunded from the seller’s balance</b>"),
    "buyers_amount_by_fund": N_("<b>%(amount)s is refunded by the guarantee</b>"),
    "buyers_amount_by_platform": N_("<b>%(amount)s is refunded by the platform</b>"),
    "sellers_offer": N_("<b>the offer of %(offer)s is carried out</b>"),
    "lapses": N_("<b>it lapses and nothing is refunded</b>"),
    "refund": N_("<b>%(amount)s is refunded</b>: the goods count as intact"),
    "platform_decides": N_("<b>the platform decides</b>"),
    "treasury_adds": N_("<b>the treasury adds money to the fund</b>, up to its limit; short of that, it waits on"),
    "platform_advances": N_("<b>the platform advances the money</b>"),
    "replaced": N_("<b>it is closed</b>: the replacement settles it"),
    "unclaimed": N_("<b>the money goes back</b> to who paid it"),
    "ruling_stands": N_("<b>it stays as it was before the appeal</b>"),
}
"""Default outcome → what follows when nobody acts, as the end of a sentence."""

TO_SELLER = {
    "buyers_amount_by_seller": N_("<b>%(amount)s is refunded from your balance</b>"),
    "buyers_refund_by_seller": N_("<b>%(amount)s is refunded from your balance</b>"),
    "sellers_offer": N_("<b>your offer of %(offer)s is carried out</b>"),
    "refund": N_("<b>%(amount)s, already put aside, is refunded</b>: the goods count as intact"),
}
TO_BUYER = {
    "buyers_amount_by_seller": N_("<b>you get %(amount)s back</b>"),
    "buyers_refund_by_seller": N_("<b>you get %(amount)s back</b>"),
    "buyers_amount_by_fund": N_("<b>you get %(amount)s back</b>"),
    "buyers_amount_by_platform": N_("<b>you get %(amount)s back</b>"),
    "sellers_offer": N_("<b>the seller’s offer of %(offer)s is carried out</b>"),
    "lapses": N_("<b>it ends and you get nothing</b>"),
    "refund": N_("<b>you get %(amount)s back</b>"),
    "treasury_adds": N_("<b>money is added</b>, up to a limit: if that is not enough, you wait on"),
    "platform_advances": N_("<b>the platform pays</b> so that you need not wait longer"),
    "unclaimed": N_("<b>the money goes back</b> and you can no longer claim it"),
}

FINDING = {
    "justified": N_("Justified"),
    "unjustified": N_("Not justified"),
    "out_of_scope": N_("Outside the guarantee"),
}

HEARD = {
    "justified": N_("Grant the appeal"),
    "unjustified": N_("Dismiss the appeal"),
}
"""The same findings, of an appeal."""

RULED_PAYER = {
    "": N_("As it stands"),
    "fund": N_("The guarantee"),
    "seller": N_("The seller"),
    "platform": N_("The platform"),
}

RULED_FAULT = {
    "": N_("As the policy says"),
    "counted": N_("It counts"),
    "exempt": N_("It does not count"),
}

FRAUD = {
    "": N_("No fraud"),
    "seller": N_("The seller’s"),
    "buyer": N_("The buyer’s"),
}

RESOLVED = {
    "paid_elsewhere": N_("It was paid to the buyer another way"),
    "abandon": N_("It is given up: the money goes back to who paid"),
}

ACCOUNT = {
    "external:bank": N_("Bank"),
    "fund:available": N_("Fund, free"),
    "fund:reserved": N_("Fund, reserved"),
    "platform:backstop": N_("Treasury"),
    "platform:expense": N_("Platform’s expense"),
    "platform:commission": N_("Platform’s commission"),
    "platform:writeoff": N_("Debts written off"),
}

STORE_ACCOUNT = {
    "payable": N_("Store %(store)s, its balance"),
    "held": N_("Store %(store)s, put aside for a refund"),
    "deposit": N_("Store %(store)s, its deposit"),
    "receivable": N_("Store %(store)s, what it owes"),
}
"""Kind of a store's account → what is on it."""


ACTOR = {
    "buyer": N_("Buyer"),
    "seller": N_("Seller"),
    "agent": N_("Agent"),
    "finance": N_("Finance"),
    "admin": N_("Admin"),
    "platform": N_("Marketplace"),
    "provider": N_("Payment provider"),
    "mail": N_("Mail server"),
    "system": N_("By itself"),
}
"""Who did it, to those who look through everything."""

ROLE = {
    "agent": N_("Agent: verifies and decides"),
    "finance": N_("Finance: looks after the money"),
    "admin": N_("Admin: people, keys, stores; reads all; books money and publishes policies like finance"),
    "seller": N_("Seller: one store’s own"),
    "buyer": N_("Buyer: their own orders and disputes"),
}

RULE = {
    "no_reason": N_("return without a reason"),
    "not_received": N_("not received"),
    "counterfeit": N_("counterfeit"),
    "excluded_category": N_("excluded category"),
    "instant": N_("paid at once"),
    "verify": N_("the platform verifies"),
    "not_covered": N_("not covered"),
    "other": N_("everything else"),
}
"""The rules of the policy that ships; a marketplace's own are named as it wrote them."""

PROGRAMME = {"standard": N_("standard")}
"""The programme that examples and the demonstration begin; others are named as they are."""

SHARED = {
    "address": N_("address"),
    "device": N_("device"),
    "photo": N_("photo"),
}

DISCLOSED = {
    "colour": N_("colour"),
    "size_tolerance": N_("size tolerance"),
    "size": N_("size"),
    "warranty": N_("warranty"),
    "water": N_("water resistance"),
    "assembly": N_("assembly"),
    "weight": N_("weight"),
    "returns": N_("returns"),
    "age": N_("age"),
    "pieces": N_("pieces"),
    "voltage": N_("voltage"),
    "delivery_time": N_("delivery time"),
}
"""What listings disclose most; the rest is named as the marketplace wrote it."""

SCOPE = {
    "platform": N_("The marketplace: orders, and its buyers’ and sellers’ acts"),
    "agent": N_("An agent: rulings"),
    "finance": N_("Finance: the fund and refunds"),
    "read": N_("Reading alone"),
}

STRESS = {
    "half as many disputes again": N_("Half as many disputes again"),
    "the largest store defaults": N_("The largest store defaults"),
    "both at once": N_("Both at once"),
}

CLASS = {
    "all": N_("All stores"),
    "ungraded": N_("Without a grade"),
    "excellent": N_("Excellent"),
    "good": N_("Good"),
    "pass": N_("Pass"),
    "fail": N_("Fail"),
}

MEASURED = {
    "transfers": N_("Movements of money"),
    "orders": N_("Orders"),
    "disputes": N_("Disputes"),
}

DIFFERS = {
    "amount": N_("Another amount"),
    "currency": N_("Another currency"),
    "date": N_("Another day"),
}

SHARE_STATE = {state: says for state, (_, says) in SHARE.items()} | {"over": N_("Over")}
"""Where a refund to one payment stands, without its look; over: it is no longer an attempt of its dispute's."""

FACT = {
    "paid": N_("being paid"),
    "shipped": N_("being shipped"),
    "tracking": N_("a scan of the carrier"),
    "delivered": N_("being delivered"),
    "confirmed": N_("being received"),
    "confirmation_timed_out": N_("being received"),
    "cancelled": N_("being cancelled"),
    "paid_out": N_("being paid out"),
    "rated": N_("being rated"),
}
"""What happens to an order, as what a sentence is about."""

CHARGEBACK_STATE = {
    "opened": N_("opened"),
    "won": N_("won"),
    "lost": N_("lost"),
}

TABLES = {
    "fact": FACT,
    "chargeback_state": CHARGEBACK_STATE,
    "share": SHARE_STATE,
    "refused": TITLES,
    "differs": DIFFERS,
    "stress": STRESS,
    "class": CLASS,
    "measured": MEASURED,
    "happening": HAPPENING,
    "actor": ACTOR,
    "role": ROLE,
    "rule": RULE,
    "shared": SHARED,
    "disclosed": DISCLOSED,
    "scope": SCOPE,
    "account": ACCOUNT,
    "finding": FINDING,
    "heard": HEARD,
    "ruled_payer": RULED_PAYER,
    "ruled_fault": RULED_FAULT,
    "fraud": FRAUD,
    "resolved": RESOLVED,
    "reason": REASON,
    "kind": KIND,
    "outcome": OUTCOME,
    "resolved_by": RESOLVED_BY,
    "exempt": EXEMPT,
    "payer": PAYER,
    "party": PARTY,
    "remedy": REMEDY,
    "problem": PROBLEM,
    "about": ABOUT,
    "grade": GRADE,
    "status": STATUS,
    "moved": MOVED,
    "chargeback": CHARGEBACK,
    "watch": WATCH,
    "uncovered": UNCOVERED,
    "part": PART,
    "entry": ENTRY,
    "movement": MOVEMENT,
}


def word(voice: Voice, table: str, code: str) -> Markup:
    """The word of a code in one of TABLES."""
    message = TABLES[table].get(code)
    return voice.say(message) if message else Markup.escape(code.replace("_", " "))


def disclosed(voice: Voice, name: str) -> Markup:
    """What a listing discloses, as a label; a marketplace's own name stays as it wrote it."""
    code = name.replace(" ", "_")
    found = word(voice, "disclosed", code) if code in DISCLOSED else Markup.escape(name.replace("_", " "))
    return found[:1].upper() + found[1:]


def programme_name(voice: Voice, code: str) -> Markup:
    """What a programme is called: its id, or the word for the one of the demonstration."""
    return voice.say(PROGRAMME[code]) if code in PROGRAMME else Markup.escape(code)


def low(voice: Voice, table: str, code: str) -> Markup:
    """The same inside a sentence: with a small letter, where the language has them."""
    found = word(voice, table, code)
    return found[:1].lower() + found[1:]


def account(voice: Voice, code: str) -> Markup:
    """What an account of the ledger is called: the fund's own and the outside's by words, a store's and a provider's by
    name."""
    if (store := store_of(code)) and kind_of(code) in STORE_ACCOUNT:
        return voice.say(STORE_ACCOUNT[kind_of(code)], store=store)
    if provider := provider_of(code):
        return Markup.escape(provider)
    return word(voice, "account", code)


def retell(voice: Voice, text: object) -> Markup:
    """A sentence of the domain in the reader's language, where it knows what it was made of, its amounts as the reader
    writes them; else as it is."""
    match text:
        case Said():
            return voice.say(text.template, **{name: retell(voice, value) for name, value in text.values.items()})
        case Code() if voice.language != "en":
            return low(voice, text.of, text.code)
        case Money():
            return Markup.escape(voice.money(text.minor, text.currency))
        case tuple():
            return voice.say(N_(", ")).join(retell(voice, one) for one in text)
        case _:
            return Markup.escape(text)


def carried_out(voice: Voice, role: str, default: str, *, amount: str, offer: object) -> Markup:
    """What follows when nobody acts, said to that reader."""
    special = {"seller": TO_SELLER, "buyer": TO_BUYER}.get(role, {})
    message = special.get(default) or CARRIED_OUT.get(default)
    return voice.say(message, amount=amount, offer=offer) if message else Markup("")


def offered(voice: Voice, amount: str, remedy: str) -> Markup:
    """What an offer is: an amount, an amount against the goods, or a replacement."""
    match remedy:
        case "replacement":
            return voice.say(N_("a replacement"))
        case "return_refund":
            return voice.say(N_("%(amount)s when the goods are back"), amount=amount)
        case _:
            return Markup.escape(amount)
