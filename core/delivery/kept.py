"""Messages kept until the citizen's next contact: one is sent then, of several only their number is told.

Who had too many for a day is told their number, too: when they write again, or the next morning.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from core.chat.words import Words
from core.clock import Clock, city_day
from core.delivery import outbox, prompts
from core.delivery.jobs import Letters
from core.delivery.lanes import Lane
from core.delivery.letters import Letter, letters
from core.delivery.outbox import Entry
from core.delivery.quiet import Quiet
from core.delivery.windows import Windows
from core.effects import Effect, perform
from core.packing import UnreadableError
from core.seal import Seal
from core.stores.database import Database, Transaction

_AT_ONCE = 500
_UNREAD = "unread"
_TOLD_FOR = timedelta(days=2)
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

    async def let_go(self, windows: Windows, night: Quiet, contacts: Sequence[str] = ()) -> None:
        """Look at the next conversations with kept messages: who has written since gets theirs.

        First come `contacts`, who have just written. Who has not is told nothing at night.
        """
        found = [*contacts, *await self._next_ones()]
        await self._take_back(found)
        rows = await self._db.fetch(_UNTOLD, found, TOO_MANY, _UNREAD)
        heard = await asyncio.gather(*(windows.heard_s(row["conversation"]) for row in rows))
        is_day = night.over_at(self._clock.now()) is None
        due: list[tuple[asyncpg.Record, bool, bool]] = []
        for row, heard_s in zip(rows, heard, strict=True):
            # An open window alone is no contact: one announcement would follow on another all day.
            wrote = heard_s is not None and heard_s < row["kept_s"] + _JUST_NOW_S
            is_new_day = is_day and not self._is_today(row)
            if wrote or is_new_day or not row["count"]:
                due.append((row, wrote, is_new_day))
        here = set(await windows.open_ones((row["conversation"] for row, *_ in due), Lane.PERSONAL.spared))
        for row, wrote, is_new_day in due:
            is_only, is_open = row["count"] == 1, row["conversation"] in here
            # Of too many a single one goes out on a new day: it finds its own way.
            if is_only and (is_new_day if row["too_many"] else wrote and is_open):
                await self._release(row["conversation"], row["last"])
            elif not row["count"]:
                await self._release(row["conversation"])
            elif is_open:
                await self._announce(row["conversation"], row["count"], row["last"])

    async def _next_ones(self) -> list[str]:
        rows = await self._db.fetch(
            """
            SELECT DISTINCT conversation FROM outbox WHERE hold = 'kept' AND conversation > $1
            ORDER BY conversation LIMIT $2
            """,
            self._after,
            _AT_ONCE,
        )
        self._after = rows[-1]["conversation"] if len(rows) == _AT_ONCE else ""
        return [row["conversation"] for row in rows]

    async def _take_back(self, conversations: Sequence[str]) -> None:
        """End what has changed since it was kept: nobody is told that it waits."""
        await self._db.execute(
            """
            UPDATE outbox SET state = CASE WHEN perhaps THEN 'unknown' ELSE 'cancelled' END,
                              reason = 'changed', hold = '', settled_at = now(), sealed = NULL
            WHERE id IN (
                SELECT id FROM outbox WHERE hold = 'kept' AND conversation = ANY($1)
                  AND NOT guards_hold(guard_keys, guard_ns) ORDER BY id FOR UPDATE SKIP LOCKED
            )
            """,
            conversations,
        )

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

    async def _release(self, conversation: str, number: int = 0) -> None:
        """Let a single message go, and nobody be told of what does not wait any more."""
        async with self._db.transaction() as tx:
            await tx.execute(_TAKE_BACK_UNREAD, conversation, _UNREAD, "")
            await tx.execute(
                """
                UPDATE outbox SET state = 'queued', hold = '', not_before = now()
                WHERE id = $1 AND hold = 'kept'
                """,
                number,
            )

    async def _announce(self, conversation: str, count: int, last: int) -> None:
        """Say how many messages wait, once for the same ones; what found no way before is said anew."""
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
            await tx.execute(_TAKE_BACK_UNREAD, conversation, _UNREAD, key)
            if await outbox.queue(tx, entry) is None:
                await tx.execute(_SAY_ANEW, key, entry.sealed, entry.valid_until)


# Who has not been told yet of what waits for them. Who was, in words that wait themselves, comes again.
_UNTOLD = """
    SELECT * FROM (
        SELECT conversation, count(*) FILTER (WHERE kind <> $3) AS count,
               max(id) FILTER (WHERE kind <> $3) AS last, max(not_before) AS since,
               extract(epoch FROM now() - max(not_before))::float8 AS kept_s,
               coalesce(bool_or(reason = $2) FILTER (WHERE kind <> $3), false) AS too_many
        FROM outbox WHERE hold = 'kept' AND conversation = ANY($1) AND valid_until > now()
        GROUP BY conversation
    ) kept WHERE NOT EXISTS (
        SELECT FROM outbox told
        WHERE told.key = $3 || ':' || conversation || ':' || last AND told.hold <> 'kept'
    ) ORDER BY conversation
"""
_TAKE_BACK_UNREAD = """
    UPDATE outbox SET state = CASE WHEN perhaps THEN 'unknown' ELSE 'cancelled' END, reason = 'changed',
                      hold = '', settled_at = now(), sealed = NULL
    WHERE conversation = $1 AND hold = 'kept' AND kind = $2 AND key <> $3
"""
_SAY_ANEW = """
    UPDATE outbox SET state = 'queued', hold = '', not_before = now(), sealed = $2, valid_until = $3
    WHERE key = $1 AND hold = 'kept'
"""
