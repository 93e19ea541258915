"""The phone page's feed: live, in order, nothing lost and nothing twice."""

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import ClientWebSocketResponse, WSMsgType, web

import simulator
from tests.simulator.conftest import MakeTown
from tests.simulator.test_api import CLICK
from tests.simulator.town import CITIZEN, Pushed, Town
from tests.support.pages import icon_of


async def connect(town: Town, openid: str = CITIZEN, after: str = "0") -> ClientWebSocketResponse:
    query = {"account": "city", "openid": openid, "after": after}
    return await town.client.ws_connect("/phone/feed", params=query)


async def hear(feed: ClientWebSocketResponse) -> dict[str, Any]:
    heard: dict[str, Any] = await feed.receive_json(timeout=10)
    return heard


async def entries(feed: ClientWebSocketResponse, count: int) -> list[dict[str, Any]]:
    heard: list[dict[str, Any]] = []
    while len(heard) < count:
        heard += (await hear(feed))["entries"]
    return heard


def texts(heard: list[dict[str, Any]]) -> list[str]:
    return [f"{entry['kind']} {entry['content']}" for entry in heard]


async def test_the_chat_is_told_from_the_start_and_goes_on(town: Town) -> None:
    town.bot.says("请选择科室")
    await town.say("挂号")
    feed = await connect(town)
    assert texts(await entries(feed, 2)) == ["sent 挂号", "reply 请选择科室"]
    await town.send("明天 08:30 就诊")
    assert texts(await entries(feed, 1)) == ["custom 明天 08:30 就诊"]


async def test_who_comes_back_gets_what_was_missed_and_nothing_twice(town: Town) -> None:
    town.bot.says("好")
    feed = await connect(town)
    await town.say("一")
    seen = await entries(feed, 2)
    await feed.close()
    await town.say("二")
    await town.send("三")
    feed = await connect(town, after=seen[-1]["id"])
    assert texts(await entries(feed, 3)) == ["sent 二", "reply 好", "custom 三"]


async def test_a_long_chat_starts_with_its_end(town: Town) -> None:
    for number in range(130):
        await town.say(str(number))
    feed = await connect(town)
    recent = await entries(feed, 100)
    assert (recent[0]["content"], recent[-1]["content"]) == ("30", "129")
    query = {"account": "city", "openid": CITIZEN, "before": recent[0]["id"]}
    older = await town.get("/phone/history", **query)
    assert [entry["content"] for entry in older] == [str(number) for number in range(30)]


async def test_looking_at_a_phone_makes_no_follower(town: Town) -> None:
    feed = await connect(town, "oVisitor")
    assert (await hear(feed))["state"]["follows"] is False
    await town.event("subscribe", "", openid="oVisitor")
    while not (await hear(feed))["state"]["follows"]:
        pass


async def test_who_was_only_looked_at_follows_with_the_first_word_of_a_script(town: Town) -> None:
    await hear(await connect(town))
    await town.say("您好")
    assert await town.send() == 0


async def test_the_menu_and_typing_are_shown_as_they_change(town: Town) -> None:
    await town.say("您好")
    feed = await connect(town)
    state = (await hear(feed))["state"]
    assert (state["menu"], state["typing"]) == (None, False)
    await town.call("/cgi-bin/menu/create", {"button": [CLICK]})
    assert (await hear(feed))["state"]["menu"]["button"][0]["key"] == "BOOK"
    call = "/cgi-bin/message/custom/typing"
    for command, shown in (("Typing", True), ("CancelTyping", False)):
        await town.call(call, {"touser": CITIZEN, "command": command})
        assert (await hear(feed))["state"]["typing"] is shown


async def test_a_message_ends_the_typing(town: Town) -> None:
    await town.say("您好")
    feed = await connect(town)
    await town.call("/cgi-bin/message/custom/typing", {"touser": CITIZEN, "command": "Typing"})
    await town.send("好了")
    while (heard := await hear(feed)) and not any(entry["kind"] == "custom" for entry in heard["entries"]):
        pass
    assert heard["state"]["typing"] is False


async def test_a_push_under_way_counts_as_typing(town: Town) -> None:
    wake = asyncio.Event()

    async def answer(_pushed: Pushed) -> web.StreamResponse:
        await wake.wait()
        return web.Response(text="success")

    town.bot.answer = answer
    feed = await connect(town)
    await hear(feed)
    body = {"account": "city", "openid": CITIZEN, "type": "text", "content": "挂号"}
    async with town.client.post("/phone/acts", json=body) as response:
        assert response.status == 202  # before the bot has answered
    while not (await hear(feed))["state"]["typing"]:
        pass
    wake.set()
    while (await hear(feed))["state"]["typing"]:
        pass


async def test_open_pages_do_not_hold_up_a_stop(make_town: MakeTown) -> None:
    town = await make_town()
    feed = await connect(town)
    await hear(feed)
    closing = asyncio.create_task(town.client.server.close())
    message = await feed.receive(timeout=5)
    assert message.type in {WSMsgType.CLOSE, WSMsgType.CLOSED}
    await asyncio.wait_for(closing, 5)


async def test_other_sites_do_not_listen_in(town: Town) -> None:
    query = {"account": "city", "openid": CITIZEN}
    async with town.client.get(
        "/phone/feed", params=query, headers={"Origin": "http://evil.invalid"}
    ) as response:
        assert response.status == 403


async def test_the_page_is_small_its_own_and_says_what_it_may_load(town: Town) -> None:
    async with town.client.get("/phone") as response:
        assert response.status == 200
        policy = response.headers["Content-Security-Policy"]
        page = await response.text()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    code = [
        path for path in Path(simulator.__path__[0]).rglob("*") if path.suffix in {".js", ".css", ".html"}
    ]
    assert sum(path.stat().st_size for path in code) < 90_000
    assert "//" not in page  # nothing comes from elsewhere
    assert icon_of(page)
    for path in code:
        assert "innerHTML" not in path.read_text()
        assert len(path.read_text().splitlines()) <= 400
