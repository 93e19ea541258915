"""Who asks for somebody else's number binds them first; nobody is booked in another's place in silence."""

import pytest

from core.stores.database import Database
from services.citizens.families import Families
from services.citizens.model import Relative
from tests.handlers.mailing import arrives
from tests.services.ward import Ward, at
from tests.support.people import CHILD, DAUGHTER, MOTHER
from tests.support.register import Register
from tests.support.talk import Talk


async def binds(talk: Talk, register: Register, relation: str, name: str, number: str) -> None:
    """Bind somebody by the code on their phone."""
    asked = await talk.walk("绑定", relation)
    if "您同意吗" in asked:
        await talk.says("同意")
    if "监护人" in await talk.walk(name, number):
        await talk.says("同意")
    await talk.walk("小芳", "没错", "短信")
    assert "可以替您的" in await talk.says(register.last(register.phones[number]))


@pytest.mark.parametrize(
    "said", ["给我老伴挂heart", "给孩子挂号", "帮我妈挂个号", "我想给我爱人约heart", "我妈看heart"]
)
async def test_a_husbands_number_was_booked_for_the_wife_who_asked(talk: Talk, ward: Ward, said: str) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    asked = await talk.says(said)
    assert "请选择" not in asked
    assert "您还没有添加" in asked
    stopped = await talk.says("取消")
    assert "这个号给谁挂" in stopped, "and not for the one who asked, in silence"
    assert "1、本人\n2、添加家人" in stopped


@pytest.mark.parametrize("answered", [(), ("1",), ("1", "1"), ("1", "1", "1")])
async def test_at_any_question_it_is_heard_and_nothing_answered_is_lost(
    talk: Talk, ward: Ward, answered: tuple[str, ...]
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    shown = await talk.walk("挂heart", *answered)
    for said in ("给我老伴挂的", "是我老婆看病"):
        assert "您还没有添加" in await talk.says(said)
        assert "这个号给谁挂" in await talk.says("取消")
        assert await talk.says("我自己") == shown


async def test_whose_turn_it_is_is_asked_where_there_are_others(
    talk: Talk, ward: Ward, register: Register
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    assert "请选择医生" in await talk.says("挂heart"), "control: nobody is asked who has nobody"
    await talk.says("取消")
    await binds(talk, register, "妈妈", "王秀英", MOTHER)
    assert "这个号给谁挂？\n1、本人\n2、妈妈 王*英\n3、添加家人" in await talk.says("挂heart")
    assert "请选择医生" in await talk.says("妈妈")
    assert "您的妈妈王*英就诊" in await talk.walk("1", "1", "1")


async def test_who_is_named_is_not_asked_again(talk: Talk, ward: Ward, register: Register) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await binds(talk, register, "妈妈", "王秀英", MOTHER)
    assert "请选择医生" in await talk.says("给我妈挂heart")
    assert "您的妈妈王*英就诊" in await talk.walk("1", "1", "1")
    assert "您本人就诊" in await talk.says("给我自己挂"), "and may be another one at any point"
    assert "您的妈妈王*英就诊" in await talk.says("还是给我妈挂")


async def test_who_waited_for_an_answer_had_to_write_the_name_and_the_number_again(
    talk: Talk, ward: Ward, register: Register
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await talk.walk("绑定", "妈妈", "同意", "王秀英", MOTHER, "小芳", "没错", "微信同意")
    asked = await talk.says("给我妈挂heart")
    assert "您还没有添加妈妈" in asked
    assert "您申请过，还没有确认。是这位吗？" in asked
    assert "1、妈妈 王*英，等确认到" in asked
    assert "2、是另一个人" in asked
    assert "短信验证码" in await talk.says("是的"), "nothing is written again"
    await talk.says("短信")
    assert "请选择医生" in await talk.says(register.last(register.phones[MOTHER])), "and the booking goes on"


async def test_somebody_else_of_that_relation_is_a_request_of_its_own(
    talk: Talk, ward: Ward, register: Register
) -> None:
    await talk.walk("绑定", "女儿", "同意", "李丽", DAUGHTER, "小芳", "没错", "微信同意")
    assert "是这位吗" in await talk.walk("绑定", "女儿")
    assert "请发要绑定的人的姓名" in await talk.says("是另一个人")
    assert "监护人" in await talk.walk("李小小", CHILD)
    await talk.walk("同意", "小芳", "没错", "取消")
    asked = await talk.walk("绑定", "女儿")
    assert "1、女儿 李*，" in asked
    assert "2、女儿 李*小，" in asked
    assert "怎么证明" in await talk.says("2"), "the one that is meant goes on where she was"


async def test_two_that_fit_are_asked_about(talk: Talk, ward: Ward, register: Register) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await binds(talk, register, "女儿", "李丽", DAUGHTER)
    await binds(talk, register, "女儿", "李小小", CHILD)
    asked = await talk.says("给我女儿挂heart")
    assert "1、女儿 李*\n2、女儿 李*小" in asked
    assert "本人" not in asked
    assert "您的女儿李*小就诊" in await talk.walk("2", "1", "1", "1")


async def test_two_people_may_have_numbers_of_one_half_day(
    talk: Talk, ward: Ward, register: Register
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await binds(talk, register, "妈妈", "王秀英", MOTHER)
    assert "预约成功" in await talk.walk("挂heart", "本人", "1", "1", "1", "1")
    assert "【预约成功】妈妈王*英" in await talk.walk("给我妈挂heart", "1", "1", "1", "1")
    mine = await talk.says("我的预约")
    assert "一共 2 个" in mine
    assert mine.count("妈妈王*英") == 1


async def test_a_reminder_says_for_whom(talk: Talk, ward: Ward, register: Register, db: Database) -> None:
    await ward.session("heart-1", at("16:00"), units=(4,))
    await binds(talk, register, "妈妈", "王秀英", MOTHER)
    await talk.walk("给我妈挂heart", "1", "1", "1", "1")
    guards = await db.fetch("SELECT guard_keys FROM reminders")
    assert guards
    assert all(any(key.startswith("binding:") for key in row["guard_keys"]) for row in guards)
    assert await arrives(talk) == []


async def test_a_doctor_whose_name_begins_like_a_granddaughter_is_a_doctor(
    talk: Talk, ward: Ward, db: Database
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    assert "您还没有添加" in await talk.says("孙女贞医生heart"), "control: nobody is called so yet"
    await talk.walk("取消", "取消")
    await db.execute("UPDATE doctors SET surname = '孙', given_name = '女贞' WHERE id = 'heart-1'")
    assert "孙女贞医生，请选择日期" in await talk.says("孙女贞医生heart")
    assert "您还没有添加" in await talk.says("我孙女要看")


async def test_a_hospital_called_after_a_grandmother_is_a_hospital(
    talk: Talk, ward: Ward, db: Database
) -> None:
    await db.execute("UPDATE hospitals SET name = '奶奶庙医院'")
    await ward.session("heart-1", at("10:00"), units=(4,))
    assert "请选择医生" in await talk.says("奶奶庙医院heart")


async def test_who_is_named_was_looked_up_again_for_each_step_of_one_question(
    talk: Talk, ward: Ward, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await binds(talk, register, "妈妈", "王秀英", MOTHER)
    meant, asked = Families.meant, []

    async def counted(self: Families, citizen: str, word: str, scope: str = "book") -> list[Relative]:
        asked.append(word)
        return await meant(self, citizen, word, scope)

    monkeypatch.setattr(Families, "meant", counted)
    assert "请选择医生" in await talk.says("给我妈挂heart")
    assert len(asked) == 1
