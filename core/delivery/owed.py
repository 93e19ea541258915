"""Messages that are owed an answer: rows that outlive Redis and every process."""

from dataclasses import dataclass

from core.chat.events import Event
from core.chat.replies import Said
from core.delivery import outbox
from core.delivery.rows import Row
from core.packing import Packing, UnreadableError
from core.seal import Seal
from core.stores.database import Database

_events = Packing(Event, "owed")
_messages = Packing(Said, "outbox")
_LATE = "late:"
_FORGET = "DELETE FROM owed WHERE event = $1"


@dataclass(frozen=True, slots=True)
class Debt:
    """One row: the message as it came, None if it cannot be read any more."""

    event_id: str
    account: str
    event: Event | None


class Owed:
    """core's `Promises` on PostgreSQL."""

    def __init__(self, db: Database, seal: Seal) -> None:
        self._db = db
        self._seal = seal

    async def owe(self, event: Event) -> None:
        """Promise an answer to this message."""
        await self._db.execute(
            "INSERT INTO owed (event, account, sealed) VALUES ($1, $2, $3) ON CONFLICT (event) DO NOTHING",
            event.id,
            event.account,
            _events.pack(event, self._seal, event.id),
        )

    async def settle(self, event_id: str) -> None:
        """Nothing is owed any more, and what was to be sent late is taken back."""
        async with self._db.transaction() as tx:
            await tx.execute(_FORGET, event_id)
            await outbox.cancel(tx, _LATE + event_id, "answered")

    async def send_later(self, event_id: str, said: Said, after_s: float) -> None:
        """Let the answer be sent as a message of ours, once."""
        key = _LATE + event_id
        sealed = _messages.pack(said, self._seal, key)
        async with self._db.transaction() as tx:
            await tx.execute(_FORGET, event_id)
            await outbox.queue_reply(tx, key, _conversation_of(event_id), sealed, after_s)

    async def due(self, again_s: float, most: int) -> list[Debt]:
        """Take debts to look after, the longest not looked at first; nobody else gets them for `again_s`."""
        rows = await self._db.fetch(
            """
            UPDATE owed SET looked_at = now()
            WHERE event IN (
                SELECT event FROM owed WHERE looked_at <= now() - make_interval(secs => $1)
                ORDER BY looked_at LIMIT $2 FOR UPDATE SKIP LOCKED
            )
            RETURNING event, account, sealed
            """,
            again_s,
            most,
        )
        return [Debt(row["event"], row["account"], self._opened(row["event"], row["sealed"])) for row in rows]

    async def drop(self, event_id: str) -> None:
        """Forget a debt nobody can pay."""
        await self._db.execute(_FORGET, event_id)

    def _opened(self, event_id: str, sealed: bytes) -> Event | None:
        try:
            return _events.unpack(sealed, self._seal, event_id)
        except UnreadableError:
            return None


def words_of(row: Row, seal: Seal) -> Said:
    """Open a late reply; `UnreadableError` if it cannot be read."""
    return _messages.unpack(row.sealed or b"", seal, row.key)


def event_of(row: Row) -> str:
    """The id of the message that a late reply answers; "" if it is none."""
    return row.key.removeprefix(_LATE) if row.key.startswith(_LATE) else ""


def _conversation_of(event_id: str) -> str:
    return ":".join(event_id.split(":", 2)[:2])
