"""Who asks for somebody else's number is told that there is none here, and is never booked in silence."""

import pytest

from core.stores.database import Database
from tests.services.ward import Ward, at
from tests.support.talk import Talk


@pytest.mark.parametrize(
    "said", ["给我老伴挂heart", "给孩子挂号", "帮我妈挂个号", "我想给我爱人约heart", "我妈看heart"]
)
async def test_a_husbands_number_was_booked_for_the_wife_who_asked(talk: Talk, ward: Ward, said: str) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    asked = await talk.says(said)
    assert "只能约您本人的号" in asked
    assert "请选择" not in asked
    assert "请回复“人工”" in asked
    await talk.says("2")
    assert "现在没有预约" in await talk.says("我的预约")


@pytest.mark.parametrize("answered", [(), ("1",), ("1", "1"), ("1", "1", "1")])
async def test_at_any_question_it_is_asked_and_nothing_answered_is_lost(
    talk: Talk, ward: Ward, answered: tuple[str, ...]
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    shown = await talk.walk("挂heart", *answered)
    for said in ("给我老伴挂的", "是我老婆看病"):
        asked = await talk.says(said)
        assert "要给您自己约吗" in asked
    assert await talk.says("给我自己约") == shown


async def test_a_yes_for_oneself_holds_until_somebody_else_is_named_again(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    assert "要约这个号吗" in await talk.walk("给我妈挂heart", "1", "1", "1", "1")
    assert "还不能给妈妈约" in await talk.says("给我妈的")
    assert "预约成功" in await talk.walk("1", "1")


async def test_a_doctor_whose_name_begins_like_a_granddaughter_is_a_doctor(
    talk: Talk, ward: Ward, db: Database
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    assert "还不能给孙女约" in await talk.says("孙女贞医生heart"), "control: nobody is called so yet"
    await talk.says("取消")
    await db.execute("UPDATE doctors SET surname = '孙', given_name = '女贞' WHERE id = 'heart-1'")
    assert "孙女贞医生，请选择日期" in await talk.says("孙女贞医生heart")
    assert "还不能给孙女约" in await talk.says("我孙女要看")


async def test_a_hospital_called_after_a_grandmother_is_a_hospital(
    talk: Talk, ward: Ward, db: Database
) -> None:
    await db.execute("UPDATE hospitals SET name = '奶奶庙医院'")
    await ward.session("heart-1", at("10:00"), units=(4,))
    assert "请选择医生" in await talk.says("奶奶庙医院heart")
