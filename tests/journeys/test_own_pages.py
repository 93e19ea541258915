"""我的 and 导出 on a phone and on a desk: large, small enough, without scripts, in the web view, too."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, expect

from core.clock import SystemClock, city_day
from simulator.residents import Resident, residents
from tests.journeys.test_families_on_phones import Two
from tests.journeys.test_login_on_phones import fits, follows, opens_mine, own_page
from tests.support.city import City
from tests.support.phones import say_on

__all__ = ["own_page"]

pytestmark = pytest.mark.browser
DESK = ViewportSize(width=1280, height=900)
LARGEST = 60_000  # bytes


@pytest.fixture
def grandma() -> Resident:
    """Somebody whom the demo hospital knows."""
    today = city_day(SystemClock().timestamp())
    return next(each for each in residents(today) if each.name == "王秀英")


@pytest.fixture
async def hers(own_page: City, phone: BrowserContext, grandma: Resident, album: Path) -> Page:
    """Her phone: she has proven who she is, booked, asked to act for somebody, and written to the desk."""
    page = await follows(own_page, phone)
    for words, answer in (
        ("绑定", "您的什么人"),
        ("本人", "您同意吗"),
        ("1", "姓名"),
        (grandma.name, "身份证号码"),
        (grandma.id_number, "请核对"),
        ("没错", "您想怎么证明"),
        ("短信", "6 位数字"),
    ):
        await say_on(page, "", words, answer)
    await say_on(page, "", await Two(page, own_page, album).code(grandma), "已经确认是您本人")
    await page.locator("#sms").get_by_role("button", name="收起短信").click()
    for words, answer in (
        ("挂心内科", "请选择医生"),
        ("1", "请选择日期"),
        ("1", "请选择时间"),
        ("1", "就诊"),
        ("1", "【预约成功】"),
        ("人工", "取消"),
        ("医保卡丢了，怎么挂号？请给我打电话。", ""),
    ):
        await say_on(page, "", words, answer)
    await page.locator("#to-menu").click()
    return page


@pytest.fixture
async def desk(hers: Page, chromium: Browser) -> AsyncIterator[Page]:
    """A browser on a desk, without scripts, in which she is logged in, too."""
    await expect((await opens_mine(hers)).get_by_text("您已登录")).to_be_visible()
    state = await hers.context.storage_state()
    context = await chromium.new_context(
        java_script_enabled=False, viewport=DESK, locale="zh-CN", storage_state=state
    )
    yield await context.new_page()
    await context.close()


async def opened(page: Page, address: str) -> None:
    """Open a page of ours, which is small and runs no scripts."""
    answer = await page.goto(address)
    assert answer is not None
    assert answer.ok, answer.status
    assert len(await answer.body()) < LARGEST


async def test_what_is_hers_is_read_on_her_phone_and_on_a_desk(
    own_page: City, hers: Page, desk: Page, album: Path
) -> None:
    web = hers.frame_locator(".webview iframe")
    await hers.screenshot(path=album / "own-1-me.png")
    assert await fits(web)
    await web.get_by_role("link", name="字太小？换大字").click()
    await expect(web.locator("html.large")).to_be_attached()
    assert await fits(web)
    await hers.screenshot(path=album / "own-2-me-large.png")
    await opened(desk, f"{own_page.public_url}/me")
    await desk.screenshot(path=album / "own-3-me-desk.png", full_page=True)


async def test_her_data_is_shown_in_the_web_view_and_on_a_desk(
    own_page: City, hers: Page, desk: Page, grandma: Resident, album: Path
) -> None:
    await hers.locator(".webview").get_by_role("button", name="关闭").click()
    await say_on(hers, "", "导出", "打开我的数据")
    link = hers.locator("#log a").last
    address = str(await link.get_attribute("href"))
    await link.click()
    web = hers.frame_locator(".webview iframe")
    await expect(web.get_by_role("heading", name="我的数据")).to_be_visible()
    assert await fits(web)
    await hers.screenshot(path=album / "own-4-export.png")
    await opened(desk, address)
    await desk.screenshot(path=album / "own-5-export-desk.png", full_page=True)
    await web.get_by_role("button", name="看我的数据").click()
    await expect(web.get_by_text(grandma.id_number)).to_be_visible()
    assert await fits(web)
    await hers.screenshot(path=album / "own-6-data.png")
    await expect(web.get_by_text("字太小")).to_have_count(0)  # it is shown once: nothing leads away from it
    await web.get_by_role("link", name="看完了").scroll_into_view_if_needed()
    await hers.screenshot(path=album / "own-6-data-end.png")
    await desk.get_by_role("button", name="看我的数据").click()
    await expect(desk.get_by_role("heading", name="这个链接已经失效")).to_be_visible()
    await desk.screenshot(path=album / "own-7-once.png", full_page=True)
