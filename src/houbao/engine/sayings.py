"""The sentences of mails, in English; the catalogues have the other languages. letters.py fills `%(name)s` in."""

from houbao.engine.paper import Words
from houbao.engine.speech import N_

ANSWER = N_("Answer")
OPEN = N_("Open the dispute")
BY = N_("Answer by %(due)s.")
YOU_MAY = N_("Until then you may accept an offer, answer with another amount, ask the platform to decide, or withdraw.")
STANDS = N_(
    "Your time began when your mail server accepted this notice; when it ends to the minute stands in the mail that"
    " follows."
)
LATE = N_("If you do not answer in time, %(amount)s is refunded to the buyer from your balance.")
DECIDED = N_(
    "If nobody has decided by %(due)s, the buyer gets %(amount)s back, and it does not count against the store."
)
SILENT = "…"
"""Stands for the sentence of SILENCE that tells the dispute's default outcome."""

ABOUT = N_("Order %(order)s · %(reason)s · %(amount)s · %(dispute)s")
ASKED = N_("Order %(order)s · %(reason)s · %(amount)s asked · %(dispute)s")

SAYINGS = {
    "notice": Words(
        N_("Official notice: please answer this dispute yourself"),
        N_(
            "The platform looked into this dispute and found that the guarantee does not cover it"
            " (reason: %(reason)s), so it is yours to answer."
        ),
        BY,
        STANDS,
        LATE,
        ANSWER,
    ),
    "notice_of_excess": Words(
        N_("Official notice: please answer what is above the guarantee's limit"),
        N_(
            "The platform looked into a dispute and found it justified. The guarantee pays up to its limit; what is"
            " above, %(amount)s, is yours to answer, as a dispute of its own."
        ),
        BY,
        STANDS,
        LATE,
        ANSWER,
    ),
    "answer_needed": Words(N_("A dispute needs your answer"), N_("A buyer asks for %(amount)s."), BY, "", LATE, ANSWER),
    "handled_for_you": Words(
        N_("A dispute is handled for you"),
        N_(
            "A buyer asks for %(amount)s. The guarantee covers the order: the platform looks into it and the fund pays"
            " what is justified. You need not do anything; you may write if you wish."
        ),
        button=OPEN,
    ),
    "handed_over": Words(
        N_("The seller answers the rest"),
        N_(
            "What you asked was found justified. The guarantee pays a part of it; %(amount)s more is for the seller to"
            " answer, within the time of an official notice. If the seller does not, you get it back."
        ),
        button=OPEN,
    ),
    "opened_verifying": Words(
        N_("We have your dispute"),
        N_("You asked for %(amount)s. The platform looks into it."),
        then=N_("If nobody has decided by %(due)s, you get this amount back."),
        button=OPEN,
    ),
    "opened_awaiting_seller": Words(
        N_("We have your dispute"),
        N_("You asked for %(amount)s."),
        N_("The seller answers by %(due)s."),
        then=N_("If the seller does not, you get this amount back."),
        button=OPEN,
    ),
    "opened_awaiting_return": Words(
        N_("We have your dispute"),
        N_("You asked for %(amount)s."),
        N_("Send the goods back by %(due)s; then you get this amount back."),
        then=SILENT,
        button=OPEN,
    ),
    "opened_awaiting_funds": Words(
        N_("We have your dispute"),
        N_(
            "You asked for %(amount)s. It was approved; it is paid as soon as there is money for it, in the order of"
            " approval."
        ),
        button=OPEN,
    ),
    "opened_refunding": Words(
        N_("We have your dispute"),
        N_("You asked for %(amount)s. It was approved; the money is on its way to you."),
        button=OPEN,
    ),
    "opened": Words(N_("We have your dispute"), N_("You asked for %(amount)s. It is being looked into."), button=OPEN),
    "offered": Words(N_("The seller makes you an offer"), "%(offer)s", BY, YOU_MAY, SILENT, ANSWER),
    "rejected": Words(N_("The seller rejected your claim"), "", BY, YOU_MAY, SILENT, ANSWER),
    "more_time": Words(
        N_("You have more time"),
        N_("Our service could not be reached for a while: your time is longer by that."),
        BY,
        "",
        SILENT,
        ANSWER,
    ),
    "reminder": Words(N_("Your time is nearly over"), "", BY, "", SILENT, ANSWER),
    "platform_decides": Words(
        N_("The platform decides"), N_("You need not do anything; evidence helps."), then=DECIDED, button=OPEN
    ),
    "evidence_wanted": Words(
        N_("Please send evidence"),
        N_(
            "The platform looks into this dispute and asks you for photos or papers within two days. What is sent later"
            " may come too late to be seen."
        ),
        button=N_("Send evidence"),
    ),
    "send_back": Words(
        N_("Please send the goods back"),
        "",
        N_("Send them by %(due)s, and you get %(amount)s back when they are there."),
        then=SILENT,
        button=OPEN,
    ),
    "send_back_labelled": Words(
        N_("Please send the goods back"),
        "",
        N_(
            "Use the label %(tracking)s of %(carrier)s. Send them by %(due)s, and you get %(amount)s back when they are"
            " there."
        ),
        then=SILENT,
        button=OPEN,
    ),
    "label_coming": Words(
        N_("You get a label to send the goods back"),
        "",
        N_(
            "Your claim was found justified: you get %(amount)s back when the goods are there. We send you a label that"
            " costs you nothing; your time to send them begins when you have it."
        ),
        then=SILENT,
        button=OPEN,
    ),
    "inspect": Words(
        N_("A return is on its way to you"),
        "",
        N_("Look at the goods when they come, and confirm or report them by %(due)s."),
        then=SILENT,
        button=OPEN,
    ),
    "send_replacement": Words(
        N_("Please send the replacement"), "", N_("Send it by %(due)s."), then=SILENT, button=OPEN
    ),
    "replacement_sent": Words(
        N_("A replacement is on its way"),
        N_("If it is not right when it comes, or does not come, tell us."),
        button=OPEN,
    ),
    "reopened": Words(
        N_("A withdrawn dispute was taken up again"),
        N_("The buyer says that the private agreement was not kept and asks for %(amount)s. Please answer it."),
        button=ANSWER,
    ),
    "reopened_elsewhere": Words(
        N_("A withdrawn dispute was taken up again"),
        N_(
            "The buyer says that the private agreement was not kept and asks for %(amount)s. You need not do anything"
            " now."
        ),
        button=OPEN,
    ),
    "frozen": Words(
        N_("The dispute stands still"),
        N_(
            "The buyer's bank asks for the payment back. Nobody's time runs until that is decided; then the dispute"
            " goes on, or ends."
        ),
        button=OPEN,
    ),
    "thawed": Words(
        N_("The dispute goes on"),
        N_("The payment stays where it is."),
        N_("Time runs until %(due)s."),
        then=SILENT,
        button=OPEN,
    ),
    "thawed_untimed": Words(N_("The dispute goes on"), N_("The payment stays where it is."), button=OPEN),
    "appealed": Words(
        N_("An appeal is heard"),
        N_("The %(party)s asks the platform to look again at %(about)s."),
        N_("Somebody who has not ruled on it before decides by %(due)s."),
        then=SILENT,
        button=OPEN,
    ),
    "payout_way": Words(
        N_("We could not pay you"),
        N_("Your refund was approved, but the way it should go does not work."),
        N_("Name another by %(due)s."),
        then=SILENT,
        button=N_("Name another way"),
    ),
    "delivered_after_refund_buyer": Words(
        N_("Your order was delivered after all"),
        N_(
            "You were refunded because it had not come, and now it has. You may pay the money back; write to the store."
        ),
        button=OPEN,
    ),
    "delivered_after_refund_seller": Words(
        N_("An order that was refunded as not received was delivered"),
        N_(
            "The carrier's scan says so. You may appeal with it: granted, the platform gives back what you bore, and it"
            " does not count."
        ),
        button=OPEN,
    ),
    "recovered_buyer": Words(
        N_("We have the money that you paid back"),
        N_("%(paid)s of what you were refunded has come back. Thank you."),
        button=OPEN,
    ),
    "recovered_seller": Words(
        N_("Money came back for a refund"),
        N_(
            "%(paid)s of what was refunded has come back, and is yours. Whether the dispute counts does not change by"
            " that."
        ),
        button=OPEN,
    ),
    "goodwill_buyer": Words(
        N_("The store sent you money"), N_("%(paid)s was sent to you by the store, of its own accord."), button=OPEN
    ),
    "goodwill_seller": Words(
        N_("Your goodwill was sent"), N_("%(paid)s was sent to the buyer. It counts nowhere."), button=OPEN
    ),
    "still_waiting": Words(
        N_("Your refund still waits for money"),
        N_(
            "%(amount)s was approved; the fund is short, and refunds are paid in the order of their approval. You need"
            " not do anything: you hear from us each day until it is paid."
        ),
        button=OPEN,
    ),
    "closed": Words(N_("The dispute is closed: %(outcome)s"), "%(ended)s", button=OPEN),
    "watched": Words(
        N_("Your new orders are not covered for now"),
        N_(
            "Since %(since)s your store is under watch, because %(why)s.\nOrders paid from then on are not covered by"
            " the guarantee, and disputes about them are yours to answer; orders paid before stay covered. A person of"
            " the platform looks into it and ends it: write to the platform if you can explain what was found."
        ),
        button=N_("See your guarantee"),
    ),
    "watch_lifted": Words(
        N_("Your new orders are covered again"),
        N_("Since %(since)s your store is not under watch any more: orders paid from then on are covered again."),
        button=N_("See your guarantee"),
    ),
    "alert": Words(N_("Alert: %(what)s"), N_("This needs a person: %(what)s."), button=OPEN),
}
"""What a mail is about → its sentences."""

SILENCE = {
    "buyers_amount_by_seller": N_("If nothing is done, the buyer's proposal is carried out from the seller's balance."),
    "buyers_refund_by_seller": N_("If nothing is done, the buyer's amount is refunded from the seller's balance."),
    "buyers_amount_by_fund": N_("If nothing is done, the buyer's amount is refunded by the guarantee's fund."),
    "buyers_amount_by_platform": N_("If nothing is done, the buyer's amount is refunded by the platform."),
    "sellers_offer": N_("If nothing is done, the seller's offer is carried out."),
    "lapses": N_("If nothing is done, the dispute ends and nothing is refunded."),
    "refund": N_("If nothing is done, the goods count as intact and the refund goes out."),
    "platform_decides": N_("If nothing is done, the platform decides."),
    "treasury_adds": N_("If nothing is done, the platform adds money to the fund, up to its limit."),
    "platform_advances": N_("If nothing is done, the platform advances the money."),
    "replaced": N_("If nothing is done, the dispute is closed as settled by the replacement."),
    "unclaimed": N_("If nothing is done, the money goes back to whoever paid it, and the dispute is closed."),
    "ruling_stands": N_("If nothing is done, the earlier ruling stands."),
}
"""Default outcome → what happens then."""

OFFERED = {
    "refund": N_("%(amount)s is offered."),
    "return_refund": N_("%(amount)s is offered, once the goods are back."),
    "replacement": N_("A replacement is offered."),
}

PARTY = {"buyer": N_("buyer"), "seller": N_("seller")}

APPEALED = {
    "remedy": N_("what the buyer gets"),
    "funding": N_("who pays it"),
    "fault": N_("whether it counts against the store"),
}

HEARD = {
    "justified": N_("The appeal was granted."),
    "unjustified": N_("The appeal was not granted: what was ruled before stands."),
    "stands": N_("Nobody decided the appeal in time: what was ruled before stands."),
}

OUTCOME = {
    "refunded": N_("refunded"),
    "partially_refunded": N_("partially refunded"),
    "replaced": N_("replaced"),
    "rejected": N_("rejected"),
    "withdrawn": N_("withdrawn"),
    "lapsed": N_("lapsed"),
    "unclaimed": N_("unclaimed"),
    "charged_back": N_("charged back"),
}

WHY_NOTHING = {
    "rejected": N_("The platform looked into it and did not find it justified."),
    "lapsed": N_("The time to answer ended."),
    "withdrawn": N_("It was withdrawn by the buyer."),
    "replaced": N_("The seller sent a replacement."),
    "unclaimed": N_("The refund was approved, but no way was found to pay it."),
    "charged_back": N_("The buyer's bank took the payment back."),
}

PAID_BY = {
    "fund": N_("The guarantee paid it; your balance is unchanged."),
    "platform": N_("The platform paid it; your balance is unchanged."),
}

RECORD = {True: N_("It counts in your dispute rate."), False: N_("It does not count in your dispute rate.")}

FRAUD = {
    "buyer": N_("Two people of the platform ruled that there was fraud of the buyer's."),
    "seller": N_("Two people of the platform ruled that there was fraud of the seller's."),
}

WATCHED_FOR = {
    "fraud": N_("two people of the platform ruled that there was fraud"),
    "exposure": N_("the fund has lately paid much for it"),
    "young_exposure": N_("it is new, and the fund has already paid much for it"),
    "buyer_share": N_("one buyer opened many of the disputes with it"),
    "shared": N_("it and its buyers, or its buyers among themselves, have things in common that strangers seldom have"),
}
"""Why a store is watched → in words, without the figures that could be played to."""
