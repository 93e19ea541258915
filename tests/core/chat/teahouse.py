"""An invented bot: a tea house whose dialogues use every kind of question."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

from core.chat.dialogue import Ask, NothingToChoose
from core.chat.events import Event, Kind, Place
from core.chat.replies import Article, Image, Link, News, Reply, Silence, Text
from core.chat.router import Router
from core.chat.routes import CitizenId, Nearest, Notes, Rest
from core.effects import Effect, perform
from core.errors import DomainError, StoreGoneError
from core.stores.database import Database, Transaction
from tests.support.talk import Bot, Ground, bot, words_of

TEMPLATES = Path(__file__).parent / "templates"


class SeatTakenError(DomainError):
    code = "seat_taken"


class BadNameError(DomainError):
    code = "bad_name"


class DayPastError(DomainError):
    code = "day_past"


class HouseFullError(DomainError):
    code = "house_full"


class KilledError(BaseException):
    """The process dies here: nothing after this line happens, nothing is tidied up."""


@dataclass(frozen=True)
class Item:
    id: str
    label: str
    aliases: tuple[str, ...] = ()
    seats: int = 0


_TEAS = (
    ("龙井", "绿茶", "西湖龙井"),
    ("碧螺春",),
    ("毛尖", "信阳毛尖"),
    ("铁观音",),
    ("大红袍", "岩茶"),
    ("普洱", "熟普"),
    ("白茶", "白毫银针"),
    ("菊花茶",),
    ("祁门红茶", "红茶"),
    ("茉莉花茶", "花茶"),
    ("乌龙茶",),
    ("老白茶",),
    ("金骏眉",),
    ("六安瓜片",),
)
TEAS = [Item(f"tea-{number}", names[0], names[1:]) for number, names in enumerate(_TEAS, start=1)]


@dataclass
class Kitchen:
    """Pours tea, once per effect; a test may change what there is, and let it fail at any point."""

    db: Database
    teas: list[Item] = field(default_factory=lambda: list(TEAS))
    seats: list[Item] = field(
        default_factory=lambda: [
            Item("s-window", "靠窗", ("窗边",)),
            Item("s-quiet", "里间"),
            Item("s-yard", "院子"),
        ]
    )
    taken: set[str] = field(default_factory=set)
    poured: list[str] = field(default_factory=list)
    loaded: Counter[str] = field(default_factory=Counter)
    before: Callable[[], None] | None = None
    inside: Callable[[], None] | None = None
    after: Callable[[], None] | None = None
    on_load: Callable[[], Awaitable[None]] | None = None
    broken: Exception | None = None

    async def list_teas(self) -> list[Item]:
        self.loaded["tea"] += 1
        if self.on_load:
            await self.on_load()
        if self.broken:
            raise self.broken
        return self.teas

    async def free_seats(self, tea: str) -> list[Item]:
        del tea
        self.loaded["seat"] += 1
        return [seat for seat in self.seats if seat.id not in self.taken]

    async def tea(self, tea: str, seat: str) -> dict[str, str]:
        return {"tea": self._label(tea), "seat": self._label(seat)}

    async def pour(self, tea: str, seat: str, citizen: str, effect: Effect) -> str:
        """Pour a tea for a seat, with hooks at every point where a process may die."""
        _call(self.before)
        result = await perform(self.db, effect, partial(self._pour, tea, seat, citizen))
        _call(self.after)
        return result

    async def _pour(self, tea: str, seat: str, citizen: str, tx: Transaction) -> str:
        if seat in self.taken:
            raise SeatTakenError(seat=self._label(seat))
        self.poured.append(seat)
        await tx.execute("CREATE TABLE IF NOT EXISTS cups (n serial, tea text, seat text, citizen text)")
        number = await tx.fetchval(
            "INSERT INTO cups (tea, seat, citizen) VALUES ($1, $2, $3) RETURNING n", tea, seat, citizen
        )
        _call(self.inside)
        return f"cup-{number}"

    async def cups(self) -> list[str]:
        """The seats of all cups that were really poured."""
        if await self.db.fetchval("SELECT to_regclass('cups')") is None:
            return []
        return [row["seat"] for row in await self.db.fetch("SELECT seat FROM cups ORDER BY n")]

    async def cup(self, cup: str) -> dict[str, str]:
        row = await self.db.fetchrow("SELECT tea, seat FROM cups WHERE n = $1", int(cup.removeprefix("cup-")))
        assert row is not None
        return {"tea": self._label(row["tea"]), "seat": self._label(row["seat"]), "cup": cup}

    async def note(self, about: str, words: str, effect: Effect) -> str:
        async def keep(tx: Transaction) -> str:
            del tx
            return f"{about}/{words}"

        return await perform(self.db, effect, keep)

    async def refuse(self, effect: Effect) -> str:
        del effect
        raise HouseFullError

    def _label(self, key: str) -> str:
        return next(item.label for item in (*self.teas, *TEAS, *self.seats) if item.id == key)


def _call(hook: Callable[[], None] | None) -> None:
    if hook:
        hook()


def short_name(said: str) -> str:
    if len(said) > 8:
        raise BadNameError(said=said)
    return said.replace(" ", "")


router = Router("teahouse")


@router.dialogue("喝茶", "订茶", "来杯茶", click="TEA")
async def order_tea(ask: Ask, kitchen: Kitchen) -> Reply:
    tea = await ask.choice("tea", kitchen.list_teas)
    try:
        seat = await ask.choice("seat", partial(kitchen.free_seats, tea))
    except NothingToChoose:
        ask.again("tea", because=HouseFullError())
    await ask.confirm("sure", partial(kitchen.tea, tea, seat))
    try:
        cup = await ask.once("pour", partial(kitchen.pour, tea, seat, ask.citizen), show=kitchen.cup)
    except SeatTakenError as taken:
        ask.again("seat", because=taken)
    return Text("teahouse/poured", it=await kitchen.cup(cup))


@router.dialogue("订包间", "包间", click="ROOM")
async def book_room(ask: Ask, kitchen: Kitchen) -> Reply:
    def not_past(day: date) -> date:
        if day < ask.event.at.date():
            raise DayPastError(day=day)
        return day

    day = await ask.date("day", not_past)
    name = await ask.text("name", short_name)
    await ask.confirm("room_sure", partial(_said, f"{day:%m-%d} {name}"))
    room = await ask.once("room", partial(kitchen.note, day.isoformat(), name))
    wish = await ask.text("wish")
    await ask.once("wish_kept", partial(kitchen.note, room, wish))
    return Text("teahouse/room", room=room, wish=wish)


async def _said(words: str) -> str:
    return words


@router.dialogue("报失", click="LOST")
async def lost_thing(ask: Ask, kitchen: Kitchen) -> Reply:
    place = await ask.place("where")
    photo = await ask.photo("picture")
    number = await ask.once("report", partial(kitchen.note, f"{place.latitude}", photo.id))
    return Text("teahouse/reported", number=number)


@router.dialogue("人工", "找人工", anywhere=True)
async def waiter(ask: Ask, kitchen: Kitchen) -> Reply:
    words = await ask.text("waiter")
    await ask.once("tell", partial(kitchen.note, "waiter", words))
    return Text("teahouse/told", words=words)


@router.dialogue("没座位")
async def nothing(ask: Ask, kitchen: Kitchen) -> Reply:
    await ask.choice("nothing_here", partial(kitchen_none, kitchen))
    return Silence()


async def kitchen_none(kitchen: Kitchen) -> list[Item]:
    del kitchen
    return []


@router.dialogue("客满")
async def refused(ask: Ask, kitchen: Kitchen) -> Reply:
    await ask.once("refuse", kitchen.refuse)
    return Silence()


@router.dialogue("存茶")
async def store_tea(ask: Ask, kitchen: Kitchen) -> Reply:
    await ask.confirm("store_sure", partial(_said, "存一年"))
    name = await ask.text("name")
    await ask.once("store", partial(kitchen.note, "store", name))
    return Text("teahouse/told", words=name)


@router.dialogue("寄{what}到{city}")
async def post(ask: Ask, what: str, city: str) -> Reply:
    await ask.confirm("post_sure", partial(_said, f"{what} → {city}"))
    return Text("teahouse/posted", what=what, city=city)


@router.on("茶单", "有什么茶", click="LIST")
async def teas(kitchen: Kitchen, rest: Rest) -> Reply:
    return Text("teahouse/list", teas=kitchen.teas, rest=rest)


@router.on("{a}到{b}多远", "{a}离{b}多远吗")
async def how_far(a: str, b: str) -> Reply:
    return Text("teahouse/far", a=a, b=b)


@router.on("到店")
async def arrived(citizen: CitizenId, notes: Notes) -> Reply:
    times = int(notes.get("times", "0")) + 1
    notes["times"] = str(times)
    return Text("teahouse/arrived", citizen=citizen, times=times)


@router.on("到店时间")
async def opening_hours() -> Reply:
    return Text("teahouse/hours")


@router.on("你好", "帮助", anywhere=True)
async def hello() -> Reply:
    return Text("teahouse/hello")


@router.on("看图")
async def picture() -> Reply:
    return Image("media-1")


@router.on("活动")
async def news() -> Reply:
    return News((Article(title="品茶会", url="http://tea.example/1"),))


@router.on("地图")
async def link() -> Reply:
    return Link("teahouse/hello", "http://tea.example/?a=1&b=<2>", "去<看>")


@router.on("断线")
async def store_gone(kitchen: Kitchen) -> Reply:
    if kitchen.broken is not None:
        kitchen.broken = None
        raise StoreGoneError("PostgreSQL")
    return Text("teahouse/hello")


@router.on(kinds=[Kind.SUBSCRIBE])
async def welcome() -> Reply:
    return Text("teahouse/hello")


@router.on(kinds=[Kind.UNSUBSCRIBE])
async def farewell() -> Reply:
    return Silence()


@router.fallback
async def lost(event: Event, nearest: Nearest) -> Reply:
    return Text("teahouse/lost", said=event.text, nearest=nearest)


@bot("teahouse")
async def teahouse(ground: Ground) -> Bot:
    return bot_with(Kitchen(ground.db))


def bare_house() -> Router:
    """A house that serves nothing yet: who is not understood hears so."""
    bare = Router("teahouse")

    @bare.fallback
    async def lost(event: Event) -> Reply:
        return Text("teahouse/lost", said=event.text, nearest=())

    return bare


def bot_with(kitchen: Kitchen, other: Router | None = None) -> Bot:
    """The tea house with this kitchen, or what a deploy made of it."""
    return Bot(other or router, {Kitchen: kitchen}, words_of(TEMPLATES))


__all__ = ["TEAS", "Item", "KilledError", "Kitchen", "Place", "bot_with", "router", "teahouse"]
