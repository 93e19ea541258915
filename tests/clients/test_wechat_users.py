"""What WeChat tells of citizens, one by one, by the hundred, and page by page."""

import json
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from clients.wechat import Person, WeChatGoneError, WeChatLimitError, WeChatRefusedError
from tests.clients.platform import OPENID, Gateway, Weixin, answers, says

OTHER, STRANGER = "oCity-citizen_0002-of-28-chr", "oCity-stranger_01-of-28-chrs"
BATCH, GET, INFO = "user/info/batchget", "user/get", "user/info"


@pytest.fixture
async def town(weixin: Weixin) -> Weixin:
    """Two followers, and somebody who does not follow."""
    for openid, follows in ((OPENID, True), (OTHER, True), (STRANGER, False)):
        await weixin.acts("/sim/citizens", account="city", openid=openid, follows=follows)
    return weixin


async def test_a_follower_and_a_stranger(town: Weixin, gateway: Gateway) -> None:
    users = gateway.wechat(town.url).users
    follower = await users.about(OPENID)
    assert (follower.openid, follower.follows, follower.scene) == (OPENID, True, "")
    assert follower.since == town.clock.now
    assert follower.since.utcoffset() == timedelta(hours=8)
    assert await users.about(STRANGER) == Person(STRANGER, follows=False)
    with pytest.raises(WeChatRefusedError, match="user/info: 40003"):
        await users.about("oCity-nobody-ever-heard-of-it")


async def test_everything_wechat_tells(town: Weixin, gateway: Gateway) -> None:
    told = {
        "subscribe": 1,
        "openid": OPENID,
        "language": "zh_CN",
        "subscribe_time": 1_795_395_600,
        "unionid": "u-1",
        "remark": "王大夫",
        "groupid": 0,
        "tagid_list": [128, 2],
        "subscribe_scene": "ADD_SCENE_QR_CODE",
        "qr_scene": 98765,
        "qr_scene_str": "",
    }
    town.instead[INFO] = says(200, json.dumps(told))
    person = await gateway.wechat(town.url).users.about(OPENID)
    assert (person.unionid, person.remark, person.tags) == ("u-1", "王大夫", (128, 2))
    assert (person.came_by, person.scene) == ("ADD_SCENE_QR_CODE", "98765")


async def test_many_in_one_call(town: Weixin, gateway: Gateway) -> None:
    users = gateway.wechat(town.url).users
    people = await users.about_many([OPENID, STRANGER, OTHER])
    assert [(person.openid, person.follows) for person in people] == [
        (OPENID, True),
        (STRANGER, False),
        (OTHER, True),
    ]
    assert len(await users.about_many([OPENID] * 100)) == 100
    assert len(town.asked(BATCH)) == 2


async def test_more_than_a_hundred_and_none_at_all_are_not_asked_about(
    town: Weixin, gateway: Gateway
) -> None:
    users = gateway.wechat(town.url).users
    assert await users.about_many([]) == ()
    with pytest.raises(WeChatLimitError, match="at most 100"):
        await users.about_many([OPENID] * 101)
    assert not town.asked(BATCH)


def pages(*known: dict[str, Any]) -> Any:
    """`user/get` answers with these, each for the openid it comes after."""
    by_start = {page.pop("after"): page for page in known}

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(by_start[request.query.get("next_openid", "")])

    return answer


async def followers(town: Weixin, gateway: Gateway) -> list[tuple[str, ...]]:
    return [page async for page in gateway.wechat(town.url).users.followers()]


async def test_all_followers_page_by_page(town: Weixin, gateway: Gateway) -> None:
    town.instead[GET] = pages(
        {"after": "", "total": 3, "count": 2, "data": {"openid": ["a", "b"]}, "next_openid": "b"},
        {"after": "b", "total": 3, "count": 1, "data": {"openid": ["c"]}, "next_openid": "c"},
        {"after": "c", "total": 3, "count": 0, "next_openid": ""},
    )
    assert await followers(town, gateway) == [("a", "b"), ("c",)]
    assert [wire.query for wire in town.wires if wire.call == GET] == [
        {},
        {"next_openid": "b"},
        {"next_openid": "c"},
    ]


async def test_a_full_page_of_ten_thousand_is_no_surprise(town: Weixin, gateway: Gateway) -> None:
    openids = [f"oCity-citizen-{number:014d}" for number in range(10_000)]
    town.instead[GET] = pages(
        {"after": "", "total": 10_000, "count": 10_000, "data": {"openid": openids}, "next_openid": ""}
    )
    assert await followers(town, gateway) == [tuple(openids)]


async def test_pages_that_go_in_circles_end(town: Weixin, gateway: Gateway) -> None:
    same = {"total": 9, "count": 1, "data": {"openid": ["a"]}, "next_openid": "a"}
    town.instead[GET] = pages({"after": "", **same}, {"after": "a", **same})
    assert await followers(town, gateway) == [("a",), ("a",)]


@pytest.mark.parametrize("text", ["{}", '{"errcode": 0}', "[]", '{"total": "many"}'])
async def test_what_is_no_page_is_told(town: Weixin, gateway: Gateway, text: str) -> None:
    town.instead[GET] = says(200, text)
    with pytest.raises(WeChatGoneError, match="user/get"):
        await followers(town, gateway)
    town.instead[GET] = answers(40013)
    with pytest.raises(WeChatRefusedError, match="user/get: 40013"):
        await followers(town, gateway)
