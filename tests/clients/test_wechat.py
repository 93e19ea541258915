"""WeChat's menu call, tried against the simulator."""

import aiohttp
import pytest

from clients.wechat import Credentials, WeChat, WeChatGoneError, WeChatRefusedError
from core.chat.menus import Button, Menu
from tests.clients.platform import CITY, TOKEN, Gateway, Instead, Weixin, answers, says

MENU = Menu(
    buttons=(
        Button(
            name="看病",
            children=(Button(name="挂号", click="BOOK"), Button(name="说明", url="https://x.example/")),
        ),
        Button(name="帮助", click="HELP"),
    )
)


def wechat(gateway: Gateway, url: str, who: Credentials = CITY) -> WeChat:
    return WeChat(gateway.platform(url), who)


async def test_the_menu_is_what_citizens_see(weixin: Weixin, gateway: Gateway) -> None:
    ours = wechat(gateway, weixin.url)
    await ours.menus.create(MENU)
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{weixin.url}/cgi-bin/menu/get", params={"access_token": await ours.token()}) as answer,
    ):
        told = await answer.json(content_type=None)
    first, second = told["menu"]["button"]
    assert [(child["name"], child["type"]) for child in first["sub_button"]] == [
        ("挂号", "click"),
        ("说明", "view"),
    ]
    assert (first["sub_button"][0]["key"], first["sub_button"][1]["url"]) == ("BOOK", "https://x.example/")
    assert (second["name"], second["key"]) == ("帮助", "HELP")


async def test_a_menu_survives_a_token_that_died(weixin: Weixin, gateway: Gateway) -> None:
    ours = wechat(gateway, weixin.url)
    old = await ours.token()
    await weixin.forces_a_token()
    await ours.menus.create(MENU)
    assert await ours.token() != old


async def test_a_wrong_secret_is_refused_in_wechats_words(weixin: Weixin, gateway: Gateway) -> None:
    with pytest.raises(WeChatRefusedError, match=r"stable_token: 40125 .*check accounts\.city\.secret") as no:
        await wechat(gateway, weixin.url, Credentials("city", "wx1", "wrong")).menus.create(MENU)
    assert no.value.code == 40125


@pytest.mark.parametrize("instead", [says(200, "<html>"), says(502, "{}"), says(200, "{}"), answers(0)])
async def test_what_is_no_answer_of_wechats_is_told_apart_from_refusals(
    weixin: Weixin, gateway: Gateway, instead: Instead
) -> None:
    weixin.instead[TOKEN] = instead
    with pytest.raises(WeChatGoneError):
        await wechat(gateway, weixin.url).token()


async def test_nobody_there_is_told_apart_from_refusals(gateway: Gateway) -> None:
    with pytest.raises(WeChatGoneError, match="did not answer stable_token"):
        await wechat(gateway, "http://127.0.0.1:1").token()


def test_credentials_keep_their_secret_when_printed() -> None:
    assert "right" not in repr(CITY)
