"""`run.json`: how other commands find the embedded stores of a running owner, and notice its end."""

import asyncio
import os
from pathlib import Path

import msgspec

from core.errors import BootError

_NAME = "run.json"
_START_TIME_FIELD = 19  # of /proc/<pid>/stat, counted after the name: ticks since the machine started


class Running(msgspec.Struct, frozen=True):
    """What is written into `run.json`."""

    pid: int
    started: int  # with the pid it names one process, even after the number was given away again
    redis_url: str
    database_url: str
    versions: dict[str, str]


class Attached:
    """The stores of an owner that was alive when we looked."""

    def __init__(self, running: Running) -> None:
        self._running = running

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def redis_url(self) -> str:
        return self._running.redis_url

    @property
    def database_url(self) -> str:
        return self._running.database_url

    @property
    def versions(self) -> dict[str, str]:
        return self._running.versions

    async def owner_gone(self) -> None:
        """Return when the owner has ended."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        loop = asyncio.get_running_loop()
        gone = asyncio.Event()
        try:
            if started(self.pid) != self._running.started:
                return
            loop.add_reader(descriptor, gone.set)
            await gone.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)


def attach(data_dir: Path) -> Attached:
    """Find the stores a running `make run` keeps for this data folder."""
    try:
        running = msgspec.json.decode((data_dir / _NAME).read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError) as nobody:
        raise BootError(_missing(data_dir)) from nobody
    if started(running.pid) != running.started:
        raise BootError(_missing(data_dir))
    return Attached(running)


def write(data_dir: Path, redis_url: str, database_url: str, versions: dict[str, str]) -> None:
    """Tell other commands that the stores are up."""
    pid = os.getpid()
    running = Running(
        pid=pid,
        started=started(pid) or 0,
        redis_url=redis_url,
        database_url=database_url,
        versions=versions,
    )
    new = data_dir / f"{_NAME}.new"
    new.write_bytes(msgspec.json.format(msgspec.json.encode(running), indent=2) + b"\n")
    new.replace(data_dir / _NAME)


def remove(data_dir: Path) -> None:
    """Tell other commands that the stores are down."""
    (data_dir / _NAME).unlink(missing_ok=True)


def started(pid: int) -> int | None:
    """When a process started, in ticks; None if there is none (or only its remains)."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = line.rpartition(")")[2].split()
    return None if state in "ZX" else int(fields[_START_TIME_FIELD - 1])


def _missing(data_dir: Path) -> str:
    return f"no embedded stores are running for {data_dir}: start `make run` first"
