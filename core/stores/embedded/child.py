"""Starting a server that cannot outlive us: its own session, a parent-death signal, never as root."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from core.errors import BootError

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000


class RunAs(Enum):
    """Under which user a server runs; only PostgreSQL minds, because it refuses root."""

    SELF = "self"
    NAMESPACE = "a user namespace of its own"  # root outside, nobody inside: files stay root's
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Launch:
    """What is started, and the signal it gets when we end."""

    command: Sequence[str | Path]
    death_signal: signal.Signals
    log: Path
    held_lock: int  # a flock the server and its own children keep while any of them lives
    run_as: RunAs = RunAs.SELF
    stdin: bytes = b""


class Child:
    """One running server process."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, log_from: int) -> None:
        self._process = process
        self._log = log
        self._log_from = log_from

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the server has ended."""
        self._process.send_signal(number)

    def last_words(self) -> str:
        """What it wrote about its failure, in one line, and where the rest is."""
        with self._log.open("rb") as log:
            log.seek(self._log_from)
            lines = log.read().decode(errors="replace").strip().splitlines()
        telling = [line for line in lines if "FATAL" in line or "error" in line.lower()] or lines
        return f"{telling[-1].strip() if telling else 'it said nothing'} (see {self._log})"

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end; False when it did not come in time."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True


def spawn(launch: Launch) -> Child:
    """Start a server in its own session, out of reach of the terminal's Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        # The parent-death signal fires when the spawning thread ends, not the process.
        raise RuntimeError("embedded stores are started on the main thread")
    with launch.log.open("ab") as log:
        log_from = log.tell()
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            launch.command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd="/",
            env=environment(),
            start_new_session=True,
            pass_fds=(launch.held_lock,),
            preexec_fn=prepare(launch.run_as, launch.death_signal),  # noqa: PLW1509 - no other way to PDEATHSIG
        )
    if process.stdin is None:
        raise RuntimeError("a pipe was asked for")
    try:
        with process.stdin as stdin:
            stdin.write(launch.stdin)
    except BrokenPipeError:
        process.wait()  # it ended before it read; the caller sees that and shows its log
    return Child(process, launch.log, log_from)


def run(launch: Launch) -> None:
    """Start a helper such as initdb the same way, wait for it and refuse to go on if it failed."""
    child = spawn(launch)
    try:
        child.wait(120)
    finally:
        if not child.ended:
            child.signal(signal.SIGTERM)
            child.wait(5)
    if child.exit_code != 0:
        raise BootError(f"PostgreSQL cannot be set up: {child.last_words()}")


def environment() -> dict[str, str]:
    """A small environment: PGDATA, PGOPTIONS and the like of the caller must not reach a server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


def prepare(run_as: RunAs, death_signal: signal.Signals) -> Callable[[], None]:
    """Build what runs in the child between fork and exec; everything it needs is loaded before the fork."""
    libc = ctypes.CDLL(None, use_errno=True)
    unshare, prctl = libc.unshare, libc.prctl
    nobody = pwd.getpwnam("nobody") if run_as is RunAs.NOBODY else None
    owner = os.getpid()

    def change() -> None:
        os.umask(0o077)
        if run_as is RunAs.NAMESPACE and unshare(_CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        if nobody is not None:
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
        # After the change of user, which would clear it.
        if prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
        if os.getppid() != owner:  # we died between fork and prctl
            os._exit(1)

    return change


def can_run(command: Sequence[str | Path], run_as: RunAs) -> str | None:
    """Run `<program> --version` as that user; its answer, or None when that user cannot run it."""
    try:
        done = subprocess.run(  # noqa: S603 - the command is ours
            [*command, "--version"],
            check=False,
            capture_output=True,
            cwd="/",
            env=environment(),
            preexec_fn=prepare(run_as, signal.SIGTERM),
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None


def require_linux() -> None:
    """Embedded stores lean on Linux: parent-death signals, namespaces, pidfds."""
    if sys.platform != "linux":
        raise BootError(
            "embedded stores need Linux: set stores.redis_url and stores.database_url to servers of your own"
        )
