"""Stores of a test's own that may be taken away and brought back: killed, or stopped so that they hang."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from os import kill
from pathlib import Path
from typing import Protocol

from redis import Redis

from core.stores.embedded import binaries, postgres
from core.stores.embedded.child import Child
from core.stores.embedded.folder import DataFolder, remove_runtime, runtime_folder
from core.stores.embedded.postgres import PostgresServer
from core.stores.embedded.valkey import ValkeyServer
from core.stores.migrations import migrate
from tests.support.stores import MIGRATIONS, run_apart

_END_S = 10.0


class Breakable(Protocol):
    """A store that a test may break."""

    url: str

    def kill(self) -> None:
        """Take it away: whoever asks is refused at once."""

    def start(self) -> None:
        """Bring it back with what it had written down."""

    def freeze(self) -> None:
        """Let it hang: whoever asks is let in and hears nothing."""

    def thaw(self) -> None:
        """Let it go on, with whatever it was asked meanwhile."""


class BreakableRedis:
    """A Valkey; what it answered is in its log of changes, so a kill loses nothing.

    As in life its log would be synced each second. A sync that a busy disk draws out puts off the writing,
    too, by up to two seconds, which a kill then loses; so here the system decides when to sync.
    """

    def __init__(self, folder: DataFolder, runtime: Path) -> None:
        self._folder = folder
        self._runtime = runtime
        self.start()

    def start(self) -> None:
        data = self._folder.path / "valkey"
        self._server = ValkeyServer.launch(
            binaries.valkey_server(), data, self._runtime, self._folder.servers_lock
        )
        self._server.ready()
        self.url = self._server.url
        with Redis.from_url(self.url) as client:
            client.config_set("appendfsync", "no")

    def kill(self) -> None:
        _end(self._server.child)

    def written(self) -> int:
        """How much of its log of changes stands in the file, in bytes."""
        return self._log.stat().st_size

    def forget(self, written: int) -> None:
        """Cut its log back to that, as a power cut does with what was not on the disk yet; it is killed."""
        os.truncate(self._log, written)

    @property
    def _log(self) -> Path:
        (log,) = (self._folder.path / "valkey").rglob("*.incr.aof")
        return log

    def freeze(self) -> None:
        self._server.child.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._server.child.signal(signal.SIGCONT)


class BreakablePostgres:
    """A PostgreSQL with an up-to-date schema."""

    def __init__(self, folder: DataFolder, runtime: Path) -> None:
        programs, data = binaries.postgres_folder(), folder.path / "pg"
        self._lock = folder.servers_lock
        # It will be killed, and what it promised has to stay: nothing of what makes tests fast here.
        self._plan = postgres.plan_for(programs, data, runtime)
        self.start()
        run_apart(migrate(self.url, MIGRATIONS))

    def start(self) -> None:
        postgres.prepare(self._plan, self._lock)  # waits for backends of the one that was killed
        self._server = PostgresServer.launch(self._plan, self._lock)
        self._server.ready()
        self.url = self._server.url

    def kill(self) -> None:
        _end(self._server.child)

    def freeze(self) -> None:
        self._all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._all(signal.SIGCONT)

    def _all(self, number: signal.Signals) -> None:
        """Signal the server, then each of its processes: a stopped one makes no new ones."""
        if self._server.child.ended:
            return
        pid = self._server.child.pid
        self._server.child.signal(number)
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            kill(int(child), number)


@contextmanager
def breakable_stores(data: Path) -> Iterator[tuple[BreakableRedis, BreakablePostgres]]:
    """Both, on a folder of their own. On the main thread only."""
    folder = DataFolder.take(data)
    runtime = runtime_folder(folder.path)
    redis, database = BreakableRedis(folder, runtime), BreakablePostgres(folder, runtime)
    try:
        yield redis, database
    finally:
        for store in (redis, database):
            store.thaw()
            store.kill()
        folder.give_back()
        remove_runtime(runtime)


@contextmanager
def gone(store: Breakable, how: str) -> Iterator[None]:
    """A stretch without this store."""
    take_away, bring_back = (store.kill, store.start) if how == "killed" else (store.freeze, store.thaw)
    take_away()
    try:
        yield
    finally:
        bring_back()


def _end(child: Child) -> None:
    child.signal(signal.SIGKILL)
    assert child.wait(_END_S), "a killed server is still there"
