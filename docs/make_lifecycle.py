"""Prints docs/lifecycle.md from the tables that the program runs by. Run it from the project's root:

PYTHONPATH=src .venv/bin/python docs/make_lifecycle.py > docs/lifecycle.md
"""

from datetime import UTC, datetime, timedelta

from msgspec import structs

from houbao.core import disputes as d
from houbao.core import phases as ph
from houbao.core.accounts import AVAILABLE
from houbao.core.appeals import Appeal
from houbao.core.freezes import IN_FREEZE
from houbao.core.orders import LIFE
from houbao.core.policy import Policy
from houbao.core.policy_file import parse_policy
from houbao.core.refunds import Refund
from houbao.core.returns import PROMISED, Parcel
from houbao.core.terms import REASONS
from houbao.shipped import policy_text

START = datetime(2026, 1, 1, tzinfo=UTC)

OPENS = {
    "verifying": "open (route verify)",
    "notifying": "above the fund's limit, where the policy hands it over",
    "awaiting_seller": "open (route seller)",
    "refunding": "open (route instant)",
    "awaiting_funds": "open (route instant)",
    "awaiting_return": "open (route return)",
}

DEFAULTS = {
    "buyers_amount_by_fund": ("the buyer's amount is refunded by the fund", ph.PAID),
    "buyers_amount_by_platform": ("the buyer's amount is refunded by the platform", ("refunding",)),
    "buyers_amount_by_seller": (
        "the buyer's proposal is carried out, paid by the seller",
        (*ph.PAID, "awaiting_return"),
    ),
    "buyers_refund_by_seller": ("the buyer's amount is refunded by the seller", ph.PAID),
    "sellers_offer": ("the seller's offer is carried out", (*ph.PAID, "awaiting_return", "awaiting_replacement")),
    "lapses": ("the dispute is closed, nothing is refunded", ph.ENDED),
    "refund": ("the refund goes out", ph.PAID),
    "platform_decides": ("the platform decides", ("adjudicating",)),
    "replaced": ("the dispute is closed as replaced", ph.ENDED),
    "unclaimed": ("the money goes back to the payer", ph.ENDED),
    "ruling_stands": ("the earlier ruling stands", ph.ENDED),
    "treasury_adds": ("the treasury adds to the fund up to its cap, and all are told each day", ()),
    "platform_advances": ("the platform advances it", ("refunding",)),
}
"""Code of a default outcome → its words, and the phases it leads to."""

ALERTS = {"alert": "somebody of the platform is told", "remind": "whose turn it is, is reminded"}

MEANS = {
    "verifying": "The order is covered: the platform looks into it.",
    "notifying": "Found out of scope, or above the fund's limit: the official notice to the seller is on its way.",
    "awaiting_seller": "The seller answers.",
    "awaiting_buyer": "The seller rejected, or made an offer; the buyer answers.",
    "adjudicating": "The two disagree, goods went astray, or a party appealed: the platform decides.",
    "awaiting_return": "The refund goes out when the goods are back; the buyer sends them.",
    "return_in_transit": "The goods are on their way back, to the platform where the fund pays, else to the seller.",
    "awaiting_replacement": "The seller sends the goods once more.",
    "awaiting_funds": "A refund is approved and waits for money: the fund's, or the store's own.",
    "refunding": "A refund is approved and on its way through the provider.",
    "closed": "Over. A party may appeal, two agents rule that there was fraud; a provider may still give money back, or"
    " say something late.",
}


APPEAL = Appeal(party="buyer", about="remedy")
SHORT = Refund(id=1, payer="fund", minor=1, currency="EUR", state="waiting", shares=(), lines=(), waits=AVAILABLE)
OFFER = d.Offer(amount=1, remedy="refund")
SENT = structs.replace(PROMISED, state="shipped")
BACK = Parcel(kind="return", state="delivered")
PARCELS: dict[str, tuple[Parcel | None, ...]] = {
    **dict.fromkeys(ph.TURNS, (None,)),
    "awaiting_return": (None, Parcel(kind="return", state="authorised", label="wanted")),
    "return_in_transit": (Parcel(kind="return", state="shipped"), BACK),
    "awaiting_replacement": (PROMISED, SENT, structs.replace(PROMISED, state="delivered")),
}
"""Where goods may be in a phase."""

WHEN = {
    **{
        (phase, "buyers_amount_by_platform"): "where the order is not covered, {}"
        for phase in ("verifying", "adjudicating")
    },
    ("adjudicating", "ruling_stands"): "in an appeal, {}",
    ("awaiting_buyer", "lapses"): "after a rejection, {}",
    ("awaiting_return", "buyers_amount_by_fund"): "where the platform owes the buyer its label, {}",
    ("awaiting_buyer", "sellers_offer"): "after an offer, {}",
    ("return_in_transit", "platform_decides"): "never scanned, {}",
    ("return_in_transit", "refund"): "after its delivery and the time to inspect it, {}",
    ("awaiting_replacement", "buyers_refund_by_seller"): "never shipped, {}",
    ("awaiting_replacement", "platform_decides"): "shipped and never scanned, {}",
    ("awaiting_replacement", "replaced"): "delivered and not reported, {}",
    ("awaiting_funds", "treasury_adds"): "of the fund's, {}",
    ("awaiting_funds", "platform_advances"): "of a store's, {}",
}
"""Which silence leads to which outcome, where there are several."""


def main() -> None:
    """Print the page."""
    print(page(parse_policy(policy_text())), end="")


def page(policy: Policy) -> str:
    """The whole page."""
    return "\n".join(
        [
            "# The life of a dispute and of an order",
            "",
            "<!-- Printed by docs/make_lifecycle.py from the program's own tables; a test compares. Do not edit. -->",
            "",
            f"Times are those of the policy that ships, version {policy.version}; a day is 24 hours. What is refunded",
            "is never more than what is left of the payments; where nothing is left, the dispute closes as `lapsed`.",
            "",
            "## In one picture",
            "",
            *diagram(),
            "",
            "A command that keeps the phase is not drawn. *silence* is what happens when nobody acts in time.",
            "",
            "## Phase by phase",
            "",
            *phases(policy),
            *frozen(),
            "## Who may do what, when",
            "",
            *turns(),
            "",
            "`open` (buyer) starts a life. `pass_time` (system) may come in every phase: it only lets happen what fell",
            "due. `serve_waiting` (system) takes refunds out of `awaiting_funds` when money came in, the first",
            "approved first. Every other cell is refused with `not_now`, another role with `not_permitted`.",
            "",
            "## An order",
            "",
            *orders(),
            "",
            "## Reasons",
            "",
            *reasons(),
            "",
        ]
    )


def diagram() -> list[str]:
    """The Mermaid diagram: TURNS, the default outcomes, and what starts and resumes a life."""
    edges: dict[tuple[str, str], list[str]] = {("[*]", phase): [label] for phase, label in OPENS.items()}
    for phase, commands in ph.TURNS.items():
        for command, turn in commands.items():
            for to in turn.to:
                if to != phase:
                    edges.setdefault((phase, to), []).append(command)
        for to in {to: None for code in silent(phase) for to in DEFAULTS[code][1]}:
            edges.setdefault((phase, to), []).append("silence")
    edges.setdefault(("awaiting_funds", "refunding"), []).append("serve_waiting")
    lines = [f"    {source} --> {target}: {', '.join(labels)}" for (source, target), labels in edges.items()]
    return ["```mermaid", "stateDiagram-v2", *lines, "    closed --> [*]", "```"]


def silent(phase: str) -> list[str]:
    """The codes of what may happen in a phase when nobody acts, for a covered dispute and for another."""
    asked = [dispute(phase, covered=covered, parcel=parcel) for covered in (True, False) for parcel in PARCELS[phase]]
    asked += [
        structs.replace(asked[0], **more) for more in ({"offer": OFFER}, {"appeals": (APPEAL,)}, {"refunds": (SHORT,)})
    ]
    return [code for code in dict.fromkeys(ph.default_outcome(one) for one in asked) if code]


def words(phase: str) -> str:
    """What silence leads to in a phase."""
    return "; or ".join(WHEN.get((phase, code), "{}").format(DEFAULTS[code][0]) for code in silent(phase))


def dispute(phase: str, *, covered: bool, parcel: Parcel | None = None) -> d.Dispute:
    """A dispute in that phase, to ask its default outcome."""
    return d.Dispute(
        id=1,
        store="s",
        order=1,
        buyer="b",
        currency="EUR",
        lines=(),
        reason="damaged",
        first_amount=1,
        first_payer="fund",
        amount=1,
        remedy="refund",
        route="verify",
        rule="verify",
        payer="fund",
        covered=covered,
        policy="",
        phase=phase,
        fault=d.Fault(state="pending", kind="SNAD"),
        opened_at=START,
        assessed=1,
        history=(1,),
        parcel=parcel,
    )


def phases(policy: Policy) -> list[str]:
    """One section per phase."""
    lines: list[str] = []
    for phase, commands in ph.TURNS.items():
        lines += [f"### {phase}", "", MEANS[phase], ""]
        if ph.WAITS_FOR[phase]:
            lines.append(f"- waits for: {ph.WAITS_FOR[phase]}")
        lines += [f"- {line}" for line in times(phase, policy)]
        for command, turn in commands.items():
            lines.append(f"- `{command}` by {' or '.join(turn.by)} → {', '.join(turn.to)}")
        if phase == "awaiting_funds":
            lines.append("- money comes in for it → refunding")
        lines.append("")
    return lines


def frozen() -> list[str]:
    """What a chargeback does, in every open phase."""
    return [
        "### While the buyer's bank asks for the payment back",
        "",
        "A chargeback on a payment over which its money could go freezes a dispute, in whatever phase it is: no timer",
        f"runs, and only {', '.join(f'`{name}`' for name in IN_FREEZE)} may come; all else is refused with `frozen`.",
        "Won, it goes on with the time that was left. Lost, it is closed as `charged_back`; what was not paid goes",
        "back where it came from.",
        "",
    ]


def times(phase: str, policy: Policy) -> list[str]:
    """What the clock does in a phase."""
    lines: list[str] = []
    for timer in ph.timers_of(phase, START, policy.timers, START + policy.timers.escalation):
        after = span(timer.at - START)
        if timer.kind == "turn":
            lines.append(f"after {after} without an act: {words(phase)}")
        elif timer.kind == "escalate":
            lines.append(f"{span(policy.timers.escalation)} after the seller's first turn began: the platform decides")
        else:
            lines.append(f"after {after}: {ALERTS[timer.kind]}")
    if phase == "refunding":
        after = span(policy.timers.unclaimed)
        lines.append(f"{after} after the last no, where nobody names a way to pay: closed, the money goes back")
    return lines


def span(time: timedelta) -> str:
    """A time in days where it is whole days, else in hours."""
    days, rest = divmod(int(time.total_seconds()), 86_400)
    return f"{days} d" if not rest and days > 1 else f"{int(time.total_seconds()) // 3600} h"


def turns() -> list[str]:
    """Commands by phases: the role that may act."""
    commands = list(dict.fromkeys(command for turn in ph.TURNS.values() for command in turn))
    lines = ["| command | " + " | ".join(ph.TURNS) + " |", "|---" * (len(ph.TURNS) + 1) + "|"]
    for command in commands:
        cells = [", ".join(turn[command].by) if command in turn else "" for turn in ph.TURNS.values()]
        lines.append(f"| `{command}` | " + " | ".join(cells) + " |")
    return lines


def orders() -> list[str]:
    """Status by what may happen."""
    facts = list(dict.fromkeys(fact for turn in LIFE.values() for fact in turn))
    lines = ["| status | " + " | ".join(f"`{fact}`" for fact in facts) + " |", "|---" * (len(facts) + 1) + "|"]
    for status, turn in LIFE.items():
        lines.append(f"| {status} | " + " | ".join(turn.get(fact, "") for fact in facts) + " |")
    return [*lines, "", "An empty cell is refused with `order_turn`."]


def reasons() -> list[str]:
    """Reasons by class."""
    classes = {"INR": "not received", "SNAD": "not as described", "REMORSE": "no reason", "OTHER": "anything else"}
    lines = ["| class | reasons |", "|---|---|"]
    for kind, words in classes.items():
        lines.append(f"| {kind}, {words} | {', '.join(f'`{r}`' for r, k in REASONS.items() if k == kind)} |")
    return lines


if __name__ == "__main__":
    main()
