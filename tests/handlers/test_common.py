"""The human desk, and what a lost citizen is told."""

from datetime import datetime

import pytest

from core.chat.events import Kind
from core.clock import CITY_ZONE, ManualClock
from core.stores.database import Database
from tests.services.ward import Ward, at
from tests.support.talk import Talk


async def test_a_message_written_across_closing_time_was_asked_for_again(
    talk: Talk, clock: ManualClock, db: Database
) -> None:
    clock.set(datetime(2026, 11, 23, 17, 28, tzinfo=CITY_ZONE))
    assert "工作人员在" in await talk.says("人工")
    clock.set(datetime(2026, 11, 23, 17, 31, tzinfo=CITY_ZONE))
    assert "已经记下" in await talk.says("我妈的药开错了")
    assert await db.fetchval("SELECT count(*) FROM desk_messages") == 1


async def test_the_desk_itself_offers_no_desk_and_says_how_to_leave_it(talk: Talk) -> None:
    asked = await talk.says("人工")
    assert asked.splitlines()[-1] == "—— 请直接写字或说话。不想说了，请说“取消”"
    assert "人工" not in asked.replace("工作人员", "")
    assert "已经停下" in await talk.says("取消")


async def test_the_number_of_a_message_could_not_be_read_out(talk: Talk) -> None:
    assert "（编号 10001）" in await talk.walk("人工", "我妈的药开错了")
    assert "（编号 10002）" in await talk.walk("人工", "还有一件事")


async def known(db: Database) -> tuple[int, int]:
    """How many accounts and persons are kept."""
    row = await db.fetchrow(
        "SELECT (SELECT count(*) FROM accounts) AS accounts, (SELECT count(*) FROM persons) AS persons"
    )
    assert row is not None
    return row["accounts"], row["persons"]


@pytest.mark.parametrize(
    "said",
    ["帮助", "科室", "医院地址", "挂号费多少钱", "谢谢", "再见", "1", "今天天气怎么样", "胸口疼得厉害"],
)
async def test_who_only_asks_is_not_kept(talk: Talk, db: Database, said: str) -> None:
    """docs/adr/0008."""
    assert await talk.says(said)
    assert await known(db) == (0, 0)


@pytest.mark.parametrize("kind", [Kind.SUBSCRIBE, Kind.SCAN])
async def test_who_follows_is_kept_so_that_the_city_can_write(talk: Talk, db: Database, kind: Kind) -> None:
    assert await talk.sends(kind)
    assert await known(db) == (1, 1)


@pytest.mark.parametrize("said", ["挂号", "我的预约", "取消预约", "改约", "人工"])
async def test_who_begins_something_is_kept_once(talk: Talk, db: Database, said: str) -> None:
    await talk.says("帮助")
    await talk.says(said)
    await talk.says(said)
    assert await known(db) == (1, 1)


async def test_a_digit_and_a_nod_lay_on_the_staffs_table(talk: Talk, db: Database) -> None:
    await talk.walk("人工", "0", "1", "好的", "嗯", "谢谢", "谢谢啊", "[玫瑰]", "等一下", "不用了")
    assert await db.fetchval("SELECT count(*) FROM desk_messages") == 0
    await talk.walk("人工", "我妈的药开错了", "谢谢", "1")
    assert await db.fetchval("SELECT count(*) FROM desk_messages") == 1


async def test_who_is_lost_in_a_list_never_heard_of_cancelling(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"))
    assert "取消" in await talk.says("帮助")
    await talk.walk("挂号", "我孙女说的那个")
    assert "不想办了，请说“取消”" in await talk.says("就是她说的那个")
    assert "已经停下" in await talk.says("取消")
