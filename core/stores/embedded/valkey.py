"""The embedded Redis: a real Valkey server, configured through its standard input."""

import signal
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.errors import BootError
from core.stores.embedded.child import Child, Launch, spawn

_START_S = 30.0  # on a busy machine; 50 ms on an idle one
_POLL_S = 0.005


class ValkeyServer:
    """One Valkey (or Redis) server of ours on a unix socket."""

    def __init__(self, child: Child, socket: Path) -> None:
        self.child = child
        self._socket = socket

    @classmethod
    def launch(cls, program: Path, data: Path, runtime: Path, held_lock: int) -> "ValkeyServer":
        """Spawn it; `ready` says when it answers."""
        data.mkdir(mode=0o700, exist_ok=True)
        socket = runtime / "valkey.sock"
        socket.unlink(missing_ok=True)
        child = spawn(
            Launch(
                command=[program, "-"],
                death_signal=signal.SIGTERM,
                log=data.with_name("valkey.log"),
                held_lock=held_lock,
                stdin=_configuration(data, socket),
            )
        )
        return cls(child, socket)

    @property
    def url(self) -> str:
        return f"unix://{self._socket}?db=0"

    def ready(self) -> str:
        """Wait until it answers and has read its data; return its version."""
        deadline = time.monotonic() + _START_S
        once = Retry(NoBackoff(), 0)
        with redis.Redis(unix_socket_path=str(self._socket), socket_timeout=_START_S, retry=once) as client:
            while True:
                try:
                    info = client.info("everything")
                except redis.ConnectionError as not_yet:
                    if self.child.ended or time.monotonic() > deadline:
                        raise BootError(f"Valkey does not start: {self.child.last_words()}") from not_yet
                else:
                    if not info["loading"]:  # it answers INFO, and only that, while it still reads
                        return str(info.get("valkey_version") or info["redis_version"])
                time.sleep(_POLL_S)

    def stop(self) -> None:
        """Ask it to end; it writes its log of changes first."""
        self.child.signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it now; it loses at most the last second."""
        self.child.signal(signal.SIGKILL)


def _configuration(data: Path, socket: Path) -> bytes:
    return "\n".join(
        (
            "port 0",
            f"unixsocket {_quoted(socket)}",
            "unixsocketperm 700",
            f"dir {_quoted(data)}",
            "daemonize no",
            'logfile ""',
            "appendonly yes",
            "appendfsync everysec",
            "auto-aof-rewrite-min-size 16mb",  # a short log is read quickly at the next start
            'save ""',
            "maxmemory-policy noeviction",
            "set-proc-title no",
            "",
        )
    ).encode()


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
