"""An accountant's name for each account, and the way back."""

import re

import pytest
from beancount.core.account import is_valid
from hypothesis import given
from hypothesis import strategies as st

from houbao.books.chart import account_name
from houbao.core.accounts import (
    AVAILABLE,
    BACKSTOP,
    BANK,
    COMMISSION,
    EXPENSE,
    RESERVED,
    WRITEOFF,
    fx_account,
    provider_account,
    store_account,
)

IDS = st.from_regex(re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:\-]{0,63}", re.ASCII), fullmatch=True)
ACCOUNTS = st.one_of(
    st.sampled_from([BANK, AVAILABLE, RESERVED, COMMISSION, EXPENSE, WRITEOFF, BACKSTOP]),
    st.builds(provider_account, IDS),
    st.builds(fx_account, st.sampled_from(["EUR", "BRL", "JPY"])),
    st.builds(store_account, IDS, st.sampled_from(["payable", "held", "deposit", "receivable"])),
)

FIXED = {
    account_name(account): account for account in (BANK, AVAILABLE, RESERVED, COMMISSION, EXPENSE, WRITEOFF, BACKSTOP)
}
TOPS = {"payable": "Liabilities", "held": "Liabilities", "deposit": "Liabilities", "receivable": "Assets"}
ESCAPES = {"--u": "_", "--d": ".", "--c": ":", "--h": "--"}


def ledger_account(name: str) -> str:
    """The ledger's account of that name: the way back. ValueError for what is none."""
    match name.split(":"):
        case _ if name in FIXED:
            return FIXED[name]
        case ["Assets", "Providers", provider]:
            return f"provider:{plain(provider)}"
        case ["Equity", "Exchange", currency]:
            return f"fx:{currency}"
        case [top, "Stores", store, own] if TOPS.get(own.lower()) == top:
            return f"store:{plain(store)}:{own.lower()}"
        case _:
            raise ValueError(f"{name!r} is no account of the export")


def plain(component: str) -> str:
    """The name that became that component."""
    name = component[1:] if re.match(r"0+[A-Z]", component) else component[0].lower() + component[1:]
    return re.sub(r"--[udch]", lambda found: ESCAPES[found[0]], name)


@given(ACCOUNTS)
def test_every_account_has_a_name_that_beancount_takes_and_that_leads_back(account):
    name = account_name(account)
    assert is_valid(name), name
    assert ledger_account(name) == account


@pytest.mark.parametrize(
    ("account", "name"),
    [
        ("store:oak-17:payable", "Liabilities:Stores:Oak-17:Payable"),
        ("store:oak:receivable", "Assets:Stores:Oak:Receivable"),
        ("provider:sandbox", "Assets:Providers:Sandbox"),
        ("store:Oak:held", "Liabilities:Stores:0Oak:Held"),
        ("store:a_b:c:held", "Liabilities:Stores:A--ub--cc:Held"),
    ],
)
def test_names_are_legible(account, name):
    assert account_name(account) == name


@pytest.mark.parametrize("account", ["", "store:oak", "store:oak:savings", "provider:", "cash"])
def test_what_is_no_account_has_no_name(account):
    with pytest.raises(ValueError, match="no account"):
        account_name(account)
