"""The browser fixture gives a phone that shows Chinese."""

import pytest
from playwright.async_api import BrowserContext


@pytest.mark.browser
async def test_a_phone_is_as_large_as_one_and_speaks_chinese(phone: BrowserContext) -> None:
    page = await phone.new_page()
    await page.set_content("<meta name=viewport content='width=device-width'><p>便民</p>")

    assert await page.inner_text("p") == "便民"
    assert await page.evaluate("[innerWidth, innerHeight, navigator.language]") == [390, 844, "zh-CN"]
