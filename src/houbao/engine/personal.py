"""What a command carries that must be erasable: free text, names and addresses."""

from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.acts import SendGoodwill
from houbao.core.messages import WriteOnOrder
from houbao.core.subjects import Command

TEXT_FIELD: dict[type, str] = {
    d.OpenDispute: "statement",
    d.Rule: "note",
    d.ChangeClaim: "note",
    d.Reject: "note",
    d.MakeOffer: "note",
    d.Counter: "note",
    d.Escalate: "note",
    d.Reopen: "note",
    d.FileAppeal: "note",
    d.RequestEvidence: "note",
    d.AddEvidence: "note",
    d.WriteMessage: "message",
    WriteOnOrder: "message",
    SendGoodwill: "note",
    d.ReportReturn: "note",
    d.ReportReplacement: "note",
    r.ResolveRefund: "note",
}
"""Where a command carries free text: it is stored erasable, and events only point at it."""


PERSONAL = frozenset((p.RegisterStore, p.ChangeContact, o.PlaceOrder))
"""Commands that may name addresses: those are kept erasable too, and their receipts are keyed."""


def free_text(command: Command) -> str:
    """The command's free text, empty where it has none."""
    field = TEXT_FIELD.get(type(command))
    return str(getattr(command, field)) if field is not None else ""
