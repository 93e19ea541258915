"""Passwords as argon2id keeps them: slow on purpose, in a thread, and never too many at once."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from services.staff.errors import StaffBusy

_AT_ONCE = 1  # in each process: who floods the console must not take the processors from citizens
_WAITING = 16
# Of a password nobody has, at today's costs: what is compared for a name nobody has.
_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$ArNCmELCpRYcm0H9ScP9/A$caxEUuCCdMtyqTZNu2vtBQe9muGozx8FgvpTc/vHTJo"
_T = TypeVar("_T")


class Passwords:
    """Hashes and compares; for whom there is nothing to compare with, the same work is done in vain."""

    def __init__(self) -> None:
        self._argon2 = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    def require_room(self) -> None:
        """Refuse before anything is counted when too many wait: `StaffBusy`."""
        if self._waiting >= _WAITING:
            raise StaffBusy

    async def hash(self, password: str) -> str:
        """Return what to keep of a password."""
        return await self._aside(lambda: self._argon2.hash(password))

    async def is_right(self, kept: str | None, password: str) -> bool:
        """Compare with what was kept, or with nothing; `StaffBusy`."""
        return await self._aside(lambda: self.compare(kept, password))

    def is_outdated(self, kept: str) -> bool:
        """Tell whether it was hashed at other costs than today's."""
        return self._argon2.check_needs_rehash(kept)

    def compare(self, kept: str | None, password: str) -> bool:
        """Do the work, one comparison whatever is given."""
        try:
            right = self._argon2.verify(kept or _NOBODYS, password)
        except (VerificationError, ValueError):
            return False
        return right and kept is not None

    async def _aside(self, work: Callable[[], _T]) -> _T:
        """Do it in a thread; who hangs up meanwhile makes no room for others before it is done."""
        self.require_room()
        self._waiting += 1
        return await asyncio.shield(asyncio.ensure_future(self._in_turn(work)))

    async def _in_turn(self, work: Callable[[], _T]) -> _T:
        try:
            async with self._room:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1
