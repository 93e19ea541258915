"""Short messages and the numbers of phones, as scripts and the page's feed see them."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse
from aiohttp.test_utils import TestClient, TestServer

from simulator.app import build
from simulator.people import Phone
from simulator.texts import MOST_TEXTS, SHOWN, Texts
from simulator.wechat import Rules, WeChat
from tests.simulator.conftest import MakeTown
from tests.simulator.hospital import Hospital, opened
from tests.simulator.test_phone_feed import connect, hear
from tests.simulator.town import MovableClock, Town, account

GRANNY, FATHER, STRANGER = "oGranny", "oFather", "oStranger"


@pytest.fixture
async def hospital(town: Town) -> Hospital:
    return opened(town)


async def insert(town: Town, openid: str, number: str) -> Any:
    return await town.post("/sim/phones", {"account": "city", "openid": openid, "number": number})


async def shows(feed: ClientWebSocketResponse, count: int) -> list[dict[str, Any]]:
    """Wait until the phone shows so many messages."""
    while len(texts := (await hear(feed))["state"]["texts"]) != count:
        pass
    return list(texts)


async def seen(town: Town, openid: str) -> list[str]:
    """To which numbers the messages are that a phone shows now."""
    return [each["number"] for each in (await hear(await connect(town, openid)))["state"]["texts"]]


async def test_a_message_shows_on_the_phone_with_its_number(hospital: Hospital) -> None:
    town, granny = hospital.town, await hospital.person("王秀英")
    assert (await insert(town, GRANNY, granny["phone"]))["number"] == granny["phone"]
    await insert(town, FATHER, (await hospital.person("赵志强"))["phone"])
    own, other = [await connect(town, openid) for openid in (GRANNY, FATHER)]
    await hospital.sends(granny)
    (received,) = await shows(own, 1)
    assert (received["number"], received["sender"]) == (granny["phone"], "云汀市人民医院")
    await hospital.sends(await hospital.person("赵志强"))
    await shows(other, 1)
    assert await seen(town, GRANNY) == [granny["phone"]]
    assert await seen(town, STRANGER) == [], "each message has a phone of its own"


async def test_what_no_phone_has_the_number_for_shows_on_those_without(hospital: Hospital) -> None:
    """A newcomer who put no card in sees the code all the same."""
    town, granny = hospital.town, await hospital.person("王秀英")
    await insert(town, FATHER, (await hospital.person("赵志强"))["phone"])
    feed = await connect(town, STRANGER)
    await hospital.sends(granny)
    await shows(feed, 1)
    assert await seen(town, FATHER) == []
    await insert(town, GRANNY, granny["phone"])
    await shows(feed, 0)  # now somebody has it


async def test_a_card_is_in_one_phone_of_an_account(hospital: Hospital) -> None:
    town, granny = hospital.town, await hospital.person("王秀英")
    await insert(town, GRANNY, granny["phone"])
    await insert(town, FATHER, granny["phone"])
    await hospital.sends(granny)
    await shows(await connect(town, FATHER), 1)
    state = (await hear(await connect(town, GRANNY)))["state"]
    assert (state["number"], state["texts"]) == ("", [])
    assert (await insert(town, FATHER, ""))["number"] == ""
    await shows(await connect(town, GRANNY), 1)


async def test_a_card_stays_over_a_restart(make_town: MakeTown, tmp_path: Path) -> None:
    store = tmp_path / "phones.json"
    hospital = opened(await make_town(store=store))
    granny = await hospital.person("王秀英")
    await insert(hospital.town, GRANNY, granny["phone"])
    await hospital.town.client.close()
    app = build([hospital.town.bot.account], clock=hospital.town.clock, store=store)
    hospital.town.client = TestClient(TestServer(app))
    await hospital.town.client.start_server()
    opened(hospital.town)
    await hospital.sends(granny)
    assert await seen(hospital.town, GRANNY) == [granny["phone"]]
    assert await seen(hospital.town, STRANGER) == []


async def test_scripts_read_all_messages_or_those_to_one_number(hospital: Hospital) -> None:
    for name in ("王秀英", "李建国", "王秀英"):
        await hospital.sends(await hospital.person(name))
    everything = await hospital.town.get("/sim/sms")
    assert [each["number"][-1] for each in everything] == ["1", "2", "1"]
    assert [each["id"] for each in everything] == sorted(each["id"] for each in everything)
    granny = await hospital.person("王秀英")
    assert len(await hospital.town.get("/sim/sms", number=granny["phone"])) == 2


async def test_what_is_no_number_is_refused(town: Town) -> None:
    assert "11 digits" in await town.refused("GET", "/sim/sms?number=154")
    wrong = {"account": "city", "openid": GRANNY, "number": "abc"}
    assert "number" in await town.refused("POST", "/sim/phones", json=wrong)
    assert "unknown" in await town.refused("POST", "/sim/phones", json=wrong | {"account": "x", "number": ""})


def test_messages_are_bounded() -> None:
    clock = MovableClock()
    wechat = WeChat([account("http://127.0.0.1:1/")], clock, Rules())
    texts = Texts(clock, wechat.people, wechat.live)
    for number in range(MOST_TEXTS + 10):
        texts.send("15400000001", "医院", str(number))
    assert len(texts.to("")) == MOST_TEXTS
    phone = wechat.people.settle(Phone("city", GRANNY))
    assert [each.content for each in texts.seen_by(phone)][-1] == str(MOST_TEXTS + 9)
    assert len(texts.seen_by(phone)) == SHOWN
