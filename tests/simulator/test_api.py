"""The API that bots call: tokens, customer-service messages with their windows, menus."""

import asyncio
from typing import Any

import pytest

from simulator.windows import Limits
from tests.simulator.conftest import MakeTown
from tests.simulator.town import CITIZEN, Town

STABLE = {"grant_type": "client_credential", "appid": "wxcity0123456789", "secret": "secret-city"}


async def stable(town: Town, **extra: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await town.post("/cgi-bin/stable_token", STABLE | extra)
    return answer


async def usable(town: Town, token: str) -> int:
    """0 if the token is taken; 46003 means it is, and that there is no menu."""
    answer = await town.call("/cgi-bin/menu/get", token=token)
    return 0 if answer["errcode"] == 46003 else int(answer["errcode"])


# --- tokens -------------------------------------------------------------------------------------------------


async def test_the_old_call_gives_a_new_token_and_the_last_one_lives_five_minutes(town: Town) -> None:
    first = await town.token()
    second = await town.token()
    assert first != second
    assert [await usable(town, first), await usable(town, second)] == [0, 0]
    town.clock.passes(seconds=301)
    assert [await usable(town, first), await usable(town, second)] == [40001, 0]


async def test_a_stable_token_stays_until_five_minutes_before_its_end(town: Town) -> None:
    first = await stable(town)
    town.clock.passes(seconds=7200 - 301)
    again = await stable(town)
    assert (again["access_token"], again["expires_in"]) == (first["access_token"], 301)
    town.clock.passes(seconds=1)
    renewed = await stable(town)
    assert (renewed["access_token"] != first["access_token"], renewed["expires_in"]) == (True, 7200)
    assert await usable(town, first["access_token"]) == 0
    town.clock.passes(seconds=300)
    assert await usable(town, first["access_token"]) == 42001


async def test_the_two_kinds_of_token_do_not_touch_each_other(town: Town) -> None:
    kept = (await stable(town))["access_token"]
    await town.token()
    town.clock.passes(seconds=600)
    await town.token()
    assert (await stable(town))["access_token"] == kept
    assert await usable(town, kept) == 0


async def test_a_forced_token_ends_the_one_before_at_once(town: Town) -> None:
    first = (await stable(town))["access_token"]
    second = (await stable(town, force_refresh=True))["access_token"]
    assert [await usable(town, first), await usable(town, second)] == [40001, 0]


async def test_forcing_is_limited(town: Town) -> None:
    for _ in range(20):
        assert "access_token" in await stable(town, force_refresh=True)
        assert (await stable(town, force_refresh=True))["errcode"] == 45011  # 30 s apart
        town.clock.passes(seconds=31)
    assert (await stable(town, force_refresh=True))["errcode"] == 45009  # 20 a day
    town.clock.passes(days=1)
    assert "access_token" in await stable(town, force_refresh=True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"grant_type": "password"}, 40002),
        ({"appid": ""}, 41002),
        ({"secret": ""}, 41004),
        ({"appid": "wxnobody"}, 40013),
        ({"secret": "guessed"}, 40125),
    ],
)
async def test_wrong_credentials(town: Town, change: dict[str, str], code: int) -> None:
    assert (await town.get("/cgi-bin/token", **(STABLE | change)))["errcode"] == code
    assert (await stable(town, **change))["errcode"] == code


@pytest.mark.parametrize(("token", "code"), [("", 41001), ("invented", 40001)])
async def test_calls_need_a_token(town: Town, token: str, code: int) -> None:
    answer = await town.call("/cgi-bin/menu/get", token=token)
    assert answer["errcode"] == code
    assert "rid: " in answer["errmsg"]


async def test_wrong_methods_and_unknown_calls(town: Town) -> None:
    assert (await town.get("/cgi-bin/stable_token"))["errcode"] == 43002
    assert (await town.post("/cgi-bin/token", {}))["errcode"] == 43001
    assert (await town.get("/cgi-bin/no/such/call"))["errcode"] == 40066
    assert (await town.call("/cgi-bin/menu/create", b"x" * 70_000))["errcode"] == 45002


# --- customer-service messages ------------------------------------------------------------------------------


async def test_five_messages_within_two_days_of_the_last_word(town: Town) -> None:
    await town.say("您好")
    assert [await town.send() for _ in range(6)] == [0, 0, 0, 0, 0, 45047]
    await town.say("还在吗")
    assert await town.send() == 0
    town.clock.passes(hours=48, seconds=-1)
    assert await town.send() == 0
    town.clock.passes(seconds=1)
    assert await town.send() == 45015
    assert [entry["kind"] for entry in await town.inbox()] == ["custom"] * 7


@pytest.mark.parametrize(
    ("event", "key"),
    [
        ("CLICK", "BOOK"),
        ("scancode_push", "S"),
        ("scancode_waitmsg", "S"),
        ("subscribe", ""),
        ("SCAN", "bus-7"),
    ],
)
async def test_three_messages_within_a_minute_of_a_tap_a_scan_or_following(
    town: Town, event: str, key: str
) -> None:
    await town.event(event, key)
    assert [await town.send() for _ in range(4)] == [0, 0, 0, 45047]
    town.clock.passes(seconds=60)
    assert await town.send() == 45015


@pytest.mark.parametrize(
    ("event", "key"), [("VIEW", "http://x.invalid/"), ("LOCATION", None), ("pic_weixin", "P")]
)
async def test_other_events_open_no_window(town: Town, event: str, key: str | None) -> None:
    await town.event(event, key)
    assert await town.send() == 45015


async def test_windows_do_not_add_up(town: Town) -> None:
    """A send needs any open window with messages left, and counts against all that are open."""
    await town.say("您好")
    assert [await town.send() for _ in range(4)] == [0] * 4  # one of five left
    await town.event("CLICK", "BOOK")  # and three of three
    assert [await town.send() for _ in range(4)] == [0, 0, 0, 45047]


async def test_a_send_counts_against_the_longer_window_too(town: Town) -> None:
    await town.event("CLICK", "BOOK")
    await town.say("您好")
    assert [await town.send() for _ in range(3)] == [0] * 3
    town.clock.passes(seconds=61)
    assert [await town.send() for _ in range(3)] == [0, 0, 45047]


async def test_who_has_paid_may_be_written_to_for_two_days_without_a_limit(town: Town) -> None:
    paid = await town.post("/sim/payments", {"account": "city", "openid": CITIZEN})
    assert (paid["openid"], paid["follows"]) == (CITIZEN, True)
    assert [await town.send() for _ in range(30)] == [0] * 30
    town.clock.passes(hours=48, seconds=-1)
    assert await town.send() == 0
    town.clock.passes(seconds=1)
    assert await town.send() == 45015
    assert town.bot.pushes == []  # who collects the money is told, by other means


async def test_what_is_sent_after_a_payment_counts_against_the_other_windows_too(town: Town) -> None:
    await town.post("/sim/payments", {"account": "city", "openid": CITIZEN})
    town.clock.passes(hours=47)
    await town.say("您好")
    assert [await town.send() for _ in range(7)] == [0] * 7  # more than the five that words allow
    town.clock.passes(hours=1)  # the payment's window is over, the other one is open and used up
    assert await town.send() == 45047
    await town.say("还在吗")
    assert await town.send() == 0


async def test_the_figures_are_settings(make_town: MakeTown) -> None:
    town = await make_town(limits=Limits(per_message=20))
    await town.say("您好")
    assert [await town.send() for _ in range(21)] == [0] * 20 + [45047]


async def test_who_may_be_written_to(town: Town) -> None:
    assert await town.send(openid="oNobody") == 40003
    await town.post("/sim/citizens", {"account": "city", "openid": "oStranger", "follows": False})
    assert await town.send(openid="oStranger") == 43004
    await town.say("您好")
    await town.event("unsubscribe")
    assert await town.send() == 45015
    await town.event("subscribe")
    assert await town.send() == 0


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ({"msgtype": "text", "text": {"content": "您好😀"}}, {"type": "text", "content": "您好😀"}),
        ({"msgtype": "image", "image": {"media_id": "M"}}, {"type": "image", "media_id": "M"}),
        ({"msgtype": "voice", "voice": {"media_id": "M"}}, {"type": "voice", "media_id": "M"}),
        ({"msgtype": "mpnews", "mpnews": {"media_id": "M"}}, {"type": "mpnews", "media_id": "M"}),
        ({"msgtype": "mpnewsarticle", "mpnewsarticle": {"article_id": "A"}}, {"article_id": "A"}),
        ({"msgtype": "video", "video": {"media_id": "M", "title": "t"}}, {"media_id": "M", "title": "t"}),
        ({"msgtype": "wxcard", "wxcard": {"card_id": "C"}}, {"type": "wxcard", "card_id": "C"}),
        (
            {
                "msgtype": "music",
                "music": {"musicurl": "http://a", "hqmusicurl": "http://b", "thumb_media_id": "T"},
            },
            {"musicurl": "http://a", "hqmusicurl": "http://b", "thumb_media_id": "T"},
        ),
        (
            {
                "msgtype": "news",
                "news": {"articles": [{"title": "t", "url": "http://x", "picurl": "http://p"}]},
            },
            {"articles": [{"title": "t", "description": "", "url": "http://x", "picurl": "http://p"}]},
        ),
        (
            {
                "msgtype": "msgmenu",
                "msgmenu": {"head_content": "来吗？", "list": [{"id": 1, "content": "来"}]},
            },
            {"head_content": "来吗？", "list": [{"id": "1", "content": "来"}]},
        ),
        (
            {
                "msgtype": "miniprogrampage",
                "miniprogrampage": {"appid": "wx", "pagepath": "p", "thumb_media_id": "T"},
            },
            {"type": "miniprogrampage", "appid": "wx", "pagepath": "p"},
        ),
        (
            {"msgtype": "text", "text": {"content": "好"}, "customservice": {"kf_account": "li@city"}},
            {"content": "好", "kf_account": "li@city"},
        ),
    ],
)
async def test_each_type_of_message_reaches_the_phone(
    town: Town, message: dict[str, Any], shown: dict[str, Any]
) -> None:
    await town.say("您好")
    assert await town.call("/cgi-bin/message/custom/send", {"touser": CITIZEN} | message) == {
        "errcode": 0,
        "errmsg": "ok",
    }
    (entry,) = await town.inbox()
    assert entry.items() >= (shown | {"kind": "custom"}).items()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", 47001),
        (b"[]", 47001),
        (b"\xff", 47001),
        (rb'{"touser":"x","msgtype":"text","text":{"content":"\u60a8"}}', 40033),
        ({"touser": CITIZEN, "msgtype": "sticker"}, 40008),
        ({"touser": CITIZEN}, 40008),
        ({"touser": CITIZEN, "msgtype": "text"}, 44004),
        ({"touser": CITIZEN, "msgtype": "text", "text": {"content": ""}}, 44004),
        ({"touser": CITIZEN, "msgtype": "text", "text": {"content": "长" * 683}}, 45002),
        ({"touser": CITIZEN, "msgtype": "text", "text": {"content": ["x"]}}, 40035),
        ({"touser": CITIZEN, "msgtype": "image", "image": {}}, 40007),
        ({"touser": CITIZEN, "msgtype": "news", "news": {"articles": []}}, 45008),
        (
            {"touser": CITIZEN, "msgtype": "news", "news": {"articles": [{"title": "a"}, {"title": "b"}]}},
            45008,
        ),
        ({"touser": CITIZEN, "msgtype": "msgmenu", "msgmenu": {"list": []}}, 40035),
        ({"touser": CITIZEN, "msgtype": "msgmenu", "msgmenu": {"list": ["x"]}}, 40035),
        ({"touser": {"a": 1}, "msgtype": "text", "text": {"content": "x"}}, 40035),
    ],
)
async def test_a_wrong_message_has_its_code_and_costs_nothing(town: Town, body: Any, code: int) -> None:
    await town.say("您好")
    assert (await town.call("/cgi-bin/message/custom/send", body))["errcode"] == code
    assert [await town.send("长" * 682) for _ in range(6)] == [0] * 5 + [45047]


async def test_escapes_that_json_needs_are_allowed(town: Town) -> None:
    await town.say("您好")
    body = b'{"touser":"%s","msgtype":"text","text":{"content":"a\\u0009b\\\\u60a8"}}' % CITIZEN.encode()
    assert (await town.call("/cgi-bin/message/custom/send", body))["errcode"] == 0
    assert (await town.inbox())[0]["content"] == "a\tb\\u60a8"


async def test_typing_has_its_commands(town: Town) -> None:
    await town.say("您好")
    call = "/cgi-bin/message/custom/typing"
    assert (await town.call(call, {"touser": CITIZEN, "command": "Typing"}))["errcode"] == 0
    assert (await town.call(call, {"touser": CITIZEN, "command": "Dancing"}))["errcode"] == 45072
    assert (await town.call(call, {"touser": "oNobody", "command": "Typing"}))["errcode"] == 40003


async def test_a_storm_of_sends_spends_each_window_exactly(town: Town) -> None:
    await town.say("您好")
    codes = await asyncio.gather(*(town.send() for _ in range(40)))
    assert sorted(codes) == [0] * 5 + [45047] * 35


# --- menus --------------------------------------------------------------------------------------------------

CLICK = {"type": "click", "name": "挂号", "key": "BOOK"}


async def test_a_menu_is_made_shown_and_taken_away(town: Town) -> None:
    menu = {"button": [{"name": "看病", "sub_button": [CLICK]}, CLICK]}
    assert (await town.call("/cgi-bin/menu/get"))["errcode"] == 46003
    assert await town.call("/cgi-bin/menu/create", menu) == {"errcode": 0, "errmsg": "ok"}
    assert await town.call("/cgi-bin/menu/get") == {
        "menu": {
            "button": [
                {"name": "看病", "sub_button": [CLICK | {"sub_button": []}]},
                CLICK | {"sub_button": []},
            ]
        }
    }
    assert (await town.call("/cgi-bin/menu/delete"))["errcode"] == 0
    assert (await town.call("/cgi-bin/menu/get"))["errcode"] == 46003


def sub(button: dict[str, Any]) -> dict[str, Any]:
    return {"name": "看病", "sub_button": [button]}


@pytest.mark.parametrize(
    ("buttons", "code"),
    [
        ([], 40016),
        ([CLICK] * 4, 40016),
        ([CLICK | {"name": "医" * 6}], 40018),
        ([CLICK | {"name": ""}], 40018),
        ([CLICK | {"key": "k" * 129}], 40019),
        ([CLICK | {"type": "teleport"}], 40017),
        ([{"name": "网", "type": "view", "url": "http://x.invalid/" + "a" * 1010}], 40020),
        ([{"name": "网", "type": "view", "url": "ftp://x.invalid/"}], 40055),
        ([{"name": "图", "type": "media_id"}], 40007),
        ([{"name": "程", "type": "miniprogram", "url": "http://x.invalid/"}], 40035),
        ([{"name": "看病", "sub_button": [CLICK] * 6}], 40023),
        ([sub({"name": "再", "sub_button": [CLICK]})], 40022),
        ([sub(CLICK | {"name": "医" * 21})], 40025),
        ([sub(CLICK | {"key": ""})], 40026),
        ([sub(CLICK | {"type": ""})], 40024),
        ([sub({"name": "网", "type": "view", "url": ""})], 40027),
        ([sub({"name": "网", "type": "view", "url": "javascript:alert(1)"})], 40054),
        ("no list", 47001),
    ],
)
async def test_a_wrong_menu_has_its_code(town: Town, buttons: Any, code: int) -> None:
    assert (await town.call("/cgi-bin/menu/create", {"button": buttons}))["errcode"] == code
    assert (await town.call("/cgi-bin/menu/get"))["errcode"] == 46003


async def test_names_as_long_as_allowed(town: Town) -> None:
    menu = {"button": [CLICK | {"name": "医" * 5}, sub(CLICK | {"name": "医" * 20, "key": "k" * 128})]}
    assert (await town.call("/cgi-bin/menu/create", menu))["errcode"] == 0
