"""Redis or PostgreSQL goes away under a running gateway: what the phones show, and that it mends itself.

Everything runs in two fifths of its time: an attempt is held for 2 s, of a store that hangs Redis is given up
after 0.8 s and PostgreSQL after 1.6 s.
"""

import asyncio
import itertools
from collections.abc import Iterator

import pytest

from tests.support.breakable import gone
from tests.support.program import ROOT
from tests.support.town import Heard, Town, town
from tests.support.waiting import until

HASTY_CITY = ROOT / "tests" / "support" / "hasty_city.py"
RETRY_S = 2.2  # a little more patience than WeChat has, for a machine with much else to do
ATTEMPTS = 3
NOT_NOW = "系统正在抢修"
SEND_AGAIN = "刚才那条消息没有处理，请再发一次。"
_numbers = itertools.count()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One gateway for all outages of this module: nobody restarts it."""
    with town(tmp_path_factory.mktemp("gone"), HASTY_CITY, RETRY_S) as opened:
        yield opened


def somebody() -> str:
    return f"o-somebody-{next(_numbers)}"


async def everybody_says(town: Town, text: str, openids: list[str], over_s: float = 0.0) -> list[Heard]:
    """Each of them writes, evenly over some time, so that the messages meet a store at any moment."""

    async def says(place: int, openid: str) -> Heard:
        await asyncio.sleep(over_s * place / len(openids))  # this is no waiting for anything
        return await town.says(openid, text)

    return await asyncio.gather(*itertools.starmap(says, enumerate(openids)))


@pytest.mark.parametrize("how", ["killed", "frozen"])
@pytest.mark.parametrize("store", ["redis", "database"])
async def test_every_message_is_answered_or_explained_and_dialogues_go_on(
    running: Town, store: str, how: str
) -> None:
    in_dialogue, late_comer, *newcomers = (somebody() for _ in range(10))
    assert "请选择科室" in (await running.says(in_dialogue, "挂号")).words
    lines = running.log.count("\n")
    with gone(running.redis if store == "redis" else running.database, how):
        stranded = asyncio.create_task(everybody_says(running, "挂号", newcomers, over_s=0.8))
        explained = await running.says(in_dialogue, "1")
        coming = asyncio.create_task(running.says(late_comer, "挂号"))
        for heard in (explained, *await stranded):
            assert NOT_NOW in heard.words
            assert heard.attempts == ATTEMPTS
        assert not coming.done()
    assert "请选择科室" in (await coming).words, "the store came back before the end of the last attempt"

    assert "请选择医生" in (await running.says(in_dialogue, "1")).words
    for heard in await everybody_says(running, "挂号", newcomers):
        assert "请选择科室" in heard.words
        assert heard.attempts < ATTEMPTS
    written = running.log.count("\n") - lines
    assert written < 40 + 8 * (len(newcomers) + 2), (
        "some lines for each job and second, some for each message"
    )


async def test_after_a_wipe_one_begins_anew_and_what_is_booked_is_booked_once(running: Town) -> None:
    openid, owed = somebody(), somebody()
    running.hold_up()
    late = asyncio.create_task(running.says(owed, "慢"))
    for said in ("挂号", "1", "1", "1", "1"):
        await running.says(openid, said)
    assert "预约成功" in (await running.says(openid, "1")).words
    await running.says(openid, "挂号")
    assert (await late).words == "", "WeChat was told that there is nothing to say for now"

    await running.wipe_redis()
    assert "没有要选的" in (await running.says(openid, "1")).words
    assert "您的预约一共 1 个" in (await running.says(openid, "我的预约")).words
    await until(lambda: running.inbox(owed), "the reply that was owed is explained")
    running.let_go_on()
    assert "请选择科室" in (await running.says(owed, "挂号")).words
    assert running.inbox(owed)[0] == SEND_AGAIN
    assert len(running.inbox(owed)) == 2


async def test_a_late_reply_waits_for_the_database_and_then_for_the_platform(running: Town) -> None:
    openid = somebody()
    running.hold_up()
    assert (await running.says(openid, "慢")).words == ""
    with gone(running.database, "killed"):
        lines = running.log.count("left_to_the_sweeper")
        running.let_go_on()
        await until(lambda: running.log.count("left_to_the_sweeper") > lines, "it cannot be written down")
        running.close_platform()
    await until(lambda: "SurelyNotSent" in running.log, "it was tried in vain")
    running.open_platform()
    await until(lambda: running.inbox(openid) == ["确认"], "it arrives")
