"""Who may sign in to a demonstration: an account for each role and a second agent, with a password drawn anew."""

from pathlib import Path
from secrets import choice

from msgspec import Struct

from houbao.demo.scenes import STORE
from houbao.store.access import Access, User
from houbao.web.signin import hashed

BUYER = "buyer-of-scene-5"
"""The buyer whom a seller's offer waits for, and to whom another order came (scenes.py)."""

ACCOUNTS = (
    ("seller", "seller", STORE, "a store with disputes in every place"),
    (BUYER, "buyer", "", "a buyer whom an offer waits for, with a delivered order"),
    ("agent", "agent", "", "verifies and decides"),
    ("agent2", "agent", "", "decides the appeals of what the other agent ruled"),
    ("finance", "finance", "", "looks after the fund"),
    ("admin", "admin", "", "users, keys, everything"),
)
"""(name, role, store, what there is to see)."""

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what is easily mistaken."""


class SignIn(Struct, frozen=True):
    """One account of the demonstration."""

    name: str
    role: str
    sees: str


def open_doors(path: Path) -> tuple[list[SignIn], str]:
    """Make the accounts; returns them with the password that all share. It is known to nobody afterwards."""
    password = "-".join("".join(choice(LETTERS) for _ in range(4)) for _ in range(3))
    kept = hashed(password)
    access = Access(path)
    try:
        for name, role, store, _ in ACCOUNTS:
            access.put_user(User(name, name, role, store, kept))
    finally:
        access.close()
    return [SignIn(name, role, sees) for name, role, _, sees in ACCOUNTS], password


def told(signins: list[SignIn], password: str, address: str) -> list[str]:
    """The accounts as lines of text."""
    width = max(len(one.name) for one in signins)
    return [
        f"Console: {address}/sign-in · password of all: {password}",
        *(f"  {one.name:<{width}}  {one.role}: {one.sees}" for one in signins),
        "Stop it with Ctrl-C; `./dev serve --database …` serves it again.",
    ]
