"""What each part of the house holds of a citizen: what for, how long, and how it lets go (PIPL 6, 19, 47)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from core.stores.database import Database, Transaction

Reader = Database | Transaction


class End(StrEnum):
    """What becomes of a table's rows when their citizen is erased."""

    ERASED = "erased"  # the row goes
    EMPTIED = "emptied"  # the row stays without what was personal in it
    NAMELESS = "nameless"  # the row stays under a random name that leads to nobody any more
    NOBODYS = "nobody's"  # it says nothing of any citizen, so nothing becomes of it


@dataclass(frozen=True, slots=True)
class Kept:
    """The rule of one table: its purpose and period, in words for operators, and what ends a row.

    With `since`, an SQL expression, a row goes once that is longer ago than `period`; `unless` keeps some.
    With `emptied`, what it sets, the row stays without what was personal in it; `unless` tells that it is.
    Without `since`, it stays as long as what it tells of: `until` says how long that is.
    """

    table: str
    purpose: str
    end: End
    period: timedelta | None = None
    since: str = ""
    unless: str = ""
    until: str = ""
    emptied: str = ""

    @property
    def lasting(self) -> str:
        """How long a row stays, in words."""
        if self.period is None:
            return self.until
        days = f"{self.period.days} days" if self.period.days != 1 else "1 day"
        return f"{days} after {self.until}" if self.period else f"until {self.until}"


@dataclass(frozen=True, slots=True)
class Subject:
    """A citizen whose data it is about, at one instant.

    `persons` are who they are, and were before they had proven it; `conversations` where they write. `asked`:
    they want it erased, and did not just leave.
    """

    citizen: str
    persons: Sequence[str]
    conversations: Sequence[str]
    at: datetime
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Portion:
    """What one part holds of a citizen: how much, what of it to show (masked), and all for an export."""

    name: str
    count: int
    shown: Mapping[str, object] = field(default_factory=dict)
    entries: Sequence[Mapping[str, object]] = ()


class Holding:
    """One part of the house that holds something of citizens; `name` is also its word in the templates."""

    name: str
    tables: tuple[Kept, ...] = ()

    async def mine(self, db: Reader, subject: Subject) -> Portion:
        """What it holds of a citizen."""
        raise NotImplementedError

    async def obligations(self, db: Reader, subject: Subject) -> int:
        """How many things are promised to a citizen that their name is needed for."""
        del db, subject
        return 0

    async def stays(self, tx: Transaction, subject: Subject) -> Mapping[str, int]:
        """How many things of which kind stay without a name, because the law or somebody else needs them."""
        del tx, subject
        return {}

    async def revoke(self, tx: Transaction, subject: Subject, permission: str) -> None:
        """Let go of what was obtained under a permission of WeChat's (wechat-facts 1.6, RevokeInfo)."""
        del tx, subject, permission

    async def erase(self, tx: Transaction, subject: Subject) -> Mapping[str, int]:
        """Let go of a citizen; how many things of which kind went."""
        del tx, subject
        return {}

    async def forget(self, subject: Subject) -> None:
        """Let go of what is outside the database, once that is committed; it ends by itself in any case."""


async def total(db: Reader, holdings: Sequence[Holding], subject: Subject) -> list[Portion]:
    """What all of them hold."""
    return [await each.mine(db, subject) for each in holdings]


def tables_of(holdings: Sequence[Holding]) -> list[Kept]:
    """The rules of all their tables."""
    return [kept for each in holdings for kept in each.tables]
