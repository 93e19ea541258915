"""The console as staff see it: at a desk and on a phone, by keyboard alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from tests.webhooks.at_console import PASSWORD, Console

pytestmark = pytest.mark.browser
SIZES = {"desk": ViewportSize(width=1280, height=800), "phone": ViewportSize(width=390, height=844)}


@pytest.fixture
async def console(db: Database, seal: Seal, clock: ManualClock) -> AsyncIterator[Console]:
    console = Console(db, seal, clock, secure=False)  # a browser takes secure cookies over https only
    async with console.client:
        yield console


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_clerk_comes_in_by_keyboard_and_leaves(
    console: Console, chromium: Browser, album: Path, size: str, scheme: str
) -> None:
    await console.employs()
    await console.employs("ops", "operator")
    context = await chromium.new_context(
        viewport=SIZES[size], locale="zh-CN", color_scheme="dark" if scheme == "dark" else "light"
    )
    page = await context.new_page()
    shot = f"console-{size}-{scheme}"
    await page.goto(str(console.client.make_url("/console/desk")))
    await expect(page.get_by_label("名字")).to_be_focused()
    await types(page, "lishan", "wrong")
    await expect(page.get_by_role("alert")).to_have_text("名字或密码不对，请再试一次。")
    await expect(page.get_by_label("密码")).to_be_focused()
    assert await fits(page)
    await page.screenshot(path=album / f"{shot}-1-login.png")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="lishan")).to_be_visible()
    assert page.url.endswith("/console/desk"), "where it was to go"

    await page.goto(str(console.client.make_url("/console")))
    await expect(page.get_by_role("heading", name="您好，lishan")).to_be_visible()
    assert await fits(page)
    await page.screenshot(path=album / f"{shot}-2-home.png")
    button = await page.get_by_role("button", name="退出").bounding_box()
    assert button is not None
    assert button["height"] >= 44
    await page.get_by_role("button", name="退出").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("名字")).to_be_visible()

    await types(page, "ops", PASSWORD)
    await expect(page.get_by_role("heading", name="您好，ops")).to_be_visible()
    await page.goto(str(console.client.make_url("/console/desk")))
    await expect(page.get_by_role("heading", name="这一页您不能打开")).to_be_visible()
    await page.screenshot(path=album / f"{shot}-3-barred.png")
    await context.close()


async def test_without_a_mouse_the_first_stop_is_the_page_itself(console: Console, chromium: Browser) -> None:
    await console.employs()
    page = await chromium.new_page()
    await page.goto(str(console.client.make_url("/console")))
    await types(page, "lishan", PASSWORD)
    await expect(page.get_by_role("heading", name="您好，lishan")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    await expect(page.get_by_role("link", name="跳到正文")).to_be_in_viewport()


async def types(page: Page, name: str, password: str) -> None:
    """Fill the form as it is reached by Tab, and send it with Enter."""
    await expect(page.get_by_label("名字")).to_be_focused()
    await page.keyboard.type(name)
    await page.keyboard.press("Tab")
    await page.keyboard.type(password)
    await page.keyboard.press("Enter")
    await page.wait_for_load_state()


async def fits(page: Page) -> bool:
    """Whether nothing is wider than the screen."""
    return bool(
        await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    )
