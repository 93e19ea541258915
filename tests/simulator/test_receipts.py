"""What the bot is told after a send, and after a citizen's answer to the pop-up."""

import asyncio
import time
from typing import Any

import pytest
from aiohttp import web

from simulator.people import Bounds
from simulator.push import Courier, Outcome, Push
from simulator.wechat import Rules
from tests.simulator.conftest import MakeTown
from tests.simulator.notices import (
    QUEUE,
    REPORT,
    WATER,
    choose,
    event,
    send_subscription,
    send_template,
    stock,
)
from tests.simulator.town import CITIZEN, Pushed, Town

SOON = Rules(receipt_s=0.01)


@pytest.fixture
async def town(make_town: MakeTown) -> Town:
    return await stock(await make_town(rules=SOON))


async def told(town: Town, times: int = 1) -> dict[str, Any]:
    """The last of so many pushes."""
    async with asyncio.timeout(30):
        await town.bot.has_been_pushed(times)
    return event(town, town.bot.pushes[times - 1])


async def becomes(town: Town, delivery: str) -> None:
    body = {"account": "city", "openid": CITIZEN, "delivery": delivery}
    await town.post("/sim/citizens", body)


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_a_receipt_has_the_id_of_the_answer(make_town: MakeTown, mode: str) -> None:
    town = await stock(await make_town(mode, rules=SOON))
    msgid = (await send_template(town))["msgid"]
    assert await told(town) == {
        "FromUserName": CITIZEN,
        "Event": "TEMPLATESENDJOBFINISH",
        "MsgID": str(msgid),
        "Status": "success",
    }


@pytest.mark.parametrize(
    ("delivery", "status"), [("user block", "failed:user block"), ("system failed", "failed: system failed")]
)
async def test_what_did_not_arrive_is_on_no_phone(town: Town, delivery: str, status: str) -> None:
    await becomes(town, delivery)
    assert (await town.get("/sim/citizens", account="city"))[0]["delivery"] == delivery
    assert (await send_template(town))["errcode"] == 0
    assert (await told(town))["Status"] == status
    assert await town.inbox() == []
    await becomes(town, "ok")
    assert (await send_template(town))["errcode"] == 0
    assert (await told(town, 2))["Status"] == "success"
    assert len(await town.inbox()) == 1


async def test_a_repeated_send_has_one_receipt(town: Town) -> None:
    for _ in range(3):
        await send_template(town, client_msg_id="row-1")
    await send_template(town, client_msg_id="row-2")
    await told(town, 2)
    assert len({event(town, pushed)["MsgID"] for pushed in town.bot.pushes}) == 2


async def test_the_receipt_of_a_subscription_brings_the_id_that_the_answer_lacks(town: Town) -> None:
    await choose(town, queue="accept", report="accept")
    await send_subscription(town, QUEUE)
    receipt = await told(town, 2)
    (_, listed), *more = receipt.pop("SubscribeMsgSentEvent")
    said = dict(listed)
    assert int(said.pop("MsgID")) > 2**53
    assert said == {"TemplateId": QUEUE, "ErrorCode": "0", "ErrorStatus": "success"}
    assert receipt == {"FromUserName": CITIZEN, "Event": "subscribe_msg_sent_event"}
    assert more == []
    await becomes(town, "user block")
    await send_subscription(town, REPORT)
    failed = dict((await told(town, 3))["SubscribeMsgSentEvent"][0][1])
    assert (failed["ErrorCode"], failed["ErrorStatus"]) == ("1", "user block")


async def test_the_pop_up_tells_each_answer(town: Town) -> None:
    result = await choose(town, queue="accept", report="reject")
    assert (result["attempts"], result["status"], result["reply"]) == (1, 200, None)
    assert await told(town) == {
        "FromUserName": CITIZEN,
        "Event": "subscribe_msg_popup_event",
        "SubscribeMsgPopupEvent": [
            (
                "List",
                [("TemplateId", QUEUE), ("SubscribeStatusString", "accept"), ("PopupScene", "1")],
            ),
            (
                "List",
                [("TemplateId", REPORT), ("SubscribeStatusString", "reject"), ("PopupScene", "1")],
            ),
        ],
    }


async def test_the_management_page_tells_what_was_refused(town: Town) -> None:
    await choose(town, water="accept")
    body = {"account": "city", "openid": CITIZEN, "templates": [WATER]}
    await town.post("/sim/subscriptions/manage", body)
    assert await told(town, 2) == {
        "FromUserName": CITIZEN,
        "Event": "subscribe_msg_change_event",
        "SubscribeMsgChangeEvent": [("List", [("TemplateId", WATER), ("SubscribeStatusString", "reject")])],
    }


async def test_no_receipt_shows_anything_whatever_the_bot_answers(town: Town) -> None:
    town.bot.answers_raw(web.Response(text="{}"))
    await choose(town, queue="accept")
    await send_template(town)
    await told(town, 2)
    town.bot.says("收到")
    await send_template(town)
    await told(town, 3)
    assert [entry["kind"] for entry in await town.inbox()] == ["template", "template"]


async def test_a_receipt_is_pushed_three_times_and_the_next_one_goes_on(make_town: MakeTown) -> None:
    town = await stock(await make_town(retry_s=0.2, rules=Rules(receipt_s=0, receipts_at_once=1)))
    town.bot.answers_raw(web.Response(status=500))
    first = (await send_template(town))["msgid"]
    second = (await send_template(town))["msgid"]
    await told(town, 6)
    seen = [int(event(town, pushed)["MsgID"]) for pushed in town.bot.pushes]
    assert seen == [first] * 3 + [second] * 3


async def test_no_send_waits_for_receipts_and_few_are_under_way_at_once(make_town: MakeTown) -> None:
    town = await stock(await make_town(rules=Rules(receipt_s=0, receipts_at_once=2)))
    busy, most, free = 0, 0, asyncio.Event()

    async def slow(_pushed: Pushed) -> web.StreamResponse:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await free.wait()
        busy -= 1
        return web.Response(text="success")

    town.bot.answer = slow
    codes = [(await send_template(town))["errcode"] for _ in range(8)]
    assert codes == [0] * 8
    await told(town, 2)
    assert len(town.bot.pushes) == 2
    free.set()
    await told(town, 8)
    assert most == 2


async def test_control_with_room_for_five_there_are_five(make_town: MakeTown) -> None:
    """The test above counts what is under way; with another figure it counts another number."""
    town = await stock(await make_town(rules=Rules(receipt_s=0, receipts_at_once=5)))
    free = asyncio.Event()

    async def slow(_pushed: Pushed) -> web.StreamResponse:
        await free.wait()
        return web.Response(text="success")

    town.bot.answer = slow
    for _ in range(8):
        await send_template(town)
    await told(town, 5)
    free.set()
    await told(town, 8)


async def test_a_receipt_takes_its_time(make_town: MakeTown) -> None:
    town = await stock(await make_town(rules=Rules(receipt_s=0.3)))
    sent = time.monotonic()
    await send_template(town)
    await told(town)
    assert time.monotonic() - sent >= 0.3


async def test_receipts_that_nobody_takes_are_bounded(
    make_town: MakeTown, caplog: pytest.LogCaptureFixture
) -> None:
    bounds = Bounds(receipts=2)
    town = await stock(await make_town(rules=Rules(receipt_s=600, receipts_at_once=1, bounds=bounds)))
    for _ in range(5):
        assert (await send_template(town))["errcode"] == 0
    assert "receipts given up" in caplog.text


async def test_the_simulator_stops_with_receipts_waiting(make_town: MakeTown) -> None:
    town = await stock(await make_town(rules=Rules(receipt_s=600)))
    for _ in range(100):
        await send_template(town)
    async with asyncio.timeout(10):
        await town.client.close()
    assert town.bot.pushes == []


async def test_one_receipt_that_cannot_be_pushed_stops_no_other(
    make_town: MakeTown, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    town = await stock(await make_town(rules=Rules(receipt_s=0, receipts_at_once=1)))
    deliver, broken = Courier.deliver, [True]

    async def once_broken(courier: Courier, push: Push) -> Outcome:
        if broken:
            broken.pop()
            raise RuntimeError("no ink")
        return await deliver(courier, push)

    monkeypatch.setattr(Courier, "deliver", once_broken)
    await send_template(town)
    second = (await send_template(town))["msgid"]
    assert (await told(town))["MsgID"] == str(second)
    assert "no ink" in caplog.text
