"""An operator lets somebody ride no more, and again (T1); every step keeps who took it, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.clock import Clock
from core.stores.database import Database
from services.transit import accounts_store as store
from services.transit.accounts_store import Happened, Live, Step
from services.transit.errors import NotOpened
from services.transit.model import State
from services.transit.standing import Standing

MOST_REASON = 200


@dataclass(frozen=True, slots=True)
class Suspending:
    """Suspends accounts; what they are called by is the name of an account or of its citizen."""

    db: Database
    standing: Standing
    clock: Clock

    async def suspend(self, name: str, who: str, reason: str) -> bool:
        """Give no new codes, and let none open a gate, until `restore`; False for who is suspended already.

        NotOpened where there is no account that could ride.
        """
        citizen = await self._citizen(name)
        step = self._step(who, reason)
        async with self.db.transaction() as tx:
            accounts = await store.alone(tx, [citizen])
            if not accounts:
                raise NotOpened
            done = [await store.step(tx, each.id, "suspended", State.SUSPENDED, step) for each in accounts]
        return any(done)

    async def restore(self, name: str, who: str, reason: str) -> bool:
        """Let go on from where debts and contract lead; False for who is not suspended."""
        citizen = await self._citizen(name)
        async with self.db.transaction() as tx:
            return await self.standing.restore(tx, citizen, self._step(who, reason))

    async def look(self, name: str) -> tuple[Live | None, Sequence[Happened]]:
        """How somebody's account stands, and the last steps of all they had, the latest first."""
        citizen = await self._citizen(name)
        return await store.live(self.db, citizen), await store.happened(self.db, citizen)

    async def _citizen(self, name: str) -> str:
        citizen = await store.citizen_of(self.db, name)
        if citizen is None:
            raise NotOpened
        return citizen

    def _step(self, who: str, reason: str) -> Step:
        if not who or not reason or len(reason) > MOST_REASON:
            raise ValueError(f"say who does it and why, in at most {MOST_REASON} characters")
        return Step(who, reason, self.clock.now())
