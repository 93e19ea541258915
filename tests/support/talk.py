"""A test kit that talks with a bot as a citizen would, and transcripts (`*.chat`) of such talks that run."""

import asyncio
import itertools
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import msgspec

from core.chat.dispatcher import Dispatcher
from core.chat.durations import Durations
from core.chat.events import Event, Kind, Media, Place
from core.chat.house import House, Identify
from core.chat.inbox import Inbox
from core.chat.redflags import RedFlags
from core.chat.replies import Said
from core.chat.router import Router
from core.chat.routes import Routes
from core.chat.sessions import Session, pack, unpack
from core.chat.turns import Turns
from core.chat.words import Words
from core.clock import ManualClock
from core.delivery.owed import Owed
from core.delivery.prompts import Prompting
from core.delivery.sender import Choices, Outcome, Sent
from core.delivery.sweeper import Sweeper
from core.errors import NotInTimeError
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from tests.support.sending import RepliesOnly, late_replies
from tests.support.wording import TEMPLATES, house_words

_ATTEMPTS = 3  # wechat-facts 1.4
_numbers = itertools.count(24_000_000_000_000_001)


@dataclass(frozen=True)
class Ground:
    """What a bot stands on: the stores, the seal and the clock of one test."""

    redis: Redis
    db: Database
    seal: Seal
    clock: ManualClock


async def _nobody_in_particular(event: Event) -> str:
    """Name a citizen by the conversation: enough for bots without a register of citizens."""
    return f"citizen-of-{event.conversation}"


@dataclass(frozen=True)
class Bot:
    """Everything a talk needs to know of a bot; `services` are handed to its handlers by type."""

    router: Router
    services: Mapping[type, object]
    words: Words
    identify: Identify = _nobody_in_particular
    idle: timedelta = timedelta(minutes=15)


@dataclass(frozen=True)
class _Address:
    account: str
    openid: str
    following: bool = True


@dataclass
class Post(RepliesOnly):
    """Carries messages of ours to the phones of a test, each of which has written before."""

    phones: dict[str, _Address] = field(default_factory=dict)
    arrived: defaultdict[str, list[Said]] = field(default_factory=lambda: defaultdict(list))

    async def resolve(self, conversation: str) -> _Address:
        return self.phones[conversation]

    async def send(self, account: str, openid: str, said: Said | Choices) -> Outcome:
        assert isinstance(said, Said)
        self.arrived[f"{account}:{openid}"].append(said)
        return Sent()


Builder = Callable[[Ground], Awaitable[Bot]]
_builders: dict[str, Builder] = {}


def bot(name: str) -> Callable[[Builder], Builder]:
    """Register a bot under the name by which transcripts call it: `# bot: <name>`."""

    def register(builder: Builder) -> Builder:
        if name in _builders:
            raise ValueError(f"two bots are called {name}")
        _builders[name] = builder
        return builder

    return register


def bots() -> list[str]:
    """Name the registered bots."""
    return sorted(_builders)


async def build(name: str, ground: Ground) -> Bot:
    """Build a registered bot on the stores of one test."""
    return await _builders[name](ground)


@cache
def words_of(*folders: Path) -> Words:
    """Compile the house's own words together with those of further folders, once per process."""
    if not folders:
        return house_words()
    with tempfile.TemporaryDirectory() as together:
        for folder in (TEMPLATES, *folders):
            shutil.copytree(folder, together, dirs_exist_ok=True)
        return Words(Path(together))


@cache
def red_flags() -> RedFlags:
    """Read the house's own red flags, once per process."""
    return RedFlags(TEMPLATES / "chat" / "red_flags.toml")


@dataclass
class Talk:
    """One citizen on the phone. What is asked returns the reply's text, "" for silence."""

    ground: Ground
    bot: Bot
    openid: str = "o-grandma"
    account: str = "city"
    # Nobody types as fast as a test does.
    durations: Durations = field(default_factory=lambda: Durations(flood=0))
    inbox_type: type[Inbox] = Inbox
    last: Event | None = None
    said: Said | None = None  # the whole last reply
    post: Post = field(default_factory=Post)

    def __post_init__(self) -> None:
        self._start()

    def _start(self) -> None:
        ground, bot = self.ground, self.bot
        self.inbox = self.inbox_type(ground.redis, self.durations)
        routes = Routes(bot.router, bot.services)
        prompts = Prompting(ground.db)
        house = House(routes, bot.words, red_flags(), bot.identify, ground.clock, bot.idle, prompts)
        owed = Owed(ground.db, ground.seal)
        self.dispatcher = Dispatcher(self.inbox, Turns(house), ground.seal, ground.clock, owed)
        self.sweeper = Sweeper(owed, {self.account: self.dispatcher}, again_s=self.durations.poll)
        self.post.phones[self.conversation] = _Address(self.account, self.openid)
        self.late = late_replies((ground.redis, ground.db), ground.seal, ground.clock, self.inbox, self.post)

    @property
    def conversation(self) -> str:
        """The name of this conversation in keys and rows."""
        return self.ground.seal.conversation(self.account, self.openid)

    def event(self, kind: Kind, **facts: object) -> Event:
        """Make an event of this citizen's, new each time."""
        at = self.ground.clock.now()
        number = f"m:{next(_numbers)}:{int(at.timestamp())}"
        whole = {"account": self.account, "openid": self.openid, "kind": kind, "at": at, **facts}
        return msgspec.convert({"id": f"{self.conversation}:{number}", **whole}, Event, from_attributes=True)

    async def says(self, text: str) -> str:
        """Write a text."""
        return await self.sends(Kind.TEXT, text=text)

    async def speaks(self, heard: str) -> str:
        """Speak; `heard` is what recognition made of it, "" for nothing."""
        return await self.sends(Kind.VOICE, text=heard, media=Media(id="voice-1", format="amr"))

    async def taps(self, key: str) -> str:
        """Tap a button of the menu."""
        return await self.sends(Kind.CLICK, key=key)

    async def sends_photo(self, media: str = "photo-1") -> str:
        """Send a picture."""
        return await self.sends(Kind.IMAGE, media=Media(id=media, url="http://mmbiz.qpic.cn/p"))

    async def sends_place(self, latitude: float = 31.2, longitude: float = 121.5) -> str:
        """Send a position."""
        return await self.sends(Kind.LOCATION, place=Place(latitude=latitude, longitude=longitude))

    async def sends(self, kind: Kind, **facts: object) -> str:
        """Send anything and wait for the answer."""
        return await self.delivers(self.event(kind, **facts))

    async def repeats(self) -> str:
        """Let WeChat push the last event once more."""
        assert self.last is not None, "nothing was sent yet"
        return await self.delivers(self.last)

    async def delivers(self, event: Event) -> str:
        """Deliver one attempt of an event."""
        self.last = event
        self.said = await self.attempt(event)
        return self.said.text if self.said else ""

    async def attempt(self, event: Event) -> Said | None:
        """Deliver one attempt; the whole reply, None for "success"."""
        return await self.dispatcher.receive(event, asyncio.get_running_loop().time())

    async def insists(self, event: Event | None = None) -> str:
        """Make WeChat's three attempts until one is answered; the reply, or what arrives in its place."""
        event = event or self.last_event
        for _ in range(_ATTEMPTS):
            with suppress(NotInTimeError):
                self.said = await self.attempt(event)
                return self.said.text if self.said else await self.hears_later()
        raise AssertionError(f"not answered in {_ATTEMPTS} attempts")

    async def hears_later(self, seconds: float = 20) -> str:
        """Wait for a message of ours, while sweeper and sender do their work."""
        heard = self.post.arrived[f"{self.account}:{self.openid}"]
        async with asyncio.timeout(seconds):
            while not heard:
                await self.sweeper.sweep()
                await self.late.send_due()
                await asyncio.sleep(self.durations.poll)
        self.said = heard.pop(0)
        return self.said.text

    @property
    def last_event(self) -> Event:
        """The event that was sent last."""
        assert self.last is not None, "nothing was sent yet"
        return self.last

    async def walk(self, *messages: str) -> str:
        """Say one thing after another; the last reply."""
        reply = ""
        for message in messages:
            reply = await self.says(message)
        return reply

    def later(self, **by: float) -> None:
        """Let time pass: `later(minutes=16)`."""
        self.ground.clock.move(timedelta(**by))

    def restart(self, bot: Bot | None = None) -> None:
        """Start the gateway anew over the same stores, with another bot after a deploy."""
        self.bot = bot or self.bot
        self._start()

    def another(self, openid: str) -> "Talk":
        """Somebody else who talks with the same running gateway."""
        other = replace(self, openid=openid, last=None, said=None)
        other.inbox, other.dispatcher, other.sweeper, other.late = (
            self.inbox,
            self.dispatcher,
            self.sweeper,
            self.late,
        )
        return other

    @property
    def _key(self) -> str:
        return f"bm:{{{self.conversation}}}:s"

    async def session(self) -> Session:
        """Open what is stored of this conversation."""
        sealed = await self.ground.redis.client.hget(self._key, "sealed")
        assert not isinstance(sealed, str)  # answers are bytes
        return unpack(sealed, self.ground.seal, self.conversation)

    async def keep(self, session: Session) -> None:
        """Put a session in place of the stored one, as an older program would have left it."""
        sealed = pack(session, self.ground.seal, self.conversation)
        await self.ground.redis.client.hset(self._key, "sealed", sealed)

    async def lose_reply(self) -> None:
        """Let the last reply not have reached the phone."""
        await self.ground.redis.client.hset(self._key, "shown", "0")


@dataclass(frozen=True)
class Line:
    """One line of a transcript: what the citizen does, and what must then stand in the reply, in order."""

    number: int
    does: str
    expects: tuple[str, ...]
    misses: tuple[str, ...]  # what must not stand there


@dataclass(frozen=True)
class Transcript:
    """A conversation out of a `.chat` file.

    `# bot: <name>` comes first. `> text` is the citizen, the lines below stand in the reply in this order;
    `not: text` stands nowhere in it. Other `#` lines are comments. `>! restart`, `>! 16 min later`,
    `>! tap KEY`, `>! again`, `>! voice 龙井` (`>! voice` alone is not recognised), `>! photo`, `>! place`,
    `>! follow`, `>! unfollow`, `>! scan SCENE`, `>! as NAME` (another citizen), `>! lost` (the reply did not
    arrive) steer it.
    """

    path: Path
    bot: str
    lines: tuple[Line, ...]

    @classmethod
    def read(cls, path: Path) -> "Transcript":
        """Read a transcript; a mistake in it names its line."""
        lines: list[Line] = []
        name = ""
        for number, raw in enumerate(path.read_text("utf-8").splitlines(), start=1):
            text = raw.strip()
            if text.startswith("# bot:"):
                name = text.removeprefix("# bot:").strip()
            elif text.startswith(">"):
                lines.append(Line(number, text.removeprefix(">").strip(), (), ()))
            elif text.startswith("not:"):
                unwanted = text.removeprefix("not:").strip()
                lines[-1] = replace(lines[-1], misses=(*lines[-1].misses, unwanted))
            elif text and not text.startswith("#"):
                lines[-1] = replace(lines[-1], expects=(*lines[-1].expects, text))
        if name not in _builders:
            raise ValueError(f"{path.name}: its first line must name a bot: # bot: {' | '.join(bots())}")
        return cls(path, name, tuple(lines))

    async def run(self, ground: Ground) -> None:
        """Hold the conversation; an `AssertionError` names the line where it went another way."""
        talk = Talk(ground, await build(self.bot, ground))
        others = {talk.openid: talk}
        for line in self.lines:
            if found := re.fullmatch(r"! as (\S+)", line.does):
                talk = others.setdefault(found[1], others.get(found[1]) or talk.another(found[1]))
                continue
            reply = await _do(talk, line.does)
            where = f"{self.path.name}:{line.number}: > {line.does}\n{reply}\n"
            _compare(reply, line, where)
            assert "系统繁忙" not in reply or any("系统繁忙" in part for part in line.expects), where


def _compare(reply: str, line: Line, where: str) -> None:
    position = 0
    for part in line.expects:
        found = reply.find(part, position)
        assert found >= 0, f"{where}has no {part!r} (in this order)"
        position = found + len(part)
    for part in line.misses:
        assert part not in reply, f"{where}has {part!r}"


async def _do(talk: Talk, does: str) -> str:
    if not does.startswith("!"):
        return await talk.says(does)
    command, _, rest = does.removeprefix("!").strip().partition(" ")
    acts: dict[str, Callable[[], Awaitable[str]]] = {
        "tap": lambda: talk.taps(rest),
        "again": talk.repeats,
        "voice": lambda: talk.speaks(rest),
        "photo": talk.sends_photo,
        "place": talk.sends_place,
        "follow": lambda: talk.sends(Kind.SUBSCRIBE),
        "unfollow": lambda: talk.sends(Kind.UNSUBSCRIBE),
        "scan": lambda: talk.sends(Kind.SCAN, key=rest),
    }
    if command in acts:
        return await acts[command]()
    if command == "restart":
        talk.restart()
    elif command == "lost":
        await talk.lose_reply()
    elif found := re.fullmatch(r"(\d+) (min|h|days?) later", f"{command} {rest}"):
        unit = {"min": "minutes", "h": "hours"}.get(found[2], "days")
        talk.later(**{unit: int(found[1])})
    else:
        raise ValueError(f"a transcript says {does!r}, which nobody understands")
    return ""


async def settled(talk: Talk) -> AsyncIterator[Talk]:
    """Hand over a talk, and wait for its runs at the end."""
    yield talk
    await talk.dispatcher.drain()
