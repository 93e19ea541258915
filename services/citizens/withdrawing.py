"""Taking back a consent, with all that rested on it (PIPL 15)."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from core.effects import Effect, perform
from core.stores.database import Database, Transaction
from services.citizens import bindings_store
from services.citizens.consent_texts import FAMILY, IDENTITY
from services.citizens.consents import Consents
from services.citizens.families import Families
from services.citizens.model import FORMER, SELF

Ending = Callable[[Transaction, str], Awaitable[None]]  # what a citizen had of a purpose ends


class Withdrawing:
    """Ends consents: without the one to identity nobody is proven, without the other nobody is bound.

    `endings` are of other parts of the house: what each purpose of theirs takes with it.
    """

    def __init__(
        self, db: Database, consents: Consents, families: Families, endings: Mapping[str, Ending]
    ) -> None:
        self._db = db
        self._consents = consents
        self._families = families
        self._endings = endings

    async def withdraw(self, citizen: str, purpose: str, person: str, effect: Effect) -> str:
        """Withdraw what a citizen agreed to, and end what needs it, at once; the purpose.

        `person` is whose data it was about, if about one in particular: then only what is theirs ends.
        """
        return await perform(self._db, effect, partial(self._withdraw, citizen, purpose, person, effect))

    async def _withdraw(
        self, citizen: str, purpose: str, person: str, effect: Effect, tx: Transaction
    ) -> str:
        await bindings_store.lock(tx, citizen)
        await self._consents.end(citizen, purpose, person, effect.name, tx)
        for row in await bindings_store.of_citizen(tx, citizen):
            is_self = row["relation"] == SELF and row["identity"] is not None
            is_family = row["relation"] not in {SELF, FORMER}
            needs_it = (purpose == IDENTITY and is_self) or (purpose == FAMILY and is_family)
            if row["state"] == "active" and needs_it and person in {"", row["person"]}:
                await self._families.revoke_in(tx, str(row["id"]), citizen, effect)
        if purpose in self._endings:
            await self._endings[purpose](tx, citizen)
        return purpose
