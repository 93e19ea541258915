"""Passive replies: every type, the limits of news, and what the platform calls a broken service."""

import base64
from typing import Any

import pytest
from aiohttp import web
from wechatpy.crypto import WeChatCrypto
from wechatpy.messages import BaseMessage
from wechatpy.replies import (
    ArticlesReply,
    BaseReply,
    ImageReply,
    MusicReply,
    TextReply,
    TransferCustomerServiceReply,
    VideoReply,
    VoiceReply,
)

from tests.simulator.conftest import MakeTown
from tests.simulator.test_pushes import BROKEN
from tests.simulator.town import AES_KEY, CITIZEN, Pushed, Town


def news(count: int) -> Any:
    def make(message: BaseMessage) -> BaseReply:
        reply = ArticlesReply(message=message)
        # wechatpy knows the limit of its day only; the list itself takes any number.
        reply.articles = [
            {
                "title": f"通知{one}",
                "description": "说明",
                "image": "http://x.invalid/p.png",
                "url": "http://x.invalid/",
            }
            for one in range(count)
        ]
        return reply

    return make


class ToAgent(TransferCustomerServiceReply):  # type: ignore[misc]  # wechatpy is untyped
    """wechatpy forgets to name the agent."""

    def render(self) -> str:
        agent = "<TransInfo><KfAccount><![CDATA[li@city]]></KfAccount></TransInfo></xml>"
        return str(super().render()).replace("</xml>", agent)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda m: TextReply(message=m, content="a]]>b"), {"type": "text", "content": "a]]>b"}),
        (lambda m: ImageReply(message=m, media_id="M1"), {"type": "image", "media_id": "M1"}),
        (lambda m: VoiceReply(message=m, media_id="M2"), {"type": "voice", "media_id": "M2"}),
        (
            lambda m: VideoReply(message=m, media_id="M3", title="题", description="述"),
            {"type": "video", "media_id": "M3", "title": "题", "description": "述"},
        ),
        (
            lambda m: MusicReply(message=m, thumb_media_id="M4", title="歌", music_url="http://x.invalid/1"),
            {"type": "music", "thumb_media_id": "M4", "title": "歌", "musicurl": "http://x.invalid/1"},
        ),
        (
            lambda m: ToAgent(message=m),
            {"type": "transfer_customer_service", "kf_account": "li@city"},
        ),
    ],
)
async def test_each_type_of_reply_is_understood(town: Town, make: Any, expected: dict[str, Any]) -> None:
    town.bot.replies(make)
    if expected["type"] == "text":  # wechatpy does not split "]]>", a careful bot does
        clear = "<![CDATA[a]]]]><![CDATA[>b]]>"
        town.bot.answer = answering(town, lambda xml: xml.replace("<![CDATA[a]]>b]]>", clear), make)
    assert (await town.say("挂号"))["reply"] == expected


def answering(town: Town, change: Any, make: Any) -> Any:
    """The bot's reply with something changed in its clear XML."""

    async def answer(pushed: Pushed) -> web.StreamResponse:
        return web.Response(text=town.bot.sealed(change(make(town.bot.message(pushed)).render())))

    return answer


async def test_a_transfer_to_an_agent_leaves_nothing_in_the_inbox(town: Town) -> None:
    town.bot.replies(lambda m: TransferCustomerServiceReply(message=m))
    await town.say("人工")
    assert await town.inbox() == []


@pytest.mark.parametrize("body", ["success", ""])
async def test_success_and_nothing_are_silence(town: Town, body: str) -> None:
    town.bot.answers_raw(web.Response(text=body))
    result = await town.say("挂号")
    assert (result["attempts"], result["reply"], result["notice"]) == (1, None, None)
    assert await town.inbox() == []


@pytest.mark.parametrize(
    ("act", "delivered"),
    [
        ({"type": "text", "content": "通知"}, 1),
        ({"type": "image", "pic_url": "http://x.invalid/a.png"}, 1),
        ({"type": "voice", "recognition": "通知"}, 1),
        ({"type": "video"}, 1),
        ({"type": "link", "title": "x", "url": "http://x.invalid/"}, 1),
        ({"type": "location", "latitude": 1, "longitude": 2}, 1),
        ({"type": "event", "event": "subscribe"}, 8),
        ({"type": "event", "event": "CLICK", "event_key": "NEWS"}, 8),
    ],
)
async def test_articles_over_the_limit_are_not_delivered(
    town: Town, act: dict[str, Any], delivered: int
) -> None:
    town.bot.replies(news(9))
    articles = (await town.act(**act))["reply"]["articles"]
    assert [one["title"] for one in articles] == [f"通知{one}" for one in range(delivered)]
    assert articles[0] == {
        "title": "通知0",
        "description": "说明",
        "url": "http://x.invalid/",
        "picurl": "http://x.invalid/p.png",
    }


@pytest.mark.parametrize(
    "body",
    [
        '{"reply": "挂号"}',
        "<html><body>502 Bad Gateway</body></html>",
        "OK",
        "success\n",
        "<xml><MsgType>text</MsgType><Content>有</Content></xml>",
        '<!DOCTYPE xml [<!ENTITY a "b">]><xml/>',
        b"\xff\xfe<xml/>",
        "<xml>" * 9_000,
    ],
)
@pytest.mark.parametrize("mode", ["plain", "safe"])
async def test_what_is_no_answer_breaks_the_service_at_once(
    make_town: MakeTown, mode: str, body: Any
) -> None:
    town = await make_town(mode)
    town.bot.answers_raw(web.Response(body=body))
    result = await town.say("挂号")
    assert (result["attempts"], result["status"], result["reply"], result["notice"]) == (1, 200, None, BROKEN)
    assert await town.on_screen() == [f"notice: {BROKEN}"]


def text(message: BaseMessage) -> BaseReply:
    return TextReply(message=message, content="好的")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (CITIZEN, "oSomeoneElse"),
        ("gh_city000000", "gh_other"),
        ("<![CDATA[text]]></MsgType>", "<![CDATA[textt]]></MsgType>"),
        ("好的", ""),
        ("好的", "长" * 683),
        ("<CreateTime>", "<CreateTime>now"),
    ],
)
async def test_a_wrong_field_breaks_the_service(town: Town, old: str, new: str) -> None:
    town.bot.answer = answering(town, lambda xml: xml.replace(old, new), text)
    result = await town.say("挂号")
    assert (result["reply"], result["notice"]) == (None, BROKEN)


async def test_control_the_same_reply_unchanged_is_delivered(town: Town) -> None:
    town.bot.answer = answering(town, lambda xml: xml.replace("好的", "长" * 682), text)
    assert (await town.say("挂号"))["notice"] is None


def flip(xml: str, name: str) -> str:
    start = xml.index(f"<{name}><![CDATA[") + len(f"<{name}><![CDATA[") + 5
    return xml[:start] + ("A" if xml[start] != "A" else "B") + xml[start + 1 :]


@pytest.mark.parametrize(
    "part", ["Encrypt", "MsgSignature", "Nonce", "TimeStamp", "other key", "other appid", "clear"]
)
async def test_an_envelope_that_does_not_hold_breaks_the_service(town: Town, part: str) -> None:
    mine = town.bot.account

    async def answer(pushed: Pushed) -> web.StreamResponse:
        clear = text(town.bot.message(pushed)).render()
        other_key = base64.b64encode(b"k" * 32).decode().rstrip("=")
        sealed = {
            "other key": WeChatCrypto(mine.token, other_key, mine.appid).encrypt_message(
                clear, "n1n1n1n1", "1"
            ),
            "other appid": WeChatCrypto(mine.token, AES_KEY, "wxother").encrypt_message(
                clear, "n1n1n1n1", "1"
            ),
            "clear": clear,
        }.get(part)
        if sealed is None:
            sealed = town.bot.crypto.encrypt_message(clear, "n1n1n1n1", "1700000000")
            sealed = sealed.replace("1700000000", "1") if part == "TimeStamp" else flip(sealed, part)
        return web.Response(text=sealed)

    town.bot.answer = answer
    assert (await town.say("挂号"))["notice"] == BROKEN


@pytest.mark.parametrize(("mode", "seals"), [("plain", False), ("compatible", False), ("compatible", True)])
async def test_clear_answers_are_taken_outside_safe_mode(make_town: MakeTown, mode: str, seals: bool) -> None:
    town = await make_town(mode)

    async def answer(pushed: Pushed) -> web.StreamResponse:
        clear = text(town.bot.message(pushed)).render()
        return web.Response(text=town.bot.sealed(clear) if seals else clear)

    town.bot.answer = answer
    assert (await town.say("挂号"))["reply"] == {"type": "text", "content": "好的"}


async def test_who_leaves_gets_no_answer(town: Town) -> None:
    town.bot.says("再见")
    await town.event("subscribe")
    result = await town.event("unsubscribe")
    assert (result["attempts"], result["reply"], result["notice"]) == (1, None, None)
    assert await town.on_screen() == ["reply: 再见"]  # to the subscription alone
