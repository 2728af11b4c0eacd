"""An accountant's name for each account, and the way back."""

import re

import pytest
from beancount.core.account import is_valid
from hypothesis import given
from hypothesis import strategies as st

from houbao.books.chart import account_name, ledger_account
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


@pytest.mark.parametrize("name", ["", "Assets:Stores:Oak:Payable", "Assets:Cash"])
def test_what_is_no_name_of_the_export_leads_nowhere(name):
    with pytest.raises(ValueError, match="no account"):
        ledger_account(name)
