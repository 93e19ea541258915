"""登记住址 by chat: from the name of a compound down to the door; staff of the place decides."""

import pytest

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from services.community.errors import NoSuchPlace
from tests.handlers.mailing import arrives
from tests.services.community.estate import LI, Estate
from tests.support.talk import Talk, words_of


@pytest.fixture
async def estate(db: Database, seal: Seal, clock: ManualClock) -> Estate:
    estate = Estate(db, seal, clock)
    await estate.build()
    return estate


async def asks(talk: Talk, door: str = "502") -> str:
    return await talk.walk("登记住址", "同意", "春风小区", "2栋", door, "业主", "王秀英")


async def test_from_the_compound_down_to_the_door_and_then_staff_decides(talk: Talk, estate: Estate) -> None:
    assert "社区工作人员要看您的住址和姓名" in await talk.says("登记住址")
    assert "您住在哪个小区" in await talk.says("同意")
    shown = await talk.says("春风小区")
    assert shown.index("1栋") < shown.index("2栋") < shown.index("10栋")
    assert "2单元" in await talk.says("1号楼")
    assert "门牌号" in await talk.says("二单元")
    assert "租户" in await talk.says("502室")
    assert "姓名" in await talk.says("我租的")
    asked = await talk.says("王秀英")
    assert "春风社区 春风小区 1栋 2单元 502\n租户 王秀英" in asked
    assert "最晚" in await talk.says("没错")
    assert "502（租户，等社区核对）" in await talk.says("我的住址")
    (waits,) = await estate.homes.waiting(LI.scopes)
    await estate.approves(waits.id)
    assert "社区已经核对，春风社区 春风小区 1栋 2单元登记好了" in (await arrives(talk))[0]
    assert "502（租户）" in await talk.says("我的住址")


async def test_several_places_of_a_name_are_shown_and_none_is_asked_again(talk: Talk, estate: Estate) -> None:
    await talk.walk("登记住址", "同意")
    assert "没有找到叫“月亮湾”的小区" in await talk.says("月亮湾")
    several = await talk.says("春风")
    assert "春风小区" in several
    assert "春风里" in several
    assert "门牌号是多少" in await talk.says("春风里"), "its only house is chosen"
    assert "门牌号请这样写" in await talk.says("1栋")


async def test_what_is_no_door_is_asked_again(talk: Talk, estate: Estate) -> None:
    await talk.walk("登记住址", "同意", "春风小区", "2栋")
    assert "门牌号请这样写" in await talk.says("五楼左边")
    assert "业主" in await talk.says("502")


async def test_who_does_not_agree_registers_nothing(talk: Talk, estate: Estate) -> None:
    await talk.says("登记住址")
    assert "登记住址" in await talk.says("不同意")
    assert await estate.db.fetchval("SELECT count(*) FROM community_homes") == 0
    assert "您还没有登记住址" in await talk.says("我的住址")


async def test_who_wrote_something_wrong_submits_nothing(talk: Talk, estate: Estate) -> None:
    await asks(talk)
    assert "没有提交" in await talk.says("写错了")
    assert await estate.db.fetchval("SELECT count(*) FROM community_homes") == 0


async def test_the_same_door_again_is_told(talk: Talk, estate: Estate) -> None:
    await asks(talk)
    await talk.says("没错")
    await talk.walk("登记住址", "春风小区", "2栋", "502", "业主", "王秀英")
    assert "您已经申请过" in await talk.says("没错")
    (waits,) = await estate.homes.waiting(LI.scopes)
    await estate.approves(waits.id)
    await talk.walk("登记住址", "春风小区", "2栋", "502", "业主", "王秀英")
    assert "您已经登记过了" in await talk.says("没错")


async def test_a_refusal_tells_why(talk: Talk, estate: Estate) -> None:
    await asks(talk)
    await talk.says("没错")
    (waits,) = await estate.homes.waiting(LI.scopes)
    await estate.refuses(waits.id, "名册里 502 是别人")
    assert "没有通过春风社区 春风小区 2栋的登记：名册里 502 是别人。" in (await arrives(talk))[0]


async def test_nobody_decided_and_the_citizen_hears_of_it(talk: Talk, estate: Estate) -> None:
    await asks(talk)
    await talk.says("没错")
    talk.later(days=7)
    await estate.homes.expire()
    row = await estate.db.fetchval("SELECT count(*) FROM outbox WHERE kind = 'home_answered'")
    assert row == 1


async def test_a_home_is_left_and_a_request_taken_back(talk: Talk, estate: Estate) -> None:
    assert "您没有登记过住址" in await talk.says("退出住址")
    await asks(talk)
    await talk.says("没错")
    assert "还在等社区核对。要收回申请吗" in await talk.says("退出住址")
    assert "已经退出" in await talk.says("是")
    await asks(talk, "503")
    await talk.says("没错")
    (waits,) = await estate.homes.waiting(LI.scopes)
    await estate.approves(waits.id)
    assert "通知不再发给您" in await talk.says("退出住址")
    await talk.says("还住")
    assert "503（业主）" in await talk.says("我的住址")
    await talk.walk("退出住址", "搬走了")
    assert "您还没有登记住址" in await talk.says("我的住址")


async def test_who_has_two_says_which(talk: Talk, estate: Estate) -> None:
    for door in ("502", "503"):
        await talk.walk("登记住址", *(["同意"] if door == "502" else []))
        await talk.walk("春风小区", "2栋", door, "业主", "王秀英", "没错")
    which = await talk.says("退出住址")
    assert which.count("2栋") == 2
    await talk.walk("503", "是")
    assert "502" in await talk.says("我的住址")


async def test_a_sixth_home_is_one_too_many(talk: Talk, estate: Estate) -> None:
    await talk.walk("登记住址", "同意")
    for door in range(1, 7):
        await talk.walk(*(["登记住址"] if door > 1 else []), "春风小区", "2栋", f"{door}01", "业主", "王秀英")
        told = await talk.says("没错")
    assert "一个人最多登记 5 个住址" in told


async def test_a_house_that_got_units_meanwhile_is_asked_for_anew(talk: Talk, estate: Estate) -> None:
    await asks(talk)
    house = await estate.place("春风小区", "2栋")
    await estate.db.execute(
        """
        INSERT INTO community_places (id, parent, kind, name, households, added_at)
        VALUES ('420106001003-aaaaaaaa', $1, 'unit', '1单元', 30, now()),
               ('420106001003-bbbbbbbb', $1, 'unit', '2单元', 30, now())
        """,
        house,
    )
    assert "请选择单元" in await talk.says("没错")
    assert "没有找到这个地方" in words_of().refusal(NoSuchPlace()), "if it happens in the same moment"
