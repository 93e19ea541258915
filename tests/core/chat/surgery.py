"""An invented bot that reminds of visits and tells news, each with digits to answer, beside the tea house."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from core.chat.dialogue import Ask
from core.chat.events import Event, Kind, MenuTap
from core.chat.prompts import Prompt
from core.chat.replies import Reply, Text
from core.chat.router import Router
from core.delivery import guards, prompts
from core.delivery.lanes import Lane
from core.delivery.letters import Letter
from core.delivery.outbox import Entry, queue
from core.effects import Effect, perform
from core.stores.database import Database, Transaction
from tests.core.chat.teahouse import TEMPLATES, Item, Kitchen
from tests.core.chat.teahouse import router as teahouse
from tests.support.talk import Bot, Talk, words_of

VISIT = (("come", "会到"), ("move", "改期"))
NEWS = (("got", "收到"),)
TITLES = {"A1": "心内科就诊提醒", "A2": "骨科就诊提醒"}


@dataclass
class Visits:
    """Who comes to which visit; `did` tells of every change that was carried out."""

    db: Database
    did: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=lambda: ["A1", "A2"])
    meanwhile: Callable[[], Awaitable[None]] | None = None  # what happens while an answer is carried out

    async def comes(self, prompt: Prompt) -> None:
        if self.meanwhile is not None:
            await self.meanwhile()
        await perform(self.db, prompt.effect, partial(self._comes, prompt))

    async def _comes(self, prompt: Prompt, tx: Transaction) -> str:
        await prompts.answered(tx, prompt)
        self.did.append(f"come {prompt.about}")
        return prompt.about

    async def all(self) -> list[Item]:
        return [Item(each, TITLES[each].removesuffix("就诊提醒")) for each in self.there]

    async def days(self, visit: str) -> list[Item]:
        return [Item(f"{visit}-mon", "周一上午"), Item(f"{visit}-tue", "周二上午")]

    async def move(self, visit: str, day: str, effect: Effect) -> str:
        return await perform(self.db, effect, partial(self._move, visit, day))

    async def _move(self, visit: str, day: str, tx: Transaction) -> str:
        await guards.bump(tx, visit)
        self.did.append(f"move {visit} {day}")
        return day


router = Router("visits").include(teahouse)


@router.on(prompts={("visit", "come"): ""})
async def come(prompt: Prompt, visits: Visits) -> Reply:
    await visits.comes(prompt)
    return Text("visits/come", it=prompt)


@router.on(prompts={("news", "got"): ""})
async def got() -> Reply:
    return Text("visits/got")


@router.dialogue("改期", prompts={("visit", "move"): "visit"})
async def move(ask: Ask, visits: Visits) -> Reply:
    await ask.only("visit", visits.all)
    visit = await ask.choice("visit", visits.all)
    day = await ask.choice("new_day", partial(visits.days, visit))

    async def both() -> str:
        return f"{visit} {day}"

    await ask.confirm("move_sure", both)
    return Text("visits/moved", it=await ask.once("move", partial(visits.move, visit, day)))


def surgery_with(kitchen: Kitchen, visits: Visits) -> Bot:
    return Bot(router, {Kitchen: kitchen, Visits: visits}, words_of(TEMPLATES))


async def arrives(
    talk: Talk, kind: str = "visit", about: str = "A1", title: str = "", conversation: str = ""
) -> int:
    """Let a message of ours with digits arrive now, a moment after whatever was said before; its number."""
    talk.later(seconds=5)
    db, now = talk.ground.db, talk.ground.clock.now()
    to = conversation or talk.conversation
    options = VISIT if kind == "visit" else NEWS
    async with db.transaction() as tx:
        known = await guards.current(tx, [about])
        count = await tx.fetchval("SELECT count(*) FROM outbox")
        whole = await tx.fetchval("SELECT now() + interval '1 hour'")
        entry = Entry(f"{kind}:{count}", to, b"s" * 40, kind, Lane.PERSONAL, now, whole, known)
        number = await queue(tx, entry)
        assert number is not None
        await tx.execute("UPDATE outbox SET state = 'accepted', settled_at = now() WHERE id = $1", number)
        called = title or (TITLES[about] if kind == "visit" else "停水通知")
        letter = Letter(title=called, text="…", options=options, about=about, expires=int(whole.timestamp()))
        await prompts.leave(tx, number, to, kind, letter, known)
        await tx.execute("UPDATE prompts SET at = $2 WHERE message = $1", number, now)
    talk.later(seconds=5)
    return number


async def perhaps_arrives(talk: Talk, about: str = "A1", *, state: str = "unknown") -> int:
    """The same, but nobody heard what became of its request."""
    number = await arrives(talk, about=about)
    await talk.ground.db.execute(
        """
        UPDATE outbox SET state = $2, perhaps = $2 <> 'sending', attempted_at = now(),
                          settled_at = CASE WHEN $2 = 'unknown' THEN now() END,
                          holder = CASE WHEN $2 = 'sending' THEN 'w' END,
                          lease_until = CASE WHEN $2 = 'sending' THEN now() + interval '30 seconds' END
        WHERE id = $1
        """,
        number,
        state,
    )
    await talk.ground.db.execute("UPDATE prompts SET arrived = false WHERE message = $1", number)
    return number


async def taps(talk: Talk, message: int, option: str = "come", label: str = "会到") -> str:
    """Tap a line of such a message."""
    detail = MenuTap(menu_id=f"{message}:{option}")
    return await talk.sends(Kind.TEXT, text=label, detail=detail)


async def ends(talk: Talk, message: int) -> None:
    """Let the time of a message be over."""
    await talk.ground.db.execute(
        "UPDATE prompts SET expires_at = now() - $2::interval WHERE message = $1",
        message,
        timedelta(seconds=1),
    )


async def changes(talk: Talk, about: str) -> None:
    """Let somebody else cancel a visit."""
    async with talk.ground.db.transaction() as tx:
        await guards.bump(tx, about)


async def state_of(talk: Talk, message: int) -> tuple[str, bool]:
    """How a message stands, and whether it still waits for a digit."""
    db = talk.ground.db
    state = await db.fetchval("SELECT state FROM outbox WHERE id = $1", message)
    return str(state), bool(await db.fetchval("SELECT count(*) FROM prompts WHERE message = $1", message))


def digit(talk: Talk, said: str = "1") -> Event:
    """A message that is not sent yet."""
    return talk.event(Kind.TEXT, text=said)


class Counted(Database):
    """PostgreSQL, and how often it was asked."""

    asked = 0

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Transaction]:
        self.asked += 1
        async with super()._connection() as connection:
            yield connection
