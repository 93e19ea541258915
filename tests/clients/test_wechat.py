"""WeChat's API side, tried against the simulator."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import simulator.app
from clients.wechat import WeChat, WeChatGoneError, WeChatRefusedError
from core.chat.menus import Button, Menu
from simulator.accounts import Account

MENU = Menu(
    buttons=(
        Button(
            name="看病",
            children=(Button(name="挂号", click="BOOK"), Button(name="说明", url="https://x.example/")),
        ),
        Button(name="帮助", click="HELP"),
    )
)


@pytest.fixture
async def platform() -> AsyncIterator[str]:
    account = Account("city", "城", "gh_1", "wx1", "right", "t", "", "plain", "http://127.0.0.1:1/")
    async with TestServer(simulator.app.build([account])) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_the_menu_is_what_citizens_see(platform: str, http: aiohttp.ClientSession) -> None:
    wechat = WeChat(http, platform, appid="wx1", secret="right")
    await wechat.create_menu(MENU)
    async with http.get(
        f"{platform}/cgi-bin/menu/get", params={"access_token": await wechat.token()}
    ) as answer:
        told = await answer.json(content_type=None)
    first, second = told["menu"]["button"]
    assert [(child["name"], child["type"]) for child in first["sub_button"]] == [
        ("挂号", "click"),
        ("说明", "view"),
    ]
    assert (first["sub_button"][0]["key"], first["sub_button"][1]["url"]) == ("BOOK", "https://x.example/")
    assert (second["name"], second["key"]) == ("帮助", "HELP")


async def test_a_wrong_secret_is_refused_in_wechats_words(platform: str, http: aiohttp.ClientSession) -> None:
    wechat = WeChat(http, platform, appid="wx1", secret="wrong")
    with pytest.raises(WeChatRefusedError, match="stable_token") as refused:
        await wechat.create_menu(MENU)
    assert refused.value.code


async def test_nobody_there_and_nonsense_are_told_apart_from_refusals(http: aiohttp.ClientSession) -> None:
    with pytest.raises(WeChatGoneError):
        await WeChat(http, "http://127.0.0.1:1", appid="wx1", secret="s").token()

    async def nonsense(_request: web.Request) -> web.Response:
        return web.Response(text="<html>")

    app = web.Application()
    app.router.add_post("/cgi-bin/stable_token", nonsense)
    async with TestServer(app) as server:
        with pytest.raises(WeChatGoneError):
            await WeChat(http, str(server.make_url("")).rstrip("/"), appid="wx1", secret="s").token()
