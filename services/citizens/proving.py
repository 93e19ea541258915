"""How a request becomes a binding: one of four proofs, or an end (domain-rules B4)."""

from collections.abc import Mapping
from typing import Protocol

from core.clock import Clock
from core.delivery.notices import Notice
from core.effects import Effect
from core.seal import Seal
from core.stores.database import Database, Transaction
from services.citizens.model import Limits, Way
from services.citizens.standins import Institution


class Messenger(Protocol):
    """Who sends notices: `core.delivery.notices.Notices`."""

    async def queue(self, tx: Transaction, notice: Notice) -> bool:
        """Send it once the transaction commits; `NoticeRefused` says why it could never be sent."""
        ...


class Proving:
    """Requests on their way: proven, refused, withdrawn, over; and the dialogue that waits for each.

    Nothing said here tells whether the person asked for is known to us or to an institution. All of it
    raises `NoSuchBinding` for somebody else's request and `RequestOver` for one that was decided.
    """

    def __init__(
        self,
        db: Database,
        seal: Seal,
        clock: Clock,
        institutions: Mapping[str, Institution],
        messenger: Messenger,
        limits: Limits | None = None,
    ) -> None:
        self._db = db

    async def ways(self, binding: str, citizen: str) -> list[Way]:
        """How a request may be proven: the same for who is known and who is not."""
        raise NotImplementedError

    async def send_code(self, binding: str, citizen: str, institution: str, effect: Effect) -> str:
        """Have an institution send a code to the phone it has on record, if it knows the person; the id.

        `TooManyAttempts`, `InstitutionSilent`, `NoSuchWay`.
        """
        raise NotImplementedError

    async def check_code(self, binding: str, citizen: str, code: str, effect: Effect) -> str:
        """Prove a request by the code its institution sent; the binding's id.

        `WrongCode(left)`, `TooManyAttempts`, `InstitutionSilent`; at the end `TooManyPersons`,
        `TooManyAccounts`. The institution is the one that was asked last to send.
        """
        raise NotImplementedError

    async def check_roster(self, binding: str, citizen: str, institution: str, effect: Effect) -> str:
        """Prove a request for a child by the institution's roster of guardians; the binding's id.

        `SelfNotProven`, `NotInRoster`, `NoSuchWay`, `TooManyAttempts`, `InstitutionSilent`.
        """
        raise NotImplementedError

    async def ask_person(self, binding: str, citizen: str, effect: Effect) -> str:
        """Ask the person themselves, if they can be reached; the reply is the same if not. The id."""
        raise NotImplementedError

    async def approve(self, binding: str, citizen: str, effect: Effect) -> str:
        """The bound person agrees; the binding's id. `NoSuchBinding` for anybody else."""
        raise NotImplementedError

    async def refuse(self, binding: str, citizen: str, effect: Effect) -> str:
        """The bound person does not agree; the binding's id. `NoSuchBinding` for anybody else."""
        raise NotImplementedError

    async def approve_at_counter(self, binding: str, staff: str, effect: Effect) -> str:
        """A member of staff has seen the papers of both; the binding's id."""
        raise NotImplementedError

    async def withdraw(self, binding: str, citizen: str, effect: Effect) -> str:
        """The asker does not want it any more; the binding's id."""
        raise NotImplementedError

    async def expire(self, limit: int = 500) -> int:
        """End the requests whose time is over, and tell who asked; how many. For the schedule."""
        raise NotImplementedError

    async def keep(self, binding: str, citizen: str, kept: bytes, title: str) -> bool:
        """Keep the dialogue that waits for a request, until it is decided and a day longer.

        `title` is what a citizen calls it (挂号). Keep it before anybody is asked: False if the request is
        decided by now.
        """
        raise NotImplementedError

    async def kept(self, binding: str, citizen: str) -> bytes | None:
        """The dialogue that was kept; None if there is none any more."""
        raise NotImplementedError

    async def drop(self, binding: str, citizen: str, effect: Effect) -> str:
        """Forget the kept dialogue: it went on, or is not wanted; the binding's id."""
        raise NotImplementedError
