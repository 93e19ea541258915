"""A newcomer on the phone page: from 关注 through a booking to 我的预约, in a real browser."""

import time
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect

from tests.support.city import City
from tests.support.phones import say_on
from tests.support.waiting import until

pytestmark = pytest.mark.browser
QUESTIONS = 5  # 科室, 医生, 日期, 时间, 确认


def _last_reply(page: Page) -> Locator:
    return page.locator('[data-kind="reply"]').last


async def _say(page: Page, words: str, answer: str) -> None:
    await say_on(page, "", words, answer)


async def _open(context: BrowserContext, city: City) -> Page:
    page = await context.new_page()
    page.on("pageerror", lambda wrong: pytest.fail(f"the page broke: {wrong}"))
    await page.goto(f"{city.url}/phone")
    return page


async def test_follow_book_and_list_on_a_phone(city: City, phone: BrowserContext, album: Path) -> None:
    page = await _open(phone, city)
    await page.screenshot(path=album / "1-not-following.png")
    await page.locator("#follow").click()
    await expect(_last_reply(page)).to_contain_text("您好")
    await page.screenshot(path=album / "2-welcome.png")

    await _say(page, "挂号", "请选择科室")
    await page.screenshot(path=album / "3-departments.png")
    for question in ("请选择医生", "请选择日期", "请选择时间", "要约这个号吗"):
        await _say(page, "1", question)
    await page.screenshot(path=album / "4-confirm.png")
    await _say(page, "1", "预约成功")
    await page.screenshot(path=album / "5-booked.png")

    await _say(page, "我的预约", "您的预约")
    await page.screenshot(path=album / "6-mine.png")
    assert await city.booked() == 1


async def _tap(page: Page, button: str, answer: str, picture: Path | None = None) -> None:
    """Tap a button of the hospital's list in the menu bar and wait for one reply more, with these words.

    Taps have no number: the same one twice within a second is one for WeChat, which a thumb cannot do.
    """
    began = int(time.time())
    await until(lambda: int(time.time()) > began, "the next second")
    replies = page.locator('[data-kind="reply"]')
    before = await replies.count()
    if await page.locator("#say").is_visible():  # the keyboard is there in the menu bar's place
        await page.locator("#to-menu").click()
    menu = page.locator("#menu")
    await menu.get_by_role("button", name="看病挂号").click()
    if picture is not None:
        await page.screenshot(path=picture)
    await menu.get_by_role("button", name=button).click()
    await expect(replies).to_have_count(before + 1)
    await expect(_last_reply(page)).to_contain_text(answer)


async def test_the_menu_bar_books_lists_and_cancels(city: City, phone: BrowserContext, album: Path) -> None:
    page = await _open(phone, city)
    await page.locator("#follow").click()
    await expect(_last_reply(page)).to_contain_text("您好")
    await _tap(page, "我的预约", "没有预约", album / "7-menu.png")

    await _tap(page, "预约挂号", "请选择科室")
    for question in ("请选择医生", "请选择日期", "请选择时间", "要约这个号吗", "预约成功"):
        await _say(page, "1", question)
    assert await city.booked() == 1
    await _tap(page, "我的预约", "您的预约")

    await _tap(page, "取消预约", "取消")
    for _ in range(2):  # which one, and whether it is meant; a bot may not ask which where there is one
        if "已取消" in await _last_reply(page).inner_text():
            break
        await _say(page, "1", "取消")
    await expect(_last_reply(page)).to_contain_text("已取消")
    await page.screenshot(path=album / "9-cancelled.png")
    assert await city.booked() == 0
    await _tap(page, "我的预约", "没有预约")


async def test_two_citizens_side_by_side_on_a_desk(city: City, chromium: object, album: Path) -> None:
    context = await chromium.new_context(  # type: ignore[attr-defined]
        viewport={"width": 1280, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    page = await _open(context, city)
    await page.locator("#follow").click()
    await expect(_last_reply(page)).to_contain_text("您好")
    await page.locator("#second-phone").click()
    await expect(page.locator("[id^=say]")).to_have_count(2)
    await page.locator("#follow-2").click()
    await expect(page.locator("#log-2")).to_contain_text("您好")
    await page.screenshot(path=album / "8-desk.png")

    for words, answer in (
        ("挂心内科", "请选择医生"),
        *(("1", question) for question in ("请选择日期", "请选择时间", "要约这个号吗", "预约成功")),
    ):
        await say_on(page, "", words, answer)
    await say_on(page, "-2", "挂心内科", "请选择医生")
    # The README's picture: the phones alone.
    await page.locator("#away").evaluate("button => { button.hidden = true }")
    phones = {"x": 390, "y": 0, "width": 890, "height": 900}
    await page.screenshot(path=album / "10-two-phones.png", clip=phones)  # type: ignore[arg-type]
    assert await city.booked() == 1
    await context.close()
