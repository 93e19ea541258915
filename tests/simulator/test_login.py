"""The web login of citizens: codes, tokens, and what they are good for."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.simulator.town import CITIZEN, Town

PAGE = "http://bot.example/page?lang=zh"


async def authorize(town: Town, **change: str) -> tuple[int, str, str]:
    """Status, where the citizen is sent, and what the page says."""
    query = {
        "appid": town.bot.account.appid,
        "redirect_uri": PAGE,
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "s1",
        "openid": CITIZEN,
    } | change
    client = town.client
    async with client.get("/connect/oauth2/authorize", params=query, allow_redirects=False) as response:
        return response.status, response.headers.get("Location", ""), await response.text()


async def code(town: Town, scope: str = "snsapi_base") -> str:
    _, target, _ = await authorize(town, scope=scope, allowed="1")
    return parse_qs(urlsplit(target).query)["code"][0]


async def redeem(town: Town, given: str, **change: str) -> dict[str, Any]:
    mine = town.bot.account
    query = {"appid": mine.appid, "secret": mine.secret, "code": given, "grant_type": "authorization_code"}
    answer: dict[str, Any] = await town.get("/sns/oauth2/access_token", **(query | change))
    return answer


async def refresh(town: Town, given: str, **change: str) -> dict[str, Any]:
    query = {"appid": town.bot.account.appid, "grant_type": "refresh_token", "refresh_token": given}
    answer: dict[str, Any] = await town.get("/sns/oauth2/refresh_token", **(query | change))
    return answer


async def userinfo(town: Town, token: str, openid: str = CITIZEN) -> dict[str, Any]:
    answer: dict[str, Any] = await town.get("/sns/userinfo", access_token=token, openid=openid)
    return answer


async def test_the_citizen_comes_back_with_a_code_and_the_state(town: Town) -> None:
    status, target, _ = await authorize(town)
    assert status == 302
    address = urlsplit(target)
    assert (address.netloc, address.path) == ("bot.example", "/page")
    query = parse_qs(address.query)
    assert set(query) == {"lang", "code", "state"}
    assert query["state"] == ["s1"]


async def test_a_code_becomes_an_identity_once(town: Town) -> None:
    given = await code(town)
    answer = await redeem(town, given)
    assert answer.items() >= {"expires_in": 7200, "openid": CITIZEN, "scope": "snsapi_base"}.items()
    assert "unionid" not in answer
    assert (await town.get("/sns/auth", access_token=answer["access_token"], openid=CITIZEN))["errcode"] == 0
    assert (await redeem(town, given))["errcode"] == 40163


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"code": "guessed"}, 40029),
        ({"code": ""}, 41008),
        ({"secret": "guessed"}, 40125),
        ({"appid": "wxnobody"}, 40013),
        ({"grant_type": "client_credential"}, 40002),
    ],
)
async def test_a_wrong_exchange_has_its_code(town: Town, change: dict[str, str], errcode: int) -> None:
    assert (await redeem(town, await code(town), **change))["errcode"] == errcode


async def test_a_code_lives_five_minutes(town: Town) -> None:
    first, second = await code(town), await code(town)
    town.clock.passes(seconds=299)
    assert "openid" in await redeem(town, first)
    town.clock.passes(seconds=1)
    assert (await redeem(town, second))["errcode"] == 42003


async def test_a_token_lives_two_hours_and_is_renewed_for_thirty_days(town: Town) -> None:
    first = await redeem(town, await code(town))
    town.clock.passes(seconds=7200)
    query = {"access_token": first["access_token"], "openid": CITIZEN}
    assert (await town.get("/sns/auth", **query))["errcode"] == 42001
    second = await refresh(town, first["refresh_token"])
    assert (second["openid"], second["refresh_token"]) == (CITIZEN, first["refresh_token"])
    query["access_token"] = second["access_token"]
    assert (await town.get("/sns/auth", **query))["errcode"] == 0
    town.clock.passes(days=30)
    assert (await refresh(town, first["refresh_token"]))["errcode"] == 42002
    assert (await refresh(town, "guessed"))["errcode"] == 40030
    assert (await refresh(town, first["refresh_token"], appid="wxnobody"))["errcode"] == 40013
    assert (await refresh(town, first["refresh_token"], appid=""))["errcode"] == 41002
    assert (await refresh(town, first["refresh_token"], grant_type=""))["errcode"] == 40002


async def test_who_is_asked_tells_the_name(town: Town) -> None:
    citizen = {"account": "city", "openid": CITIZEN, "nickname": "王秀英", "unionid": "u1"}
    await town.post("/sim/citizens", citizen)
    status, _, page = await authorize(town, scope="snsapi_userinfo")
    assert status == 200
    assert town.bot.account.name in page
    answer = await redeem(town, await code(town, "snsapi_userinfo"))
    assert answer["unionid"] == "u1"
    known = await userinfo(town, answer["access_token"])
    assert (known["openid"], known["nickname"], known["unionid"]) == (CITIZEN, "王秀英", "u1")
    assert known["privilege"] == []
    assert (await userinfo(town, answer["access_token"], "oOther"))["errcode"] == 40003
    assert (await userinfo(town, "guessed"))["errcode"] == 40001
    assert (await userinfo(town, ""))["errcode"] == 41001


async def test_who_was_not_asked_tells_nothing(town: Town) -> None:
    answer = await redeem(town, await code(town))
    assert (await userinfo(town, answer["access_token"]))["errcode"] == 48001


async def test_this_token_is_no_token_of_the_api(town: Town) -> None:
    answer = await redeem(town, await code(town))
    assert (await town.call("/cgi-bin/menu/get", token=answer["access_token"]))["errcode"] == 40001
    assert (await userinfo(town, await town.token()))["errcode"] == 40001


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"appid": "wxnobody"}, "appid"),
        ({"redirect_uri": "javascript:alert(1)"}, "redirect_uri"),
        ({"response_type": "token"}, "response_type"),
        ({"scope": "snsapi_login"}, "scope"),
        ({"state": "s" * 129}, "state"),
        ({"state": "a b"}, "state"),
    ],
)
async def test_a_wrong_address_is_told_on_the_page(town: Town, change: dict[str, str], says: str) -> None:
    status, target, page = await authorize(town, **change)
    assert (status, target) == (400, "")
    assert says in page


async def test_outside_a_phone_nobody_is_sent_anywhere(town: Town) -> None:
    status, target, page = await authorize(town, openid="")
    assert (status, target) == (200, "")
    assert "nobody" in page


async def test_who_looks_at_a_preview_is_nobody(town: Town) -> None:
    account = town.bot.account.key

    async def looks(*, at_previews: bool) -> None:
        change = {"account": account, "openid": CITIZEN, "preview": at_previews}
        assert (await town.post("/sim/citizens", change)).get("preview", False) is at_previews

    await looks(at_previews=True)
    first, second = [await redeem(town, await code(town, "snsapi_userinfo")) for _ in range(2)]
    assert first["is_snapshotuser"] == 1
    assert CITIZEN != first["openid"] != second["openid"]
    assert (await userinfo(town, first["access_token"], first["openid"]))["errcode"] == 40001
    assert (await refresh(town, first["refresh_token"]))["errcode"] == 40030
    await looks(at_previews=False)
    assert (await redeem(town, await code(town)))["openid"] == CITIZEN
