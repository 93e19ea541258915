"""What citizens agreed to: asked, granted, refused, lapsed, withdrawn, by purpose (domain-rules 0.2)."""
# ruff: noqa: N818 - a refusal is named by what is the case

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from core.clock import Clock
from core.effects import Effect, perform
from core.errors import DomainError
from core.stores.database import Database, Transaction
from services.citizens import consents_store as store
from services.citizens.consent_texts import ConsentText, Texts
from services.citizens.consents_store import Matter, Reader, Row, Turn

LASTS = timedelta(days=7)  # an asking nobody answered
NEVER, ASKED, GRANTED, LAPSED, SUPERSEDED = "never", "asked", "granted", "lapsed", "superseded"
_CLOCK = "clock"


class ConsentMissing(DomainError):
    """What was wanted needs a consent that is not there: `title` says of what. Nothing else is blocked."""

    code = "consent_missing"


class ConsentOver(DomainError):
    """What was answered is not asked any more; it is asked anew."""

    code = "consent_over"


@dataclass(frozen=True, slots=True)
class Consent:
    """Where one consent stands; `state` is of domain-rules 0.2, or "never". `text` is what is asked now."""

    purpose: str
    person: str
    state: str
    text: ConsentText
    version: int = 0
    at: datetime | None = None

    @property
    def is_granted(self) -> bool:
        """Tell whether it holds for the text and the scopes of today."""
        return self.state == GRANTED


class Consents:
    """The consents of all citizens. `person` is whose data it is about, "" for the citizen's own."""

    def __init__(self, db: Database, clock: Clock, texts: Texts) -> None:
        self._db = db
        self._clock = clock
        self.texts = texts

    async def state(
        self, citizen: str, purpose: str, person: str = "", scopes: Sequence[str] = ()
    ) -> Consent:
        """Where a consent stands today, for the text that is asked now and for these scopes."""
        row = await store.one(self._db, citizen, purpose, person or None)
        return self._consent(row, purpose, person, scopes)

    async def of_citizen(self, citizen: str, db: Reader | None = None) -> list[Consent]:
        """Everything a citizen was ever asked."""
        rows = await store.of_citizen(db or self._db, citizen)
        known = [row for row in rows if row["purpose"] in self.texts]
        return [self._consent(row, row["purpose"], row["person"] or "", row["scopes"]) for row in known]

    async def granted(self, citizen: str, db: Reader | None = None) -> list[Consent]:
        """What a citizen agrees to today."""
        return [each for each in await self.of_citizen(citizen, db) if each.is_granted]

    async def ask(
        self, citizen: str, purpose: str, person: str, scopes: Sequence[str], effect: Effect
    ) -> str:
        """Note that the text of today is shown; the version that is. What is granted stays as it is."""
        matter = Matter(citizen, purpose, person or None, sorted(scopes))
        return await perform(self._db, effect, partial(self._ask, matter, effect.name))

    async def grant(self, citizen: str, purpose: str, person: str, message: str, effect: Effect) -> str:
        """The citizen agrees to what was shown, in this message of theirs; its version. `ConsentOver`."""
        matter = Matter(citizen, purpose, person or None, ())
        turn = Turn("granted", GRANTED, self._clock.now(), effect.name, message)
        return await perform(self._db, effect, partial(self._answer, matter, turn))

    async def refuse(self, citizen: str, purpose: str, person: str, message: str, effect: Effect) -> str:
        """The citizen does not agree; the version of what was shown. `ConsentOver`."""
        matter = Matter(citizen, purpose, person or None, ())
        turn = Turn("refused", "refused", self._clock.now(), effect.name, message)
        return await perform(self._db, effect, partial(self._answer, matter, turn))

    async def withdraw(self, citizen: str, purpose: str, person: str, effect: Effect) -> str:
        """The citizen agrees no more; whatever `require`s it is refused from now on. "" if there was none."""
        return await perform(self._db, effect, partial(self.end, citizen, purpose, person, effect.name))

    async def require(
        self, tx: Transaction, citizen: str, purpose: str, person: str = "", scopes: Sequence[str] = ()
    ) -> None:
        """Refuse what nobody agreed to, `ConsentMissing`; what is agreed to stays so until the commit."""
        text = self.texts.current(purpose)
        if not await store.granted(tx, Matter(citizen, purpose, person or None, sorted(scopes)), text.digest):
            raise ConsentMissing(title=text.title)

    async def end(self, citizen: str, purpose: str, person: str, key: str, tx: Transaction) -> str:
        """`withdraw` in a transaction of somebody else's."""
        matter = Matter(citizen, purpose, person or None, ())
        await store.lock(tx, matter)
        row = await store.one(tx, citizen, purpose, matter.person)
        if row is None or row["state"] != GRANTED:
            return ""
        await store.decide(tx, row["id"], Turn("withdrawn", "withdrawn", self._clock.now(), key))
        return str(row["version"])

    async def end_all(self, tx: Transaction, citizen: str, key: str) -> int:
        """Withdraw everything a citizen agreed to, and take back what they are asked; how many it were."""
        ended = 0
        for row in await store.of_citizen(tx, citizen):
            if row["state"] == GRANTED:
                await store.decide(tx, row["id"], Turn("withdrawn", "withdrawn", self._clock.now(), key))
                ended += 1
            elif row["state"] == ASKED:
                await store.decide(tx, row["id"], Turn(LAPSED, LAPSED, self._clock.now(), key))
        return ended

    async def lapse(self, limit: int = 500) -> int:
        """End the askings nobody answered in seven days; how many. For the schedule."""
        now, ended = self._clock.now(), 0
        for seen in await store.overdue(self._db, now - LASTS, limit):
            matter = Matter(seen["citizen"], seen["purpose"], seen["person"], ())
            async with self._db.transaction() as tx:
                await store.lock(tx, matter)
                row = await store.one(tx, matter.citizen, matter.purpose, matter.person)
                if row is not None and self._is_over(row):
                    await store.decide(tx, row["id"], Turn(LAPSED, LAPSED, now, f"{_CLOCK}:lapse"))
                    ended += 1
        return ended

    async def _ask(self, matter: Matter, key: str, tx: Transaction) -> str:
        await store.lock(tx, matter)
        text, now = self.texts.current(matter.purpose), self._clock.now()
        row = await store.one(tx, matter.citizen, matter.purpose, matter.person)
        if row is not None and row["state"] == GRANTED:
            if self._holds(row, matter.scopes):
                return str(row["version"])
            await store.decide(tx, row["id"], Turn(SUPERSEDED, SUPERSEDED, now, key))
        elif row is not None and self._is_over(row):
            await store.decide(tx, row["id"], Turn(LAPSED, LAPSED, now, key))
        await store.ask(tx, matter, text, now, key)
        return str(text.version)

    async def _answer(self, matter: Matter, turn: Turn, tx: Transaction) -> str:
        await store.lock(tx, matter)
        row = await store.one(tx, matter.citizen, matter.purpose, matter.person)
        if row is not None and row["state"] == turn.state:
            return str(row["version"])
        if row is None or row["state"] != ASKED or self._is_over(row):
            raise ConsentOver
        await store.decide(tx, row["id"], turn)
        return str(row["version"])

    def _is_over(self, row: Row) -> bool:
        return bool(row["state"] == ASKED and row["asked_at"] <= self._clock.now() - LASTS)

    def _holds(self, row: Row, scopes: Sequence[str]) -> bool:
        """Tell whether what was agreed to is the text of today, and covers these scopes."""
        same = row["text_hash"] == self.texts.current(row["purpose"]).digest
        return same and set(scopes) <= set(row["scopes"])

    def _consent(self, row: Row | None, purpose: str, person: str, scopes: Sequence[str]) -> Consent:
        text = self.texts.current(purpose)
        if row is None:
            return Consent(purpose, person, NEVER, text)
        state = row["state"]
        if state == GRANTED and not self._holds(row, scopes):
            state = SUPERSEDED
        elif self._is_over(row):
            state = LAPSED
        return Consent(purpose, person, state, text, row["version"], row["decided_at"] or row["asked_at"])
