"""WeChat's side of the model: messages and their attempts, phones that remember what they heard, the laws."""

import asyncio
import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from core.chat.durations import Durations
from core.chat.events import Event, Kind
from core.chat.inbox import Commit, Entered, Passed, Run, Wait
from core.chat.replies import Said
from core.chat.sessions import Session
from core.chat.words import Words
from core.clock import CITY_ZONE, SystemClock
from core.delivery.sender import Choices, Outcome, Sent, SurelyNotSent
from core.effects import Effect, perform
from core.errors import StoreGoneError
from core.seal import Seal
from core.stores.database import Database, Transaction
from tests.core.chat.model.processes import Process
from tests.support.sending import RepliesOnly
from tests.support.talk import words_of
from tests.support.wording import TEMPLATES

SCALE = 0.1
# A second of WeChat's is 100 ms here. The last answer leaves earlier than in life: this machine may be busy.
# A reply lives for 20 s instead of 60, so that a play about its end ends soon.
DURATIONS = replace(Durations().scaled(SCALE), deadline=0.36, flood=0.0, reply=2.0)
_numbers = itertools.count(1)
NOTICE = "该公众号提供的服务出现故障，请稍后再试"


@dataclass(frozen=True)
class Message:
    """One message of a citizen's. Times are WeChat's seconds.

    `attempts`: the process each attempt reaches, None for one that is lost on its way. `again`: further
    pushes of it, (after so many seconds, to which process). `takes`: how long its handler works.
    """

    name: str
    attempts: Sequence[int | None] = (0, 1, 0)
    takes: float = 0.0
    fails: bool = False
    again: Sequence[tuple[float, int]] = ()
    late_by: Sequence[float] = (0.0, 0.0, 0.0)  # how much later than usual an attempt arrives


@dataclass(frozen=True)
class Heard:
    """What appeared on a phone: as the `passive` reply, as a `late` message, or as WeChat's `notice`."""

    how: str
    text: str


@dataclass
class Address:
    account: str
    openid: str
    following: bool = True


@dataclass
class Tale:
    """Everything that happened to one message."""

    event: Event
    message: Message
    knocked: float | None = None  # between this moment
    came: float | None = None  # and this one it first came to Redis
    runs: int = 0
    commits: int = 0
    heard: list[Heard] = field(default_factory=list)
    shown: list[bool] = field(default_factory=list)
    passed: bool = False
    current: tuple[int, str] = (0, "")  # fence and token of the run that may finish
    memories: dict[object, tuple[list[str], bool]] = field(default_factory=dict)  # of its runs, by task
    found: list[str] = field(default_factory=list)  # whom the run that counts remembered
    remembered: bool = False  # and whether it left a session behind

    @property
    def replies(self) -> list[str]:
        """What its handler's runs said that reached the phone."""
        return [heard.text for heard in self.heard if heard.text.startswith(f"{self.message.name}：")]


class World(RepliesOnly):
    """Citizens, WeChat and gateway processes over real stores; `broken` collects the broken laws."""

    def __init__(self, db: Database, redis_url: str, *, patience: float = 20.0) -> None:
        self.db, self.redis_url = db, redis_url
        self.durations = DURATIONS
        self.patience = patience  # real seconds until we believe that something will never be
        self.seal = Seal({1: b"m" * 32}, current=1, index_key=b"i" * 32)
        self.clock = SystemClock()
        self.words = words_of(TEMPLATES)
        self.processes: list[Process] = []
        self.buried: list[Process] = []
        self.tales: dict[str, Tale] = {}
        self.excuses: Counter[str] = Counter()  # by conversation: what may have ended a run before its time
        self.saved: defaultdict[str, list[str]] = defaultdict(
            list
        )  # by conversation: names, as they committed
        self.wiped = False
        self.stormy = False  # too much happens to tell whether a second run was needed
        self.platform_gone = False
        self.broken: list[str] = []
        self.told: list[str] = []  # everything that happened, with WeChat's seconds
        self._began = time.monotonic()
        self.mutate: Callable[[Process], None] = lambda _process: None

    async def populate(self, processes: int = 2) -> None:
        await self.db.execute("CREATE TABLE IF NOT EXISTS ledger (event text)")
        for _ in range(processes):
            await self.bear()

    async def replace(self, index: int) -> None:
        """Start a new process in the place of a dead one, which is kept for the end."""
        self.buried.append(self.processes[index])
        while True:
            try:
                self.processes[index] = await self._born()
            except StoreGoneError:
                await self.pause(0.5)  # Redis is gone, too: it is tried again, as the fleet would
            else:
                return

    async def bear(self) -> None:
        """Start one more process."""
        self.processes.append(await self._born())

    async def _born(self) -> Process:
        process = await Process.born(self.redis_url, self.db, self.durations)
        process.inbox.on_knock, process.inbox.on_enter = self._knocks, self._entered
        process.inbox.on_commit = self._committed
        process.work(Bot(self), self.seal, self.clock, self)  # type: ignore[arg-type] # what it uses of Turns
        self.mutate(process)
        process.keep_promises()
        return process

    async def end(self) -> None:
        for process in (*self.processes, *self.buried):
            await process.end()

    def kill(self, index: int) -> None:
        """End a process; whatever it had under way may run again."""
        self.excuse()
        self.processes[index].kill()

    def excuse(self) -> None:
        for tale in self.tales.values():
            self.excuses[tale.event.conversation] += 1

    def tell(self, what: str) -> None:
        """Write down what happened, for whoever has to find out why a law was broken."""
        self.told.append(f"{(time.monotonic() - self._began) / SCALE:6.2f} {what}")

    # --- citizens and WeChat ---

    async def says(self, citizen: str, message: Message) -> Tale:
        """Deliver one message as WeChat does: three attempts, five seconds each."""
        tale = self._tale(citizen, message)
        loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        extra = [asyncio.create_task(self._again(tale, *each)) for each in message.again]
        for number, target in enumerate(message.attempts):
            due = began + (number * 5.0 + message.late_by[number]) * SCALE
            await asyncio.sleep(max(0.0, due - loop.time()))
            if await self._attempt(tale, target, due):
                break
        else:
            if message.attempts:
                tale.heard.append(Heard("notice", NOTICE))
        await asyncio.gather(*extra)
        return tale

    async def pause(self, seconds: float) -> None:
        """Let some of WeChat's seconds pass."""
        await asyncio.sleep(seconds * SCALE)

    async def settled(self) -> bool:
        """Wait until nothing is owed and nothing of ours is on its way; False if that never is."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.patience
        while loop.time() < until:
            open_rows = await self.db.fetchval(
                "SELECT (SELECT count(*) FROM owed)"
                " + (SELECT count(*) FROM outbox WHERE state IN ('queued', 'held', 'sending'))"
            )
            under_way = any(
                each.dispatcher._running._under_way or each.dispatcher._apart
                for each in self.processes
                if not each.mortal.dead
            )
            if not open_rows and not under_way:
                return True
            await asyncio.sleep(0.02)
        return False

    def _tale(self, citizen: str, message: Message) -> Tale:
        conversation = self.seal.conversation("city", citizen)
        now = datetime.now(CITY_ZONE)
        event = Event(
            id=f"{conversation}:m:{next(_numbers)}:{int(now.timestamp())}",
            account="city",
            openid=citizen,
            kind=Kind.TEXT,
            at=now,
            text=message.name,
        )
        tale = self.tales[event.id] = Tale(event, message)
        return tale

    async def _attempt(self, tale: Tale, target: int | None, began: float) -> bool:
        """One attempt; True if WeChat is content with it."""
        over = began + 5.0 * SCALE
        name = tale.message.name
        if target is None or self.processes[target].mortal.dead:
            self.tell(f"{name}: an attempt is lost")
            await asyncio.sleep(max(0.0, over - asyncio.get_running_loop().time()))
            return False
        self.tell(f"{name}: attempt at process {target}")
        task = self.processes[target].receive(tale.event)
        await asyncio.wait([task], timeout=max(0.0, over - asyncio.get_running_loop().time()))
        if not task.done():
            task.cancel()  # WeChat hangs up
            self.tell(f"{name}: WeChat hangs up")
            return False
        if task.cancelled() or task.exception() is not None:
            self.tell(f"{name}: no answer, {'killed' if task.cancelled() else repr(task.exception())}")
            return False
        said = task.result()
        self.tell(f"{name}: answered with {said.text if said else 'success'}")
        if said is not None:
            tale.heard.append(Heard("passive", said.text))
        return True

    async def _again(self, tale: Tale, after: float, target: int) -> None:
        await asyncio.sleep(after * SCALE)
        await self._attempt(tale, target, asyncio.get_running_loop().time())

    async def resolve(self, conversation: str) -> Address:
        openids = {each.event.conversation: each.event.openid for each in self.tales.values()}
        return Address("city", openids[conversation])

    async def send(self, account: str, openid: str, said: Said | Choices) -> Outcome:
        assert isinstance(said, Said)
        if self.platform_gone:
            return SurelyNotSent("nobody there", 0.1)
        tales = [each for each in self.tales.values() if each.event.openid == openid]
        named = [each for each in tales if said.text.startswith(f"{each.message.name}：")]
        # A sentence names no message: it is about the oldest one that has heard nothing.
        silent = [each for each in tales if not each.heard or each.heard[-1].how == "notice"]
        (named or silent or tales)[0].heard.append(Heard("late", said.text))
        self.tell(f"late: {said.text}")
        return Sent(account)

    # --- what processes tell ---

    def _knocks(self, event_id: str) -> None:
        tale = self.tales[event_id]
        if tale.knocked is None:
            tale.knocked = asyncio.get_running_loop().time()

    def _entered(self, event_id: str, entered: Entered) -> None:
        tale = self.tales[event_id]
        if tale.came is None:
            tale.came = asyncio.get_running_loop().time()
        if not isinstance(entered, Wait):
            self.tell(f"{tale.message.name}: {type(entered).__name__}")
        if isinstance(entered, Passed):
            tale.passed = True
        if not isinstance(entered, Run):
            return
        tale.runs += 1
        tale.current = (entered.fence, entered.token)
        allowed = 1 + self.excuses[tale.event.conversation]
        if tale.runs > allowed and not self.stormy:
            self.broken.append(f"{tale.message.name} was run {tale.runs} times, {allowed} can be excused")
        if tale.passed and not self.wiped:  # the mark may be what Redis has forgotten
            self.broken.append(f"{tale.message.name} was passed, and ran")

    def _committed(self, run: Run, done: Commit) -> None:
        tale = self.tales[run.event_id]
        self.tell(f"{tale.message.name}: run {run.fence} ends, {done}")
        if done.stale:
            return
        tale.commits += 1
        tale.found, tale.remembered = tale.memories.get(asyncio.current_task(), ([], False))
        if (run.fence, run.token) != tale.current:
            self.broken.append(f"{tale.message.name} was finished by a run that another one had followed")
        if tale.commits > 1 and not self.wiped:
            self.broken.append(f"{tale.message.name} was committed {tale.commits} times")
        self.saved[tale.event.conversation].append(tale.message.name)

    # --- the law ---

    async def judge(self, *, notices: Iterable[str] = ()) -> list[str]:
        """Every law that was broken; `notices` are the messages that may end in WeChat's own notice."""
        broken = [*self.broken]
        if not await self.settled():
            broken.append("something is owed for ever")
        rows = await self.db.fetch(
            "SELECT event, count(*) AS n FROM ledger GROUP BY event HAVING count(*) > 1"
        )
        broken += [f"an effect happened {row['n']} times" for row in rows]
        for tale in self.tales.values():
            if not tale.heard:  # a sentence names no message, and may have been taken for another one's
                await self._find_sentence(tale)
            broken += self._judge(tale, set(notices))
        for conversation, names in self.saved.items():
            if self.wiped:  # order and memory are what it may lose
                continue
            broken += self._overtaken(conversation, names)
            broken += self._forgotten(conversation, names)
        return broken

    def _judge(self, tale: Tale, notices: set[str]) -> Iterable[str]:
        name, heard = tale.message.name, tale.heard
        if not heard:
            yield f"{name} was never answered"
        if len(set(tale.replies)) > 1 and not self.wiped:
            yield f"{name} got two replies: {tale.replies}"
        pushes = 1 + len(tale.message.again)
        if len(tale.replies) > pushes + self.wiped:
            yield f"{name} got its reply {len(tale.replies)} times"
        if any(each.how == "notice" for each in heard) and name not in notices:
            yield f"{name} ended in WeChat's own notice"

    def _forgotten(self, conversation: str, names: list[str]) -> Iterable[str]:
        """Whom a run should have remembered and did not, or the other way round."""
        of = {
            each.message.name: each for each in self.tales.values() if each.event.conversation == conversation
        }
        before: list[str] = []
        for name in names:
            # A commit whose process died before it heard of it may stand there, too.
            if of[name].remembered and [each for each in of[name].found if each in before] != before:
                yield f"{name} found {of[name].found} in the session, not {before}"
            if of[name].remembered:
                before.append(name)

    async def _find_sentence(self, tale: Tale) -> None:
        state = await self.db.fetchval("SELECT state FROM outbox WHERE key = $1", f"late:{tale.event.id}")
        if state == "accepted":
            tale.heard.append(Heard("late", "a sentence"))
        elif state == "unknown" and self.buried:  # its sender was killed; it stands among what operators see
            tale.heard.append(Heard("perhaps", "a sentence"))

    def _overtaken(self, conversation: str, names: list[str]) -> Iterable[str]:
        """Messages that finished before one that had surely come before them."""
        of = {each.message.name: each for each in self._tales(conversation)}
        for place, name in enumerate(names):
            for later in names[place + 1 :]:
                knocked, before = of[name].knocked, of[later].came
                if knocked and before and before < knocked:
                    yield f"answered out of order: {name} before {later}"

    def _tales(self, conversation: str) -> list[Tale]:
        return [each for each in self.tales.values() if each.event.conversation == conversation]


class Bot:
    """A bot whose handler takes as long as its message says, has one effect, and knows what came before."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.words: Words = world.words

    async def meet(self, event: Event) -> None:
        """Nobody is new here."""

    def alarm(self, event: Event) -> None:
        """Nobody is in danger either."""

    async def take(self, event: Event, session: Session, *, shown: bool = True) -> Said:
        world, tale = self._world, self._world.tales[event.id]
        tale.shown.append(shown)
        process = next(each for each in world.processes if each.dispatcher._running._under_way.get(event.id))
        run = tale.runs
        remembered = session.notes.get("said", "").split()
        tale.memories[asyncio.current_task()] = remembered, False
        effect = Effect(f"{event.id}/count", "count", b"the same")
        await perform(process.db, effect, partial(self._write, event))
        await asyncio.sleep(tale.message.takes * SCALE)
        if tale.message.fails:
            raise ZeroDivisionError
        session.notes["said"] = " ".join((*remembered, event.text))
        tale.memories[asyncio.current_task()] = remembered, True
        return Said(type="text", at=int(world.clock.timestamp()), text=f"{event.text}：第 {run} 次办好")

    async def _write(self, event: Event, tx: Transaction) -> str:
        await tx.execute("INSERT INTO ledger (event) VALUES ($1)", event.id)
        return "done"
