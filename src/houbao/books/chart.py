"""The ledger's accounts as an accountant names them, one to one.

external:bank → Assets:Bank                        provider:<name> → Assets:Providers:<Name>
fund:available → Equity:Fund:Available             fund:reserved → Equity:Fund:Reserved
store:<id>:payable → Liabilities:Stores:<Id>:Payable, and so :Held and :Deposit
store:<id>:receivable → Assets:Stores:<Id>:Receivable
platform:commission → Income:Commission            platform:expense → Expenses:Guarantee
platform:writeoff → Expenses:Writeoff              platform:backstop → Equity:Backstop
fx:<currency> → Equity:Exchange:<CURRENCY>

An amount there is minus the ledger's: what has been received is a debit, above zero.
"""

import re

from houbao.core.accounts import (
    AVAILABLE,
    BACKSTOP,
    BANK,
    COMMISSION,
    EXPENSE,
    RESERVED,
    WRITEOFF,
    exchanged_in,
    kind_of,
    provider_of,
    store_of,
)

_FIXED = {
    BANK: "Assets:Bank",
    AVAILABLE: "Equity:Fund:Available",
    RESERVED: "Equity:Fund:Reserved",
    COMMISSION: "Income:Commission",
    EXPENSE: "Expenses:Guarantee",
    WRITEOFF: "Expenses:Writeoff",
    BACKSTOP: "Equity:Backstop",
}
_STORES = {"payable": "Liabilities", "held": "Liabilities", "deposit": "Liabilities", "receivable": "Assets"}
_ESCAPES = {"_": "--u", ".": "--d", ":": "--c", "--": "--h"}


def account_name(account: str) -> str:
    """The accountant's name of an account of the ledger. ValueError for what is none."""
    if account in _FIXED:
        return _FIXED[account]
    if provider := provider_of(account):
        return f"Assets:Providers:{_component(provider)}"
    if currency := exchanged_in(account):
        return f"Equity:Exchange:{currency}"
    if (store := store_of(account)) and (own := kind_of(account)) in _STORES:
        return f"{_STORES[own]}:Stores:{_component(store)}:{own.title()}"
    raise ValueError(f"{account!r} is no account of the ledger")


def _component(name: str) -> str:
    """A name as one component: letters, digits and single hyphens stay, the first letter is made a capital; one that
    begins with a capital gets a 0 before it, so that no two names become one."""
    escaped = re.sub(r"--|[_.:]", lambda found: _ESCAPES[found[0]], name)
    if re.match(r"0*[A-Z]", escaped):
        return f"0{escaped}"
    return escaped[0].upper() + escaped[1:]
