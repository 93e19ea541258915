"""The credits of the kill trial: what citizens allow, and whether each is used once and none is lost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.clock import SystemClock
from core.delivery import credit, receipts
from core.delivery.credit import Credit
from core.delivery.receipts import Fate
from core.stores.database import Database
from simulator.credits import Grant
from simulator.people import Phone

SUBSCRIPTION = "S-personal"
FIRST = 5  # credits of who has any from the start
_LEFT_US = "channel = 'subscription' AND state IN ('accepted', 'delivered', 'read', 'unknown')"


@dataclass(frozen=True, slots=True)
class Purse:
    """The credits of one citizen in the end, as we count them; `left` is what WeChat still has.

    `used`: messages that left by one, or perhaps did. `kept`: credits that stand beside a message.
    """

    whose: str
    free: int
    spent: int
    kept: int
    void: int
    used: int
    left: int


def complaints(purses: Sequence[Purse]) -> list[str]:
    """Everything that is wrong."""
    return [f"{each}: {purse.whose}" for purse in purses for each in _about(purse)]


def _about(purse: Purse) -> Iterator[str]:
    if purse.used > purse.spent:
        yield f"a credit is used twice ({purse.used} messages left by {purse.spent})"
    if purse.spent > purse.used:
        yield f"a credit is lost ({purse.spent} were spent on {purse.used} messages)"
    if purse.kept:
        yield f"a credit is lost ({purse.kept} kept for messages that have ended)"
    if purse.void:
        yield f"{purse.void} credits are void, and nobody refused anything"
    if purse.free > purse.left:
        yield f"{purse.free} credits are open, and WeChat knows of {purse.left}"


class Purses:
    """The credits of everybody, at WeChat and with us."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._allowed = 0
        self._told: set[tuple[str, int]] = set()

    async def allow(self, where: str, phone: Phone, times: int = 1) -> None:
        """A citizen taps 允许; WeChat knows first."""
        grant, now = phone.grants.setdefault(SUBSCRIPTION, Grant()), SystemClock().now()
        for _ in range(times):
            grant.accept()
        self._allowed += 1
        event = f"e{self._allowed}"
        await credit.add(
            self._db, [Credit(event, no, where, SUBSCRIPTION, False, now) for no in range(times)]
        )

    async def tell(self, phones: Sequence[tuple[str, Phone]]) -> None:
        """WeChat says of every subscription notice that it arrived, often before we have read its answer."""
        fates = []
        for where, phone in phones:
            for entry in phone.entries:
                if entry.kind == "subscription" and (where, entry.number) not in self._told:
                    self._told.add((where, entry.number))
                    name = f"{where}/{entry.number}"
                    fates.append(Fate(name, 0, where, SUBSCRIPTION, name, "", SystemClock().now()))
        await receipts.note(self._db, fates)

    async def settled(self) -> bool:
        """Tell whether none stands beside a message that has come to its end."""
        query = """
            SELECT count(*) = 0 FROM credits c JOIN outbox o ON o.id = c.taken_by
            WHERE c.spent_at IS NULL AND o.settled_at IS NOT NULL
        """
        return bool(await self._db.fetchval(query))

    async def all(self, phones: Sequence[tuple[str, Phone]]) -> list[Purse]:
        """Count them."""
        found = []
        for where, phone in phones:
            row = await self._db.fetchrow(
                f"""
                SELECT count(*) FILTER (WHERE spent_at IS NOT NULL) AS spent,
                       count(*) FILTER (WHERE spent_at IS NULL AND taken_by IS NOT NULL) AS kept,
                       count(*) FILTER (WHERE spent_at IS NULL AND void_at IS NOT NULL) AS void,
                       count(*) FILTER (WHERE spent_at IS NULL AND void_at IS NULL
                                          AND taken_by IS NULL) AS free,
                       (SELECT count(*) FROM outbox WHERE conversation = $1 AND {_LEFT_US}) AS used
                FROM credits WHERE conversation = $1
                """,  # noqa: S608 - put together from our own words
                where,
            )
            assert row is not None
            grant = phone.grants.get(SUBSCRIPTION)
            found.append(Purse(where, **row, left=grant.left if grant else 0))
        return found
