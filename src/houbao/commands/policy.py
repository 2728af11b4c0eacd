"""`houbao policy …`: its commands, thin; what they do is in `policies` and its neighbours."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from houbao.commands.options import DatabaseUrl, Json
from houbao.commands.terminal import CommandFailed, named_database, opened, say

policy_app = App(name="policy", help="Show, check, publish and explain the policy.")


@policy_app.command
def show(version: str = "", *, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Print a policy: the shipped one, or a version kept in a database."""
    from houbao.core.policy_file import parse_policy

    text = _kept_text(version, database or named_database())
    if not as_json:
        print(text, end="")
        return
    policy = parse_policy(text)
    shown = {"version": policy.version, "title": policy.title, "digest": policy.digest, "text": text}
    say(shown | {"rules": policy.rules}, [], as_json=True)


def _kept_text(version: str, database: str | None) -> str:
    from houbao.shipped import policy_text

    if not version and not database:
        return policy_text()
    with opened(database) as house:
        text = house.database.policy_text(version)
    if text is None:
        raise CommandFailed(f"no policy version {version!r} in this database")
    return text


def _policy_text(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"cannot read {file}: {error}") from None


@policy_app.command
def check(file: Path, *, as_json: Json = False) -> None:
    """Check a policy file; every fault is named with its field."""
    from houbao.core.policy import PolicyError
    from houbao.core.policy_file import parse_policy

    text = _policy_text(file)
    try:
        policy = parse_policy(text)
    except PolicyError as error:
        if as_json:
            say({"faults": error.faults}, [], as_json=True)
            sys.exit(1)
        raise
    checked = {"version": policy.version, "digest": policy.digest, "rules": len(policy.rules), "faults": []}
    said = f"ok: {policy.title}, version {policy.version}, {len(policy.rules)} rules, SHA-256 {policy.digest}"
    say(checked, [said], as_json=as_json)


@policy_app.command
def publish(
    file: Path,
    *,
    start: Annotated[str, Parameter(name="--from", help="In force from this time (RFC 3339); default: now")] = "",
    programme: str = "standard",
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Keep a policy under its version for ever, and let it come into force. The same text again changes nothing."""
    from houbao.commands.policies import publish as publish_policy

    text = _policy_text(file)
    with opened(database) as house:
        published = publish_policy(house, text, programme, start)
    say(published, [published.told()], as_json=as_json)


@policy_app.command(name="list")
def list_policies(*, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Every policy version with the time from which it is in force, and its hash."""
    from houbao.commands.policies import listed
    from houbao.store.policies import versions

    with opened(database) as house:
        found = versions(house.database.connection, house.clock())
    say(found, listed(found), as_json=as_json)


@policy_app.command
def promise(
    version: str = "", *, programme: str = "standard", database: DatabaseUrl = None, as_json: Json = False
) -> None:
    """What the guarantee does for a store, in words: by the shipped policy, or by one of a database."""
    from houbao.commands.policies import promised, promised_as_shipped

    chosen = database or named_database()
    if not version and not chosen and programme == "standard":
        page = promised_as_shipped()
    else:
        with opened(chosen) as house:
            page = promised(house, version, programme)
    say(page, page.told(), as_json=as_json)


@policy_app.command(name="explain")
def explain_claim(
    *,
    order: Annotated[str, Parameter(help="order_0_47, or the marketplace's own reference")],
    reason: str,
    amount: Annotated[str, Parameter(help="In the order's currency, e.g. 40.00")],
    line: Annotated[tuple[str, ...], Parameter(help="Line ids; default: all lines", negative="")] = (),
    at: Annotated[str, Parameter(help="As if it were asked at this time (RFC 3339); default: now")] = "",
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Covered? Who pays? Why? Asked before a dispute is opened; nothing is saved."""
    from houbao.commands.explaining import explanation

    with opened(database) as house:
        answer = explanation(house, order, reason, amount, line, at)
    say(answer, answer.told(), as_json=as_json)
    if answer.refused:
        sys.exit(1)


@policy_app.command
def backtest(
    file: Path,
    *,
    lake: Annotated[Path | None, Parameter(help="A folder from `export lake`; default: the database's past")] = None,
    engine: Annotated[Literal["duckdb", "spark"], Parameter(help="Where it runs")] = "duckdb",
    on: Annotated[str, Parameter(help="The day of the scores; default: that of the last dispute")] = "",
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """A policy that is only considered, over all that happened: who would have paid, and what changes for whom."""
    from houbao.commands import backtesting, progress
    from houbao.core.policy_file import parse_policy

    candidate = parse_policy(_policy_text(file))
    with progress.shown() as shown, backtesting.lake_of(lake, database, shown) as past:
        found = backtesting.run(candidate, past, engine, on, shown)
    say(found, backtesting.told(found), as_json=as_json)
