"""What stands on the wire: raw UTF-8 JSON for every call, and no answer that is too long for WeChat's."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web

from clients.wechat import FileKind, WeChat, WeChatGoneError, WeChatRefusedError, open_http
from core.chat.menus import Button, Menu
from core.chat.replies import Said
from core.delivery.sender import Choice, Choices, Notice, PerhapsSent
from tests.clients.platform import OPENID, TOKEN, Gateway, Instead, Weixin, answers

WORDS = '心内科 👩‍👩‍👧 "引号" \\ </a>'
NOTICE = Notice("t-1", (("thing1", WORDS),), "https://x.example/预约", "row-1")
KB, MB = 1024, 1024 * 1024
Ask = Callable[[WeChat], Awaitable[object]]
CALLS: dict[str, Ask] = {
    "message/custom/send": lambda ours: ours.send(OPENID, Said(type="text", at=0, text=WORDS)),
    "message/custom/send#menu": lambda ours: ours.send(OPENID, Choices(WORDS, (Choice("1", WORDS),), WORDS)),
    "message/custom/typing": lambda ours: ours.typing(f"o-{WORDS}"),
    "message/template/send": lambda ours: ours.send_template(OPENID, NOTICE),
    "message/subscribe/bizsend": lambda ours: ours.send_subscription(OPENID, NOTICE),
    "menu/create": lambda ours: ours.menus.create(Menu((Button("看病", click=WORDS),))),
    "qrcode/create": lambda ours: ours.codes.lasting(WORDS),
    "user/info/batchget": lambda ours: ours.users.about_many([WORDS]),
}
READS: dict[str, Ask] = {
    "menu/get": lambda ours: ours.menus.present(),
    "menu/delete": lambda ours: ours.menus.delete(),
    "user/info": lambda ours: ours.users.about(WORDS),
    "user/get": lambda ours: anext(aiter(ours.users.followers())),
    "media/get": lambda ours: ours.files.get(WORDS),
    "sns/oauth2/access_token": lambda ours: ours.login.redeem(WORDS),
    "sns/oauth2/refresh_token": lambda ours: ours.login.refresh(WORDS),
    "sns/auth": lambda ours: ours.login.is_good("t-1", WORDS),
    "sns/userinfo": lambda ours: ours.login.profile("t-1", WORDS),
}
ALL: dict[str, Ask] = {
    **CALLS,
    **READS,
    "media/upload": lambda ours: ours.files.upload(FileKind.IMAGE, b"GIF89a"),
}


async def ignoring_refusals(asked: Awaitable[object]) -> None:
    try:
        await asked
    except (WeChatRefusedError, WeChatGoneError):
        return


@pytest.mark.parametrize("name", CALLS)
async def test_a_body_is_plain_utf_8(weixin: Weixin, gateway: Gateway, name: str) -> None:
    call = name.partition("#")[0]
    weixin.instead[call] = answers(45009)
    await ignoring_refusals(CALLS[name](gateway.wechat(weixin.url)))
    (wire,) = (wire for wire in weixin.wires if wire.call == call)
    assert (wire.method, wire.content_type) == ("POST", "application/json")
    assert "心内科 👩‍👩‍👧".encode() in wire.body
    assert b"\\u" not in wire.body


@pytest.mark.parametrize("call", READS)
async def test_a_question_without_a_body_is_a_get_and_keeps_its_words_apart(
    weixin: Weixin, gateway: Gateway, call: str
) -> None:
    weixin.instead[call] = answers(45009)
    await ignoring_refusals(READS[call](gateway.wechat(weixin.url)))
    (wire,) = (wire for wire in weixin.wires if wire.call == call)
    assert (wire.method, wire.body) == ("GET", b"")
    assert (WORDS in wire.query.values()) is (call not in {"menu/get", "menu/delete", "user/get"})


def flood(size: int, kind: str) -> tuple[list[int], Instead]:
    """An answer of so many bytes without a length, and how much of it could be said."""
    said: list[int] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind})
        response.enable_chunked_encoding()
        await response.prepare(request)
        said.append(0)
        await response.write(b'{"errcode": 0, "errmsg": "')
        while said[-1] < size:
            await response.write(b"x" * KB)
            said[-1] += KB
        await response.write(b'"}')
        return response

    return said, answer


MOST = dict.fromkeys(ALL, 64 * KB) | {
    "user/info/batchget": MB,
    "user/get": MB,
    "media/get": 10 * MB,
}


@pytest.mark.parametrize("name", MOST)
async def test_a_longer_answer_than_wechats_is_none_and_is_not_read_to_its_end(
    weixin: Weixin, gateway: Gateway, name: str
) -> None:
    call = name.partition("#")[0]
    ask = ALL[name]
    kind = "image/jpeg" if name == "media/get" else "application/json"
    said, weixin.instead[call] = flood(MOST[name] + 16 * MB, kind)
    if name.startswith("message/") and "typing" not in name:
        assert await ask(gateway.wechat(weixin.url)) == PerhapsSent("an answer that is not WeChat's")
    else:
        with pytest.raises(WeChatGoneError) as gone:
            await ask(gateway.wechat(weixin.url))
        assert gone.value.reason == "an answer that is not WeChat's"
    assert said[0] < MOST[name] + 16 * MB, "the connection was closed before"


async def test_control_as_long_as_wechats_it_is_read(weixin: Weixin, gateway: Gateway) -> None:
    _, weixin.instead["menu/create"] = flood(63 * KB, "application/json")
    await gateway.wechat(weixin.url).menus.create(Menu((Button("看病", click="A"),)))
    _, weixin.instead["media/get"] = flood(10 * MB - KB, "image/jpeg")
    await gateway.wechat(weixin.url).files.get("m-1")


async def test_a_small_answer_that_unpacks_into_a_large_one_is_none(weixin: Weixin, gateway: Gateway) -> None:
    async def packed(request: web.Request) -> web.StreamResponse:
        assert request.headers["Accept-Encoding"] == "identity"
        response = web.Response(body=b'{"errcode": 0, "errmsg": "' + b"x" * 4 * MB + b'"}')
        response.enable_compression(web.ContentCoding.gzip)
        return response

    weixin.instead["menu/create"] = packed
    with pytest.raises(WeChatGoneError):
        await gateway.wechat(weixin.url).menus.create(Menu((Button("看病", click="A"),)))


async def test_a_token_is_written_so_that_an_address_holds_it(weixin: Weixin, gateway: Gateway) -> None:
    odd, seen = "a+b/c=&d#e?f%20", []

    async def takes(request: web.Request) -> web.StreamResponse:
        seen.append(request.query["access_token"])
        return web.json_response({"errcode": 0})

    async def grants(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"access_token": odd, "expires_in": 7200})

    weixin.instead.update({TOKEN: grants, "menu/delete": takes, "menu/create": takes, "user/info": takes})
    ours = gateway.wechat(weixin.url)
    await ours.menus.delete()
    await ours.menus.create(Menu((Button("看病", click="A"),)))
    await ignoring_refusals(ours.users.about(OPENID))
    assert seen == [odd] * 3


async def test_connections_of_our_own_keep_no_cookies(weixin: Weixin, gateway: Gateway) -> None:
    cookies: list[str | None] = []

    async def gives_one(request: web.Request) -> web.StreamResponse:
        cookies.append(request.headers.get("Cookie"))
        response = web.json_response({"errcode": 0})
        response.set_cookie("whose", "ours")
        return response

    weixin.instead["menu/delete"] = gives_one
    async with open_http() as http:
        ours = replace(gateway, http=http).wechat(weixin.url)
        for _ in range(2):
            await ours.menus.delete()
        assert isinstance(http.connector, aiohttp.TCPConnector)
        assert http.connector.limit >= 4 * 32
    assert cookies == [None, None]
