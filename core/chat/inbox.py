"""Once-only reception: who may run which message, in which order, and the reply that all attempts get."""

from enum import StrEnum

import msgspec

from core.chance import draw
from core.chat.contacts import Contacts
from core.chat.durations import WINDOW_SENDS, Durations, script
from core.stores.redis import Redis

_TOKEN_BYTES = 8


class Who(StrEnum):
    """Who enters."""

    NEW = "new"  # an attempt of WeChat's, just arrived
    AGAIN = "again"  # an attempt that waits, and looks once more
    HOLD = "hold"  # the same with no time left to run anything
    SWEEP = "sweep"  # nobody's attempt: the sweeper looks after a message that is owed an answer


class Window(StrEnum):
    """What an event of a citizen's allows us: some messages of ours, for some time (wechat-facts 2.2)."""

    MESSAGE = "message"
    TAP = "tap"
    NONE = ""


# One of these is made for every message, and a struct costs a seventh of a frozen dataclass.
class Run(msgspec.Struct, frozen=True):
    """This caller runs the message. `fence` and `token` prove it at commit; `session` is sealed.

    `seen`: how many attempts of it came, this one included; `age_ms`: how long ago the first one did.
    """

    event_id: str
    keys: tuple[str, str, str, str, str]  # claim, order, session, reply, windows
    fence: int
    token: str
    session: bytes | None
    shown: bool
    seen: int = 1
    age_ms: int = 0

    @property
    def name(self) -> str:
        """The event's name in its conversation."""
        return self.event_id.split(":", 2)[2]


class Done(msgspec.Struct, frozen=True):
    """The message was answered; `reply` is its sealed reply, None once that is gone or goes another way.

    `owed`: it was promised to be sent later, which is now settled by whoever answers with it.
    """

    reply: bytes | None
    owed: bool = False


class Wait(msgspec.Struct, frozen=True):
    """Somebody runs it, or an earlier message of the conversation is not finished."""

    seen: int = 0
    age_ms: int = 0


class Full(msgspec.Struct, frozen=True):
    """Too many messages of this conversation wait already; this one was not taken."""


class Flood(msgspec.Struct, frozen=True):
    """Too many messages in too short a time; this one, the first of them, was not taken and is told so."""


class Hushed(msgspec.Struct, frozen=True):
    """The flood goes on: not taken, and nothing more is said about it."""


class Passed(msgspec.Struct, frozen=True):
    """A later message went past this one; it will never run. `way` as in `Over`."""

    owed: bool = False
    way: str = ""


class Gone(msgspec.Struct, frozen=True):
    """Nothing is known of this message (any more)."""


class Over(msgspec.Struct, frozen=True):
    """What the sweeper finds of a message that was run `age_ms` ago.

    `way` its reply goes: "passive" as the answer to an attempt, "late" as a message of ours, "" neither yet.
    """

    reply: bytes | None
    way: str
    live: bool
    age_ms: int


class Commit(msgspec.Struct, frozen=True):
    """What became of a run: `stale` and discarded; or `late_ms`, or `owed`; or whoever waits gets its reply.

    `late_ms`: nobody waits for it, it has to be sent so many ms from now. `owed`: it was promised to be sent,
    so whoever answers an attempt with it has to enter first.
    """

    stale: bool = False
    owed: bool = False
    late_ms: int | None = None


Entered = Run | Done | Wait | Full | Flood | Hushed | Passed | Gone | Over
_PLAIN: dict[bytes, Entered] = {b"FULL": Full(), b"FLOOD": Flood(), b"HUSHED": Hushed(), b"GONE": Gone()}
_OK, _STALE, _OWED = Commit(), Commit(stale=True), Commit(owed=True)


class Inbox:
    """The claims of all conversations in Redis, one hash tag each."""

    def __init__(
        self, redis: Redis, durations: Durations | None = None, *, window_sends: int = WINDOW_SENDS
    ) -> None:
        self._redis = redis
        self.durations = durations or Durations()
        self.contacts = Contacts()
        self._lease = int(self.durations.lease * 1000)
        names = ("enter", "commit", "renew", "leave", "hand_over", "take", "shown")
        scripts = {name: script(name, self.durations, window_sends) for name in names}
        self._enter, self._commit, self._renew = scripts["enter"], scripts["commit"], scripts["renew"]
        self._leave, self._hand_over = scripts["leave"], scripts["hand_over"]
        self._take, self._shown = scripts["take"], scripts["shown"]

    async def enter(
        self, event_id: str, who: Who = Who.NEW, window: Window = Window.NONE, number: int = 0
    ) -> Entered:
        """Claim a message. `window` is what a new one opens; `number` is which attempt a known one is."""
        name, keys = _keys(event_id)
        token = draw(_TOKEN_BYTES).hex()
        answer = await self._redis.run(self._enter, keys, (name, token, who, window, number))
        if window:
            self.contacts.note(event_id[: -len(name) - 1])
        if answer[0] == b"RUN":
            _, fence, session, shown, seen, age_ms = answer
            return Run(event_id, keys, int(fence), token, session or None, shown != b"0", seen, age_ms)
        return _entered(answer)

    async def commit(self, run: Run, session: bytes | None, reply: bytes, *, asks: bool = True) -> Commit:
        """Finish a run: store session (None leaves the old one) and sealed reply.

        `asks`: the reply repeats the open question, so that it counts as shown if an attempt is live.
        """
        answer = await self._redis.run(
            self._commit,
            run.keys[:4],
            (run.name, run.fence, run.token, session or b"", reply, "1" if asks else "0"),
        )
        match answer[0]:
            case b"OK":
                return _OK
            case b"OWED":
                return _OWED
            case b"LATE":
                return Commit(late_ms=int(answer[1]))
        return _STALE

    async def renew(self, run: Run) -> bool:
        """Keep a run's lease alive; False if the run is no longer the current one."""
        return await self._lease_for(run, self._lease)

    async def release(self, run: Run, after_s: float = 0.0) -> bool:
        """Give a run up, so that whoever has the message in hand may run it again after so many seconds."""
        return await self._lease_for(run, int(after_s * 1000))

    async def leave(self, event_id: str, number: int) -> bool:
        """Note that an attempt was dropped before its answer; True if nobody else waits for or got that."""
        name, (claim, _, session, _, _) = _keys(event_id)
        return bool(await self._redis.run(self._leave, (claim, session), (number, name)))

    async def hand_over(self, event_id: str, *, last: bool) -> Entered:
        """Mark a message as owed, once that is written down; `last`: its last attempt is being answered now.

        `Done` with a reply: it is ready, and where `last`, it has to be that answer. `Done` without one:
        it went out, or goes another way.
        """
        _, (claim, _, _, reply, _) = _keys(event_id)
        return _entered(await self._redis.run(self._hand_over, (claim, reply), ("1" if last else "0",)))

    async def take(self, event_id: str) -> bool:
        """Claim the reply for a message of ours; False if an attempt was answered with it."""
        _, keys = _keys(event_id)
        return bool(await self._redis.run(self._take, keys[:1], ()))

    async def has_shown(self, event_id: str) -> bool:
        """Note that a late reply has arrived; True if its question is the one that is open."""
        name, keys = _keys(event_id)
        return bool(await self._redis.run(self._shown, keys[2:3], (name,)))

    async def _lease_for(self, run: Run, ms: int) -> bool:
        return bool(await self._redis.run(self._renew, run.keys[:1], (run.fence, run.token, ms)))


def session_key(conversation: str) -> str:
    """Where the session of a conversation is kept."""
    return f"bm:{{{conversation}}}:s"


def windows_key(conversation: str) -> str:
    """Where the send windows of a conversation are counted."""
    return f"bm:{{{conversation}}}:w"


def _entered(answer: list[bytes | int]) -> Entered:
    """Read what a script says of a claim; every word of it is one of ours."""
    match answer:
        case [b"WAIT", int(seen), int(age_ms)]:
            return Wait(seen, age_ms)
        case [b"DONE"]:
            return Done(None)
        case [b"DONE", reply, owed]:
            return Done(reply or None, owed == 1)  # type: ignore[arg-type] # a string in Lua is bytes here
        case [b"PASSED", owed, bytes(way)]:
            return Passed(owed == 1, way.decode())
        case [b"OVER", bytes(reply), bytes(way), live, int(age_ms)]:
            return Over(reply or None, way.decode(), live == 1, age_ms)
        case [bytes(plain)]:
            return _PLAIN[plain]
    raise ValueError(f"a script answered {answer!r}")


def _keys(event_id: str) -> tuple[str, tuple[str, str, str, str, str]]:
    """The event's name in its conversation, and the keys claim, order, session, reply, windows."""
    account, digest, name = event_id.split(":", 2)
    tag = f"bm:{{{account}:{digest}}}"
    return name, (f"{tag}:c:{name}", f"{tag}:o", f"{tag}:s", f"{tag}:r:{name}", f"{tag}:w")
