"""What riders are told of their rides and their money, where it happens, by whoever writes notices."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.stores.database import Transaction
from services.transit.listing import Ride


@dataclass(frozen=True, slots=True)
class Missed:
    """A ride that its day left without a way out (J5), and who rode."""

    citizen: str
    ride: Ride


@dataclass(frozen=True, slots=True)
class Moved:
    """Money of a ride: so many fen of this payment, told once for each payment (and each refund of it).

    `ride` is as it stands after the step; a payment may be for a part of its fare. `clear`: nothing of this
    citizen's is behind (any more), so that codes are given as far as money goes.
    """

    citizen: str
    ride: Ride
    payment: str
    fen: int
    clear: bool = True


class Tells(Protocol):
    """Lets riders know, in the transaction of what has happened: what is raised takes the step back.

    No second connection may be asked for, and nothing outside the database: what is told is written down.
    """

    async def paid(self, tx: Transaction, moved: Moved, *, late: bool) -> None:
        """A debit has arrived; `late`: after it had been behind."""
        ...

    async def behind(self, tx: Transaction, moved: Moved) -> None:
        """A debit failed for the first time: it was advanced; there is no new code until it is paid (T3)."""
        ...

    async def refunded(self, tx: Transaction, moved: Moved, *, twice: bool) -> None:
        """So much has gone back, for the ride became cheaper (J10).

        `twice`: it was taken although it was paid before, or not owed any more, and is on its way back (P5).
        """
        ...

    async def missing_exit(self, tx: Transaction, rides: Sequence[Missed]) -> None:
        """These are without a way out since their day ended: to be told next morning at eight (J5).

        A ride may come more than once, where its gate was heard late.
        """
        ...

    async def changed(self, tx: Transaction, rides: Sequence[int]) -> None:
        """What was told of these as behind, or as without a way out, holds no more as it was said."""
        ...


class Silent:
    """Tells nobody anything."""

    async def paid(self, tx: Transaction, moved: Moved, *, late: bool) -> None: ...

    async def behind(self, tx: Transaction, moved: Moved) -> None: ...

    async def refunded(self, tx: Transaction, moved: Moved, *, twice: bool) -> None: ...

    async def missing_exit(self, tx: Transaction, rides: Sequence[Missed]) -> None: ...

    async def changed(self, tx: Transaction, rides: Sequence[int]) -> None: ...
