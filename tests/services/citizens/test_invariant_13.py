"""Invariant 13: what a citizen says of themselves is nowhere in clear, and after 删除 nowhere at all.

Citizens do random things in a random order, each with words of their own that nobody else has. Every table,
key, line of the log and file is searched before and after.
"""

import itertools
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from core import log
from core.clock import ManualClock
from core.delivery import outbox
from core.stores.database import Database
from core.stores.redis import Redis
from services.citizens.erasure import Erasing
from tests.handlers.conftest import bot_of
from tests.services.ward import Ward, at
from tests.support.canaries import Canaries, ListeningSeal, backup, contents, in_clear, in_files, sealed_in
from tests.support.people import number_of_birth
from tests.support.register import Register
from tests.support.talk import Ground, Talk

_FAMILY_NAMES = "赵钱孙李周吴郑王冯陈褚卫"
_numbers = itertools.count()
_GIVEN = "琬琰珞珺璟璠瑄瑜瑾璨瓒睿"


@dataclass(frozen=True)
class Human:
    """One who writes: their openid, name, number and phone are theirs alone."""

    openid: str
    name: str
    number: str
    phone: str
    mother: str
    mothers_number: str

    @property
    def canaries(self) -> Canaries:
        own = (self.openid, self.name, self.number, self.phone, self.mother, self.mothers_number)
        return Canaries((*own, f"女儿{self.name}"))


def human(chance: random.Random) -> Human:
    def name() -> str:
        return chance.choice(_FAMILY_NAMES) + "".join(chance.sample(_GIVEN, 2)) + chance.choice(_GIVEN)

    return Human(
        openid=f"o-{chance.getrandbits(96):024x}",
        name=name(),
        number=number_of_birth(chance.randrange(1950, 2000), chance.randrange(10_000)),
        phone=f"139{chance.randrange(10**8):08}",
        mother=name(),
        mothers_number=number_of_birth(chance.randrange(1920, 1950), chance.randrange(10_000)),
    )


@dataclass
class Life:
    """A human on the phone, and the hospital that knows them."""

    who: Human
    talk: Talk
    register: Register

    async def proves(self) -> None:
        await self.talk.walk("绑定", "本人", "同意", self.who.name, self.who.number, "没错", "验证码")
        sent = self.register.messages.get(self.who.phone)
        await self.talk.says(sent[-1] if sent else "123456")

    async def asks_for_mother(self) -> None:
        who = self.who
        await self.talk.walk(
            "绑定", "妈妈", "同意", who.mother, who.mothers_number, f"女儿{who.name}", "没错"
        )
        await self.talk.says("微信同意")

    async def books_for_mother(self) -> None:
        who = self.who
        opening = f"给我妈挂heart，电话{who.phone}"
        await self.talk.walk(opening, "同意", who.mother, who.mothers_number, f"女儿{who.name}", "没错")
        await self.talk.says("微信同意")

    async def is_answered_late(self) -> None:
        ground, key = self.talk.ground, f"late:{next(_numbers)}"
        async with ground.db.transaction() as tx:
            words = ground.seal.seal(f"没听懂“{self.who.name}”".encode(), key)
            await outbox.queue_reply(tx, key, self.talk.conversation, words, 60)

    async def books(self) -> None:
        await self.talk.walk("挂heart", "1", "1", "1", "1")

    async def writes_to_the_desk(self) -> None:
        await self.talk.walk(
            "人工", f"我叫{self.who.name}，电话{self.who.phone}，身份证{self.who.number}，请回电"
        )

    async def is_not_understood(self) -> None:
        await self.talk.says(f"{self.who.name} {self.who.phone}")

    async def speaks(self) -> None:
        await self.talk.speaks(f"我是{self.who.name}我的号码{self.who.phone}")

    async def answers_beside_the_point(self) -> None:
        await self.talk.walk("挂号", f"{self.who.number}")

    async def writes_a_wrong_number(self) -> None:
        await self.talk.walk("绑定", "本人", "同意", self.who.name, f"{self.who.number}9")

    async def wants_something_put_right(self) -> None:
        await self.talk.walk("更正", "其他", f"应该是{self.who.name}，{self.who.phone}")

    async def looks(self) -> None:
        await self.talk.walk("我的数据", "导出", "谁看过我", "我的家人")

    async def sends_where_they_are(self) -> None:
        await self.talk.sends_place()


ACTS: tuple[Callable[[Life], Awaitable[None]], ...] = (
    Life.proves, Life.asks_for_mother, Life.books_for_mother, Life.books, Life.writes_to_the_desk,
    Life.is_answered_late,
    Life.is_not_understood, Life.speaks, Life.answers_beside_the_point, Life.writes_a_wrong_number,
    Life.wants_something_put_right, Life.looks, Life.sends_where_they_are,
)  # fmt: skip


@pytest.fixture
def seal() -> ListeningSeal:
    return ListeningSeal({1: b"\x01" * 32, 2: b"\x02" * 32}, current=2, index_key=b"\x03" * 32)


@pytest.fixture
def logged() -> Iterator[None]:
    """Our log as `run` configures it."""
    log.configure()
    yield
    structlog.reset_defaults()


@pytest.fixture
async def ground(redis: Redis, db: Database, seal: ListeningSeal, clock: ManualClock, ward: Ward) -> Ground:
    await ward.session("heart-1", at("10:00"), units=(9, 9))
    return Ground(redis, db, seal, clock)


def life(ground: Ground, who: Human, *known: Human) -> Life:
    register = Register({each.number: each.phone for each in (who, *known)})
    return Life(who, Talk(ground, bot_of(ground, register), openid=who.openid), register)


async def lives(some: Life, chance: random.Random) -> list[str]:
    """Do some of the acts, in any order, some twice, some broken off."""
    acts = chance.choices(ACTS, k=chance.randrange(4, 9))
    for act in acts:
        await act(some)
        if chance.random() < 0.5:
            await some.talk.says("取消")
    return [act.__name__ for act in acts]


async def is_erased(some: Life, ground: Ground) -> None:
    """删除, and what stands against it over in time."""
    await some.talk.walk("取消", "取消", "删除", "删除")
    ground.clock.move(timedelta(days=31))
    erasing = some.talk.bot.services[Erasing]
    assert isinstance(erasing, Erasing)
    await erasing.run()


async def expiring(redis: Redis) -> set[str]:
    """The keys that are gone within eleven minutes: claims, and the answers of the last minute."""
    found = set()
    async for key in redis.client.scan_iter(count=1_000):
        if 0 < await redis.client.pttl(key) <= 620_000:
            found.add(f"redis {key.decode()}")
    return found


@pytest.mark.parametrize("seed", range(8))
async def test_nothing_is_in_clear_and_after_erasing_nothing_is_left(
    ground: Ground, seal: ListeningSeal, logged: None, capfd: pytest.CaptureFixture[str], seed: int
) -> None:
    chance = random.Random(seed)
    who, neighbour = human(chance), human(chance)
    one, other = life(ground, who), life(ground, neighbour)
    done = await lives(one, chance)
    await other.proves()
    await other.writes_to_the_desk()

    before = await contents(ground.db, ground.redis)
    assert not in_clear(who.canaries, before), done
    assert sealed_in(who.canaries, before, seal), "it is stored, or there is nothing to erase"

    await is_erased(one, ground)
    after = await contents(ground.db, ground.redis)
    assert not in_clear(who.canaries, after), done
    soon = await expiring(ground.redis)
    left = {
        where: what
        for where, what in sealed_in(who.canaries, after, seal).items()
        if where.partition(" [")[0] not in soon
    }
    assert not left, done
    assert sealed_in(neighbour.canaries, after, seal), "who did not ask for it keeps theirs"
    printed = capfd.readouterr()
    assert not who.canaries.within((printed.out + printed.err).encode()), done


async def test_no_file_and_no_backup_of_the_database_has_any_of_it(
    ground: Ground, seal: ListeningSeal, logged: None
) -> None:
    who = human(random.Random(99))
    one = life(ground, who)
    for act in ACTS:
        await act(one)
        await one.talk.says("取消")
    await ground.db.execute("CHECKPOINT")
    folder = Path(str(await ground.db.fetchval("SHOW data_directory")))
    assert not in_files(who.canaries, [folder])
    assert not in_clear(who.canaries, await backup(ground.db))


# --- controls: what is planted is found ---


@pytest.mark.parametrize("as_", ["text", "hex", "base64", "json"])
async def test_control_a_word_in_a_table_is_found_however_it_is_written(ground: Ground, as_: str) -> None:
    who = human(random.Random(1))
    shapes = dict(zip(("text", "hex", "json", "base64"), Canaries((who.number,)).shapes, strict=False))
    if as_ == "json":  # the digits of a number need no escapes
        shapes = {"json": who.name.encode("unicode_escape")}
    await ground.db.execute(
        "INSERT INTO desk_messages (id, conversation, sealed) VALUES ('1', 'city:1', $1)", b"<<" + shapes[as_]
    )
    found = in_clear(who.canaries, await contents(ground.db, ground.redis))
    assert [where.partition("(")[0] for where in found] == ["desk_messages"]


async def test_control_a_word_in_redis_is_found_in_every_kind_of_value(ground: Ground) -> None:
    who = human(random.Random(1))
    client = ground.redis.client
    await client.set("a", f"x{who.phone}")
    await client.hset("b", f"{who.name}", "1")
    await client.rpush("c", who.openid)
    await client.sadd("d", who.number)
    await client.zadd("e", {who.mother: 1})
    await client.set(f"f:{who.openid}", "1")
    found = in_clear(who.canaries, await contents(ground.db, ground.redis))
    assert {where.split()[1][0] for where in found} == set("abcdef")


async def test_control_a_word_in_a_file_is_found(tmp_path: Path) -> None:
    who = human(random.Random(1))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "dump.bin").write_bytes(b"\0" * 9_000 + who.name.encode())
    (tmp_path / "empty").touch()
    assert list(in_files(who.canaries, [tmp_path])) == [str(tmp_path / "deep" / "dump.bin")]


async def test_control_a_part_that_forgets_to_let_go_is_noticed(
    ground: Ground, seal: ListeningSeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = human(random.Random(5))
    one = life(ground, who)
    await one.writes_to_the_desk()

    async def keeps(*_args: object) -> dict[str, int]:
        return {}

    monkeypatch.setattr("core.chat.holding.DeskMessages.erase", keeps)
    await is_erased(one, ground)
    left = sealed_in(who.canaries, await contents(ground.db, ground.redis), seal)
    assert any(where.startswith("desk_messages") for where in left)
