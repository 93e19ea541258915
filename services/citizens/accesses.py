"""Who looked: readings of reports and records through bindings, and how the person hears of them (B6)."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from core.clock import Clock
from core.delivery.notices import Notice
from core.delivery.telling import or_left_out
from core.effects import Effect, perform
from core.errors import DomainError
from core.seal import Seal
from core.stores.database import Database, Transaction
from services.citizens import accesses_store as store
from services.citizens import bindings_store, relations
from services.citizens.accesses_store import Reading, Row
from services.citizens.cabinet import Cabinet
from services.citizens.errors import NotBound
from services.citizens.model import FORMER, SELF
from services.citizens.store import conversation, self_person
from services.citizens.telling import Messenger

DIGEST = "access_digest"
DAILY, EACH = "daily", "each"
_LINES = 3  # of a digest
_PAGE = 4  # of what is asked for in chat


class NoSuchMode(DomainError):  # noqa: N818 - a refusal is named by what is the case
    """Nobody is told in this way; `off` least of all."""

    code = "no_such_mode"


@dataclass(frozen=True, slots=True)
class Look:
    """One reading, as the person it is about is told of it.

    `asker` is what the reader calls themselves, "" once they are not bound any more; `title` what the person
    is to them (妈妈).
    """

    id: int
    at: datetime
    asker: str
    title: str
    what: str
    institution: str


@dataclass(frozen=True, slots=True)
class Looks:
    """A page of them, the latest first; `before` names the next page, None if there is none."""

    lines: tuple[Look, ...]
    before: int | None


class Accesses:
    """The readings of everybody's reports and records."""

    def __init__(self, db: Database, seal: Seal, clock: Clock, messenger: Messenger) -> None:
        self._db = db
        self._clock = clock
        self._cabinet = Cabinet(seal)
        self._messenger = messenger

    async def note(self, tx: Transaction, citizen: str, person: str, what: str, institution: str) -> None:
        """Write down that a citizen reads this, in the transaction that reads it; `NotBound` if they may not.

        `what` is the scope that allows it: report, record, glucose, school. One's own is nobody's business.
        Whoever wants to be told each time is told now.
        """
        reading = Reading(citizen, person, what, institution)
        binding = await store.binding(tx, reading)
        if binding is None:
            raise NotBound(scope=what)
        if binding["relation"] in {SELF, FORMER}:
            return
        number = await store.note(tx, reading, binding["id"], self._clock.now())
        if await store.mode(tx, person) == EACH:
            await self._tell(tx, person, f"{number}", None)

    async def of(self, citizen: str, before: int | None = None) -> Looks:
        """Who looked at what is this citizen's own, a page at a time."""
        person = await self_person(self._db, citizen)
        rows = await store.page(self._db, person, before, _PAGE + 1) if person else []
        lines = tuple(map(self._look, rows[:_PAGE]))
        return Looks(lines, lines[-1].id if len(rows) > _PAGE else None)

    async def mode(self, citizen: str) -> str:
        """Whether a citizen is told `daily` or `each` time."""
        person = await self_person(self._db, citizen)
        return await store.mode(self._db, person) if person else DAILY

    async def choose(self, citizen: str, mode: str, effect: Effect) -> str:
        """Be told daily, or each time; `NoSuchMode` for anything else (B6: not `off`)."""
        if mode not in {DAILY, EACH}:
            raise NoSuchMode
        return await perform(self._db, effect, partial(self._choose, citizen, mode))

    async def tell(self, limit: int = 500) -> int:
        """Tell those whose reports somebody read since they were told last, once a day; how many it were."""
        told, today = 0, self._clock.now().date()
        for person in await store.untold(self._db, today, limit):
            async with self._db.transaction() as tx:
                digest = await store.digest(tx, person)
                if digest["day"] is None or digest["day"] < today:
                    told += await self._tell(tx, person, today.isoformat(), digest)
        return told

    async def _choose(self, citizen: str, mode: str, tx: Transaction) -> str:
        person = await self_person(tx, citizen)
        if person is not None:
            await store.choose(tx, person, mode)
        return mode

    async def _tell(self, tx: Transaction, person: str, step: str, digest: Row | None) -> bool:
        """Send what is new to whoever is this person; `digest` is the day's, None for one reading alone."""
        known = digest or await store.digest(tx, person)
        count = await store.count_since(tx, person, known["told"])
        rows = await store.page(tx, person, None, min(count, _LINES))
        if not rows:
            return False
        facts = {"looks": tuple(map(self._look, rows)), "more": count - len(rows)}
        sent = [await self._send(tx, each, step, facts) for each in await store.selves(tx, person)]
        await store.told(tx, person, rows[0]["id"], self._clock.now().date() if digest else None)
        return any(sent)

    async def _send(self, tx: Transaction, me: Row, step: str, facts: dict[str, object]) -> bool:
        where = await conversation(tx, me["citizen"])
        if where is None:
            return False
        guard = bindings_store.guard(me["binding"])  # who is this person no more hears no more of them
        notice = Notice(DIGEST, str(me["binding"]), where, facts, (guard,), step)
        return await or_left_out(self._messenger.queue(tx, notice), "access_not_told", binding=me["binding"])

    def _look(self, row: Row) -> Look:
        return Look(
            id=row["id"],
            at=row["at"],
            asker=self._cabinet.asker(row),
            title=relations.title(row["relation"]),
            what=row["what"],
            institution=row["institution"],
        )
