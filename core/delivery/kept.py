"""Messages kept until the citizen's next contact: one is sent then, of several only their number is told.

Who had too many for a day is told their number, too: when they write again, or the next morning.
"""

import asyncio
from dataclasses import dataclass
from datetime import time, timedelta

import asyncpg

from core.chat.words import Words
from core.clock import CITY_ZONE, Clock, city_day
from core.delivery import outbox, prompts
from core.delivery.jobs import Letters
from core.delivery.lanes import Lane
from core.delivery.letters import Letter, letters
from core.delivery.outbox import Entry
from core.delivery.windows import Windows
from core.effects import Effect, perform
from core.packing import UnreadableError
from core.seal import Seal
from core.stores.database import Database, Transaction

_AT_ONCE = 500
_UNREAD = "unread"
_TOLD_FOR = timedelta(days=2)
_MORNING = time(8)
_JUST_NOW_S = 1.0  # who wrote while a message was being put aside
TOO_MANY = "too many today"  # the reason of what is kept because of the day's cap


@dataclass(frozen=True, slots=True)
class Unread:
    """One kept message that is shown now, and how many more wait."""

    letter: Letter
    left: int


class Kept:
    """The kept messages of all conversations."""

    def __init__(self, db: Database, seal: Seal, words: Words, clock: Clock) -> None:
        self._db = db
        self._seal = seal
        self._letters = Letters(db, seal)
        self._words = words
        self._clock = clock
        self._after = ""  # conversations are looked at in turns

    async def let_go(self, windows: Windows) -> None:
        """Look at the next conversations with kept messages: who has written since gets theirs."""
        rows = await self._db.fetch(
            """
            SELECT conversation, count(*) AS count, max(id) AS last, max(not_before) AS since,
                   extract(epoch FROM now() - max(not_before))::float8 AS kept_s,
                   bool_or(reason = $3) AS too_many
            FROM outbox WHERE hold = 'kept' AND kind <> $4 AND conversation > $1
            GROUP BY conversation
            HAVING NOT EXISTS (
                SELECT FROM outbox told
                WHERE told.key = $4 || ':' || outbox.conversation || ':' || max(outbox.id)
            )
            ORDER BY conversation LIMIT $2
            """,
            self._after,
            _AT_ONCE,
            TOO_MANY,
            _UNREAD,
        )
        self._after = rows[-1]["conversation"] if len(rows) == _AT_ONCE else ""
        here = set(await windows.open_ones((row["conversation"] for row in rows), Lane.PERSONAL.spared))
        heard = await asyncio.gather(*(windows.heard_s(row["conversation"]) for row in rows))
        for row, heard_s in zip(rows, heard, strict=True):
            # An open window alone is no contact: one announcement would follow on another all day.
            wrote = heard_s is not None and heard_s < row["kept_s"] + _JUST_NOW_S
            today, is_open = self._is_today(row), row["conversation"] in here
            if row["count"] == 1 and row["too_many"] and not today and self._is_morning:
                await self._release(row["last"])  # a new day: it finds its own way
            elif is_open and row["count"] == 1 and wrote and not row["too_many"]:
                await self._release(row["last"])
            elif is_open and (wrote or (self._is_morning and not today)):
                await self._announce(row["conversation"], row["count"], row["last"])

    @property
    def _is_morning(self) -> bool:
        return self._clock.now().astimezone(CITY_ZONE).time() >= _MORNING

    def _is_today(self, row: asyncpg.Record) -> bool:
        """Tell whether the last of these was kept today: its cap has not changed."""
        return city_day(row["since"].timestamp()) >= city_day(self._clock.timestamp())

    async def show(self, conversation: str, event: str) -> Unread | None:
        """Show the oldest kept message as the answer to a message of the citizen's; None if there is none.

        The same event again is shown the same one.
        """

        async def shown(tx: Transaction) -> str:
            return str(await self._shown(tx, conversation) or "")

        number = await perform(self._db, Effect(f"{event}/{_UNREAD}", "show", b""), shown)
        if not number:
            return None
        row = await self._db.fetchrow("SELECT key, sealed, job FROM outbox WHERE id = $1", int(number))
        left = await self._db.fetchval(
            """
            SELECT count(*) FROM outbox WHERE hold = 'kept' AND kind <> $2 AND conversation = $1
              AND valid_until > now() AND guards_hold(guard_keys, guard_ns)
            """,
            conversation,
            _UNREAD,
        )
        if row is None:
            return None
        return Unread(await self._letters.read(row["key"], row["sealed"], row["job"]), int(left))

    async def _shown(self, tx: Transaction, conversation: str) -> int | None:
        while (row := await self._oldest(tx, conversation)) is not None:
            try:
                letter = await self._letters.read(row["key"], row["sealed"], row["job"])
            except UnreadableError:  # it would stand before all others for ever
                await tx.execute(
                    "UPDATE outbox SET state = 'failed', reason = 'unreadable', channel = '' WHERE id = $1",
                    row["id"],
                )
                continue
            guards = dict(zip(row["guard_keys"], row["guard_ns"], strict=True))
            await prompts.leave(tx, row["id"], conversation, row["kind"], letter, guards)
            return int(row["id"])
        return None

    async def _oldest(self, tx: Transaction, conversation: str) -> asyncpg.Record | None:
        """The oldest kept message, which counts as said."""
        return await tx.fetchrow(
            """
            UPDATE outbox SET state = 'accepted', hold = '', channel = 'reply', settled_at = now()
            WHERE id = (
                SELECT id FROM outbox WHERE conversation = $1 AND hold = 'kept' AND kind <> $2
                  AND valid_until > now() AND guards_hold(guard_keys, guard_ns)
                ORDER BY id LIMIT 1 FOR UPDATE
            ) RETURNING id, key, conversation, sealed, tries, kind, job, guard_keys, guard_ns
            """,
            conversation,
            _UNREAD,
        )

    async def _release(self, number: int) -> None:
        await self._db.execute(
            """
            UPDATE outbox SET state = 'queued', hold = '', not_before = now()
            WHERE id = $1 AND hold = 'kept'
            """,
            number,
        )

    async def _announce(self, conversation: str, count: int, last: int) -> None:
        """Say how many messages wait, once for the same ones."""
        key = f"{_UNREAD}:{conversation}:{last}"
        letter = Letter(title="未读消息", text=self._words.render("chat/unread", count=count))
        now = self._clock.now()
        entry = Entry(
            key=key,
            conversation=conversation,
            sealed=letters.pack(letter, self._seal, key),
            kind=_UNREAD,
            lane=Lane.PERSONAL,
            not_before=now,
            valid_until=now + _TOLD_FOR,
        )
        async with self._db.transaction() as tx:
            await outbox.queue(tx, entry)
