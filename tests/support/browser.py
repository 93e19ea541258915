"""Fixtures for pages: headless Chromium, and a phone-sized context per test."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright

from tests.support.required import need

CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Where the screenshots go; BIANMIN_SCREENSHOTS names a folder to keep them in."""
    kept = os.environ.get("BIANMIN_SCREENSHOTS")
    folder = Path(kept) if kept else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium, headless."""
    need(CHROMIUM.exists(), "Debian's chromium is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def phone(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A context as large as a phone, in the citizen's language and zone."""
    context = await chromium.new_context(
        viewport={"width": 390, "height": 844},
        device_scale_factor=2,
        has_touch=True,
        is_mobile=True,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
    yield context
    await context.close()
