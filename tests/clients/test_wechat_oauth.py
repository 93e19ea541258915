"""The web login: where a citizen is sent, what their code becomes, and that nothing secret is ever told."""

import json
import traceback
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from structlog.testing import capture_logs

from clients.wechat import (
    Login,
    Profile,
    SnapshotUserError,
    WeChatGoneError,
    WeChatLimitError,
    WeChatRefusedError,
)
from tests.clients.platform import OPENID, Gateway, Instead, Weixin, answers, resets, says

REDEEM, REFRESH, CHECK, PROFILE = (
    "sns/oauth2/access_token",
    "sns/oauth2/refresh_token",
    "sns/auth",
    "sns/userinfo",
)
PAGE = "https://city.example/book?day=明天&n=1"


async def code(weixin: Weixin, gateway: Gateway, *, profile: bool = False) -> str:
    """What the citizen comes back with, once they have agreed."""
    address = gateway.wechat(weixin.url).login.address(PAGE, "s1", profile=profile)
    agreed = address.replace("#", f"&openid={OPENID}&allowed=1#")
    async with gateway.http.get(agreed, allow_redirects=False) as answer:
        assert answer.status == 302
        back = answer.headers["Location"]
    query = parse_qs(urlsplit(back).query)
    assert (query["day"], query["n"], query["state"]) == (["明天"], ["1"], ["s1"])
    return query["code"][0]


def test_the_address_keeps_wechats_order(gateway: Gateway) -> None:
    login = gateway.wechat("https://open.example").login
    begins = (
        "https://open.example/connect/oauth2/authorize?appid=wx1"
        "&redirect_uri=https%3A%2F%2Fcity.example%2Fbook%3Fday%3D%E6%98%8E%E5%A4%A9%26n%3D1&response_type=code"
    )
    assert login.address(PAGE, "s1") == f"{begins}&scope=snsapi_base&state=s1#wechat_redirect"
    assert (
        login.address(PAGE, "s1", profile=True) == f"{begins}&scope=snsapi_userinfo&state=s1#wechat_redirect"
    )


@pytest.mark.parametrize("state", ["", "a" * 129, "a-b", "状态", "a\n", "a&scope=x"])
def test_a_state_wechat_would_refuse(gateway: Gateway, state: str) -> None:
    with pytest.raises(WeChatLimitError, match="state"):
        gateway.wechat("https://open.example").login.address(PAGE, state)


def test_a_way_back_that_is_no_page(gateway: Gateway) -> None:
    with pytest.raises(WeChatLimitError, match="come back"):
        gateway.wechat("https://open.example").login.address("javascript:alert(1)", "s1")


async def test_a_code_becomes_a_citizen_once(weixin: Weixin, gateway: Gateway) -> None:
    ours = gateway.wechat(weixin.url).login
    given = await code(weixin, gateway)
    login = await ours.redeem(given)
    assert (login.openid, login.scope, login.lasts_s) == (OPENID, "snsapi_base", 7200)
    assert await ours.is_good(login.access_token, OPENID)
    assert not await ours.is_good(login.access_token, "oCity-nobody-ever-heard-of-it")
    assert not await ours.is_good("guessed", OPENID)
    with pytest.raises(WeChatRefusedError, match="oauth2/access_token: 40163"):
        await ours.redeem(given)
    weixin.clock.passes(hours=2)
    assert not await ours.is_good(login.access_token, OPENID)
    again = await ours.refresh(login.refresh_token)
    assert again.openid == OPENID
    assert await ours.is_good(again.access_token, OPENID)


async def test_only_who_was_asked_shows_a_profile(weixin: Weixin, gateway: Gateway) -> None:
    ours = gateway.wechat(weixin.url).login
    login = await ours.redeem(await code(weixin, gateway))
    with pytest.raises(WeChatRefusedError, match="userinfo: 48001"):
        await ours.profile(login.access_token, OPENID)
    login = await ours.redeem(await code(weixin, gateway, profile=True))
    assert (await ours.profile(login.access_token, OPENID)).openid == OPENID
    told = {
        "openid": OPENID,
        "nickname": "小明",
        "sex": 0,
        "privilege": [],
        "headimgurl": "https://x.example/h",
    }
    weixin.instead[PROFILE] = says(200, json.dumps(told | {"unionid": "u-1"}))
    assert await ours.profile(login.access_token, OPENID) == Profile(
        OPENID, "小明", "https://x.example/h", "u-1"
    )


async def test_a_preview_of_the_page_is_nobody(weixin: Weixin, gateway: Gateway) -> None:
    ours = gateway.wechat(weixin.url).login
    granted = {
        "access_token": "t-1",
        "expires_in": 7200,
        "refresh_token": "r-1",
        "openid": OPENID,
        "scope": "s",
    }
    for snapshot in (1, True):
        for call in (REDEEM, REFRESH):
            weixin.instead[call] = says(200, json.dumps(granted | {"is_snapshotuser": snapshot}))
        for ask in (ours.redeem, ours.refresh):
            with pytest.raises(SnapshotUserError) as nobody:
                await ask("c-1")
            assert OPENID not in str(nobody.value)
    weixin.instead[REDEEM] = says(200, json.dumps(granted | {"is_snapshotuser": 0}))
    assert (await ours.redeem("c-1")).openid == OPENID


@pytest.mark.parametrize("given", ["guessed", "a&grant_type=x", "c d#e"])
async def test_a_guessed_code_is_refused(weixin: Weixin, gateway: Gateway, given: str) -> None:
    with pytest.raises(WeChatRefusedError, match="40029") as no:
        await gateway.wechat(weixin.url).login.redeem(given)
    assert no.value.code == 40029


async def test_a_check_that_says_nothing_of_the_token_is_told(weixin: Weixin, gateway: Gateway) -> None:
    weixin.instead[CHECK] = answers(-1)
    with pytest.raises(WeChatRefusedError, match="auth: -1"):
        await gateway.wechat(weixin.url).login.is_good("t-1", OPENID)


ECHO = '{"errcode": 40029, "errmsg": "invalid code %s %s rid: 6a-b1"}'


@pytest.mark.parametrize(
    "trouble",
    [
        says(200, ECHO % ("SECRET-CODE", "right")),
        says(200, "<html>SECRET-CODE"),
        says(200, "{}"),
        says(502, "SECRET-CODE"),
        resets,
    ],
)
async def test_no_failure_tells_a_secret(weixin: Weixin, gateway: Gateway, trouble: Instead) -> None:
    login = gateway.wechat(weixin.url).login
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        REDEEM: lambda: login.redeem("SECRET-CODE"),
        REFRESH: lambda: login.refresh("SECRET-CODE"),
        PROFILE: lambda: login.profile("SECRET-CODE", OPENID),
    }
    for call, ask in calls.items():
        weixin.instead[call] = trouble
        with capture_logs() as lines, pytest.raises((WeChatRefusedError, WeChatGoneError)) as failed:
            await ask()
        told = "".join(traceback.format_exception(failed.value)) + str(lines) + repr(failed.value)
        for secret in ("SECRET-CODE", "right", OPENID):
            assert secret not in told


def test_a_login_keeps_to_itself_who_it_is_when_printed() -> None:
    login = Login("o-1", "t-1", "r-1", 7200, "snsapi_base", "u-1")
    assert repr(login) == "Login(lasts_s=7200, scope='snsapi_base')"
    assert repr(Profile("o-1", "小明", "https://x.example/h", "u-1")) == "Profile()"
