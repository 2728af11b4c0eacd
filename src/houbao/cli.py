"""`houbao …`: every command, thin. What it does is in `commands`, imported only when it is called, so that help is
instant."""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Group, Parameter, validators

from houbao import __version__
from houbao.commands.evidence import evidence_app
from houbao.commands.exports import export_app
from houbao.commands.fund import fund_app
from houbao.commands.keys import keys_app, users_app
from houbao.commands.options import AtLeastOne, DatabaseUrl, Json, Parts
from houbao.commands.policy import policy_app
from houbao.commands.terminal import CommandFailed, fail, openable, opened, say, settings, tell

app = App(
    name="houbao", help="The after-sales guarantee for marketplaces.", version=__version__, result_action="return_value"
)
db_app = App(name="db", help="Make and look after a database.")
app.command(policy_app)
app.command(fund_app)
app.command(export_app)
app.command(evidence_app)
app.command(db_app)
app.command(keys_app)
app.command(users_app)


DAYS = validators.Number(gte=0, lte=60)
ONE_OF = Group("One of", validator=validators.MutuallyExclusive())


def main() -> None:
    """Run one command. Exit 0 done, 1 refused or a check failed, 2 usage."""
    try:
        app(sys.argv[1:])
    except CommandFailed as error:
        fail(str(error))
    except BrokenPipeError:
        # Whoever reads has enough, as `head` has; the interpreter must not try to write the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        fail("stopped; what was reported done is saved")
    except Exception as error:
        tell(error)
        raise


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
    no_serve: Annotated[bool, Parameter(negative="", help="Only play and report")] = False,
    port: Annotated[int, Parameter(help="Where it is served", validator=validators.Number(gte=1, lte=65_535))] = 8000,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Play orders and their complaints through the guarantee, report who was paid by whom, and serve it all."""
    from houbao.demo.command import demonstrate

    demonstrate(
        settings(None),
        olist=olist,
        orders=orders,
        seed=seed,
        database=database,
        as_json=as_json,
        serves=not no_serve,
        port=port,
    )


# --- orders in -----------------------------------------------------------------------------------------------------


@app.command(name="import")
def import_orders(
    source: Literal["olist", "ndjson", "csv", "parquet", "shopify", "woocommerce"],
    path: Path,
    *,
    programme: Annotated[str, Parameter(help="Enrol new stores in this programme")] = "",
    resume: Annotated[bool, Parameter(negative="", help="Go on where the import of this file was stopped")] = False,
    mapping: Annotated[Path | None, Parameter(help="Names other columns, constants, the time zone (TOML)")] = None,
    store: Annotated[str, Parameter(help="The store whose orders these are, where rows do not say")] = "",
    country: Annotated[str, Parameter(help="The country of new stores, e.g. DE: its business days count")] = "",
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Bring in orders and what happened to them; importing twice changes nothing, and every row is accounted for."""
    from houbao.commands.import_files import Ways, import_from

    ways = Ways(programme=programme, country=country, mapping=mapping, store=store, resume=resume, silent=as_json)
    with opened(database) as house:
        summary = import_from(house, source, path, ways)
    say(summary, summary.told(), as_json=as_json)


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

    with opened(database) as house:
        source = settings(None).rates_url if fetch else file
        answer = take(house, source) if source else listed(house)
    say(answer, told(answer), as_json=as_json)


# --- checks and looks ----------------------------------------------------------------------------------------------


@app.command
def verify(*, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Derive everything again from the events and name the first difference."""
    from houbao.commands.databases import SHOWN, differences, told

    found = differences(database)
    verdict = {"verify": "differs" if found else "ok", "differences": found[: 5 * SHOWN]}
    say(verdict, told(found), as_json=as_json)
    if found:
        sys.exit(1)


@app.command
def statement(
    store: str, *, currency: str = "", limit: AtLeastOne = 50, database: DatabaseUrl = None, as_json: Json = False
) -> None:
    """A store's statement: every entry of its own accounts, with the running balance."""
    from houbao.commands.statements import statements, told

    with opened(database) as house:
        pages = statements(house, store, currency)
    say(pages, told(store, pages, limit), as_json=as_json)


@app.command
def reconcile(
    file: Path,
    *,
    account: Annotated[str, Parameter(help="Whose cash it tells of, e.g. provider:stripe; default: by the file")] = "",
    days: Annotated[int, Parameter(help="How many days apart the same may be", validator=DAYS)] = 5,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """A provider's payout file or a bank's camt.053 beside the ledger: what agrees, what does not, and what to run for
    it. Books nothing. Exit 1 where anything differs."""
    from houbao.commands import progress
    from houbao.finance.reconciling import Beside
    from houbao.finance.reconciling import reconcile as compare

    with opened(database) as house, progress.shown() as shown:
        beside = Beside(house.database, house.engine.preview, house.providers, house.clock())
        done = compare(beside, file, account, days, shown)
    say(done.document(), done.told(), as_json=as_json)
    if not done.even:
        sys.exit(1)


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

    with opened(database) as house:
        card = score_card(house, store, on)
    say(card.document(), card.told(), as_json=as_json)


@app.command
def advise(
    store: str,
    *,
    days: Annotated[int, Parameter(help="How far back", validator=validators.Number(gte=1, lte=3650))] = 90,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Would it have paid a store to be in the guarantee: refunds, premiums, score and weight, inside and outside."""
    from houbao.commands import advising

    with opened(database) as house:
        advice = advising.advice_of(house, store, days)
    say(advice, advising.told(advice), as_json=as_json)


@app.command
def work(
    *,
    once: Annotated[bool, Parameter(negative="", help="One run, then stop")] = False,
    now: Annotated[str, Parameter(help="Move a sandbox's clock to this time first (RFC 3339)")] = "",
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """The worker: lets deadlines pass, sends refunds and mail, looks up what is unknown, tells the webhooks."""
    from houbao.commands.working import work as run_worker

    with opened(database) as house:
        done = run_worker(house, once=once, now=now, inside=settings(database).webhooks_inside)
    say(done, done.told(), as_json=as_json)


@app.command
def outage(start: str, end: str, *, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Nobody could act from START to END (RFC 3339): what runs over it is due later by its length. Twice is as once."""
    from houbao.commands.outages import enter

    with opened(database) as house:
        entered = enter(house, start, end, lambda done: print(f"{done} disputes looked at", file=sys.stderr))
    say(entered, [entered.told()], as_json=as_json)


@app.command
def watch(
    store: str,
    *,
    lift: Annotated[bool, Parameter(negative="", help="End the watch: new orders are covered again")] = False,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Whether a store is watched, since when and why, and what was found of it."""
    from houbao.commands.watching import watched

    with opened(database) as house:
        seen = watched(house, store, lift=lift)
    say(seen, seen.told(), as_json=as_json)


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
    *scenario: Literal[
        "open-dispute",
        "open-dispute-http",
        "import-orders",
        "sweep-deadlines",
        "queue-page",
        "growth",
        "ledger",
        "statement-page",
        "backtest",
    ],
    disputes: Annotated[AtLeastOne, Parameter(help="Disputes to open")] = 10_000,
    among: Annotated[
        tuple[Annotated[int, Parameter(validator=validators.Number(gte=0))], ...],
        Parameter(help="Open disputes among which they are; more than once: each in turn", negative=""),
    ] = (0, 100_000),
    rows: Annotated[
        int, Parameter(help="Disputes of a backtest's lake", validator=validators.Number(gte=24))
    ] = 10_000_000,
    rounds: AtLeastOne = 5,
    orders: Annotated[int, Parameter(help="Orders to import", validator=validators.Number(gte=1))] = 20_000,
    known: Annotated[
        tuple[Annotated[int, Parameter(validator=validators.Number(gte=0))], ...],
        Parameter(help="Orders that are there before; more than once: each in turn", negative=""),
    ] = (0, 1_000_000),
    due: Annotated[AtLeastOne, Parameter(help="Deadlines that are due")] = 20_000,
    open_disputes: Annotated[int, Parameter(name="--open", help="Open disputes among which they are")] = 1_000_000,
    pages_of: Annotated[AtLeastOne, Parameter(help="Disputes in the table whose pages are read")] = 1_000_000,
    grow_to: Annotated[AtLeastOne, Parameter(help="Disputes to which a database grows")] = 1_000_000,
    transfers: Annotated[AtLeastOne, Parameter(help="Transfers to book")] = 60_000,
    statements_of: Annotated[AtLeastOne, Parameter(help="Transfers in the ledger of the statements")] = 1_000_000,
    database: Annotated[
        str | None, Parameter(help="sqlite:///FILE: measure on its disk, beside it; default: the temporary folder")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure, each figure beside the bare work in the same run. Without a scenario: all of them."""
    from houbao.bench.run import Sizes, run
    from houbao.commands.databases import folder_beside

    sizes = Sizes(
        disputes=disputes,
        among=among,
        rounds=rounds,
        orders=orders,
        known=known,
        due=due,
        open=open_disputes,
        pages_of=pages_of,
        grow_to=grow_to,
        transfers=transfers,
        statements_of=statements_of,
        lake=rows,
    )
    figures = run(scenario, sizes, (lambda text: None) if as_json else print, folder_beside(database))
    if as_json:
        say(figures, [], as_json=True)


# --- serving -------------------------------------------------------------------------------------------------------


@app.command
def serve(
    *,
    host: Annotated[str, Parameter(help="The address to answer on; 0.0.0.0 for every one")] = "127.0.0.1",
    port: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=65_535))] = 8000,
    workers: Annotated[
        int,
        Parameter(validator=validators.Number(gte=1, lte=64), help="Processes that answer; one of them writes"),
    ] = 1,
    database: DatabaseUrl = None,
) -> None:
    """Serve the API, the console and the worker, in one process by default, until it is stopped."""
    from houbao.commands.listening import listen_together
    from houbao.web.together import counting_together

    with openable(database), counting_together(workers):
        from houbao.commands.serving import serve as serve_database

        serve_database(settings(database), listen_together(host, port, workers))


@app.command
def openapi() -> None:
    """Print the API's own document, OpenAPI 3.1."""
    import json

    from houbao.web.openapi import document
    from houbao.web.server import API

    print(json.dumps(document(API), ensure_ascii=False, indent=2))


# --- database ------------------------------------------------------------------------------------------------------


@db_app.command
def upgrade(
    *,
    currency: Annotated[str, Parameter(help="The programme's currency, for a new database")] = "EUR",
    mode: Annotated[Literal["capital", "premium", "deposit"], Parameter(help="What fills its fund")] = "capital",
    also: Annotated[tuple[str, ...], Parameter(help="Other currencies that it covers", negative="")] = (),
    parts: Parts = 1,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Make the database if there is none: tables, the shipped policy, the programme `standard`, launched now."""
    from houbao.commands.databases import make

    made = make(database, currency, parts, mode, also)
    say(made, [made.told()], as_json=as_json)


@db_app.command
def backup(file: Path, *, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Write the database, as it is at one moment, to a new FILE; also while it is being served. It is verified."""
    from houbao.commands.backups import backed_up

    kept = backed_up(database, file)
    say(kept, kept.told(), as_json=as_json)


@db_app.command
def copy(source: str, target: str, *, parts: Parts = 1, as_json: Json = False) -> None:
    """Copy a database to a new one, URL to URL, as it is at one moment. The copy is verified."""
    from houbao.commands.backups import copied

    kept = copied(source, target, parts)
    say(kept, kept.told(), as_json=as_json)
