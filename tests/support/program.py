"""The real program as a process of its own, in a folder of its own, on ports of its own."""

import fcntl
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
MAIN = ROOT / "main.py"
# Below the range the system hands out for outgoing connections, and apart for each test process: two
# checkouts tested at once would share the port of `serve --processes` and answer each other's messages.
_CHECKOUT = zlib.crc32(str(ROOT).encode()) % 8
_FIRST_PORT = 20_000 + 1_500 * _CHECKOUT + 500 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:] or 0)
_ports = itertools.count(_FIRST_PORT)


def free_port() -> int:
    """A port nobody listens on."""
    for port in _ports:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("there is always another port")


def run_to_end(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        [sys.executable, str(MAIN), *arguments],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def environment() -> dict[str, str]:
    """The test's environment without settings of ours."""
    return {key: value for key, value in os.environ.items() if not key.startswith("BIANMIN_")}


def answers(url: str, body: object = None) -> Any:
    """What a URL answers, as JSON if it is that; None if nothing answers, or not with 200."""
    request = Request(url, data=None if body is None else json.dumps(body).encode())  # noqa: S310
    request.add_header("Content-Type", "application/json")
    try:
        with urlopen(request, timeout=15) as response:  # noqa: S310
            raw = response.read().decode()
    except (URLError, OSError):
        return None
    return json.loads(raw) if raw[:1] in "{[" else raw


class Place:
    """A folder with its settings; several programs may be started there, one after another or at once."""

    def __init__(self, folder: Path, more: str = "", retry_s: float = 0.5, *, gates: bool = False) -> None:
        self.folder = folder
        self.data = folder / "var"
        self.port = free_port()
        self.admin_port = free_port()
        self.phone_port = free_port()
        self.gates_port = free_port() if gates else 0
        folder.mkdir(exist_ok=True)
        (folder / "bianmin.toml").write_text(
            f"[server]\nport = {self.port}\nadmin_port = {self.admin_port}\n"
            f"[simulator]\nport = {self.phone_port}\nretry_s = {retry_s}\n"
            f"gates_port = {self.gates_port}\n{more}",
            "utf-8",
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def phone_url(self) -> str:
        return f"http://127.0.0.1:{self.phone_port}"

    @property
    def gates_url(self) -> str:
        return f"http://127.0.0.1:{self.gates_port}"

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.admin_port}"

    def says(self, text: str, openid: str = "o-somebody") -> str:
        """A citizen writes through the simulator; what came back."""
        answer = answers(
            f"{self.phone_url}/sim/messages",
            {"account": "city", "openid": openid, "type": "text", "content": text},
        )
        assert answer["reply"], answer
        return str(answer["reply"]["content"])

    def no_store_lives(self) -> bool:
        """Whether every server started for this folder has ended: they hold a lock as long as one lives."""
        with (self.data / "servers.lock").open() as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True


class Program:
    """One run of a command that stays; a test that failed halfway leaves it to `kill_leftovers`."""

    _started: ClassVar[list["Program"]] = []

    def __init__(self, place: Place, command: str = "run", *options: str, program: Path = MAIN) -> None:
        self.place = place
        self._started.append(self)
        self._log = place.folder / f"{command}.log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(program), command, *options],
                cwd=place.folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        """Everything it printed."""
        return self._log.read_text("utf-8")

    def ready(self) -> "Program":
        """Wait until it is ready for citizens."""

        def is_ready() -> bool:
            assert self.process.poll() is None, f"it ended:\n{self.said}"
            return answers(f"{self.place.url}/readyz") is not None

        wait_until(is_ready, "ready", 60)
        return self

    def signal(self, number: signal.Signals = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def ends(self) -> int:
        """Wait for its end; its exit code."""
        return self.process.wait(30)

    def stop(self) -> int:
        """Ctrl-C, and wait."""
        self.signal()
        return self.ends()

    def kill(self) -> None:
        """Kill it without a chance to tidy up; its stores end by themselves."""
        self.process.kill()
        self.process.wait(15)

    @classmethod
    def kill_leftovers(cls) -> None:
        """Kill whatever no test ended."""
        for program in cls._started:
            if hasattr(program, "process") and program.process.poll() is None:
                program.kill()
