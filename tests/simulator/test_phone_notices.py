"""Notices on the phone page in a real browser: cards, the pop-up, its settings, scanning and logging in."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from playwright.async_api import BrowserContext, Page, expect

from simulator.wechat import Rules
from tests.simulator.conftest import MakeTown
from tests.simulator.notices import (
    DATA,
    QUEUE,
    REPORT,
    WATER,
    left,
    send_subscription,
    send_template,
    stock,
)
from tests.simulator.test_people_api import PNG, upload
from tests.simulator.test_phone_page import Chat, followed, opened
from tests.simulator.town import Town

pytestmark = pytest.mark.browser

ASKING = """<h1>停水通知</h1><button onclick="ask('%s')">订阅</button><p></p><script>
const ask = (id) => parent.postMessage({simulator: 'subscribe', templates: [id]}, '*');
addEventListener('message', (event) => {
document.querySelector('p').textContent = JSON.stringify(event.data.templates); });</script>"""


@pytest.fixture
async def house(make_town: MakeTown) -> Town:
    """A town with templates, whose bot has a page of its own that says with which code it was opened."""
    expect.set_options(timeout=15_000)
    town = await stock(await make_town(rules=Rules(receipt_s=600)))
    handle_push = town.bot.handle

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            return await handle_push(request)
        page = (
            ASKING % WATER if "asking" in request.query else f"<h1>{request.query.get('code', '详情')}</h1>"
        )
        return web.Response(text=page, content_type="text/html", charset="utf-8")

    town.bot.handle = handle  # type: ignore[method-assign]
    town.bot.says("欢迎关注")
    return town


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[Page, str], Any]:
    """Keeps a screenshot; BIANMIN_SCREENSHOTS names a folder to keep them in."""
    folder = Path(os.environ.get("BIANMIN_SCREENSHOTS") or tmp_path)

    async def keep(page: Page, name: str) -> None:
        await page.screenshot(path=folder / f"simulator-{name}.png", animations="disabled")

    return keep


def rows(chat: Chat) -> Any:
    return chat.page.locator(".card.notice").last.locator(".row")


async def pops_up(chat: Chat, term: str) -> None:
    await chat.part("more").click()
    await chat.part("more-subscribe").click()
    await chat.part(f"ask-{term}").click()


async def test_a_template_message_is_a_card_that_opens_its_page(
    house: Town, phone: BrowserContext, picture: Any
) -> None:
    chat = await followed(phone, house)
    page = house.bot.account.webhook_url
    assert (await send_template(house, chat.openid, url=page))["errcode"] == 0
    await chat.sees("预约成功通知", "template")
    await expect(rows(chat)).to_have_text(["就诊科室心内科", "就诊时间2026年11月24日 08:30"])
    await picture(chat.page, "template")
    await chat.page.get_by_role("button", name="预约成功通知").click()
    await expect(chat.page.frame_locator(".webview iframe").locator("h1")).to_have_text("详情")


async def test_a_card_that_leads_nowhere_is_no_button(house: Town, phone: BrowserContext) -> None:
    chat = await followed(phone, house)
    nasty = {"thing1": {"value": "<b>x</b>"}, "time2": DATA["time2"]}
    assert (await send_template(house, chat.openid, data=nasty))["errcode"] == 0
    await expect(rows(chat).first).to_have_text("就诊科室<b>x</b>")
    assert await chat.page.locator("button.notice").count() == 0


async def test_ticks_decide_what_is_accepted(house: Town, phone: BrowserContext, picture: Any) -> None:
    chat = await followed(phone, house)
    await pops_up(chat, "once")
    await picture(chat.page, "popup-once")
    await chat.page.get_by_label("报告通知").uncheck()
    await chat.part("allow").click()
    await house.bot.has_been_pushed(2)
    assert await left(house, chat.openid) == {QUEUE: 1, REPORT: 0, WATER: 0}
    assert "PopupScene><![CDATA[1]]>" in house.bot.clear(house.bot.pushes[-1])
    assert (await send_subscription(house, QUEUE, chat.openid))["errcode"] == 0
    await chat.sees("候诊提醒", "subscription")


async def test_no_to_everything(house: Town, phone: BrowserContext) -> None:
    chat = await followed(phone, house)
    await pops_up(chat, "once")
    await chat.part("deny").click()
    await house.bot.has_been_pushed(2)
    assert await left(house, chat.openid) == {QUEUE: 0, REPORT: 0, WATER: 0}


async def test_choices_that_are_kept_are_not_asked_for_again(
    house: Town, phone: BrowserContext, picture: Any
) -> None:
    chat = await followed(phone, house)
    await pops_up(chat, "long")
    await chat.part("keep-choices").check()
    await picture(chat.page, "popup-long")
    await chat.part("allow").click()
    await house.bot.has_been_pushed(2)
    await expect(chat.page.locator(".asking")).to_have_count(0)
    await pops_up(chat, "long")
    await expect(chat.page.get_by_role("alert")).to_have_text("已按您上次保存的选择处理")
    await house.bot.has_been_pushed(3)
    assert (await left(house, chat.openid))[WATER] is None


async def test_settings_show_what_was_accepted_and_refuse_it(
    house: Town, phone: BrowserContext, picture: Any
) -> None:
    chat = await followed(phone, house)
    await pops_up(chat, "once")
    await chat.part("allow").click()
    await house.bot.has_been_pushed(2)
    await chat.part("profile").click()
    await chat.part("manage").click()
    await expect(chat.page.locator(".managed")).to_have_count(2)
    await expect(chat.page.locator(".managed").first).to_contain_text("还可以收到 1 次")
    await picture(chat.page, "settings")
    await chat.page.get_by_role("switch", name="接收候诊提醒").click()
    await house.bot.has_been_pushed(3)
    assert "subscribe_msg_change_event" in house.bot.clear(house.bot.pushes[-1])
    assert await left(house, chat.openid) == {QUEUE: 0, REPORT: 1, WATER: 0}
    await chat.part("profile").click()
    await chat.part("manage").click()
    await expect(chat.page.locator(".managed").first).to_contain_text("不接收")


async def test_a_page_in_the_web_view_asks_as_wechats_button_would(
    house: Town, phone: BrowserContext
) -> None:
    chat = await followed(phone, house)
    await send_template(house, chat.openid, url=f"{house.bot.account.webhook_url}?asking=1")
    await chat.page.get_by_role("button", name="预约成功通知").click()
    inside = chat.page.frame_locator(".webview iframe")
    await inside.get_by_role("button", name="订阅").click()
    await chat.part("allow").click()
    await expect(inside.locator("p")).to_have_text(f'{{"{WATER}":"accept"}}')
    assert (await left(house, chat.openid))[WATER] is None


async def test_who_does_not_follow_finds_it_among_the_service_notifications(
    house: Town, phone: BrowserContext, picture: Any
) -> None:
    chat = await opened(phone, house)
    await expect(chat.part("follow")).to_be_visible()
    body = {"account": "city", "openid": chat.openid, "templates": {QUEUE: "accept"}}
    await house.post("/sim/subscriptions", body)
    assert (await send_subscription(house, QUEUE, chat.openid))["errcode"] == 0
    await chat.part("services").click()
    await expect(chat.page.locator(".services .notice")).to_contain_text("候诊提醒")
    await picture(chat.page, "services")


async def test_the_address_of_a_codes_picture_can_be_scanned(house: Town, phone: BrowserContext) -> None:
    wish = {"action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": "ward-3"}}}
    ticket = (await house.call("/cgi-bin/qrcode/create", wish))["ticket"]
    chat = await opened(phone, house)
    await chat.part("follow-scan").click()
    address = f"https://mp.weixin.qq.com/cgi-bin/showqrcode?{urlencode({'ticket': ticket})}"
    await chat.page.get_by_label("二维码里的场景值").fill(address)
    await chat.page.get_by_role("button", name="扫码", exact=True).click()
    await expect(chat.part("follow")).to_be_hidden()
    pushed = house.bot.clear(house.bot.pushes[-1])
    assert "<EventKey><![CDATA[qrscene_ward-3]]>" in pushed
    assert f"<Ticket><![CDATA[{ticket}]]>" in pushed


@pytest.mark.parametrize("scope", ["snsapi_base", "snsapi_userinfo"])
async def test_a_page_learns_who_holds_the_phone(
    house: Town, chromium: Any, scope: str, picture: Any
) -> None:
    """Two phones on one page: each logs in as its own citizen."""
    context = await chromium.new_context(viewport={"width": 1440, "height": 900})
    first = await followed(context, house)
    await first.page.locator("#second-phone").click()
    second = Chat(first.page, "-2")
    await second.part("follow").click()
    await second.sees("欢迎关注")
    openid = first.page.url.partition("second=")[2].partition("&")[0]
    mine = house.bot.account
    query = {"appid": mine.appid, "redirect_uri": mine.webhook_url, "response_type": "code", "scope": scope}
    address = house.client.make_url(f"/connect/oauth2/authorize?{urlencode(query)}#wechat_redirect")
    await send_template(house, openid, url=str(address))
    await first.page.get_by_role("button", name="预约成功通知").click()
    inside = first.page.frame_locator(".webview iframe")
    if scope == "snsapi_userinfo":
        await expect(inside.locator("#allow")).to_be_visible()
        await picture(first.page, "login")
        await inside.locator("#allow").click()
    await expect(inside.locator("h1")).to_have_text(re.compile("^[A-Za-z0-9_-]{20,}$"))
    code = await inside.locator("h1").inner_text()
    login = {"appid": mine.appid, "secret": mine.secret, "code": code, "grant_type": "authorization_code"}
    assert (await house.get("/sns/oauth2/access_token", **login))["openid"] == openid
    await context.close()


async def test_an_uploaded_picture_is_shown(house: Town, phone: BrowserContext) -> None:
    chat = await followed(phone, house)
    media_id = (await upload(house, "image", PNG))["media_id"]
    for known in (media_id, "unknown"):
        body = {"touser": chat.openid, "msgtype": "image", "image": {"media_id": known}}
        assert (await house.call("/cgi-bin/message/custom/send", body))["errcode"] == 0
    await expect(chat.page.locator(".card.plain")).to_have_count(
        2
    )  # the one is no picture, the other is gone


async def test_on_a_desk_the_cards_stand_in_the_phone(house: Town, chromium: Any, picture: Any) -> None:
    context = await chromium.new_context(viewport={"width": 1440, "height": 900})
    chat = await followed(context, house)
    await send_template(house, chat.openid, url=house.bot.account.webhook_url)
    await chat.sees("预约成功通知", "template")
    await pops_up(chat, "once")
    await picture(chat.page, "desk")
    card, screen = chat.page.locator(".card.notice"), chat.page.locator(".phone")
    inner, outer = await card.bounding_box(), await screen.bounding_box()
    assert inner is not None
    assert outer is not None
    assert outer["x"] <= inner["x"]
    assert inner["x"] + inner["width"] <= outer["x"] + outer["width"]
    await context.close()
