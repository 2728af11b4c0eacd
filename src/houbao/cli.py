"""`houbao …`: every command, thin. Heavy imports happen inside the command that needs them, so that help is instant."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Group, Parameter, validators

from houbao import __version__

app = App(
    name="houbao", help="The after-sales guarantee for marketplaces.", version=__version__, result_action="return_value"
)
policy_app = App(name="policy", help="Show, check, publish and explain the policy.")
fund_app = App(name="fund", help="The fund: what it holds, filling it.")
db_app = App(name="db", help="Make and look after a database.")
app.command(policy_app)
app.command(fund_app)
app.command(db_app)

DatabaseUrl = Annotated[str | None, Parameter(name="--database", help="sqlite:///FILE; default: HOUBAO_DATABASE_URL")]
AtLeastOne = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=1_000_000))]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON document")]


ONE_OF = Group("One of", validator=validators.MutuallyExclusive())


class CommandFailed(Exception):
    """A command was refused or a check failed: exit 1, with the message."""


def main() -> None:
    """Run one command. Exit 0 done, 1 refused or a check failed, 2 usage."""
    try:
        app(sys.argv[1:])
    except CommandFailed as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("stopped; what was reported done is saved")
    except Exception as error:
        _tell(error)
        raise


def _tell(error: Exception) -> None:
    """Leave with a message where the error is one that a person can mend."""
    from houbao.core.policy import PolicyError
    from houbao.core.terms import Refused
    from houbao.feeds.tables import OlistError
    from houbao.gateways.rates import RatesError
    from houbao.settings import SettingsError

    match error:
        case PolicyError():
            _fail("the policy cannot be used:", *error.faults)
        case Refused():
            _fail(f"refused ({error.code}): {error.detail}")
        case OlistError() | RatesError():
            _fail(str(error))
        case SettingsError():
            print(f"houbao: {error}", file=sys.stderr)
            sys.exit(2)


def _fail(*lines: str) -> None:
    print("houbao: " + "\n  ".join(lines), file=sys.stderr)
    sys.exit(1)


def _settings(database: str | None):  # noqa: ANN202 - the type is imported only when needed
    from msgspec import structs

    from houbao import settings

    loaded = settings.load()
    return structs.replace(loaded, database_url=database) if database else loaded


def _house(database: str | None):  # noqa: ANN202
    import sqlite3

    from houbao.store.sqlite import DatabaseError
    from houbao.wiring import House

    settings = _settings(database)
    try:
        return House(settings)
    except DatabaseError as error:
        raise CommandFailed(str(error)) from None
    except sqlite3.DatabaseError as error:
        raise CommandFailed(f"{settings.database_url} cannot be opened: {error}") from None


def _print_json(document: object) -> None:
    import msgspec

    print(json.dumps(msgspec.to_builtins(document), ensure_ascii=False, indent=2))


# --- demo ----------------------------------------------------------------------------------------------------------


@app.command
def demo(
    *,
    olist: Annotated[
        Path | None, Parameter(help="Folder of the published Olist tables; else orders are generated")
    ] = None,
    orders: Annotated[
        int, Parameter(help="How many orders to generate", validator=validators.Number(gte=1, lte=1_000_000))
    ] = 5000,
    seed: int = 7,
    no_serve: Annotated[bool, Parameter(negative="", help="Accepted; nothing is served yet")] = False,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Play orders and their complaints through the guarantee and report who was paid by whom."""
    from houbao.demo.command import demonstrate

    demonstrate(_settings(None), olist=olist, orders=orders, seed=seed, database=database, as_json=as_json)


# --- orders in -----------------------------------------------------------------------------------------------------


@app.command(name="import")
def import_orders(
    source: Literal["olist"],
    path: Path,
    *,
    programme: Annotated[str, Parameter(help="Enrol new stores in this programme")] = "",
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Bring in orders; importing twice changes nothing, and every input row is accounted for."""
    from houbao.commands.importing import import_olist

    house = _house(database)
    try:
        summary = import_olist(house, path, programme)
    finally:
        house.close()
    if as_json:
        _print_json(summary)
    else:
        print("\n".join(summary.told()))


@app.command
def rates(
    file: Annotated[
        Path | None, Parameter(help="A file of the European Central Bank, e.g. eurofxref-hist.zip", group=ONE_OF)
    ] = None,
    *,
    fetch: Annotated[bool, Parameter(negative="", help="Fetch the whole history from there", group=ONE_OF)] = False,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Bring in exchange rates; twice changes nothing. Without FILE and --fetch: show the last rate of each currency."""
    from houbao.commands.rates import listed, take, told

    house = _house(database)
    try:
        source = _settings(None).rates_url if fetch else file
        answer = take(house, source) if source else listed(house)
    finally:
        house.close()
    if as_json:
        _print_json(answer)
    else:
        print("\n".join(told(answer)))


# --- checks and looks ----------------------------------------------------------------------------------------------


@app.command
def verify(*, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Derive everything again from the events and name the first difference."""
    from houbao.store.verify import verify as differences_of
    from houbao.wiring import path_of

    path = path_of(_settings(database).database_url)
    if not path.exists():
        raise CommandFailed(f"no database at {path}")
    differences = differences_of(path)
    if as_json:
        _print_json(
            {"verify": "ok" if not differences else "differs", "differences": [str(x) for x in differences[:100]]}
        )
    elif not differences:
        print("verify: ok")
    else:
        print("\n".join(f"verify: {difference}" for difference in differences[:20]))
        if len(differences) > 20:
            print(f"verify: … {len(differences) - 20} more")
    if differences:
        sys.exit(1)


@app.command
def statement(
    store: str, *, currency: str = "", limit: AtLeastOne = 50, database: DatabaseUrl = None, as_json: Json = False
) -> None:
    """A store's statement: every entry of its own accounts, with the running balance."""
    from houbao.core.money import decimal
    from houbao.core.terms import public_id
    from houbao.store import queries

    house = _house(database)
    try:
        connection = house.database.connection
        currencies = [currency] if currency else queries.currencies(connection, 0, store)
        pages = {code: queries.statement(connection, 0, store, code) for code in currencies}
    finally:
        house.close()
    if not any(pages.values()):
        raise CommandFailed(f"no entries for store {store!r}")
    if as_json:
        _print_json(pages)
        return
    for code, entries in pages.items():
        page = entries[-limit:]
        cut = f", the last {limit}" if len(entries) > limit else ""
        print(f"Store {store} · {code} · {len(entries)} entries{cut} · times in UTC")
        if cut:
            print(f"{'':16} {'opening balance':<18} {'':12} {decimal(page[0].balance - page[0].minor, code):>12}")
        for e in page:
            about = public_id("order", 0, e.order) + (f", {public_id('dispute', 0, e.dispute)}" if e.dispute else "")
            amounts = f"{decimal(e.minor, code):>12} {decimal(e.balance, code):>12}"
            print(f"{e.at:%Y-%m-%d %H:%M} {e.kind:<18} {amounts}  {about}")


@app.command
def score(
    store: str,
    *,
    on: Annotated[str, Parameter(help="A day such as 2026-07-12; default: today, as far as it has come")] = "",
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """A store's service score of a day: its parts, which disputes cost which points, and what comes next."""
    from houbao.commands.scores import score_card

    house = _house(database)
    try:
        card = score_card(house, store, on)
    finally:
        house.close()
    if as_json:
        _print_json(card.document())
    else:
        print("\n".join(card.told()))


@app.command
def work(
    *,
    once: Annotated[bool, Parameter(negative="", help="One run, then stop")] = False,
    now: Annotated[str, Parameter(help="Move a sandbox's clock to this time first (RFC 3339)")] = "",
    database: DatabaseUrl = None,
) -> None:
    """The worker: lets deadlines pass, sends refunds and mail, looks up what is unknown."""
    from houbao.commands.working import work as run_worker

    house = _house(database)
    try:
        run_worker(house, once=once, now=now)
    finally:
        house.close()


@app.command
def outage(start: str, end: str, *, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Nobody could act from START to END (RFC 3339): what runs over it is due later by its length. Twice is as once."""
    from houbao.commands.outages import enter

    house = _house(database)
    try:
        entered = enter(house, start, end, lambda done: print(f"{done} disputes looked at", file=sys.stderr))
    finally:
        house.close()
    if as_json:
        _print_json(entered)
    else:
        print(entered.told())


@app.command(name="sandbox-provider")
def sandbox_provider(*, port: int = 0, log: Path, script: str = "", seed: int = 0) -> None:
    """The simulated refund provider as a process of its own, with its own log."""
    from houbao.gateways.refunds.sandbox import parse_script
    from houbao.gateways.refunds.server import serve

    try:
        serve(port, log, parse_script(script, seed))
    except (OSError, OverflowError, ValueError) as error:
        raise CommandFailed(str(error)) from None


@app.command
def bench(
    *scenario: Literal["open-dispute"],
    disputes: AtLeastOne = 10_000,
    rounds: AtLeastOne = 5,
    as_json: Json = False,
) -> None:
    """Measure, each figure beside the bare work in the same run. Without a scenario: all of them."""
    from houbao.bench.run import run

    figures = run(disputes=disputes, rounds=rounds, progress=not as_json)
    if as_json:
        _print_json(figures)


# --- policy --------------------------------------------------------------------------------------------------------


@policy_app.command
def show(version: str = "", *, database: DatabaseUrl = None) -> None:
    """Print a policy: the shipped one, or a version kept in a database."""
    from houbao.shipped import policy_text

    if not version and not database:
        print(policy_text(), end="")
        return
    house = _house(database)
    try:
        text = house.database.policy_text(version)
    finally:
        house.close()
    if text is None:
        raise CommandFailed(f"no policy version {version!r} in this database")
    print(text, end="")


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
            _print_json({"faults": error.faults})
            sys.exit(1)
        raise
    if as_json:
        _print_json({"version": policy.version, "digest": policy.digest, "rules": len(policy.rules), "faults": []})
    else:
        print(f"ok: {policy.title}, version {policy.version}, {len(policy.rules)} rules, SHA-256 {policy.digest}")


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
    house = _house(database)
    try:
        published = publish_policy(house, text, programme, start)
    finally:
        house.close()
    if as_json:
        _print_json(published)
    else:
        print(published.told())


@policy_app.command(name="list")
def list_policies(*, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Every policy version with the time from which it is in force, and its hash."""
    from houbao.commands.policies import listed
    from houbao.store.policies import versions

    house = _house(database)
    try:
        found = versions(house.database.connection, house.clock())
    finally:
        house.close()
    if as_json:
        _print_json(found)
    else:
        print("\n".join(listed(found)))


@policy_app.command
def promise(
    version: str = "", *, programme: str = "standard", database: DatabaseUrl = None, as_json: Json = False
) -> None:
    """What the guarantee does for a store, in words: by the shipped policy, or by one of a database."""
    from houbao.commands.policies import promised, promised_as_shipped

    if not version and not database:
        page = promised_as_shipped()
    else:
        house = _house(database)
        try:
            page = promised(house, version, programme)
        finally:
            house.close()
    if as_json:
        _print_json(page)
    else:
        print("\n".join(page.told()))


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

    house = _house(database)
    try:
        answer = explanation(house, order, reason, amount, line, at)
    finally:
        house.close()
    if as_json:
        _print_json(answer)
    else:
        print("\n".join(answer.told()))
    if answer.refused:
        sys.exit(1)


# --- fund ----------------------------------------------------------------------------------------------------------


@fund_app.command
def status(*, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """What the fund holds, what is promised, what went out, what waits."""
    from houbao.core.money import decimal
    from houbao.store import queries

    house = _house(database)
    try:
        funds = queries.fund(house.database.connection, 0)
    finally:
        house.close()
    if as_json:
        _print_json(funds)
        return
    if not funds:
        print("The fund is empty: `houbao fund top-up AMOUNT CURRENCY` fills it.")
    for f in funds:
        print(f"{f.currency}: free {decimal(f.available, f.currency)}, reserved {decimal(f.reserved, f.currency)}")
        print(
            f"  capital {decimal(f.capital, f.currency)}, paid out {decimal(f.out, f.currency)},"
            f" come back {decimal(f.back, f.currency)}"
        )
        print(f"  waiting for money: {f.waiting} refunds, {decimal(f.waiting_minor, f.currency)}")


@fund_app.command(name="top-up")
def top_up(amount: str, currency: str, *, key: str = "", database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Add capital; refunds that wait for it are served, the first approved first. `--key` makes a repeat harmless."""
    from houbao.core.fund import TopUp
    from houbao.core.money import parse
    from houbao.core.terms import Actor, Refused
    from houbao.engine.ports import Request
    from houbao.store import queries

    try:
        minor = parse(amount, currency)
    except ValueError as error:
        raise CommandFailed(str(error)) from None
    house = _house(database)
    try:
        known = queries.programme_currencies(house.database.connection)
        if currency not in known:
            raise CommandFailed(f"no programme pays in {currency}, only in {', '.join(known)}: nothing was booked")
        request = Request(TopUp(minor=minor, currency=currency), Actor("finance", "command-line"), house.clock(), key)
        (outcome,) = house.engine.execute([request])
        if isinstance(outcome, Refused):
            raise outcome
        house.worker.run()
        funds = queries.fund(house.database.connection, 0)
    finally:
        house.close()
    if as_json:
        _print_json({"position": outcome.first, "replayed": outcome.replayed, "fund": funds})
    else:
        said = "was added under this key before: nothing changed." if outcome.replayed else "added to the fund."
        print(f"{amount} {currency} {said}")


# --- database ------------------------------------------------------------------------------------------------------


@db_app.command
def upgrade(
    *,
    currency: Annotated[str, Parameter(help="The programme's currency, for a new database")] = "EUR",
    parts: int = 1,
    database: DatabaseUrl = None,
) -> None:
    """Make the database if there is none: tables, the shipped policy, the programme `standard`, launched now."""
    from datetime import UTC, datetime

    from houbao.core.money import DIGITS
    from houbao.wiring import create_database, path_of

    if parts != 1:
        raise CommandFailed("this version has one part; more parts come with PostgreSQL")
    if currency not in DIGITS:
        raise CommandFailed(f"{currency!r} is not an ISO 4217 currency")
    url = _settings(database).database_url
    if path_of(url).exists():
        _house(database).close()
        print(f"{path_of(url)} is up to date")
        return
    create_database(url, currency=currency, launched_at=datetime.now(UTC))
    print(f"{path_of(url)} made: programme `standard` in {currency}, one part")
