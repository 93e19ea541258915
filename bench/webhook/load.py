"""wrk, told what to send, and what it has to say."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.webhook.corpus import Corpus

CONNECTIONS = 32
KEPT_OF = 101  # every 101st response is kept and read
_SCRIPT = Path(__file__).parent / "load.lua"
_PATIENCE_S = 30


class LoadFailedError(Exception):
    """The load did not go through cleanly: whatever was measured means nothing."""


class Load(msgspec.Struct, frozen=True):
    """One run of wrk."""

    sent: int
    answered: int
    bad: int  # not status 200, or an empty body
    broken: int  # connections refused, reset or timed out
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds


@dataclass(frozen=True, slots=True)
class Target:
    """A server to play to, and the file its kept responses go to."""

    name: str
    port: int
    kept: Path


def play(
    corpus: Corpus, target: Target, seconds: int, *, again: bool = False, connections: int = CONNECTIONS
) -> Load:
    """Send a corpus for so many seconds or until it is used up; `again` starts over instead."""
    command = [
        _wrk(),
        "--threads=1",
        f"--connections={connections}",
        f"--duration={seconds}s",
        "--timeout=5s",
        f"--script={_SCRIPT}",
        f"http://127.0.0.1:{target.port}/",
        "--",
        str(corpus.path),
        str(target.kept),
        str(KEPT_OF),
        "again" if again else "once",
    ]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=seconds + _PATIENCE_S, check=False)
    last = ran.stdout.strip().rpartition("\n")[2]
    try:
        load = msgspec.json.decode(last, type=Load)
    except msgspec.DecodeError as unreadable:
        raise LoadFailedError(f"{target.name}: wrk failed: {ran.stderr.strip() or last}") from unreadable
    if load.bad or load.broken or not load.answered:
        raise LoadFailedError(
            f"{target.name}: {load.bad} bad answers, {load.broken} broken connections, "
            f"{load.answered} of {load.sent} requests answered"
        )
    return load


def responses(path: Path) -> list[bytes]:
    """Read the kept responses of the last run."""
    found = []
    with path.open("rb") as file:
        while length := file.readline():
            found.append(file.read(int(length)))
    return found


def _wrk() -> str:
    found = shutil.which("wrk")
    if not found:
        raise LoadFailedError("wrk is not installed: sudo apt install wrk")
    return found
