"""我的 on two phones: a tap in the menu, WeChat says who it is, and each sees its own page."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, FrameLocator, Page, ViewportSize, expect

from core.seal import Seal
from tests.support.city import ACCOUNT, City

pytestmark = pytest.mark.browser
PHONE = ViewportSize(width=390, height=844)


@pytest.fixture
async def own_page(city: City) -> City:
    """A menu with 我的 alone: what citizens' bots have there is not what is looked at here."""
    asked = {"grant_type": "client_credential", "appid": ACCOUNT.appid, "secret": ACCOUNT.secret}
    menu = {"button": [{"type": "view", "name": "我的", "url": f"{city.public_url}/me"}]}
    token = (await called(city, "cgi-bin/stable_token", asked))["access_token"]
    assert (await called(city, f"cgi-bin/menu/create?access_token={token}", menu))["errcode"] == 0
    return city


async def test_two_phones_log_in_as_themselves(
    own_page: City, seal: Seal, chromium: Browser, album: Path
) -> None:
    for number in (1, 2):
        phone = await context_of(chromium)
        page, web = await taps_mine(own_page, phone)
        await expect(web.get_by_text("您已登录")).to_be_visible()
        await page.screenshot(path=album / f"login-{number}-mine.png")
        if number == 1:
            await web.get_by_role("link", name="字太小？换大字").click()
            await expect(web.locator("html.large")).to_be_attached()
            await expect(web.get_by_text("您已登录")).to_be_visible()
            assert await fits(web)
            await page.screenshot(path=album / "login-3-large.png")
            await web.get_by_role("button", name="退出登录").click()
            await expect(web.get_by_text("已退出登录")).to_be_visible()
            await page.screenshot(path=album / "login-4-out.png")
            await web.get_by_role("link", name="重新登录").click()
            await expect(web.get_by_text("您已登录")).to_be_visible()
        await phone.close()
    rows = await own_page.gateway.db.fetch("SELECT conversation FROM logins WHERE closed_at IS NULL")
    phones = [str(each["openid"]) for each in await citizens(own_page)]
    assert len(phones) == 2
    assert {row["conversation"] for row in rows} == {seal.conversation("city", each) for each in phones}


async def test_whoever_looks_at_a_preview_is_told_how_to_go_on(
    own_page: City, phone: BrowserContext, album: Path
) -> None:
    page = await follows(own_page, phone)
    (openid,) = [each["openid"] for each in await citizens(own_page)]
    await sees_previews(own_page, openid, only=True)
    web = await opens_mine(page)
    await expect(web.get_by_role("heading", name="您看到的是预览")).to_be_visible()
    await page.screenshot(path=album / "login-5-preview.png")
    await sees_previews(own_page, openid, only=False)
    await web.get_by_role("link", name="再试一次").click()
    await expect(web.get_by_text("您已登录")).to_be_visible()


async def test_a_code_that_wechat_refuses_leads_to_another_try(
    own_page: City, phone: BrowserContext, album: Path
) -> None:
    fault = {"call": "sns/oauth2/access_token", "errcode": 40029, "times": 1}
    assert (await called(own_page, "sim/faults", fault))["id"]
    page = await follows(own_page, phone)
    web = await opens_mine(page)
    await expect(web.get_by_role("heading", name="没有登录成功")).to_be_visible()
    await page.screenshot(path=album / "login-6-failed.png")
    await web.get_by_role("link", name="再试一次").click()
    await expect(web.get_by_text("您已登录")).to_be_visible()


async def test_without_scripts_the_page_says_as_much(own_page: City, chromium: Browser) -> None:
    """The citizen's browser runs none; only WeChat's own page does."""
    phone = await context_of(chromium)
    page, web = await taps_mine(own_page, phone)
    await expect(web.get_by_text("您已登录")).to_be_visible()
    plain = await chromium.new_context(
        java_script_enabled=False, viewport=PHONE, storage_state=await phone.storage_state()
    )
    page = await plain.new_page()
    answer = await page.goto(f"{own_page.public_url}/me")
    assert answer is not None
    assert len(await answer.body()) < 60_000
    assert "您已登录" in await page.content()
    await page.get_by_role("button", name="退出登录").click()
    assert "已退出登录" in await page.content()
    await plain.close()
    await phone.close()


@pytest.mark.parametrize(("around", "shown"), [("the phone", True), ("another site", False)])
async def test_only_the_simulators_phone_may_stand_around_a_page(
    own_page: City, phone: BrowserContext, around: str, shown: bool
) -> None:
    page = await phone.new_page()
    await page.goto(f"{own_page.url}/phone" if shown else f"{own_page.public_url}/healthz")
    await page.set_content(f'<iframe src="{own_page.public_url}/login/city"></iframe>')
    await page.wait_for_load_state("networkidle")
    (frame,) = page.main_frame.child_frames
    assert ("没有登录成功" in await frame.content()) is shown


async def context_of(chromium: Browser) -> BrowserContext:
    """Another citizen's phone."""
    return await chromium.new_context(
        viewport=PHONE,
        device_scale_factor=2,
        has_touch=True,
        is_mobile=True,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )


async def follows(city: City, phone: BrowserContext) -> Page:
    page = await phone.new_page()
    page.on("pageerror", lambda wrong: pytest.fail(f"the page broke: {wrong}"))
    await page.goto(f"{city.url}/phone")
    await page.locator("#follow").click()
    await expect(page.locator('[data-kind="reply"]').last).to_contain_text("您好")
    return page


async def opens_mine(page: Page) -> FrameLocator:
    await page.locator("#menu").get_by_role("button", name="我的").click()
    return page.frame_locator(".webview iframe")


async def taps_mine(city: City, phone: BrowserContext) -> tuple[Page, FrameLocator]:
    page = await follows(city, phone)
    return page, await opens_mine(page)


async def fits(web: FrameLocator) -> bool:
    """Whether nothing is wider than the phone."""
    return bool(await web.locator("html").evaluate("page => page.scrollWidth <= page.clientWidth"))


async def called(city: City, path: str, body: Mapping[str, object]) -> dict[str, object]:
    async with city.http.post(f"{city.url}/{path}", data=json.dumps(body, ensure_ascii=False)) as answer:
        assert answer.status == 200, await answer.text()
        found: dict[str, object] = await answer.json()
        return found


async def citizens(city: City) -> list[dict[str, object]]:
    async with city.http.get(f"{city.url}/sim/citizens", params={"account": "city"}) as answer:
        found: list[dict[str, object]] = await answer.json()
        return found


async def sees_previews(city: City, openid: object, *, only: bool) -> None:
    await called(city, "sim/citizens", {"account": "city", "openid": str(openid), "preview": only})
