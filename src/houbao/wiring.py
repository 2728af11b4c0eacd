"""The composition root: which database, provider and mail server serve which engine and worker."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from houbao.core.policy_file import parse_policy
from houbao.core.programme import Mode, Programme
from houbao.core.refunds import RefundSent, ReportRefund
from houbao.core.terms import Refused, parse_id
from houbao.engine.engine import Engine
from houbao.engine.outside import Notifier, RefundProvider
from houbao.engine.ports import Probe
from houbao.engine.request import TRANSIENT
from houbao.engine.scoring import Scoring
from houbao.engine.worker import Worker
from houbao.engine.writer import Writer
from houbao.gateways.email import FolderMailer, SmtpMailer
from houbao.gateways.evidence import EvidenceFolder
from houbao.gateways.rates import LOOPBACK
from houbao.gateways.refunds.remote import RemoteSandbox
from houbao.gateways.refunds.sandbox import Bank, Sandbox, Script
from houbao.settings import Settings, SettingsError
from houbao.shipped import policy_text
from houbao.store import sqlite
from houbao.store.creating import create
from houbao.store.scores import Scorebook


def path_of(url: str) -> Path:
    """The file of a database URL. Raises SettingsError for what this version cannot open."""
    scheme, _, rest = url.partition("://")
    if scheme != "sqlite" or not rest.startswith("/") or rest == "/":
        raise SettingsError(
            f"the database URL is {url!r}: this version opens sqlite:///FILE (sqlite:////absolute/FILE)"
        )
    return Path(rest[1:])


def provider_log_of(path: Path) -> Path:
    """What the simulated provider of a database remembers, beside the database's file."""
    return path.with_suffix(".provider.jsonl")


def create_database(
    url: str,
    *,
    currency: str,
    launched_at: datetime,
    sandbox_clock: datetime | None = None,
    mode: Mode = "capital",
    also_covers: tuple[str, ...] = (),
) -> None:
    """Make a new database with the shipped policy and the programme `standard`. A sandbox keeps its own clock."""
    path = path_of(url)
    if path.exists():
        raise SettingsError(f"{path} exists already; name another file or remove it")
    text = policy_text()
    version = parse_policy(text).version
    programme = Programme(
        name="standard",
        currency=currency,
        launched_at=launched_at,
        policies=((launched_at, version),),
        mode=mode,
        also_covers=also_covers,
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A new database gives attempts their numbers anew: the simulated bank of an earlier one must not know them.
        provider_log_of(path).unlink(missing_ok=True)
        create(path, policy=text, programme=programme, sandbox_clock=sandbox_clock)
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(f"{path} cannot be made: {error}; name a folder that can be written to") from None


def is_sandbox(database: sqlite.SQLite) -> bool:
    """Whether the database is a sandbox, with a clock of its own that is moved only on purpose."""
    return database.settings()["kind"] == "sandbox"


def clock_of(database: sqlite.SQLite) -> Callable[[], datetime]:
    """The database's clock: a sandbox keeps its own, moved only on purpose; a live one has the machine's."""

    def sandbox() -> datetime:
        clock = database.head(0).clock
        assert clock is not None
        return clock

    return sandbox if is_sandbox(database) else lambda: datetime.now(UTC)


class House:
    """An opened database with its engine, its worker, the sandbox provider and the folder of evidence. `observe` makes
    it a server's: many threads write through one writer, which tells of its batches; `on_the_way` is the writer's."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], datetime] | None = None,
        script: Script | None = None,
        probe: Probe = lambda point: None,
        observe: Callable[[int, float], None] | None = None,
        on_the_way: timedelta = timedelta(),
        database: sqlite.SQLite | None = None,
    ) -> None:
        path = path_of(settings.database_url)
        self.database = database or sqlite.SQLite(path)
        self.clock = clock or clock_of(self.database)
        self.engine = Engine(self.database, self.clock, probe=probe)
        self.provider = _provider(settings, path, self.clock, script)
        stands_still = clock is None and is_sandbox(self.database)  # there what is two seconds ahead never comes
        way = timedelta() if stands_still else on_the_way
        self.writer = Writer(self.engine, observe, on_the_way=way) if observe else None
        self.execute = self.writer.execute if self.writer else self.engine.execute
        self.providers: dict[str, RefundProvider] = {"sandbox": self.provider}
        self.worker = Worker(
            self.database,
            self.execute,
            self.clock,
            providers=self.providers,
            notifier=_notifier(settings, self.clock),
            alerts_to=settings.alerts_to,
            console=settings.public_url,
            horizon=self.writer.horizon if self.writer else lambda now: now,
            probe=probe,
        )
        self.scoring = Scoring(Scorebook(self.database), self.clock)
        self.evidence = evidence_of(settings)

    def listen(self) -> list[int]:
        """Take in what the provider says by itself; returns the disputes it spoke about."""
        spoken_of: list[int] = []
        for hook in self.provider.hooks(self.clock()):
            part, attempt = attempt_of(hook.key)
            sent = self.database.event(part, attempt)
            if isinstance(sent, RefundSent):
                report = ReportRefund(dispute=sent.dispute, attempt=attempt, result=hook.result)
                (outcome,) = self.worker.cashier.hear(self.provider.name, [report])
                if isinstance(outcome, Refused) and outcome.code in TRANSIENT:
                    continue  # it is handed out again
                spoken_of.append(sent.dispute)
            self.provider.acknowledge([hook.id])
        return spoken_of

    def close(self) -> None:
        """Finish what waits, and close the database."""
        if self.writer:
            self.writer.stop()
        self.database.close()


def evidence_of(settings: Settings) -> EvidenceFolder:
    """The folder of evidence."""
    return EvidenceFolder(
        _beside(settings, settings.evidence_folder, ".evidence"), _beside(settings, settings.key_file, ".key")
    )


def _beside(settings: Settings, named: str, ending: str) -> Path:
    """The place that a setting names; without one, beside the database."""
    return Path(named) if named else path_of(settings.database_url).with_suffix(ending)


def attempt_of(key: str) -> tuple[int, int]:
    """(part, attempt) of a provider's key; (0, 0), which is no attempt, for a key that is none of ours."""
    try:
        return parse_id("attempt", key)
    except Refused:
        return 0, 0


def _provider(
    settings: Settings, path: Path, clock: Callable[[], datetime], script: Script | None
) -> Sandbox | RemoteSandbox:
    if not settings.sandbox_provider:
        return Sandbox(Bank(provider_log_of(path), script or Script()), clock)
    host, _, port = settings.sandbox_provider.rpartition(":")
    if not port.isdecimal():
        raise SettingsError(f"HOUBAO_SANDBOX_PROVIDER is {settings.sandbox_provider!r}: write host:port")
    return RemoteSandbox(int(port), host or "127.0.0.1", clock=clock)


def _notifier(settings: Settings, clock: Callable[[], datetime]) -> Notifier:
    try:
        return _mailer(settings, clock)
    except ValueError as error:
        raise SettingsError(f"HOUBAO_MAIL_SENDER: {error}") from None


def _mailer(settings: Settings, clock: Callable[[], datetime]) -> Notifier:
    if settings.smtp_host:
        if settings.smtp_user and not settings.smtp_starttls and settings.smtp_host not in LOOPBACK:
            raise SettingsError(
                "HOUBAO_SMTP_USER is set, and without HOUBAO_SMTP_STARTTLS its password would go to"
                f" {settings.smtp_host} in clear: write smtp_starttls = true"
            )
        return SmtpMailer(
            settings.smtp_host,
            settings.smtp_port,
            settings.mail_sender,
            user=settings.smtp_user,
            password=settings.smtp_password,
            starttls=settings.smtp_starttls,
        )
    return FolderMailer(_beside(settings, settings.mail_folder, ".mails"), settings.mail_sender, clock)
