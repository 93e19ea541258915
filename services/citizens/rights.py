"""The rights of citizens over their data: 我的数据, 更正, 停止, 恢复 (domain-rules 0.3)."""
# ruff: noqa: N818 - a refusal is named by what is the case

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from core.clock import Clock
from core.delivery import stops
from core.delivery.kinds import Kinds
from core.delivery.notices import Notice
from core.delivery.telling import or_left_out
from core.effects import Effect, perform
from core.errors import DomainError
from core.privacy.holdings import Holding, Kept, Portion, total
from core.seal import Seal
from core.stores.database import Database, Transaction
from services.citizens import bindings_store, requests_store
from services.citizens.erasure import subject_of
from services.citizens.errors import SelfNotProven
from services.citizens.holding_store import conversations
from services.citizens.requests_store import Wanted
from services.citizens.store import conversation
from services.citizens.telling import Messenger
from services.citizens.working_days import WORKING_DAYS, working_day

ANSWERED = "rights_answered"
_LONGEST = 200


class CorrectionLong(DomainError):
    """What is to be put right is said in at most `most` characters."""

    code = "correction_long"


class NoSuchRequest(DomainError):
    """There is no such open request."""

    code = "no_such_request"


@dataclass(frozen=True, slots=True)
class Category:
    """One part of what is stored of a citizen, and the rules of its tables."""

    portion: Portion
    rules: Sequence[Kept]


@dataclass(frozen=True, slots=True)
class Request:
    """What a citizen wants put right, as staff see it: `words` are theirs."""

    id: str
    kind: str
    words: str
    made_at: datetime
    due_on: date


class Rights:
    """What citizens may see, take along, have put right, stop and take up again."""

    def __init__(
        self,
        db: Database,
        seal: Seal,
        clock: Clock,
        holdings: Sequence[Holding],
        messenger: Messenger,
        kinds: Kinds,
    ) -> None:
        self._db = db
        self._seal = seal
        self._clock = clock
        self._holdings = tuple(holdings)
        self._messenger = messenger
        self._kinds = kinds

    async def mine(self, citizen: str) -> list[Category]:
        """Everything that is stored of a citizen; `shown` is masked, `entries` are not."""
        subject = await subject_of(self._db, citizen, self._clock.now())
        portions = await total(self._db, self._holdings, subject)
        return [
            Category(portion, holding.tables)
            for portion, holding in zip(portions, self._holdings, strict=True)
        ]

    # --- 更正 ---

    async def may_correct(self, citizen: str) -> None:
        """`SelfNotProven`: of whom no name is stored there is nothing to put right; 绑定 enters one."""
        me = await bindings_store.oneself(self._db, citizen)
        if me is None or me["identity"] is None:
            raise SelfNotProven

    def words(self, said: str) -> str:
        """What somebody writes to be put right; `CorrectionLong`."""
        if len(said) > _LONGEST:
            raise CorrectionLong(most=_LONGEST)
        return said

    async def correct(self, citizen: str, kind: str, words: str, effect: Effect) -> str:
        """Ask that something be put right (name, id_number, other), in `words`; the number of the request."""
        now = self._clock.now()
        wanted = Wanted(citizen, kind, words, now, working_day(now.date(), WORKING_DAYS))
        return await perform(self._db, effect, partial(self._correct, wanted))

    async def due_on(self, number: str, citizen: str) -> date:
        """Until when a request is answered."""
        for row in await requests_store.of_citizen(self._db, citizen):
            if row["id"] == number:
                found: date = row["due_on"]
                return found
        raise NoSuchRequest

    async def requests(self, limit: int = 100) -> list[Request]:
        """What waits for staff, the most urgent first."""
        rows = [
            requests_store.opened(row, self._seal) for row in await requests_store.open_ones(self._db, limit)
        ]
        shape = ("id", "kind", "words", "made_at", "due_on")
        return [Request(**{key: row[key] for key in shape}) for row in rows]  # type: ignore[arg-type]

    async def answer(self, number: str, by: str, refused: str = "") -> None:
        """Close a request as done, or as refused for this reason; its citizen is told. `NoSuchRequest`."""
        state = "refused" if refused else "done"
        async with self._db.transaction() as tx:
            row = await requests_store.close(tx, number, state, by, refused, self._clock.now())
            if row is None:
                raise NoSuchRequest
            where = await conversation(tx, row["citizen"])
            if where is not None:
                await self._tell(tx, where, {"number": number, "refused": refused})

    # --- 停止, 恢复 ---

    def stoppable(self) -> list[str]:
        """The purposes whose notices a citizen may stop."""
        return stops.purposes(self._kinds)

    async def stopped(self, citizen: str) -> list[str]:
        """Those a citizen has stopped."""
        return await stops.stopped(self._db, await conversations(self._db, citizen))

    async def stop(self, citizen: str, purpose: str, effect: Effect) -> str:
        """Send a citizen no more notices of a purpose; what is on its way is taken back. The purpose."""
        return await perform(self._db, effect, partial(self._stop, citizen, purpose))

    async def resume(self, citizen: str, purpose: str, effect: Effect) -> str:
        """Send them again from now on. The purpose."""
        return await perform(self._db, effect, partial(self._resume, citizen, purpose))

    async def _correct(self, wanted: Wanted, tx: Transaction) -> str:
        return await requests_store.add(tx, wanted, self._seal)

    async def _stop(self, citizen: str, purpose: str, tx: Transaction) -> str:
        kinds = stops.kinds_of(self._kinds, purpose)
        await stops.stop(tx, await conversations(tx, citizen), purpose, kinds, self._clock.now())
        return purpose

    async def _resume(self, citizen: str, purpose: str, tx: Transaction) -> str:
        await stops.resume(tx, await conversations(tx, citizen), purpose)
        return purpose

    async def _tell(self, tx: Transaction, where: str, facts: dict[str, object]) -> None:
        notice = Notice(ANSWERED, str(facts["number"]), where, facts)
        await or_left_out(self._messenger.queue(tx, notice), "request_not_told")
