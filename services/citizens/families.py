"""Who may act for whom: asking, looking up, taking back (domain-rules 0.1). Proving: `proving.py`."""

from collections.abc import Sequence

from core.clock import Clock
from core.effects import Effect
from core.seal import Seal
from core.stores.database import Database, Transaction
from services.citizens.model import FIRST_SCOPES, Asked, Holder, Limits, Relative, Request
from services.citizens.proving import Messenger
from services.citizens.wishes import Wish


class Families:
    """The persons of a citizen, and who holds them. Bindings are named by text, as effects are."""

    def __init__(
        self, db: Database, seal: Seal, clock: Clock, messenger: Messenger, limits: Limits | None = None
    ) -> None:
        self._db = db
        self._seal = seal
        self._clock = clock

    def wish(
        self,
        relation: str,
        name: str,
        id_number: str,
        asker: str,
        scopes: Sequence[str] = FIRST_SCOPES,
    ) -> Wish:
        """What `request` takes; name and number as `names.person_name` and `identity.id_number` read them.

        `asker` is what the citizen calls themselves (小王): the bound person is told. For `relation` "self"
        it is not used.
        """
        raise NotImplementedError

    async def people(self, citizen: str, scope: str = "book") -> list[Relative]:
        """Whom a citizen may act for in this, themselves first."""
        raise NotImplementedError

    async def meant(self, citizen: str, word: str, scope: str = "book") -> list[Relative]:
        """Those of `people` whom a word means: 我, 妈妈, 孩子, or a name. None: nobody yet; several: ask."""
        raise NotImplementedError

    async def relative(self, citizen: str, person: str) -> Relative:
        """Somebody a citizen may act for; who was their own self before is one. `NotBound`."""
        raise NotImplementedError

    async def request(self, wish: Wish, citizen: str, effect: Effect) -> str:
        """Ask to act for somebody and return the binding's id; it waits for a proof (`Proving`), 24 hours.

        The same wish again is the same open request; another one for the same ID number takes its place.
        `AlreadyBound`, `AlreadyProven`, `TooManyPersons`, `TooManyRequests`.
        """
        raise NotImplementedError

    async def open_requests(self, citizen: str) -> list[Request]:
        """The citizen's own requests that wait."""
        raise NotImplementedError

    async def asked_of(self, citizen: str) -> list[Asked]:
        """The requests that wait for this citizen's own yes."""
        raise NotImplementedError

    async def holders(self, citizen: str) -> list[Holder]:
        """Who else may act for this citizen."""
        raise NotImplementedError

    async def revoke(self, binding: str, citizen: str, effect: Effect) -> str:
        """Take a binding back, by its holder or by the bound person, at once (B5); return its id.

        What hangs on `guard(binding)` is not sent any more. `NoSuchBinding`, `SelfStays`, `RequestOver`.
        """
        raise NotImplementedError

    async def active(self, tx: Transaction, citizen: str, person: str, scope: str) -> str | None:
        """The binding under which a citizen acts for a person in this now; None if there is none.

        Locked until the transaction ends: nobody takes it back before.
        """
        raise NotImplementedError

    @staticmethod
    def guard(binding: str) -> str:
        """The key that a message hangs on which is sent because of a binding."""
        return f"binding:{binding}"
