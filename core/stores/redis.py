"""Redis: scripts on the hot path over one connection of our own, everything else through redis-py."""

import asyncio
import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import hiredis
import redis.asyncio
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import RedisError

from core.errors import BootError, StoreGoneError
from core.joint import Joint
from core.stores.wire import AnsweredError, Wire

_OLDEST = (6, 2)
# Refusals that concern the server's state, not the command: nothing was done.
_NOT_NOW = (
    "LOADING",
    "READONLY",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "BUSY ",
    "OOM",
    "MISCONF",
    "NOREPLICAS",
)

Argument = str | bytes | int | float


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script; all keys of one call share one hash tag."""

    source: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha", hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest())


class ScriptError(Exception):
    """A script was refused or failed: a mistake of ours, in Redis's own words."""


class NotAdmittedError(StoreGoneError):
    """The server does not let us in: wrong password, no such database."""

    def __init__(self, words: str) -> None:
        super().__init__("Redis")
        self.words = words


class Redis:
    """One Redis (or Valkey) ≥ 6.2. `run` is the hot path; `client` is redis-py for the rest."""

    def __init__(self, pool: redis.asyncio.BlockingConnectionPool, timeout_s: float) -> None:
        self._pool = pool
        self._client = redis.asyncio.Redis(connection_pool=pool)
        self._timeout_s = timeout_s
        self._wire: Wire | None = None
        self._dialling = Joint(self._dial)
        self._tagged: set[str] = set()  # scripts whose keys have been found to share a hash tag

    @classmethod
    async def open(cls, url: str, *, connections: int = 8, timeout_s: float = 2.0) -> "Redis":
        """Connect; `url` is `unix:///path?db=0`, `redis://` or `rediss://`, as redis-py reads it."""
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
        )
        opened = cls(pool, timeout_s)
        try:
            await opened._connected()
        except NotAdmittedError as refused:
            await opened.close()
            raise BootError(
                f"Redis does not let us in ({refused.words}): check stores.redis_url"
            ) from refused
        except BaseException:
            await opened.close()
            raise
        return opened

    @property
    def client(self) -> redis.asyncio.Redis:
        """redis-py, with a bounded pool, for whatever is not the hot path; answers are bytes."""
        return self._client

    async def close(self) -> None:
        """Give every connection back."""
        self._dialling.cancel()
        if self._wire is not None:
            self._wire.abort()
            self._wire = None
        await self._client.aclose()
        await self._pool.aclose()

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run one script and return its answer: bytes, int, None or a list of these.

        `StoreGoneError`: it may or may not have run. `ScriptError`: the script is wrong.
        """
        if script.sha not in self._tagged:  # a script's keys are made in one place: one look is enough
            _require_one_tag(keys)
            self._tagged.add(script.sha)
        wire = self._wire
        if wire is None or wire.closed:
            wire = await self._connected()
        answer = await wire.send(_packed("EVALSHA", script.sha, len(keys), *keys, *args))
        if not isinstance(answer, AnsweredError):
            return answer
        if str(answer).startswith("NOSCRIPT"):
            # Only this command is repeated: it did not run. A flush between LOAD and EVAL does not matter.
            _, answer = await asyncio.gather(
                wire.send(_packed("SCRIPT", "LOAD", script.source)),
                wire.send(_packed("EVAL", script.source, len(keys), *keys, *args)),
            )
        if isinstance(answer, AnsweredError):
            raise _refusal(answer)
        return answer

    async def load(self, *scripts: Script) -> None:
        """Make scripts known to the server before the first run; a wrong one is a `ScriptError`."""
        wire = await self._connected()
        for answer in await asyncio.gather(
            *(wire.send(_packed("SCRIPT", "LOAD", script.source)) for script in scripts)
        ):
            if isinstance(answer, AnsweredError):
                raise _refusal(answer)

    async def check(self) -> None:
        """Refuse a server that is too old, or that would throw away what it promised to keep."""
        try:
            server = await self._client.info("server")
            memory = await self._client.info("memory")
        except (RedisError, OSError) as gone:
            raise StoreGoneError("Redis") from gone
        version = str(server["redis_version"])
        if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
            raise BootError(f"Redis {version} is too old: 6.2 or newer is needed (stores.redis_url)")
        policy = str(memory.get("maxmemory_policy"))
        if policy != "noeviction":
            raise BootError(
                f"Redis may throw sessions away (maxmemory-policy {policy}): "
                "set `maxmemory-policy noeviction` in its configuration"
            )

    async def _connected(self) -> Wire:
        """The one connection; whoever needs it while it is being made waits for the same attempt."""
        if self._wire is not None and not self._wire.closed:
            return self._wire
        self._wire = await self._dialling.outcome()
        return self._wire

    async def _dial(self) -> Wire:
        # redis-py reads the URL; this connection of its is only a description, it is never opened.
        like: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            async with asyncio.timeout(self._timeout_s):
                wire = await _connect(like, self._timeout_s)
                await _greet(wire, like)
        except OSError as failed:  # a TimeoutError is one too
            raise StoreGoneError("Redis") from failed
        return wire


def _packed(*parts: Argument) -> bytes:
    command: bytes = hiredis.pack_command(parts)  # type: ignore[arg-type] # its stub asks for a tuple of one
    return command


async def _connect(like: AbstractConnection, timeout_s: float) -> Wire:
    """Reach the server the way redis-py's own connection for this URL would."""
    loop = asyncio.get_running_loop()

    def protocol() -> Wire:
        return Wire(loop, timeout_s)

    if isinstance(like, UnixDomainSocketConnection):
        _, wire = await loop.create_unix_connection(protocol, like.path)
    elif isinstance(like, Connection):
        tls: ssl.SSLContext | None = like.ssl_context.get() if isinstance(like, SSLConnection) else None
        _, wire = await loop.create_connection(protocol, like.host, int(like.port), ssl=tls)
    else:
        raise TypeError(f"a {type(like).__name__} is not known here")
    return wire


async def _greet(wire: Wire, like: AbstractConnection) -> None:
    commands: list[tuple[str, ...]] = []
    if like.password:
        user = (str(like.username),) if like.username else ()
        commands.append(("AUTH", *user, str(like.password)))
    if like.db:
        commands.append(("SELECT", str(like.db)))
    try:
        for command in commands:
            _admitted(await wire.send(_packed(*command)))
    except BaseException:
        wire.abort()
        raise


def _admitted(answer: object) -> None:
    if isinstance(answer, AnsweredError):
        raise NotAdmittedError(str(answer))


def _require_one_tag(keys: Sequence[str]) -> None:
    if len(keys) < 2:  # noqa: PLR2004 - one key is always with itself
        return
    first = keys[0]
    tag = first[first.find("{") : first.find("}") + 1]
    for key in keys:
        if not tag or tag not in key:
            raise ValueError("keys of one call need one common {hash tag}: Cluster keeps them together by it")


def _refusal(answer: AnsweredError) -> Exception:
    words = str(answer)
    return StoreGoneError("Redis") if words.startswith(_NOT_NOW) else ScriptError(words)
