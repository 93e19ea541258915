"""A gateway process inside the test's own: real scripts, rows, dispatcher; it can be killed, or freeze."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import asyncpg

from core.chat.dispatcher import Dispatcher
from core.chat.durations import Durations
from core.chat.events import Event
from core.chat.inbox import Commit, Entered, Inbox, Run, Who, Window
from core.chat.replies import Said
from core.chat.turns import Turns
from core.clock import Clock
from core.delivery.owed import Owed
from core.delivery.sweeper import Sweeper
from core.errors import StoreGoneError
from core.seal import Seal
from core.stores.database import Database, Transaction
from core.stores.redis import Redis
from tests.support.sending import RepliesOnly, late_replies


class Mortal:
    """What a process may lose: its life, or sight of a store."""

    def __init__(self) -> None:
        self.dead = False
        self.gone: set[str] = set()  # stores it cannot reach
        self.dies_after: Callable[[str], bool] = lambda _what: False
        self.killed: Callable[[], None] = lambda: None

    def look(self, store: str) -> None:
        """Raise what a dead process, or one without its store, would run into."""
        if self.dead:
            raise asyncio.CancelledError
        if store in self.gone:
            raise StoreGoneError(store)

    def did(self, what: str) -> None:
        """Die right after some step, if the play wants it so."""
        if self.dies_after(what):
            self.killed()
            raise asyncio.CancelledError


class MortalRedis(Redis):
    """A connection of a process that may die before an answer, which the server has executed all the same."""

    mortal: Mortal

    async def run(self, script: Any, keys: Any, args: Any) -> Any:
        self.mortal.look("Redis")
        answer = await super().run(script, keys, args)
        self.mortal.look("Redis")
        return answer


class MortalDatabase(Database):
    """The test's pool as seen by a process that may die, or not reach it."""

    mortal: Mortal

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Transaction]:
        self.mortal.look("PostgreSQL")
        async with super()._connection() as connection:
            yield connection
            self.mortal.look("PostgreSQL")


class WatchedInbox(Inbox):
    """Tells what was entered and committed."""

    mortal: Mortal
    on_knock: Callable[[str], None]
    on_enter: Callable[[str, Entered], None]
    on_commit: Callable[[Run, Commit], None]

    async def enter(
        self, event_id: str, who: Who = Who.NEW, window: Window = Window.NONE, number: int = 0
    ) -> Entered:
        self.on_knock(event_id)
        entered = await super().enter(event_id, who, window, number)
        self.on_enter(event_id, entered)
        return entered

    async def commit(self, run: Run, session: bytes | None, reply: bytes, *, asks: bool = True) -> Commit:
        done = await super().commit(run, session, reply, asks=asks)
        self.on_commit(run, done)
        self.mortal.did("commit")
        return done

    async def hand_over(self, event_id: str, *, last: bool) -> Entered:
        handed = await super().hand_over(event_id, last=last)
        self.mortal.did("hand_over")
        return handed


class WatchedOwed(Owed):
    """May die right after a promise was written down."""

    mortal: Mortal

    async def owe(self, event: Event) -> None:
        await super().owe(event)
        self.mortal.did("owe")


class Process:
    """One gateway process. `mutate` changes its parts before anything runs."""

    def __init__(self, redis: MortalRedis, db: MortalDatabase, durations: Durations) -> None:
        self.mortal = redis.mortal = db.mortal = Mortal()
        self.mortal.killed = self.kill
        self.redis, self.db = redis, db
        self.durations = durations
        self.inbox = WatchedInbox(redis, durations)
        self.inbox.mortal = self.mortal
        self.rests = False  # keeps no promises for a while
        self._tasks: set[asyncio.Task[Any]] = set()
        self._attempts: set[asyncio.Task[Any]] = set()

    @classmethod
    async def born(cls, redis_url: str, db: Database, durations: Durations) -> "Process":
        redis = cast("MortalRedis", await MortalRedis.open(redis_url))
        pool: asyncpg.Pool[asyncpg.Record] = db._pool
        return cls(redis, MortalDatabase(pool, 4.0), durations)

    def work(self, bot: Turns, seal: Seal, clock: Clock, post: RepliesOnly) -> None:
        """Put the parts together and look after promises, every scaled second."""
        self.owed = WatchedOwed(self.db, seal)
        self.owed.mortal = self.mortal
        self.dispatcher = Dispatcher(self.inbox, bot, seal, clock, self.owed)
        self.sweeper = Sweeper(self.owed, {"city": self.dispatcher}, again_s=self.durations.renewal)
        self.late = late_replies((self.redis, self.db), seal, clock, self.inbox, post, timedelta(seconds=3))

    def keep_promises(self) -> None:
        self.spawn(self._keep_promises())

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Do something as this process: it ends with it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def receive(self, event: Event) -> "asyncio.Task[Said | None]":
        loop = asyncio.get_running_loop()
        task = self.spawn(self.dispatcher.receive(event, loop.time()))
        self._attempts.add(task)
        task.add_done_callback(self._attempts.discard)
        return task

    def kill(self) -> None:
        """End at once: nothing is tidied up, no store hears of it."""
        self.mortal.dead = True
        running = self.dispatcher._running
        under_way = [each.task for each in running._under_way.values()]
        renewing = [running._renewing] if running._renewing else []
        for task in (*self._tasks, *under_way, *renewing, *self.dispatcher._apart):
            if task is not asyncio.current_task():
                task.cancel()

    def is_hung_up_on(self) -> bool:
        """Lose every connection of WeChat's, and live on."""
        for task in self._attempts:
            task.cancel()
        return False

    def freeze(self) -> None:
        """Stop renewing leases, as a process does that swaps or is debugged; its runs go on."""
        renewing = self.dispatcher._running._renewing
        if renewing is not None:
            renewing.cancel()

    async def end(self) -> None:
        self.kill()
        await self.redis.close()

    async def _keep_promises(self) -> None:
        while True:
            for job in () if self.rests else (self.sweeper.sweep, self.late.send_due):
                try:
                    await job()
                except StoreGoneError:
                    continue  # the next round comes
            await asyncio.sleep(self.durations.renewal)
