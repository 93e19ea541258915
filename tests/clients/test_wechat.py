"""WeChat's menu calls, tried against the simulator."""

import json

import pytest

from clients.wechat import Credentials, MenuButton, WeChatGoneError, WeChatRefusedError, as_wechat
from core.chat.menus import Button, Kind, Menu
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
ADDRESS, MEDIA, ARTICLE = "https://x.example/", "m-1", "a-1"
EVERYTHING = Menu(
    (
        Button(
            "扫一扫",
            children=(
                Button("扫码", kind=Kind.SCAN, key="A"),
                Button("扫码等", kind=Kind.SCAN_AND_WAIT, key="B"),
                Button("拍照", kind=Kind.CAMERA, key="C"),
                Button("照片", kind=Kind.CAMERA_OR_ALBUM, key="D"),
                Button("相册", kind=Kind.ALBUM, key="E"),
            ),
        ),
        Button(
            "看一看",
            children=(
                Button("小程序", kind=Kind.MINIPROGRAM, url=ADDRESS, appid="wxmini", page="pages/a?b=1"),
                Button("图", kind=Kind.MEDIA, media_id=MEDIA),
                Button("图文", kind=Kind.MEDIA_PAGE, media_id=MEDIA),
                Button("文章", kind=Kind.ARTICLE, article_id=ARTICLE),
                Button("文章页", kind=Kind.ARTICLE_PAGE, article_id=ARTICLE),
            ),
        ),
        Button("位置", kind=Kind.PLACE, key="F"),
    )
)


@pytest.mark.parametrize("menu", [MENU, EVERYTHING])
async def test_the_menu_is_what_citizens_see(weixin: Weixin, gateway: Gateway, menu: Menu) -> None:
    menus = gateway.wechat(weixin.url).menus
    await menus.create(menu)
    assert await menus.present() == as_wechat(menu)


async def test_a_menu_in_wechats_words(weixin: Weixin, gateway: Gateway) -> None:
    await gateway.wechat(weixin.url).menus.create(MENU)
    book = {"name": "挂号", "type": "click", "key": "BOOK"}
    told = {"name": "说明", "type": "view", "url": "https://x.example/"}
    assert weixin.asked("menu/create") == [
        {
            "button": [
                {"name": "看病", "sub_button": [book, told]},
                {"name": "帮助", "type": "click", "key": "HELP"},
            ]
        }
    ]


async def test_without_a_menu_there_are_no_buttons(weixin: Weixin, gateway: Gateway) -> None:
    menus = gateway.wechat(weixin.url).menus
    assert await menus.present() == ()
    await menus.create(MENU)
    await menus.delete()
    assert await menus.present() == ()


async def test_a_menu_somebody_made_in_the_console_is_read(weixin: Weixin, gateway: Gateway) -> None:
    clicks = {"type": "news", "name": "新闻", "value": "x", "sub_button": []}
    opens = {"name": "看病", "type": "", "key": "left over", "sub_button": [clicks]}
    weixin.instead["menu/get"] = says(200, json.dumps({"menu": {"button": [opens], "menuid": 2**60}}))
    assert await gateway.wechat(weixin.url).menus.present() == (
        MenuButton("看病", sub_button=(MenuButton("新闻", type="news"),)),
    )


@pytest.mark.parametrize("instead", [says(200, "<html>"), says(200, "{}"), says(200, '{"menu": []}')])
async def test_what_is_no_menu_is_told(weixin: Weixin, gateway: Gateway, instead: Instead) -> None:
    weixin.instead["menu/get"] = instead
    with pytest.raises(WeChatGoneError, match="menu/get"):
        await gateway.wechat(weixin.url).menus.present()


async def test_a_menu_survives_a_token_that_died(weixin: Weixin, gateway: Gateway) -> None:
    ours = gateway.wechat(weixin.url)
    old = await ours.token()
    await weixin.forces_a_token()
    await ours.menus.create(MENU)
    assert await ours.token() != old
    weixin.clock.passes(seconds=31)
    await weixin.forces_a_token()
    assert await ours.menus.present() == as_wechat(MENU)


async def test_a_wrong_secret_is_refused_in_wechats_words(weixin: Weixin, gateway: Gateway) -> None:
    with pytest.raises(WeChatRefusedError, match=r"stable_token: 40125 .*check accounts\.city\.secret") as no:
        await gateway.wechat(weixin.url, Credentials("city", "wx1", "wrong")).menus.create(MENU)
    assert no.value.code == 40125


@pytest.mark.parametrize("instead", [says(200, "<html>"), says(502, "{}"), says(200, "{}"), answers(0)])
async def test_what_is_no_answer_of_wechats_is_told_apart_from_refusals(
    weixin: Weixin, gateway: Gateway, instead: Instead
) -> None:
    weixin.instead[TOKEN] = instead
    with pytest.raises(WeChatGoneError):
        await gateway.wechat(weixin.url).token()


async def test_nobody_there_is_told_apart_from_refusals(gateway: Gateway) -> None:
    with pytest.raises(WeChatGoneError, match="did not answer stable_token"):
        await gateway.wechat("http://127.0.0.1:1").token()


def test_credentials_keep_their_secret_when_printed() -> None:
    assert "right" not in repr(CITY)
