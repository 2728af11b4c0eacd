"""The composition root of a server: which house, readers and rows of access serve which site."""

from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import msgspec

from houbao.books.findings import Reconciled
from houbao.core.policy import Policy
from houbao.core.terms import Refused
from houbao.engine.announcing import Announcer, Happening
from houbao.engine.engine import Engine
from houbao.engine.evidence import Evidence
from houbao.engine.outside import RefundProvider
from houbao.engine.past import StorePast
from houbao.engine.scorebook import Scorebook
from houbao.engine.writer import Writes
from houbao.finance.reconciling import Beside
from houbao.finance.reconciling import reconcile as compare
from houbao.finance.reserving import reserves_of
from houbao.gateways.evidence import EvidenceFolder
from houbao.gateways.webhooks import Poster, check_signed, check_url, new_secret
from houbao.insight.lake import Progress
from houbao.insight.reserves import Reserves
from houbao.settings import Settings
from houbao.store import lists
from houbao.store.access import Access
from houbao.store.history import store_past
from houbao.store.hooks import Hooks
from houbao.store.policies import Version, keep_draft, publish_text
from houbao.store.reading import Reader
from houbao.store.scores import Scorebook as StoredScores
from houbao.store.sqlite import SQLite
from houbao.web.api.shapes import event_view
from houbao.web.metrics import Metrics
from houbao.web.site import PART, Site
from houbao.wiring import House


def clock_for(reader: Reader) -> Callable[[], datetime]:
    """The database's clock, read beside the writer and never behind it: a sandbox has its own."""
    with reader.glance() as reading:
        sandbox = lists.clock(reading, PART) is not None

    def kept() -> datetime:
        with reader.glance() as reading:
            at = lists.clock(reading, PART)
        if at is None:
            raise Refused("failed", "the sandbox lost its clock")
        return at

    return kept if sandbox else lambda: datetime.now(UTC)


def site_for(
    path: Path,
    writer: Writes,
    providers: dict[str, RefundProvider],
    scorebook: Scorebook,
    metrics: Metrics,
    *,
    clock: Callable[[], datetime] | None = None,
    wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    public_url: str = "",
    evidence: Evidence | None = None,
    local: bool = False,
    signing: Mapping[str, str] = MappingProxyType({}),
) -> Site:
    """The site of a database file. Where its public address is an https one, it is reached by that alone. `local` lets
    webhooks go to machines inside; `signing` is provider → the secret of what it says by itself. What would happen is
    asked of an engine with a connection of its own, so that nobody who only asks waits for what is being written."""
    reader = Reader(path)
    now = clock or clock_for(reader)
    ahead = Engine(SQLite(path), now)

    def publish(programme: str, text: str, start: datetime | None, by: str) -> Version:
        with closing(SQLite(path)) as database:  # its own connection: the writer's is the writer's
            return publish_text(database, programme, text, now(), start, by=by, wall=wall())[0]

    def keep(text: str) -> Policy:
        database = SQLite(path)
        try:
            return keep_draft(database, text)
        finally:
            database.close()

    def past(store: str, since: datetime) -> StorePast:
        with closing(SQLite(path)) as database:
            return store_past(database, PART, store, since, now())

    def reserves(progress: Progress) -> list[Reserves]:
        with closing(SQLite(path)) as database:
            return reserves_of(path, StoredScores(database), now(), progress)

    def reconcile(name: str, content: bytes, account: str, days: int) -> Reconciled:
        with TemporaryDirectory(prefix="houbao-") as folder, closing(SQLite(path)) as database:
            file = Path(folder) / "file"
            file.write_bytes(content)
            beside = Beside(database, ahead.preview, providers, now())
            return compare(beside, file, account, days, lambda *step: None, name)

    return Site(
        reader=reader,
        ahead=ahead,
        writer=writer,
        access=Access(path),
        scorebook=scorebook,
        providers=providers,
        evidence=evidence or EvidenceFolder(path.with_suffix(".evidence"), path.with_suffix(".key")),
        clock=now,
        keep=keep,
        publish=publish,
        past=past,
        reserves=reserves,
        reconcile=reconcile,
        hooks=Hooks(path),
        check_url=partial(check_url, local=local),
        new_secret=new_secret,
        verified=partial(check_signed, signing),
        note=metrics.note_commands,
        wall=wall,
        public_url=public_url,
        secure=public_url.startswith("https://"),
    )


def site_of(house: House, settings: Settings, metrics: Metrics, writer: Writes | None = None) -> Site:
    """The site of a house that has a writer, or is given the way to one."""
    writer = writer or house.writer
    assert writer is not None
    return site_for(
        house.database.path,
        writer,
        {house.provider.name: house.provider},
        StoredScores(house.database),
        metrics,
        public_url=settings.public_url,
        evidence=house.evidence,
        local=settings.webhooks_inside,
        signing={house.provider.name: settings.sandbox_webhook_secret},
    )


def announcer_of(hooks: Hooks, clock: Callable[[], datetime] | None = None, *, local: bool = False) -> Announcer:
    """Who tells the webhooks. `clock` is the machine's unless another is given; `local` as for a site."""
    return Announcer(hooks, Poster(local=local).send, message_of, clock or (lambda: datetime.now(UTC)))


def message_of(event: Happening) -> bytes:
    """What a webhook is told of an event: its type, its time, and it as the feed shows it."""
    view = event_view(event.position, event.booked_at, msgspec.json.decode(event.body))
    return msgspec.json.encode({"type": view.type, "timestamp": view.at, "data": view})
