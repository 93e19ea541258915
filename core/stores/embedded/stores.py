"""Valkey and PostgreSQL of our own, for a machine that has neither; they live and end with their owner."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path

from core.errors import BootError
from core.stores.embedded import binaries, postgres, run_file
from core.stores.embedded.child import require_linux
from core.stores.embedded.folder import DataFolder, remove_runtime, runtime_folder
from core.stores.embedded.postgres import PostgresServer
from core.stores.embedded.run_file import Attached, attach
from core.stores.embedded.valkey import ValkeyServer

__all__ = ["Attached", "EmbeddedStores", "attach"]

_STOP_S = 2.0
_KILL_S = 0.7
Server = ValkeyServer | PostgresServer


@dataclass(frozen=True, slots=True)
class Ended:
    """A store that ended though we did not end it."""

    name: str
    exit_code: int

    @property
    def told(self) -> bool:
        """Whether it ended in good order: somebody asked it to."""
        return self.exit_code == 0

    def __str__(self) -> str:
        if self.told:
            return f"somebody told {self.name} to end"
        if self.exit_code < 0:
            return f"{self.name} was killed ({signal.Signals(-self.exit_code).name})"
        return f"{self.name} ended by itself"


class EmbeddedStores:
    """Both servers on one data folder. Start on the main thread, outside the event loop."""

    redis_url: str
    database_url: str
    versions: dict[str, str]

    def __init__(self, folder: DataFolder, runtime: Path) -> None:
        self._folder = folder
        self._runtime = runtime
        self._servers: dict[str, Server] = {}

    @classmethod
    def start(cls, data_dir: Path, *, scratch: bool = False) -> "EmbeddedStores":
        """Start both at once and wait until both answer; `BootError` says what has to be put right.

        `scratch` drops PostgreSQL's durability, for tests.
        """
        require_linux()
        folder = DataFolder.take(data_dir)
        try:
            stores = cls(folder, runtime_folder(folder.path))
        except BaseException:
            folder.give_back()
            raise
        try:
            stores._launch(scratch)
        except OSError as failed:
            stores.stop()
            raise BootError(f"the stores in {folder.path} do not start: {failed}") from failed
        except BaseException:
            stores.stop()
            raise
        return stores

    def _launch(self, scratch: bool) -> None:  # noqa: FBT001 - a private step of start
        data, lock = self._folder.path, self._folder.servers_lock
        valkey = ValkeyServer.launch(binaries.valkey_server(), data / "valkey", self._runtime, lock)
        self._servers["Valkey"] = valkey
        plan = postgres.plan_for(binaries.postgres_folder(), data / "pg", self._runtime, scratch=scratch)
        postgres.prepare(plan, lock)
        database = PostgresServer.launch(plan, lock)
        self._servers["PostgreSQL"] = database
        self.versions = {"PostgreSQL": database.ready(), "Valkey": valkey.ready()}
        self.redis_url, self.database_url = valkey.url, database.url
        run_file.write(data, self.redis_url, self.database_url, self.versions)

    def ended(self) -> Ended | None:
        """A store that ended though we did not end it, if one did."""
        codes = ((name, server.child.exit_code) for name, server in self._servers.items())
        return next((Ended(name, code) for name, code in codes if code is not None), None)

    def stop(self) -> None:
        """Stop both at once, within three seconds; may be called again."""
        if not self._folder.held:
            return
        run_file.remove(self._folder.path)
        alive = [server for server in self._servers.values() if not server.child.ended]
        for server in alive:
            server.stop()
        if not _all_end(alive, _STOP_S):
            for server in alive:
                server.kill()
            _all_end(alive, _KILL_S)
        self._servers.clear()
        remove_runtime(self._runtime)
        self._folder.give_back()


def _all_end(servers: list[Server], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    return all(server.child.wait(max(0.0, deadline - time.monotonic())) for server in servers)
