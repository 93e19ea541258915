"""Who has several to answer, or to let go of, is asked which one is meant."""

import pytest

from tests.handlers.mailing import arrives
from tests.handlers.test_families import proves_self
from tests.support.people import MOTHER
from tests.support.register import Register
from tests.support.talk import Talk


@pytest.fixture
async def mother(talk: Talk, register: Register) -> Talk:
    """The mother, who is known, and whom a son and a daughter want to book for."""
    mother = talk.another("o-mother")
    await proves_self(mother, register, "王秀英", MOTHER)
    for child, asker in ((talk, "女儿小芳"), (talk.another("o-son"), "儿子小军")):
        await child.walk("绑定", "妈妈", "同意", "王秀英", MOTHER, asker, "没错", "微信同意")
    await arrives(mother)
    return mother


async def test_which_of_two_requests_she_agrees_to(mother: Talk) -> None:
    asked = await mother.says("同意")
    assert "同意谁的申请" in asked
    assert "1、女儿小芳" in asked
    assert "2、儿子小军" in asked
    assert "儿子小军" in await mother.says("2")
    assert "已经同意" in await mother.says("1")
    holders = await mother.says("我的家人")
    assert "可以替您办事的：儿子小军" in holders


async def test_which_of_two_requests_she_refuses(mother: Talk) -> None:
    asked = await mother.says("拒绝")
    assert "拒绝谁的申请" in asked
    assert "女儿小芳" in await mother.says("小芳")
    await mother.says("1")
    left = await mother.says("同意")
    assert "儿子小军" in left
    assert "女儿小芳" not in left


async def test_which_of_two_she_lets_go_of(mother: Talk) -> None:
    for _ in range(2):
        await mother.walk("同意", "1", "1")
    asked = await mother.says("解绑")
    assert "要和谁解绑" in asked
    assert "女儿小芳（可以替您办事）" in asked
    await mother.walk("小芳", "1")
    assert "可以替您办事的：儿子小军" in await mother.says("我的家人")
