"""What the handlers work with: one database to read, the writer, the clocks. Made by the composition root."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from threading import Lock

import msgspec
from msgspec import Struct

from houbao.books.findings import Reconciled
from houbao.core.claims import is_digest
from houbao.core.policy import Policy, PolicyError
from houbao.core.policy_file import parse_policy
from houbao.core.rulings import Compiled, Ruling, compile_policy
from houbao.core.subjects import Command
from houbao.core.terms import Actor, Refused, parse_id
from houbao.engine.engine import Engine
from houbao.engine.evidence import Evidence
from houbao.engine.outside import RefundProvider
from houbao.engine.past import StorePast
from houbao.engine.request import Accepted, Outcome, Preview, Request
from houbao.engine.scorebook import Scorebook
from houbao.engine.writer import Writes
from houbao.insight.lake import Progress
from houbao.insight.reserves import Reserves
from houbao.store import lists
from houbao.store.access import Access
from houbao.store.hooks import Hooks
from houbao.store.policies import Version
from houbao.store.reading import Reader
from houbao.web.keyring import Keyring
from houbao.web.measuring import Measuring
from houbao.web.uploads import Uploads

PART = 0
"""This version makes databases with one part."""


class Beat(Struct):
    """How the worker is: when it last ran to the end (machine's clock), and what it could not do then."""

    at: datetime | None = None
    troubles: list[str] = []


class Site:
    """One database being served. What would happen is asked of `ahead`, an engine that never writes; what is to happen
    is given to `writer`. `clock` is the database's own, `wall` the machine's: sessions and leases go by that.
    `keep` keeps a policy's text as a draft, `publish` lets one come into force in a programme; `past` is a store's past
    since some time, for advice;
    `reserves` measures the funds and says how far it has come; `reconcile` compares a file's name and content with the
    ledger, one at a time (`comparing`); `note` hears of every command and its outcome;
    `verified` refuses what a provider did not sign; `secure`: it is reached by https alone."""

    def __init__(
        self,
        *,
        reader: Reader,
        ahead: Engine,
        writer: Writes,
        access: Access,
        scorebook: Scorebook,
        providers: Mapping[str, RefundProvider],
        evidence: Evidence,
        clock: Callable[[], datetime],
        keep: Callable[[str], Policy],
        publish: Callable[[str, str, datetime | None, str], Version],
        past: Callable[[str, datetime], StorePast],
        reserves: Callable[[Progress], list[Reserves]],
        reconcile: Callable[[str, bytes, str, int], Reconciled],
        hooks: Hooks,
        check_url: Callable[[str], None],
        new_secret: Callable[[], str],
        verified: Callable[[str, Mapping[str, str], bytes], None],
        note: Callable[[Sequence[Request], Sequence[Outcome]], None] = lambda requests, outcomes: None,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        public_url: str = "",
        secure: bool = True,
    ) -> None:
        self.reader = reader
        self.ahead = ahead
        self.writer = writer
        self.access = access
        self.keyring = Keyring(reader, access)
        self.scorebook = scorebook
        self.providers = providers
        self.evidence = evidence
        self.uploads = Uploads()
        self.clock = clock
        self.keep = keep
        self.publish = publish
        self.past = past
        self.reserves = Measuring(reserves, wall)
        self.reconcile = reconcile
        self.comparing = Lock()
        self.hooks = hooks
        self.check_url = check_url
        self.new_secret = new_secret
        self.verified = verified
        self.note = note
        self.wall = wall
        self.public_url = public_url
        self.secure = secure
        self.beat = Beat()
        self._rules: dict[tuple[str, str], Compiled] = {}

    def close(self) -> None:
        """Close the connections to read and to look ahead, and those of access and webhooks."""
        self.reader.close()
        self.ahead.database.close()
        self.access.close()
        self.uploads.close()
        self.reserves.close()
        self.hooks.close()

    # --- reading ---------------------------------------------------------------------------------------------------

    def snapshot(self) -> AbstractContextManager[sqlite3.Connection]:
        """A reading connection: everything read in it is of one moment."""
        return self.reader.snapshot()

    def glance(self) -> AbstractContextManager[sqlite3.Connection]:
        """A reading connection for one statement, or for rows that never change."""
        return self.reader.glance()

    def rules(self, connection: sqlite3.Connection, version: str, currency: str) -> Compiled | None:
        """A policy ready for use; the empty version is the database's default. A version's text never changes."""
        known = self._rules.get((version, currency))
        if known is None:
            text = lists.policy_text(connection, version)
            if text is None:
                return None
            try:
                known = compile_policy(parse_policy(text), currency)
            except PolicyError:
                return None
            if len(self._rules) < MOST_RULES:
                self._rules[version, currency] = known
        return known

    # --- writing ---------------------------------------------------------------------------------------------------

    async def execute(
        self,
        command: Command,
        by: Actor,
        *,
        key: str = "",
        sender: str = "",
        seen: int = 0,
        now: datetime | None = None,
        undated: bool = False,
    ) -> Accepted:
        """One command, received `now`; durable when this returns. Raises Refused."""
        (outcome,) = await self.execute_all([Request(command, by, now or self.clock(), key, seen, sender, undated)])
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    async def execute_all(self, requests: Sequence[Request], *, bulk: bool = False) -> list[Outcome]:
        """A list of commands as one batch; one outcome each, in order."""
        if not requests:
            return []
        unknown = await self._unknown_evidence(requests)
        known = [request for n, request in enumerate(requests) if n not in unknown]
        decided = iter(await self.writer.answer(known, bulk=bulk) if known else ())
        outcomes = [unknown[n] if n in unknown else next(decided) for n in range(len(requests))]
        self.note(requests, outcomes)
        return outcomes

    async def _unknown_evidence(self, requests: Sequence[Request]) -> dict[int, Refused]:
        """Which of the requests name evidence that is not there: what a dispute names can be looked at."""
        named = {n: digests for n, one in enumerate(requests) if (digests := getattr(one.command, "evidence", ()))}
        if not named:
            return {}
        wanted = {digest for digests in named.values() for digest in digests if is_digest(digest)}
        missing = set(await asyncio.to_thread(self.evidence.unknown, wanted))
        return {
            n: Refused("unknown_evidence", f"there is no evidence {', '.join(gone)}: upload it first")
            for n, digests in named.items()
            if (gone := [digest for digest in digests if digest in missing])
        }

    async def preview(self, command: Command, by: Actor, *, seen: int = 0) -> Preview:
        """What the command would do now; nothing is saved. Raises Refused as the command would be."""
        request = Request(command, by, self.clock(), seen=seen)
        for refused in (await self._unknown_evidence([request])).values():
            raise refused
        return await asyncio.to_thread(self.ahead.preview, request)

    async def explain(self, command: Command, by: Actor) -> Ruling:
        """What the policy says of a claim before it is opened. Raises Refused as opening it would be."""
        return await asyncio.to_thread(self.ahead.explain, Request(command, by, self.clock()))


MOST_RULES = 1000
"""Policies kept ready: versions × currencies."""


def number_of(kind: str, text: str) -> int:
    """The number in a public id. Raises Refused: bad_id, or unknown where it is of a part that there is not."""
    part, number = parse_id(kind, text)
    if part != PART:
        raise Refused("bad_id", f"no {kind} {text}: this database has one part, {PART}")
    return number


encode = msgspec.json.Encoder().encode
