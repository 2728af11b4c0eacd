"""Asking for pages of the desks as a browser does, signed in as one of the platform's people."""

from typing import Any

from houbao.web.console.previewed import mark

PAGE = {"Accept": "text/html"}
ROLES = {"lee": "agent", "mia": "agent", "joe": "agent", "kim": "finance", "joy": "finance", "eve": "admin"}
FIRST = {"agent": "lee", "finance": "kim", "admin": "eve"}


def signed_in(served, who: str) -> dict[str, str]:
    """The headers of somebody, by name or by role."""
    name = FIRST.get(who, who)
    if name not in ROLES:
        return served.headers(who)
    served.add_user(name, ROLES[name])
    return served.session("user", ROLES[name], name)


def get(served, path: str, who: str = "agent", **headers: str) -> Any:
    """A page."""
    return served.client.get(path, headers=signed_in(served, who) | PAGE | headers, follow_redirects=False)


def post(served, path: str, form: dict[str, str], who: str = "agent", **headers: str) -> Any:
    """A form as a browser sends it, with the token of its session and the mark of its preview."""
    sent = signed_in(served, who)
    token = sent.pop("X-CSRF-Token")
    return served.client.post(
        path,
        data={"csrf_token": token, "previewed": mark(path, form)} | form,
        headers=sent | PAGE | headers,
        follow_redirects=False,
    )


def seen(served, number: int) -> str:
    """What a form says of how much its reader had read."""
    return str(served.market.dispute(number).history[-1])


def case(number: int) -> str:
    """The path of a case."""
    return f"/cases/dispute_0_{number}"
