"""`houbao keys …`, `houbao users …`: their commands, thin; what they do is in `access`."""

from typing import Annotated, Literal

from cyclopts import App, Parameter

from houbao.commands.options import DatabaseUrl, Json
from houbao.commands.terminal import opened, say

keys_app = App(name="keys", help="Keys of the API: who may call it, for what.")
users_app = App(name="users", help="People who sign in to the console.")


@keys_app.command(name="add")
def add_key(
    name: Annotated[str, Parameter(help="What the key is for, in your own words")],
    *,
    scope: Annotated[
        tuple[str, ...], Parameter(help="platform, agent, finance, read or store:ID; several times", negative="")
    ],
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Make a key. Its secret is printed once, and kept nowhere."""
    from houbao.commands.access import add_key as add

    with opened(database) as house:
        made = add(house, name, scope)
    say(made, made.told(), as_json=as_json)


@keys_app.command(name="list")
def list_keys(*, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Every key, without its secret."""
    from houbao.commands.access import keys, told_keys

    with opened(database) as house:
        found = keys(house)
    say(found, told_keys(found), as_json=as_json)


@keys_app.command(name="revoke")
def revoke_key(key: str, *, database: DatabaseUrl = None) -> None:
    """Make a key open nothing any more; to a server that runs, within a second."""
    from houbao.commands.access import revoke_key as revoke

    with opened(database) as house:
        print(revoke(house, key))


@users_app.command(name="add")
def add_user(
    user: Annotated[str, Parameter(help="What they sign in with: a name or an e-mail's first part")],
    *,
    role: Literal["seller", "agent", "finance", "admin"],
    store: Annotated[str, Parameter(help="Whose seller they are")] = "",
    name: Annotated[str, Parameter(help="How they are called on pages")] = "",
    totp: Annotated[
        bool | None, Parameter(help="Also ask for the code of a new authenticator, or for none; else as it was")
    ] = None,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Add a person, or change one. The password is asked for (or read from a pipe), never given as an option."""
    from houbao.commands.access import add_user as add

    with opened(database) as house:
        made = add(house, user, role=role, store=store, name=name, totp=totp)
    say(made, made.told(), as_json=as_json)


@users_app.command(name="list")
def list_users(*, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Every person who may sign in."""
    from houbao.commands.access import told_users, users

    with opened(database) as house:
        found = users(house)
    say(found, told_users(found), as_json=as_json)


@users_app.command(name="close")
def close_user(user: str, *, database: DatabaseUrl = None) -> None:
    """Let a person in no more, and sign them out."""
    from houbao.commands.access import close_user as close

    with opened(database) as house:
        print(close(house, user))
