"""The servers under test: started, waited for, measured from outside, stopped."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.machine import cpu_seconds, resident_mb
from bench.webhook.load import LoadFailedError, Target
from bench.webhook.plan import Plan

ROOT = Path(__file__).parents[2]
_START_S = 20.0
_STOP_S = 10.0
_POLL_S = 0.05
_FAILURES = ("level=error", "level=ERROR", "level=CRITICAL", "Traceback")


@dataclass(frozen=True, slots=True)
class Program:
    """One server process."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"
    folder: Path

    @classmethod
    def start(cls, name: str, plan: Plan, *, bench: str = "webhook", port: int = 0) -> "Program":
        """Start `bench.<bench>.programs.<name>` on a free port; its log goes into the plan's folder."""
        folder, port = Path(plan.folder), port or free_port()
        with (folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    f"bench.{bench}.programs.{name}",
                    str(folder / "plan.json"),
                    str(port),
                ],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        return cls(name, port, process, folder)

    @property
    def target(self) -> Target:
        """Where load goes."""
        return Target(self.name, self.port, self.folder / f"{self.name}.kept")

    @property
    def resident_mb(self) -> float:
        return resident_mb(self.process.pid)

    @property
    def cpu_seconds(self) -> float:
        return cpu_seconds(self.process.pid)

    @property
    def ended(self) -> str:
        """How it ended, and its last words; "" while it lives."""
        code = self.process.poll()
        return "" if code is None else f"{self.name} ended with {code}: {self._last_words()}"

    @property
    def complaint(self) -> str:
        """The first failure in its log; "" if there is none."""
        with (self.folder / f"{self.name}.log").open(encoding="utf-8", errors="replace") as log:
            return next((line.strip() for line in log if any(sign in line for sign in _FAILURES)), "")

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait until it is."""
        deadline = time.monotonic() + _START_S
        while True:
            try:
                if ready():
                    return
            except OSError:
                pass  # not listening yet: what the deadline and the look below are for
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise LoadFailedError(f"{self.name} does not start: {self._last_words()}")
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Ask it to end, then insist."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()

    def _last_words(self) -> str:
        lines = (self.folder / f"{self.name}.log").read_text("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


@contextmanager
def running(plan: Plan, names: Sequence[str], ready: Callable[[Program], bool]) -> Iterator[list[Program]]:
    """Start programs together, wait until each is `ready`, and stop them at the end."""
    with ExitStack() as stack:
        programs = []
        for name in names:
            program = Program.start(name, plan)
            stack.callback(program.stop)
            programs.append(program)
        for program in programs:
            program.wait_until(partial(ready, program))
        yield programs


def free_port() -> int:
    """Find a port that is free now, together with the next one (a gateway's operators' port)."""
    while True:
        with socket.socket() as one, socket.socket() as next_one:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            try:
                next_one.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
