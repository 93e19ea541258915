"""The phone page in a real browser: what a tester sees and does."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import BrowserContext, Page, expect
from wechatpy.messages import BaseMessage
from wechatpy.replies import ArticlesReply, BaseReply, TextReply

from simulator.app import build
from tests.simulator.conftest import MakeTown
from tests.simulator.town import Town

pytestmark = pytest.mark.browser

MENU = {
    "button": [
        {
            "name": "看病",
            "sub_button": [
                {"type": "click", "name": "预约挂号", "key": "BOOK"},
                {"type": "view", "name": "就医指南", "url": "http://127.0.0.1:9/guide"},
            ],
        },
        {"type": "click", "name": "乘车码", "key": "RIDE"},
        {"type": "scancode_waitmsg", "name": "扫一扫", "key": "SCAN"},
    ]
}
NASTY = (
    '<img src=x onerror="window.hacked=1"><a href="javascript:window.hacked=1">点我</a>'
    "<script>window.hacked=1</script>"
)


@pytest.fixture
async def house(make_town: MakeTown) -> Town:
    """A town whose bot greets, echoes, and shows a page of its own."""
    expect.set_options(timeout=15_000)  # a busy machine is no broken page
    town = await make_town()

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.Response(text="<h1>门诊安排</h1>", content_type="text/html", charset="utf-8")
        return await handle_push(request)

    handle_push = town.bot.handle
    town.bot.handle = handle  # type: ignore[method-assign]
    town.bot.replies(lambda message: answer(town, message))
    return town


def answer(town: Town, message: BaseMessage) -> BaseReply:
    if message.type == "event":
        greeting = f'欢迎关注\n<a href="{town.bot.account.webhook_url}">使用说明</a>'
        words = {"subscribe": greeting, "click": f"键 {getattr(message, 'key', '')}"}
        return TextReply(message=message, content=words.get(message.event, message.event))
    if message.type == "voice":
        return TextReply(message=message, content=f"听到：{message.recognition}")
    if message.type == "image":
        return TextReply(message=message, content="收到图片")
    if message.type == "location":
        return TextReply(message=message, content=f"位置：{message.label}")
    if message.content == "通知":
        reply = ArticlesReply(message=message)
        reply.add_article(
            {"title": "门诊安排", "description": "急诊照常", "url": town.bot.account.webhook_url}
        )
        return reply
    return TextReply(
        message=message, content=NASTY if message.content == "坏人" else f"您说：{message.content}"
    )


class Chat:
    """A tester in front of one phone; `suffix` is that of the second phone's ids."""

    def __init__(self, page: Page, suffix: str = "") -> None:
        self.page = page
        self.suffix = suffix

    def part(self, name: str) -> Any:
        return self.page.locator(f"#{name}{self.suffix}")

    async def say(self, words: str) -> None:
        await self.part("say").fill(words)
        await self.part("send").click()

    async def sees(self, words: str, kind: str = "reply") -> None:
        last = self.part("log").locator(f'[data-kind="{kind}"]').last
        await expect(last).to_contain_text(words)

    @property
    def openid(self) -> str:
        return self.page.url.partition("openid=")[2].partition("&")[0]


async def opened(context: BrowserContext, town: Town, path: str = "/") -> Chat:
    page = await context.new_page()
    page.on("pageerror", lambda wrong: pytest.fail(f"the page broke: {wrong}"))
    await page.goto(str(town.client.make_url(path)))
    return Chat(page)


async def followed(context: BrowserContext, town: Town) -> Chat:
    chat = await opened(context, town)
    await chat.part("follow").click()
    await chat.sees("欢迎关注")
    return chat


async def test_follow_talk_and_be_written_to_without_reload(house: Town, phone: BrowserContext) -> None:
    chat = await followed(phone, house)
    await chat.say("挂号\n内科")
    await chat.sees("挂号\n内科", "sent")
    await chat.sees("您说：挂号\n内科")
    assert await house.send("请明天 08:30 到院", openid=chat.openid) == 0
    await chat.sees("请明天 08:30 到院", "custom")
    await chat.page.reload()
    await chat.sees("请明天 08:30 到院", "custom")
    assert (
        await chat.page.locator("[data-kind]").count() == 5
    )  # the line of following, two replies, one own, one sent
    await expect(chat.page.locator(".entry.own .bubble")).to_have_css(
        "background-color", "rgb(149, 236, 105)"
    )


async def test_the_menu_bar_pops_up_and_its_buttons_act(house: Town, phone: BrowserContext) -> None:
    await house.call("/cgi-bin/menu/create", MENU)
    chat = await followed(phone, house)
    menu = chat.part("menu")
    await expect(menu).to_be_visible()
    await menu.get_by_role("button", name="看病").click()
    await menu.get_by_role("button", name="预约挂号").click()
    await chat.sees("键 BOOK")
    await menu.get_by_role("button", name="乘车码").click()
    await chat.sees("键 RIDE")
    await menu.get_by_role("button", name="扫一扫").click()
    await chat.page.get_by_label("二维码的内容").fill("http://x.invalid/gate/7")
    await chat.page.get_by_role("button", name="扫码", exact=True).click()
    await chat.sees("scancode_waitmsg")
    assert "<ScanResult><![CDATA[http://x.invalid/gate/7]]>" in house.bot.clear(house.bot.pushes[-1])
    await chat.part("to-keyboard").click()
    await expect(chat.part("say")).to_be_focused()


async def test_links_and_articles_open_inside(house: Town, phone: BrowserContext) -> None:
    chat = await followed(phone, house)
    inside = chat.page.frame_locator(".webview iframe")
    await chat.page.get_by_role("link", name="使用说明").click()
    await expect(inside.locator("h1")).to_have_text("门诊安排")
    await chat.page.get_by_role("button", name="关闭网页").click()
    await expect(chat.page.locator(".webview")).to_have_count(0)
    await chat.say("通知")
    await chat.page.get_by_role("button", name="门诊安排").click()
    await expect(inside.locator("h1")).to_have_text("门诊安排")
    await chat.page.keyboard.press("Escape")
    await expect(chat.page.locator(".webview")).to_have_count(0)


async def test_no_words_become_code(house: Town, phone: BrowserContext) -> None:
    chat = await followed(phone, house)
    await chat.say("坏人")
    await chat.sees(NASTY)
    assert await house.send(NASTY, openid=chat.openid) == 0
    await chat.sees(NASTY, "custom")
    await chat.say(NASTY)
    await chat.sees(NASTY, "sent")
    assert await chat.page.evaluate("window.hacked") is None
    assert await chat.page.locator(".log img, .log script, .log a[href^='javascript']").count() == 0


async def test_voice_place_and_scan(house: Town, phone: BrowserContext) -> None:
    chat = await followed(phone, house)
    await chat.part("voice").click()
    await chat.page.get_by_label("您要说的话").fill("我要挂心内科")
    await chat.page.get_by_role("button", name="松开 发送").click()
    await chat.sees("听到：我要挂心内科")
    await expect(chat.page.locator(".heard")).to_have_text("我要挂心内科")
    await chat.part("more").click()
    await chat.part("more-place").click()
    await chat.page.get_by_label("地点名称").fill("北站")
    await chat.page.get_by_role("button", name="发送", exact=True).click()
    await chat.sees("位置：北站")
    await expect(chat.page.locator(".place svg.map")).to_be_visible()
    await chat.part("more").click()
    await chat.part("more-scan").click()
    await chat.page.get_by_label("二维码里的场景值").fill("bus-7")
    await chat.page.get_by_role("button", name="扫码", exact=True).last.click()
    await chat.sees("scan")
    await chat.sees("你扫了二维码 bus-7", "line")


async def test_a_picture_is_sent_and_seen(house: Town, phone: BrowserContext) -> None:
    chat = await followed(phone, house)
    await chat.part("more").click()
    await chat.part("more-picture").click()
    await chat.page.get_by_role("button", name="用样图：化验单").click()
    await chat.page.get_by_role("button", name="发送", exact=True).click()
    await chat.sees("收到图片")
    photo = chat.page.locator('[data-kind="sent"] .photo img')
    await expect(photo).to_be_visible()
    # What could not be loaded is replaced by a sentence, and has no width of its own.
    await chat.page.wait_for_function("document.querySelector('.photo img')?.naturalWidth > 0")
    url = await photo.get_attribute("src")
    assert url is not None
    assert f"<PicUrl><![CDATA[{url}]]>" in house.bot.clear(house.bot.pushes[-1])
    assert url.endswith("/phone/static/photo-2.png")
    await chat.page.get_by_role("button", name="看大图").click()
    await expect(chat.page.locator(".webview iframe")).to_have_attribute("src", url)


async def test_a_picture_that_is_not_there_says_so(house: Town, phone: BrowserContext) -> None:
    chat = await followed(phone, house)
    await chat.part("more").click()
    await chat.part("more-picture").click()
    await chat.page.get_by_label("图片地址").fill(str(house.client.make_url("/phone/static/gone.png")))
    await chat.page.get_by_role("button", name="发送", exact=True).click()
    await expect(chat.page.locator('[data-kind="sent"] .photo')).to_have_text("图片打不开")


async def test_a_sticker_could_not_be_tried(house: Town, phone: BrowserContext) -> None:
    chat = await followed(phone, house)
    await chat.part("more").click()
    await chat.part("more-sticker").click()
    await chat.sees("您说：【收到不支持的消息类型，暂无法显示】")
    await expect(chat.page.get_by_role("img", name="表情")).to_be_visible()
    sent = house.bot.clear(house.bot.pushes[-1])
    assert "<MsgType><![CDATA[text]]>" in sent
    assert "<Content><![CDATA[【收到不支持的消息类型，暂无法显示】]]>" in sent


async def test_what_is_behind_the_plus_stands_in_the_guide(house: Town, chromium: Any) -> None:
    """The guide beside the phone said nothing of 表情 for a while."""
    context = await chromium.new_context(viewport={"width": 1440, "height": 900})
    chat = await followed(context, house)
    guide = await chat.page.locator("#guide").inner_text()
    await chat.part("more").click()
    tiles = await chat.page.locator("[id^=more-]").all_inner_texts()
    assert len(tiles) == 6
    assert "、".join(tile.strip() for tile in tiles) in guide
    await context.close()


async def test_options_of_a_msgmenu_can_be_tapped(house: Town, phone: BrowserContext) -> None:
    chat = await followed(phone, house)
    menu = {
        "head_content": "明天能来吗？",
        "list": [{"id": "77", "content": "能来"}],
        "tail_content": "点一下",
    }
    message = {"touser": chat.openid, "msgtype": "msgmenu", "msgmenu": menu}
    assert (await house.call("/cgi-bin/message/custom/send", message))["errcode"] == 0
    await chat.page.get_by_role("button", name="能来").click()
    await chat.sees("您说：能来")
    assert "<bizmsgmenuid><![CDATA[77]]>" in house.bot.clear(house.bot.pushes[-1])


async def test_leaving_brings_the_profile_card_back(house: Town, phone: BrowserContext) -> None:
    chat = await followed(phone, house)
    await chat.part("profile").click()
    await chat.part("unfollow").click()
    await expect(chat.part("follow")).to_be_visible()
    await chat.part("follow-scan").click()
    await chat.page.get_by_label("二维码里的场景值").fill("ward-3")
    await chat.page.get_by_role("button", name="扫码", exact=True).click()
    await expect(chat.part("follow")).to_be_hidden()
    assert "<EventKey><![CDATA[qrscene_ward-3]]>" in house.bot.clear(house.bot.pushes[-1])


async def test_a_broken_service_says_so_in_grey(house: Town, phone: BrowserContext) -> None:
    chat = await followed(phone, house)
    house.bot.answers_raw(web.Response(text="{}"))
    await chat.say("挂号")
    await chat.sees("该公众号提供的服务出现故障，请稍后再试", "notice")


async def test_the_title_says_that_someone_is_typing(house: Town, phone: BrowserContext) -> None:
    chat = await followed(phone, house)
    await house.call("/cgi-bin/message/custom/typing", {"touser": chat.openid, "command": "Typing"})
    await expect(chat.part("title")).to_have_text("对方正在输入…")
    await house.send("好了", openid=chat.openid)
    await expect(chat.part("title")).to_have_text("云汀便民")


async def test_two_phones_side_by_side(house: Town, chromium: Any) -> None:
    context = await chromium.new_context(viewport={"width": 1440, "height": 900})
    first = await followed(context, house)
    await first.page.locator("#second-phone").click()
    second = Chat(first.page, "-2")
    await second.part("follow").click()
    await second.sees("欢迎关注")
    await second.say("我是第二个")
    await second.sees("您说：我是第二个")
    await first.say("我是第一个")
    await first.sees("您说：我是第一个")
    assert await first.part("log").get_by_text("我是第二个").count() == 0
    await context.close()


async def test_words_that_could_not_be_sent_are_given_back(house: Town, phone: BrowserContext) -> None:
    chat = await followed(phone, house)
    await phone.set_offline(True)
    await chat.say("断线时说的话")
    await expect(chat.page.get_by_role("alert")).to_contain_text("没有发出去")
    await expect(chat.part("say")).to_have_value("断线时说的话")
    await phone.set_offline(False)
    await chat.part("send").click()
    await chat.sees("您说：断线时说的话")


async def test_a_restart_of_the_simulator_costs_the_page_nothing(
    make_town: MakeTown, phone: BrowserContext, tmp_path: Path
) -> None:
    store = tmp_path / "phones.json"
    town = await make_town(store=store)
    town.bot.says("好")
    chat = await opened(phone, town)
    await chat.part("follow").click()
    await chat.sees("好")
    port = town.client.port
    await town.client.close()
    await expect(chat.page.locator(".offline")).to_be_visible()
    town.client = TestClient(TestServer(build([town.bot.account], clock=town.clock, store=store), port=port))
    await town.client.start_server()
    await expect(chat.page.locator(".offline")).to_be_hidden(timeout=15_000)
    await chat.say("还在吗")
    await chat.sees("还在吗", "sent")
    await expect(chat.page.locator('[data-kind="reply"]')).to_have_count(
        2
    )  # one before, one after: none twice
