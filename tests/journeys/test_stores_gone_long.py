"""Half a minute without a store, at WeChat's own pace: every message is answered or explained."""

import asyncio
from collections.abc import Iterator

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.support.breakable import gone
from tests.support.program import ROOT
from tests.support.town import Heard, Town, town
from tests.support.waiting import until

pytestmark = pytest.mark.soak
SLOW_CITY = ROOT / "tests" / "support" / "slow_city.py"
OUTAGE_S, RETRY_S, ATTEMPTS = 30.0, 5.0, 3  # wechat-facts 1.4
CITIZENS = 60
NOT_NOW = "系统正在抢修"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One gateway with the durations citizens know."""
    with town(tmp_path_factory.mktemp("long"), SLOW_CITY, RETRY_S) as opened:
        yield opened


async def promised_answer(town: Town, openid: str) -> None:
    """What was not said in WeChat's time is a message of ours."""
    await until(lambda: "请选择医生" in town.inbox(openid)[-1], "the promised answer")


@pytest.mark.parametrize("how", ["killed", "frozen"])
@pytest.mark.parametrize("store", ["redis", "database"])
async def test_half_a_minute_without_a_store(running: Town, store: str, how: str) -> None:
    openids = [f"o-{store}-{how}-{number}" for number in range(CITIZENS)]
    opened = await asyncio.gather(*(running.says(openid, "挂号") for openid in openids))
    assert all("请选择科室" in heard.words for heard in opened)
    lines = running.log.count("\n")
    loop = asyncio.get_running_loop()

    async def answers(number: int, openid: str) -> tuple[float, Heard]:
        await asyncio.sleep(OUTAGE_S * number / CITIZENS)  # they write all through the outage
        began = loop.time()
        return began, await running.says(openid, "1")

    with gone(running.redis if store == "redis" else running.database, how):
        writing = [asyncio.create_task(answers(*each)) for each in enumerate(openids)]
        await asyncio.sleep(OUTAGE_S)
        back = loop.time()
    for openid, (began, heard) in zip(openids, await asyncio.gather(*writing), strict=True):
        if began + ATTEMPTS * RETRY_S < back:
            assert NOT_NOW in heard.words, f"{back - began:.1f} s before the end"
        elif not heard.words:  # let in at the last moment: it comes as a message of ours
            await promised_answer(running, openid)
        else:
            assert NOT_NOW in heard.words or "请选择医生" in heard.words, heard

    late = [
        openid for openid, task in zip(openids, writing, strict=True) if NOT_NOW in task.result()[1].words
    ]
    assert 0 < len(late) < CITIZENS
    for heard in await asyncio.gather(*(running.says(openid, "1") for openid in late)):
        assert "请选择医生" in heard.words
        assert heard.seconds < ATTEMPTS * RETRY_S
    written = running.log.count("\n") - lines
    assert written < 10 * (OUTAGE_S + ATTEMPTS * RETRY_S) + 8 * CITIZENS


async def _phone_page(running: Town, phone: BrowserContext) -> Page:
    page = await phone.new_page()
    await page.goto(f"{running.place.phone_url}/phone")
    await page.locator("#follow").click()
    await expect(page.locator('[data-kind="reply"]')).to_have_count(1)
    return page


async def _says(page: Page, words: str, answer: str) -> None:
    """Type something on the phone and read the answer under it."""
    replies = page.locator('[data-kind="reply"]')
    before = await replies.count()
    await page.locator("#say").fill(words)
    await page.locator("#send").click()
    await expect(replies).to_have_count(before + 1, timeout=1000 * ATTEMPTS * RETRY_S)
    await expect(replies.last).to_contain_text(answer)


@pytest.mark.browser
@pytest.mark.parametrize("store", ["redis", "database"])
async def test_half_a_minute_without_a_store_on_the_phone_page(
    running: Town, phone: BrowserContext, store: str
) -> None:
    page = await _phone_page(running, phone)
    await _says(page, "挂号", "请选择科室")
    loop = asyncio.get_running_loop()
    with gone(running.redis if store == "redis" else running.database, "killed"):
        back = loop.time() + OUTAGE_S
        while loop.time() + ATTEMPTS * RETRY_S < back:
            await _says(page, "1", NOT_NOW)
        await asyncio.sleep(back - loop.time())
    await _says(page, "1", "请选择医生")


@pytest.mark.browser
async def test_a_wiped_redis_on_the_phone_page(running: Town, phone: BrowserContext) -> None:
    """What was begun is lost and what was promised is kept; nobody has to start anything anew."""
    page = await _phone_page(running, phone)
    await _says(page, "挂号", "请选择科室")
    await running.wipe_redis()
    await _says(page, "1", "没有要选的")
    await _says(page, "挂号", "请选择科室")
