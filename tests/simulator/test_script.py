"""The script API: what it takes, what it refuses and how it says so, and its pages."""

import ast
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import simulator
from simulator import acts
from simulator.app import build
from simulator.clock import wall_clock
from simulator.content import Content
from simulator.numbers import Numbers
from simulator.people import Bounds, People, Standing
from simulator.refusals import RefusedError
from simulator.script import MOST_ENTRIES
from simulator.wechat import Rules
from tests.simulator.conftest import MakeTown
from tests.simulator.town import CITIZEN, Town, account

TEXT = {"account": "city", "openid": CITIZEN, "type": "text", "content": "您好"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"account": "atlantis"}, ["atlantis", "city"]),
        ({"openid": "不是openid"}, ["openid", "A-Za-z0-9_-"]),
        ({"openid": "o" * 65}, ["openid"]),
        ({"openid": "o\n"}, ["openid"]),
        ({"openid": None}, ["openid"]),
        ({"type": "telepathy"}, ["telepathy", "text, image, voice", "event"]),
        ({"type": None}, ["text, image, voice"]),
        ({"content": ""}, ["content"]),
        ({"content": 7}, ["content", "str"]),
        ({"content": "x" * 6001}, ["content", "6000"]),
        ({"msgid": 1}, ["msgid", "msg_id"]),
        ({"msg_id": 0}, ["msg_id", "9223372036854775807"]),
        ({"msg_id": "1.5"}, ["msg_id"]),
        ({"msg_id": 2**63}, ["msg_id"]),
        ({"resign": "yes"}, ["resign", "bool"]),
        ({"type": "image", "content": "x"}, ["content", "pic_url"]),
        ({"type": "event", "event": "CLICK"}, ["content", "event_key"]),
    ],
)
async def test_a_wrong_message_is_refused_in_words(
    town: Town, change: dict[str, Any], says: list[str]
) -> None:
    sentence = await town.refused("POST", "/sim/messages", json=TEXT | change)
    assert all(word in sentence for word in says), sentence
    assert town.bot.pushes == []


@pytest.mark.parametrize(
    ("act", "says"),
    [
        ({"type": "image", "pic_url": "javascript:alert(1)"}, "pic_url"),
        ({"type": "location", "latitude": 91, "longitude": 0}, "90"),
        ({"type": "location", "latitude": "41", "longitude": 0}, "latitude"),
        ({"type": "location", "longitude": 0}, "latitude"),
        ({"type": "link", "title": "x"}, "url"),
        ({"type": "event", "event": "no spaces"}, "event"),
        ({"type": "event", "event": "CLICK", "msg_id": 5}, "msg_id"),
        ({"type": "event", "event": "X", "fields": {"MsgType": "text"}}, "MsgType"),
        ({"type": "event", "event": "X", "fields": {"<a>": 1}}, "letters"),
        ({"type": "event", "event": "X", "fields": {"A": None}}, "fields.A"),
        ({"type": "event", "event": "X", "fields": {"A": [1] * 201}}, "200"),
        ({"type": "event", "event": "X", "fields": {"A": {"B": {"C": {"D": {"E": {"F": 1}}}}}}}, "5 levels"),
    ],
)
async def test_each_type_has_its_own_rules(town: Town, act: dict[str, Any], says: str) -> None:
    body = {"account": "city", "openid": CITIZEN} | act
    assert says in await town.refused("POST", "/sim/messages", json=body)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff\xfe", b'"x"', b'{"type": "text", "content": "\\ud800"}']
)
@pytest.mark.parametrize("path", ["/sim/messages", "/sim/citizens", "/sim/payments", "/sim/verify"])
async def test_what_is_no_json_object_is_refused(town: Town, path: str, body: bytes) -> None:
    assert await town.refused("POST", path, data=body)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_nothing_but_a_refusal_comes_out_of_hostile_bytes(body: bytes) -> None:
    with pytest.raises(RefusedError):
        acts.parse(body)


async def test_large_bodies_long_queries_and_other_sites_are_kept_out(town: Town, caplog: Any) -> None:
    async with town.client.post("/sim/messages", data=b"x" * 70_000) as response:
        assert response.status == 413
    async with town.client.get("/sim/inbox", params={"account": "x" * 20_000}) as response:
        assert response.status == 400
    async with town.client.post(
        "/sim/messages", json=TEXT, headers={"Origin": "http://evil.invalid"}
    ) as response:
        assert response.status == 403
    assert not [record for record in caplog.records if record.exc_info]


async def test_unknown_openids_become_citizens_who_follow(town: Town) -> None:
    await town.say("您好", openid="oNewcomer")
    (citizen,) = await town.get("/sim/citizens", account="city")
    assert citizen == {
        "account": "city",
        "openid": "oNewcomer",
        "unionid": None,
        "nickname": "",
        "follows": True,
    }


async def test_following_and_leaving(town: Town) -> None:
    follows = []
    for event in ("subscribe", "unsubscribe", "subscribe"):
        await town.event(event)
        follows.append((await town.get("/sim/citizens", account="city"))[0]["follows"])
    assert follows == [True, False, True]


async def test_the_inbox_holds_what_came_and_not_what_was_said(town: Town) -> None:
    town.bot.says("好")
    await town.say("一")
    await town.say("二")
    await town.send("三")
    entries = await town.inbox()
    assert [(entry["kind"], entry["type"], entry["content"]) for entry in entries] == [
        ("reply", "text", "好"),
        ("reply", "text", "好"),
        ("custom", "text", "三"),
    ]
    ids = [int(entry["id"]) for entry in entries]
    assert ids == sorted(set(ids))
    assert all(isinstance(entry["id"], str) for entry in entries)
    assert entries[0]["at"] == "2026-11-23T09:00:00.000+08:00"


async def test_of_a_full_phone_the_oldest_goes_and_ids_go_on_growing(
    make_town: MakeTown, tmp_path: Path
) -> None:
    store = tmp_path / "phones.json"
    town = await make_town(store=store, rules=Rules(bounds=Bounds(entries_per_phone=4)))
    await town.say("您好")  # what the citizen says stands on the phone, too
    seen: list[dict[str, Any]] = []
    for number in range(10):
        await town.post("/sim/payments", {"account": "city", "openid": CITIZEN})  # and so does a grey line
        assert await town.send(str(number)) == 0
        seen += await town.inbox(after=seen[-1]["id"] if seen else "0")
    assert [entry["content"] for entry in seen] == [str(number) for number in range(10)]
    ids = [int(entry["id"]) for entry in seen]
    assert ids == sorted(set(ids))
    left = await town.inbox()
    assert [entry["content"] for entry in left] == ["8", "9"]
    assert await town.inbox(after=seen[2]["id"]) == left  # what went between is missing, nothing is repeated

    await town.client.close()
    town.client = TestClient(TestServer(build([town.bot.account], clock=town.clock, store=store)))
    await town.client.start_server()
    assert await town.send("10") == 0
    assert [entry["content"] for entry in await town.inbox(after=seen[-1]["id"])] == ["10"]


def test_the_page_on_the_simulator_names_its_bounds() -> None:
    page = (Path(simulator.__path__[0]).parent / "docs" / "simulator.md").read_text("utf-8")
    bounds = Bounds()
    for most in (bounds.entries_per_phone, bounds.entries, bounds.citizens, bounds.numbers):
        assert f"{most:,}" in page
    assert f"`limit` (at most {MOST_ENTRIES:,})" in page


async def test_the_inbox_goes_on_after_an_id(town: Town) -> None:
    town.bot.says("好")
    for _ in range(5):
        await town.say("在吗")
    ids = [entry["id"] for entry in await town.inbox()]
    assert [entry["id"] for entry in await town.inbox(after=ids[2])] == ids[3:]
    assert [entry["id"] for entry in await town.inbox(after=ids[0], limit="2")] == ids[1:3]
    assert await town.inbox(after=ids[-1]) == []
    assert await town.inbox("oNobody") == []


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/sim/inbox", {"account": "city"}),
        ("/sim/inbox", {"account": "nowhere", "openid": CITIZEN}),
        ("/sim/inbox", {"account": "city", "openid": CITIZEN, "after": "-1"}),
        ("/sim/inbox", {"account": "city", "openid": CITIZEN, "after": "x"}),
        ("/sim/inbox", {"account": "city", "openid": CITIZEN, "limit": "1001"}),
        ("/sim/inbox", {"account": "city", "openid": CITIZEN, "limit": "²"}),
        ("/sim/citizens", {"account": "city", "limit": "9" * 30}),
        ("/sim/citizens", {"account": "city", "after": "oNobody"}),
        ("/sim/citizens", {}),
        ("/phone", {"account": "nowhere"}),
        ("/phone", {"account": "city", "openid": "<script>"}),
        ("/phone/feed", {"account": "city"}),
        ("/phone/history", {"account": "city", "openid": CITIZEN, "before": "x"}),
    ],
)
async def test_wrong_queries_are_refused(town: Town, path: str, query: dict[str, str]) -> None:
    assert await town.refused("GET", path, params=query)


async def test_citizens_are_made_and_changed(town: Town) -> None:
    made = await town.post(
        "/sim/citizens", {"account": "city", "nickname": "王秀英", "unionid": "uW", "follows": False}
    )
    assert (made["nickname"], made["unionid"], made["follows"]) == ("王秀英", "uW", False)
    assert (len(made["openid"]), made["openid"][0]) == (28, "o")
    changed = await town.post("/sim/citizens", {"account": "city", "openid": made["openid"], "follows": True})
    assert changed == made | {"follows": True}
    same = await town.post("/sim/citizens", {"account": "city", "openid": made["openid"]})
    assert same == changed
    assert (await town.post("/sim/citizens", {"account": "city"}))["openid"][:6] == made["openid"][:6]
    assert "nickname" in await town.refused("POST", "/sim/citizens", json={"account": "city", "nick": "x"})
    assert town.bot.pushes == []


async def test_a_citizen_who_left_follows_again_unless_the_script_says_otherwise(town: Town) -> None:
    left = {"account": "city", "openid": CITIZEN}
    for follows, told in ((False, False), (None, True), (False, False), (True, True)):
        wish = left if follows is None else left | {"follows": follows}
        assert (await town.post("/sim/citizens", wish))["follows"] is told
    await town.event("unsubscribe")
    assert (await town.post("/sim/citizens", left | {"nickname": "回来了"}))["follows"] is True


@pytest.mark.parametrize(
    ("message", "content"),
    [
        ({"msgtype": "image", "image": {"media_id": "m1"}}, ""),
        ({"msgtype": "video", "video": {"media_id": "m1", "title": "操"}}, "操"),
        ({"msgtype": "news", "news": {"articles": [{"title": "停水", "url": "https://x.example/"}]}}, "停水"),
        (
            {
                "msgtype": "msgmenu",
                "msgmenu": {
                    "head_content": "来吗？",
                    "list": [{"id": 1, "content": "来"}, {"id": 2, "content": "不来"}],
                    "tail_content": "",
                },
            },
            "来吗？\n来\n不来",
        ),
        ({"msgtype": "wxcard", "wxcard": {"card_id": "c1"}}, ""),
    ],
)
async def test_every_entry_has_its_fixed_part(town: Town, message: dict[str, Any], content: str) -> None:
    await town.say("您好")
    answer = await town.call("/cgi-bin/message/custom/send", {"touser": CITIZEN, **message})
    assert answer["errcode"] == 0, answer
    entry = (await town.inbox())[-1]
    assert {"id", "at", "kind", "type", "content"} <= set(entry)
    assert (entry["type"], entry["content"]) == (message["msgtype"], content)


async def test_citizens_come_in_pages(town: Town) -> None:
    openids = [f"oCitizen{number:02}" for number in range(7)]
    for openid in openids:
        await town.post("/sim/citizens", {"account": "city", "openid": openid})
    seen: list[str] = []
    after = ""
    while page := await town.get("/sim/citizens", account="city", after=after, limit="3"):
        assert len(page) <= 3
        seen += [one["openid"] for one in page]
        after = seen[-1]
    assert seen == openids


async def test_the_console_verifies_the_address(town: Town) -> None:
    assert await town.post("/sim/verify", {"account": "city"}) == {"ok": True, "detail": "echostr came back"}

    async def quoted(request: web.Request) -> web.StreamResponse:
        return web.Response(text=f'"{request.query["echostr"]}"')

    town.bot.handle = quoted  # type: ignore[method-assign]
    answer = await town.post("/sim/verify", {"account": "city"})
    assert (answer["ok"], answer["detail"]) == (False, "the body is not exactly echostr")


async def test_the_console_says_why_it_does_not_verify(make_town: MakeTown) -> None:
    town = await make_town(retry_s=2.0)

    async def forbidden(request: web.Request) -> web.StreamResponse:
        return web.Response(status=403)

    town.bot.handle = forbidden  # type: ignore[method-assign]
    assert "403" in (await town.post("/sim/verify", {"account": "city"}))["detail"]
    await town.bot.server.close()
    assert "no answer" in (await town.post("/sim/verify", {"account": "city"}))["detail"]


def people(bounds: Bounds) -> People:
    return People([account("http://127.0.0.1/")], wall_clock, lambda _phone: None, bounds)


def test_memory_is_bounded() -> None:
    crowd = people(Bounds(citizens=3, entries_per_phone=4, entries=6))
    first, second, third = (crowd.meet("city", f"o{number}", Standing.FOLLOWER) for number in range(3))
    with pytest.raises(RefusedError, match="3 citizens"):
        crowd.meet("city", "o4", Standing.FOLLOWER)
    for number in range(6):
        crowd.record(first, "custom", Content(type="text", content=str(number)))
    assert [entry.content.content for entry in first.entries] == ["2", "3", "4", "5"]
    for phone in (second, third, second, third):
        crowd.record(phone, "custom", Content(type="text", content="x"))
    assert sum(len(phone.entries) for phone in (first, second, third)) <= 6
    assert [entry.content.content for entry in first.entries][-1] == "5"


def test_the_ids_that_scripts_chose_are_bounded_too() -> None:
    numbers = Numbers(first=1, most=2)
    keys = [("city", CITIZEN, number) for number in (7, 8, 9)]
    assert [numbers.sent_at(key, now) for now, key in enumerate(keys)] == [0, 1, 2]
    assert [numbers.sent_at(key, 5) for key in reversed(keys)] == [2, 1, 5]  # the oldest is a new one


def test_the_simulator_stands_alone() -> None:
    """It plays WeChat for any bot, so it may know nothing of ours."""
    allowed = {"simulator", "aiohttp", "wechatpy", "jinja2", "msgspec", "yarl"}
    ours = {path.stem for path in Path(simulator.__path__[0]).parent.iterdir()} - allowed
    for source in Path(simulator.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not {name.split(".")[0] for name in names} & ours, source


async def test_two_accounts_do_not_mix(town: Town) -> None:
    bot = town.bot
    both = [bot.account, account(bot.account.webhook_url, "plain", key="school")]
    async with TestClient(TestServer(build(both))) as client:
        for key in ("city", "school"):
            body = {"account": key, "openid": CITIZEN, "type": "text", "content": key}
            assert (await (await client.post("/sim/messages", json=body)).json())["attempts"] == 1
        school = both[1]
        token = await client.get(
            "/cgi-bin/token",
            params={"grant_type": "client_credential", "appid": school.appid, "secret": school.secret},
        )
        query = {"access_token": (await token.json())["access_token"]}
        message = {"touser": CITIZEN, "msgtype": "text", "text": {"content": "school only"}}
        assert (await (await client.post("/cgi-bin/message/custom/send", params=query, json=message)).json())[
            "errcode"
        ] == 0
        params = {"account": "city", "openid": CITIZEN}
        assert await (await client.get("/sim/inbox", params=params)).json() == []


async def test_control_the_town_is_a_plain_http_server(town: Town) -> None:
    """Any client in any language reaches it: no cookies, no special headers."""
    async with aiohttp.ClientSession() as session, session.get(town.client.make_url("/")) as response:
        assert response.status == 200
        assert response.url.path == "/phone"
