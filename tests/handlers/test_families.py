"""绑定 by chat: a name and an ID number alone bind nobody; a code, the person's own yes or a counter do."""

import pytest

from services.hospital.service import Hospital
from tests.handlers.mailing import arrives
from tests.services.ward import Ward, at
from tests.support.people import DAUGHTER, FATHER, MOTHER
from tests.support.register import Register
from tests.support.talk import Talk

MOTHERS_PHONE = "13800001111"


@pytest.fixture
def mother(talk: Talk) -> Talk:
    """The mother's own phone."""
    return talk.another("o-mother")


async def proves_self(talk: Talk, register: Register, name: str, number: str) -> None:
    """Somebody proves who they are, by the code the hospital sends them."""
    asked = await talk.walk("绑定", "本人", "同意", name, number)
    assert f"{number[:4]}**********{number[-4:]}" in asked, "what is shown back is masked"
    assert "验证码" in await talk.says("没错")
    await talk.says("验证码")
    assert "已经确认是您本人" in await talk.says(register.last(register.phones[number]))


async def asks_for(talk: Talk) -> str:
    return await talk.walk("绑定", "妈妈", "同意", "王秀英", MOTHER, "女儿小芳", "没错")


async def test_a_name_and_an_id_number_alone_bind_nobody(talk: Talk) -> None:
    asked = await asks_for(talk)
    assert "光有姓名和身份证号不能绑定" in asked
    await talk.says("取消")
    family = await talk.says("我的家人")
    assert "您还没有添加家人" in family
    assert "等对方确认：妈妈" in family


async def test_the_code_that_the_hospital_sent_binds(talk: Talk, register: Register) -> None:
    await asks_for(talk)
    assert "6 位数字" in await talk.says("短信")
    assert "不对" in await talk.says("000000")
    assert "可以替您的妈妈王*英办事了：挂号" in await talk.says(register.last(MOTHERS_PHONE))
    assert "妈妈王*英" in await talk.says("我的家人")


async def test_who_is_unknown_there_is_told_the_same(talk: Talk, register: Register) -> None:
    known = await asks_for(talk)
    code = await talk.says("短信")
    stranger = talk.another("o-stranger")
    assert await stranger.walk("绑定", "妈妈", "同意", "王秀英", FATHER, "女儿小芳", "没错") == known
    assert await stranger.says("短信") == code
    wrong = await talk.says("000000")
    assert await stranger.says("000000") == wrong


async def test_the_mother_agrees_on_her_own_phone(talk: Talk, mother: Talk, register: Register) -> None:
    await proves_self(mother, register, "王秀英", MOTHER)
    await asks_for(talk)
    assert "申请已提交" in await talk.says("微信同意")
    (asked,) = await arrives(mother)
    assert "女儿小芳" in asked
    echoed = await mother.says("1")
    assert "女儿小芳" in echoed
    assert "同意" in echoed
    assert "已经同意" in await mother.says("1")
    (told,) = await arrives(talk)
    assert "申请已经通过" in told
    assert "妈妈王*英" in await talk.says("我的家人")
    assert "可以替您办事的：女儿小芳" in await mother.says("我的家人")


async def test_the_mother_refuses(talk: Talk, mother: Talk, register: Register) -> None:
    await proves_self(mother, register, "王秀英", MOTHER)
    await asks_for(talk)
    await talk.says("微信同意")
    await arrives(mother)
    assert "要拒绝“女儿小芳”吗" in await mother.says("拒绝")
    assert "已经拒绝" in await mother.says("1")
    (told,) = await arrives(talk)
    assert "没有同意" in told
    assert "您还没有添加家人" in await talk.says("我的家人")


async def test_nobody_else_can_agree(talk: Talk, mother: Talk, register: Register) -> None:
    stranger = talk.another("o-stranger")
    await proves_self(stranger, register, "李丽", DAUGHTER)
    await asks_for(talk)
    await talk.says("微信同意")
    assert await arrives(stranger) == []
    assert "没有人申请" in await stranger.says("同意")
    assert "没有人申请" in await mother.says("同意"), "nor who has not proven to be her"


async def test_the_mother_takes_it_back(talk: Talk, mother: Talk, register: Register) -> None:
    await proves_self(mother, register, "王秀英", MOTHER)
    await asks_for(talk)
    await talk.says("短信")
    await talk.says(register.last(MOTHERS_PHONE))
    assert "女儿小芳" in await mother.says("解绑")
    assert "已经解绑" in await mother.says("1")
    (told,) = await arrives(talk)
    assert "取消了您替对方办事的权限" in told
    assert "您还没有添加家人" in await talk.says("我的家人")


async def test_the_mother_hears_of_a_binding_by_code_and_ends_it(
    talk: Talk, mother: Talk, register: Register
) -> None:
    await proves_self(mother, register, "王秀英", MOTHER)
    await asks_for(talk)
    await talk.says("短信")
    await talk.says(register.last(MOTHERS_PHONE))
    (told,) = await arrives(mother)
    assert "“女儿小芳”可以替您办事了：挂号、付款、看排队\n（对方报出了医院发的验证码）" in told
    assert "已经解绑" in await mother.walk("解绑", "1")
    assert "您还没有添加家人" in await talk.says("我的家人")


async def test_another_phone_that_became_the_mother_has_a_name_to_be_ended_by(
    mother: Talk, register: Register
) -> None:
    await proves_self(mother, register, "王秀英", MOTHER)
    thief = mother.another("o-thief")
    await proves_self(thief, register, "王秀英", MOTHER)
    (told,) = await arrives(mother)
    assert "另一个微信核实成了您本人" in told
    assert "可以替您办事的：另一个微信" in await mother.says("我的家人")
    assert "解绑后，“另一个微信”不能再替您办事" in await mother.says("解绑")
    assert "已经解绑" in await mother.says("1")
    assert "我们不知道您的姓名" in await thief.says("我的数据")


async def test_a_booking_waits_for_the_mothers_yes_and_goes_on_with_it(
    talk: Talk, mother: Talk, register: Register, ward: Ward, hospital: Hospital
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await proves_self(mother, register, "王秀英", MOTHER)
    assert "请发要绑定的人的姓名" in await talk.walk("给我妈挂heart", "同意")
    await talk.walk("王秀英", MOTHER, "女儿小芳", "没错")
    waiting = await talk.says("微信同意")
    assert "您刚才的挂号先留着" in waiting
    assert (await talk.session()).frames == []
    await arrives(mother)
    await mother.walk("1", "1")
    (told,) = await arrives(talk)
    assert "刚才的“挂号”还留着，要继续吗？\n1 继续挂号\n2 不用了" in told
    went_on = await talk.says("1")
    assert "接着给您的妈妈王*英办" in went_on
    assert "请选择医生" in went_on
    assert "您的妈妈王*英就诊" in await talk.walk("1", "1", "1")
    assert "【预约成功】妈妈王*英" in await talk.says("1")
    assert "妈妈王*英" in await talk.says("我的预约")
    assert "就诊" not in await mother.says("同意")
    assert "heart" in await mother.says("我的预约"), "it is hers"


async def test_a_booking_is_gone_for_who_was_unbound(
    talk: Talk, mother: Talk, register: Register, ward: Ward
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await proves_self(mother, register, "王秀英", MOTHER)
    await talk.walk("给我妈挂heart", "同意", "王秀英", MOTHER, "女儿小芳", "没错", "短信")
    await talk.walk(register.last(MOTHERS_PHONE), "1", "1", "1", "1")
    assert "heart" in await talk.says("我的预约")
    await mother.walk("解绑", "1")
    assert "现在没有预约" in await talk.says("我的预约")
    assert "heart" in await mother.says("我的预约")
    assert "已取消" in await mother.walk("取消预约", "1")


async def test_proven_at_once_the_booking_goes_on_where_it_was(
    talk: Talk, register: Register, ward: Ward
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await talk.walk("给我妈挂heart", "同意", "王秀英", MOTHER, "女儿小芳", "没错", "短信")
    went_on = await talk.says(register.last(MOTHERS_PHONE))
    assert "可以替您的妈妈王*英办事了：挂号" in went_on
    assert "请选择医生" in went_on
    assert "您的妈妈王*英就诊" in await talk.walk("1", "1", "1")


async def test_a_second_code_and_another_way(talk: Talk, register: Register) -> None:
    await asks_for(talk)
    await talk.says("短信")
    assert "又发了一次" in await talk.says("重发")
    assert len(register.messages[MOTHERS_PHONE]) == 2
    assert "您想怎么证明" in await talk.says("换个方式")
    assert "窗口" in await talk.says("窗口")


async def test_what_is_not_wanted_any_more_is_dropped(
    talk: Talk, mother: Talk, register: Register, ward: Ward
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await proves_self(mother, register, "王秀英", MOTHER)
    await talk.walk("给我妈挂heart", "同意", "王秀英", MOTHER, "女儿小芳", "没错", "微信同意")
    await arrives(mother)
    await mother.walk("1", "1")
    await arrives(talk)
    assert "刚才的事不办了" in await talk.says("2")


async def test_what_is_not_meant_after_all_changes_nothing(
    talk: Talk, mother: Talk, register: Register
) -> None:
    for words in ("同意", "拒绝", "解绑"):
        assert "没有" in await mother.says(words)
    await proves_self(mother, register, "王秀英", MOTHER)
    await asks_for(talk)
    await talk.says("微信同意")
    await mother.says("同意")
    assert "没有同意" in await mother.says("2")
    await mother.says("拒绝")
    assert "申请还在" in await mother.says("2")
    await mother.walk("同意", "1")
    await talk.says("解绑")
    assert "没有解绑" in await talk.says("2")
    assert "妈妈王*英" in await talk.says("我的家人")


async def test_what_was_kept_too_long_is_over(
    talk: Talk, mother: Talk, register: Register, ward: Ward
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await proves_self(mother, register, "王秀英", MOTHER)
    await talk.says("给我妈挂heart")
    await talk.walk("同意", "王秀英", MOTHER, "女儿小芳", "没错", "微信同意")
    await arrives(mother)
    await mother.walk("1", "1")
    await arrives(talk)
    await talk.ground.db.execute("DELETE FROM kept_dialogues")
    assert "已经过期了" in await talk.says("1")


async def test_who_one_is_takes_one_line(talk: Talk) -> None:
    await talk.walk("绑定", "妈妈")
    assert "最多写 12 个字" in await talk.walk("同意", "王秀英", MOTHER, "住在云汀路一百号的大女儿小芳芳")


async def test_other_papers_are_refused_in_words(talk: Talk) -> None:
    assert "不一样" in talk.bot.words.render("errors/other_papers")
