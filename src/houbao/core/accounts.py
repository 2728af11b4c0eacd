"""The names of the accounts; what moves between them: ledger.py.

external:bank, provider:<name>              the boundary: minus the balance is the cash there
fund:available, fund:reserved               what can still be promised; what is promised
store:<id>:payable, :held, :deposit         owed to the store; on its way to a buyer; its own cover
store:<id>:receivable                       below zero: what the store owes
platform:commission, :expense, :writeoff    the platform's own
fx:<currency>                               where a refund in another currency is turned; zero when settled
platform:backstop                           minus the balance is what the treasury added to the fund by itself
"""

BANK = "external:bank"
AVAILABLE = "fund:available"
RESERVED = "fund:reserved"
COMMISSION = "platform:commission"
EXPENSE = "platform:expense"
WRITEOFF = "platform:writeoff"
BACKSTOP = "platform:backstop"


def provider_account(name: str) -> str:
    """The account of a payment provider."""
    return f"provider:{name}"


def store_account(store: str, kind: str) -> str:
    """An account of a store's: payable, held, deposit or receivable."""
    return f"store:{store}:{kind}"


def fx_account(currency: str) -> str:
    """Where a refund of a fund in another currency is turned."""
    return f"fx:{currency}"


def store_of(account: str) -> str:
    """The store whose account it is; empty where it is none's."""
    return account.removeprefix("store:").rpartition(":")[0] if account.startswith("store:") else ""


def provider_of(account: str) -> str:
    """The payment provider whose account it is; empty where it is none's."""
    return account.removeprefix("provider:") if account.startswith("provider:") else ""


def exchanged_in(account: str) -> str:
    """The currency in whose exchange account refunds are turned; empty where it is none."""
    return account.removeprefix("fx:") if account.startswith("fx:") else ""


def kind_of(account: str) -> str:
    """What an account of the fund's or a store's is for: available, payable, deposit …"""
    return account.rpartition(":")[2]


def keeps_balance(account: str) -> bool:
    """Whether the account has a balance row; the others are sums over their transfers."""
    return account.startswith(("fund:", "store:")) or account == BACKSTOP
