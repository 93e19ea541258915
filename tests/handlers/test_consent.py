"""同意 in chat: asked before anything personal is, in full if wanted, once; a no blocks only that."""

import pytest

from core.effects import Effect
from core.stores.database import Database
from services.citizens.consent_texts import FAMILY
from services.citizens.consents import Consents
from services.citizens.consents_store import history
from tests.services.ward import Ward, at
from tests.support.people import CHILD, MOTHER
from tests.support.talk import Talk


async def steps(db: Database) -> list[str]:
    citizens = await db.fetch("SELECT DISTINCT citizen FROM consents ORDER BY 1")
    return [
        f"{row['purpose']} {row['what']}" for each in citizens for row in await history(db, each["citizen"])
    ]


async def test_it_is_asked_before_the_name_is(talk: Talk, db: Database) -> None:
    asked = await talk.walk("绑定", "妈妈")
    assert "您同意吗" in asked
    assert "1、同意\n2、不同意\n3、看全文" in asked
    assert len(asked.splitlines()) <= 6
    assert await steps(db) == ["family asked"]
    assert "请发要绑定的人的姓名" in await talk.says("1")
    assert await steps(db) == ["family asked", "family granted"]


async def test_the_message_of_the_yes_is_kept(talk: Talk, db: Database) -> None:
    await talk.walk("绑定", "妈妈", "同意")
    kept = await db.fetchval("SELECT message FROM consents")
    assert kept == talk.last_event.id


async def test_the_whole_text_is_shown_and_the_question_stays(talk: Talk, db: Database) -> None:
    await talk.walk("绑定", "妈妈")
    whole = await talk.says("全文")
    assert "我们收集：家人的姓名和身份证号码" in whole
    assert "1、同意" in whole
    assert len(whole.encode()) <= 2_047
    assert "family granted" not in await steps(db)
    assert "请发要绑定的人的姓名" in await talk.says("同意")


async def test_a_no_ends_what_needs_it_and_nothing_else(talk: Talk, ward: Ward, db: Database) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await talk.walk("绑定", "本人")
    assert "“确认您的身份”不能办" in await talk.says("不同意")
    assert await steps(db) == ["identity asked", "identity refused"]
    assert "预约成功" in await talk.walk("挂heart", "1", "1", "1", "1")


async def test_a_no_on_top_of_a_booking_leaves_the_booking(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    assert "您同意吗" in await talk.says("给我妈挂heart")
    refused = await talk.says("2")
    assert "“替家人办事”不能办" in refused
    assert "本人" in refused or "请选择医生" in refused, "the booking goes on"


async def test_who_agreed_is_not_asked_again(talk: Talk) -> None:
    await talk.walk("绑定", "妈妈", "同意", "取消")
    assert "请发要绑定的人的姓名" in await talk.walk("绑定", "爸爸")


async def test_who_thinks_better_of_a_no_is_asked_again(talk: Talk, db: Database) -> None:
    await talk.walk("绑定", "妈妈", "不同意")
    assert "您同意吗" in await talk.walk("绑定", "妈妈")
    assert "请发要绑定的人的姓名" in await talk.says("同意")
    assert await steps(db) == ["family asked", "family refused", "family asked", "family granted"]


async def test_a_child_has_a_guardian_who_agrees(talk: Talk, db: Database) -> None:
    asked = await talk.walk("绑定", "儿子", "同意", "王小明", CHILD)
    assert "不满 14 岁" in asked
    assert "您是谁" in await talk.says("同意")
    assert "minors granted" in await steps(db)


async def test_control_of_an_adult_nobody_is_asked_as_a_guardian(talk: Talk) -> None:
    assert "您是谁" in await talk.walk("绑定", "妈妈", "同意", "王秀英", MOTHER)


async def test_a_yes_that_was_killed_before_it_was_told_counts_once(talk: Talk, db: Database) -> None:
    await talk.walk("绑定", "妈妈")
    before = await talk.session()
    asked = await talk.says("同意")
    await talk.keep(before)  # the process died after the commit, before the session was kept
    again = await talk.says("同意")
    assert again == asked, "the name is asked for"
    assert await steps(db) == ["family asked", "family granted"]


async def test_an_answer_after_a_week_is_asked_again(talk: Talk, db: Database) -> None:
    await talk.walk("绑定", "妈妈")
    talk.later(days=8)
    await talk.says("继续")
    assert "过期" not in await talk.says("重说")
    assert "请发要绑定的人的姓名" in await talk.says("同意")
    assert (await steps(db))[1:3] == ["family lapsed", "family asked"]
    assert (await steps(db))[-1] == "family granted"


@pytest.mark.parametrize("said", ["返回", "8"])
async def test_nothing_is_done_yet_so_one_can_go_back(talk: Talk, said: str) -> None:
    await talk.walk("绑定", "妈妈")
    assert "您的什么人" in await talk.says(said)
    await talk.walk("妈妈", "同意")
    assert "您的什么人" in await talk.says("返回")


async def test_what_was_answered_elsewhere_meanwhile_is_asked_anew(talk: Talk, db: Database) -> None:
    await talk.walk("绑定", "妈妈")
    consents = talk.bot.services[Consents]
    assert isinstance(consents, Consents)
    citizen = await db.fetchval("SELECT citizen FROM consents")
    await consents.refuse(citizen, FAMILY, "", "page", Effect("page", "refuse", b""))
    again = await talk.says("同意")
    assert "刚才的问题已经过期了" in again
    assert "您同意吗" in again
    assert "请发要绑定的人的姓名" in await talk.says("同意")
