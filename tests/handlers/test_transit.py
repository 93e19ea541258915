"""A citizen talks about ride codes: opening and using them, what rides cost, what is still to be paid."""

import io
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from core.clock import ManualClock
from core.delivery.letters import letters
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from gate.code import Kind, read, unarmour
from gate.picture import text_in
from services.transit.telling import Moved
from tests.handlers.conftest import bot_of
from tests.support.riders import Riders
from tests.support.talk import Ground, Talk


@pytest.fixture
def riders(redis: Redis, db: Database, seal: Seal, clock: ManualClock) -> Riders:
    return Riders(Ground(redis, db, seal, clock))


@pytest.fixture
async def talk(riders: Riders) -> AsyncIterator[Talk]:
    """A citizen at the city's account."""
    talk = Talk(riders.ground, bot_of(riders.ground, riders=riders))
    yield talk
    await talk.dispatcher.drain()


async def citizen_of(talk: Talk) -> str:
    return str(
        await talk.ground.db.fetchval(
            "SELECT citizen FROM accounts WHERE conversation = $1", talk.conversation
        )
    )


async def opened(talk: Talk, riders: Riders) -> str:
    """Open a ride code by chat and sign; the citizen."""
    await talk.walk("开通乘车码", "同意")
    citizen = await citizen_of(talk)
    await riders.signs(citizen)
    return citizen


async def told(talk: Talk, kind: str) -> list[str]:
    """States of what is on its way to somebody, of one kind."""
    rows = await talk.ground.db.fetch("SELECT state FROM outbox WHERE kind = $1 ORDER BY id", kind)
    return [row["state"] for row in rows]


async def test_from_opening_to_the_code(talk: Talk, riders: Riders) -> None:
    assert "还没有开通乘车码" in await talk.says("乘车码")
    asked = await talk.says("开通乘车码")
    assert "您同意吗" in asked
    assert "不用押金" in asked
    led = await talk.says("同意")
    assert 'https://city.example/transit/open?account=city">去开通' in led
    await riders.signs(await citizen_of(talk))
    shown = await talk.says("坐地铁")
    assert 'https://city.example/transit?account=city">打开乘车码' in shown
    assert "已经开通了" in await talk.says("开通")


async def test_who_has_none_owes_nothing_and_is_not_told_to_use_it(talk: Talk) -> None:
    assert "照常可以用" not in await talk.says("欠费")


async def test_who_does_not_agree_gets_none_and_everything_else(talk: Talk) -> None:
    assert "没有您的同意" in await talk.walk("开通乘车码", "不同意")
    assert "从中南路到光谷广场" in await talk.says("中南路到光谷多少钱")


async def test_whoever_takes_the_consent_back_gets_no_more_codes(talk: Talk, riders: Riders) -> None:
    citizen = await opened(talk, riders)
    assert "马上发来" in await talk.says("图片码")
    assert "开通乘车码" in await talk.says("停止")
    await talk.walk("开通乘车码", "1")
    assert "没有您的同意" in await talk.says("图片码")
    assert (await riders.transit.account(citizen)).state == "active", "what was ridden is still charged"


async def test_a_picture_is_a_code_for_once_and_a_message_of_its_own(talk: Talk, riders: Riders) -> None:
    await opened(talk, riders)
    answer = await talk.says("图片码")
    assert "09:02:00 前有效，只能用一次" in answer
    assert "今天还能要 4 张" in answer
    (png,) = riders.uploads.files
    assert Image.open(io.BytesIO(png)).width >= 600
    assert read(unarmour(text_in(png))).kind is Kind.SERVER
    (row,) = await talk.ground.db.fetch("SELECT * FROM outbox WHERE kind = 'ride_picture'")
    assert row["state"] == "queued"
    assert (row["valid_until"] - talk.ground.clock.now()).total_seconds() <= 100, "late, it is no use"


async def test_five_pictures_a_day_and_none_while_wechat_takes_none(talk: Talk, riders: Riders) -> None:
    await opened(talk, riders)
    riders.uploads.away = True
    assert "现在发不出图片" in await talk.says("图片码")
    assert await told(talk, "ride_picture") == []
    riders.uploads.away = False
    for _ in range(4):
        assert "马上发来" in await talk.says("图片码")
    assert "今天" in await talk.says("图片码"), "a code that was made and not sent counts: it may be known"
    assert len(await told(talk, "ride_picture")) == 4


async def test_rides_and_what_they_cost(talk: Talk, riders: Riders) -> None:
    assert "还没有行程" in await talk.says("行程")
    citizen = await opened(talk, riders)
    await riders.rides(citizen, "zhongnan", "guanggu")
    assert "中南路到光谷广场，4 元，待扣款" in await talk.says("行程")
    talk.later(minutes=15)
    await riders.debits()
    assert "4 元，已付" in await talk.says("我的行程")
    assert await told(talk, "trip_fare") == ["queued"]
    await riders.rides(citizen, "hanyang")
    assert "汉阳门进站，还没出站" in await talk.says("行程")


async def test_a_list_of_rides_goes_on_where_it_stopped(talk: Talk, riders: Riders) -> None:
    citizen = await opened(talk, riders)
    for start, end in (("hanyang", "guanggu"), ("guanggu", "hanyang")) * 3:
        await riders.rides(citizen, start, end)
    first = await talk.says("行程")
    assert first.count("光谷广场") == 4
    assert "更早的行程" in first
    assert (await talk.says("更早的行程")).count("光谷广场") == 2
    assert "没有更早的行程了" not in await talk.says("更早的行程"), "at the end it begins anew"


async def test_who_is_behind_pays_and_rides_again(talk: Talk, riders: Riders) -> None:
    citizen = await opened(talk, riders)
    assert "乘车码照常可以用" in await talk.says("欠费")
    await riders.rides(citizen, "zhongnan", "guanggu")
    talk.later(minutes=15)
    await riders.debits("poor")
    assert await told(talk, "transit_arrears") == ["queued"]
    assert "1 笔车费没有付，一共 4 元" in await talk.says("乘车码")
    assert "1 笔车费没有付" in await talk.says("图片码"), "no new code"
    assert "1 笔车费没有付" in await talk.says("关闭乘车码")
    asked = await talk.says("欠费")
    assert "中南路到光谷广场 4 元" in asked
    assert "以后再付" in asked
    riders.bank.mind.debit = "done"
    assert "正在从您的微信支付扣款" in await talk.says("现在付")
    talk.later(minutes=1)
    await riders.payments.ask_open()
    assert "没有欠费" in await talk.says("欠费")
    assert "打开乘车码" in await talk.says("乘车码")
    guards = await talk.ground.db.fetch(
        "SELECT kind, guards_hold(guard_keys, guard_ns) FROM outbox WHERE kind LIKE 'tr%' ORDER BY id"
    )
    assert [tuple(row) for row in guards] == [("transit_arrears", False), ("trip_fare", True)]


async def test_who_fell_behind_underground_is_let_out(talk: Talk, riders: Riders) -> None:
    citizen = await opened(talk, riders)
    await riders.rides(citizen, "zhongnan", "guanggu")
    await riders.rides(citizen, "zhongnan")
    await riders.debits("poor")
    said = await talk.says("乘车码")
    assert "您还没有出站" in said
    assert "这个码只能出站用" in said
    assert "还有 1 笔车费没有付，一共 4 元" in said
    assert "这张码只能出站用" in await talk.says("图片码")


async def test_a_debt_that_can_wait_waits(talk: Talk, riders: Riders) -> None:
    citizen = await opened(talk, riders)
    await riders.rides(citizen, "zhongnan", "guanggu")
    talk.later(minutes=15)
    await riders.debits("poor")
    before = list(riders.bank.asked)
    assert "付清之前不能用乘车码" in await talk.walk("欠费", "以后再付")
    assert riders.bank.asked == before


async def test_who_was_not_seen_leaving_hears_it_the_next_morning(talk: Talk, riders: Riders) -> None:
    citizen = await opened(talk, riders)
    await riders.rides(citizen, "hanyang")
    talk.later(hours=18)  # three in the morning, and a little
    await riders.transit.close_days()
    await riders.transit.settle_all()
    (row,) = await talk.ground.db.fetch("SELECT * FROM outbox WHERE kind = 'trip_missing_exit'")
    assert row["not_before"].astimezone(talk.ground.clock.now().tzinfo).strftime("%d %H:%M") == "24 08:00"
    assert "没有出站记录，未扣费" in await talk.says("行程")


async def test_a_debit_that_was_taken_twice_goes_back_and_she_hears_of_it(talk: Talk, riders: Riders) -> None:
    citizen = await opened(talk, riders)
    await riders.rides(citizen, "zhongnan", "guanggu")
    talk.later(minutes=15)
    await riders.debits()
    (ride,) = await riders.transit.rides(citizen)
    payment = await talk.ground.db.fetchval("SELECT payment FROM transit_charges")
    async with talk.ground.db.transaction() as tx:
        await riders.notices.refunded(tx, Moved(citizen, ride, payment, 400), twice=True)
        talk.later(minutes=1)
        await riders.notices.refunded(tx, Moved(citizen, ride, payment, 100), twice=False)
    rows = await talk.ground.db.fetch("SELECT * FROM outbox WHERE kind = 'transit_refunded' ORDER BY id")
    said = [letters.unpack(row["sealed"], talk.ground.seal, row["key"]).text for row in rows]
    assert "多扣了您 4 元" in said[0]
    assert "退给您 1 元" in said[1]


async def test_closing_asks_first(talk: Talk, riders: Riders) -> None:
    assert "还没有开通乘车码" in await talk.says("关闭乘车码")
    await opened(talk, riders)
    assert "要关闭乘车码吗" in await talk.says("关闭乘车码")
    assert "乘车码照常可以用" in await talk.says("先不关")
    await talk.says("注销乘车码")
    assert "乘车码关好了" in await talk.says("关闭")
    assert "还没有开通" in await talk.says("乘车码")
    assert "还没有开通" in await talk.says("关闭乘车码")


async def test_who_wants_to_be_erased_was_told_of_visits_for_the_ride_code(
    talk: Talk, riders: Riders
) -> None:
    await opened(talk, riders)
    said = await talk.says("删除")
    assert "您还有乘车码没关（请说“关闭乘车码”），办完才删" in said
    assert "预约没看" not in said


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        ("中南路到光谷多少钱", "从中南路到光谷广场：4 元"),
        ("从中南路坐到光谷要多少钱", "从中南路到光谷广场：4 元"),
        ("请问从地铁中南路站到光谷站多少钱", "从中南路到光谷广场：4 元"),
        ("中南录到光谷广场票价", "从中南路到光谷广场：4 元"),
        ("中南路到中南路多少钱", "20 分钟内"),
        ("中南路到火星多少钱", "没有找到“火星”这一站"),
        ("中南路到广场多少钱", "“广场”可能是：洪山广场、光谷广场"),
        ("公交多少钱", "15路 2 元，521路"),
        ("15路多少钱", "15路 2 元\n"),
        ("坐环湖1路要多少钱", "环湖1路 3 元"),
        ("9路多少钱", "15路 2 元，521路"),
    ],
)
async def test_what_a_ride_costs(talk: Talk, said: str, answered: str) -> None:
    assert answered in await talk.says(said)


async def test_a_fare_step_by_step(talk: Talk) -> None:
    assert "从哪一站上车" in await talk.says("票价")
    assert "没有找到“那个”这一站" in await talk.says("那个")
    assert "从中南路上车，到哪一站下" in await talk.says("中南")
    assert "从中南路到光谷广场：4 元" in await talk.says("光谷")


async def test_where_no_line_runs_it_is_said(talk: Talk) -> None:
    none = Riders(talk.ground, lines=False)
    other = Talk(talk.ground, bot_of(talk.ground, riders=none))
    for said in ("乘车码", "开通乘车码", "图片码", "票价", "公交多少钱", "行程", "欠费", "关闭乘车码"):
        assert "这里还没有开通乘车码" in await other.says(said), said
