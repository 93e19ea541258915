"""Once-only reception: who may run which message, in which order, and the reply that all attempts get."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from core.chance import draw
from core.stores.redis import Redis, Script

_TOKEN_BYTES = 8
_SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True, slots=True)
class Durations:
    """Every duration of reception in seconds (design 4); `scaled` shortens all of them for tests."""

    lease: float = 3.0
    renewal: float = 1.0
    attempt: float = 5.0  # how long WeChat waits for one attempt
    passing: float = 6.0  # after a dead predecessor's last attempt, the next message goes on
    claim: float = 620.0
    reply: float = 60.0
    session: float = 86_400.0
    poll: float = 0.1
    flood: float = 10.0  # over `MOST_AT_ONCE` new messages in this time are a flood; 0: there is none
    run: float = 14.0  # how long a handler may take: after that no attempt of WeChat's is left

    def scaled(self, factor: float) -> "Durations":
        """The same with every duration multiplied."""
        return Durations(**{name: getattr(self, name) * factor for name in self.__slots__})


# One of these is made for every message, and a struct costs a seventh of a frozen dataclass.
class Run(msgspec.Struct, frozen=True):
    """This caller runs the message. `fence` and `token` prove it at commit; `session` is sealed."""

    event_id: str
    keys: tuple[str, str, str, str]  # claim, order, session, reply
    fence: int
    token: str
    session: bytes | None
    shown: bool

    @property
    def name(self) -> str:
        """The event's name in its conversation."""
        return self.event_id.split(":", 2)[2]


class Done(msgspec.Struct, frozen=True):
    """The message was answered; `reply` is its sealed reply, None once that is gone."""

    reply: bytes | None


class Wait(msgspec.Struct, frozen=True):
    """Somebody runs it, or an earlier message of the conversation is not finished."""


class Full(msgspec.Struct, frozen=True):
    """Too many messages of this conversation wait already; this one was not taken."""


class Flood(msgspec.Struct, frozen=True):
    """Too many messages in too short a time; this one, the first of them, was not taken and is told so."""


class Hushed(msgspec.Struct, frozen=True):
    """The flood goes on: not taken, and nothing more is said about it."""


class Passed(msgspec.Struct, frozen=True):
    """A later message went past this one; it will never run."""


Entered = Run | Done | Wait | Full | Flood | Hushed | Passed
MOST_WAITING = 5
MOST_AT_ONCE = 20
_PLAIN: dict[bytes, Entered] = {
    b"WAIT": Wait(),
    b"FULL": Full(),
    b"FLOOD": Flood(),
    b"HUSHED": Hushed(),
    b"PASSED": Passed(),
}


class Inbox:
    """The claims of all conversations in Redis, one hash tag each."""

    def __init__(self, redis: Redis, durations: Durations | None = None) -> None:
        self._redis = redis
        self.durations = durations or Durations()
        self._lease = int(self.durations.lease * 1000)
        self._enter, self._commit, self._renew = (
            script(name, self.durations) for name in ("enter", "commit", "renew")
        )

    async def enter(self, event_id: str, *, again: bool = False) -> Entered:
        """Claim a message; `again` marks a waiting attempt that looks once more."""
        name, keys = _keys(event_id)
        token = draw(_TOKEN_BYTES).hex()
        answer = await self._redis.run(self._enter, keys, (name, token, "0" if again else "1"))
        match answer[0]:
            case b"RUN":
                session = answer[2] if len(answer) > 2 else None  # noqa: PLR2004 - a nil ends a Lua table
                shown = len(answer) <= 3 or answer[3] != b"0"  # noqa: PLR2004
                return Run(event_id, keys, int(answer[1]), token, session, shown)
            case b"DONE":
                return Done(answer[1] if len(answer) > 1 else None)
            case plain:
                return _PLAIN[plain]

    async def commit(self, run: Run, session: bytes | None, reply: bytes, *, asks: bool = True) -> bool:
        """Finish a run: store session (None leaves the old one) and sealed reply; False if it is stale.

        `asks`: the reply repeats the open question, so that it counts as shown if an attempt is live.
        """
        answer = await self._redis.run(
            self._commit,
            run.keys,
            (run.name, run.fence, run.token, session or b"", reply, "1" if asks else "0"),
        )
        return bool(answer[0] == b"OK")

    async def renew(self, run: Run) -> bool:
        """Keep a run's lease alive; False if the run is no longer the current one."""
        return await self._lease_for(run, self._lease)

    async def release(self, run: Run) -> bool:
        """Give a run up, so that the next attempt may run the message at once."""
        return await self._lease_for(run, 0)

    async def _lease_for(self, run: Run, ms: int) -> bool:
        return bool(await self._redis.run(self._renew, run.keys[:1], (run.fence, run.token, ms)))


def _keys(event_id: str) -> tuple[str, tuple[str, str, str, str]]:
    """The event's name in its conversation, and the keys claim, order, session, reply."""
    account, digest, name = event_id.split(":", 2)
    tag = f"bm:{{{account}:{digest}}}"
    return name, (f"{tag}:c:{name}", f"{tag}:o", f"{tag}:s", f"{tag}:r:{name}")


@cache
def script(name: str, durations: Durations) -> Script:
    """One of the Lua scripts beside this module, with the durations (in ms) and limits written into it.

    They are the same for every call: as arguments they would be packed, sent and parsed for each message.
    """
    source = (_SCRIPTS / f"{name}.lua").read_text("utf-8")
    values = {each: int(getattr(durations, each) * 1000) for each in Durations.__slots__}
    constants = "".join(f"local {each.upper()}_MS = {value}\n" for each, value in values.items())
    limits = f"local MOST_WAITING = {MOST_WAITING}\nlocal MOST_IN_FLOOD_MS = {MOST_AT_ONCE}\n"
    return Script(f"{constants}{limits}{source}")
