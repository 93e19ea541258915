"""谁看过我 and 查看提醒 in chat."""

import pytest

from services.citizens.accesses import Accesses
from tests.support.household import Household
from tests.support.people import MOTHER
from tests.support.talk import Talk


@pytest.fixture
def mother(talk: Talk) -> Talk:
    return talk.another("o-mother")


@pytest.fixture
async def home(talk: Talk) -> Household:
    ground = talk.ground
    home = Household(ground.db, ground.seal, ground.clock)
    await home.proven("mother", "王秀英", MOTHER)
    await home.bound("daughter", "mother", "王秀英", MOTHER, asker="女儿小芳", scopes=("book", "report"))
    return home


async def reads(talk: Talk, home: Household, times: int = 1) -> None:
    accesses = talk.bot.services[Accesses]
    assert isinstance(accesses, Accesses)
    for _ in range(times):
        async with home.db.transaction() as tx:
            await accesses.note(tx, home.citizens["daughter"], home.persons["mother"], "report", "hospital")


async def test_nobody_looked(mother: Talk, home: Household) -> None:
    assert "还没有家人看过" in await mother.says("谁看过我")


async def test_who_looked_is_told_with_day_and_time(mother: Talk, home: Household) -> None:
    mother.later(minutes=31)
    await reads(mother, home)
    assert "今天 09:31 女儿小芳 看了检查报告" in await mother.says("谁看过我")
    mother.later(days=1)
    assert "11月23日 09:31 女儿小芳 看了检查报告" in await mother.says("谁看过我")


async def test_earlier_ones_are_a_word_away(mother: Talk, home: Household) -> None:
    await reads(mother, home, 6)
    first = await mother.says("谁看过我")
    assert first.count("女儿小芳") == 4
    assert len(first.splitlines()) <= 6
    assert (await mother.says("更早的")).count("女儿小芳") == 2


async def test_told_each_time_or_daily_and_never_not(mother: Talk, home: Household) -> None:
    assert "现在是每天汇总一次" in await mother.says("查看提醒")
    assert "每次有人看" in await mother.says("每次")
    assert "现在是每次都告诉" in await mother.says("查看提醒")
    assert "每天汇总一次告诉您" in await mother.says("1")


async def test_never_to_be_told_is_not_offered(mother: Talk, home: Household) -> None:
    assert "不能关掉" in await mother.says("关掉查看提醒")
    assert "现在是每天汇总一次" in await mother.says("查看提醒")
