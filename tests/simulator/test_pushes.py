"""Pushes as the bot sees them: modes, signatures, fields, and the three attempts."""

import asyncio
import hashlib
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from aiohttp import web

from tests.simulator.conftest import MakeTown
from tests.simulator.town import CITIZEN, Pushed, Town

BROKEN = "该公众号提供的服务出现故障，请稍后再试"
UNREACHABLE = "该公众号暂时无法提供服务，请稍后再试"
pytestmark = pytest.mark.timed  # an attempt is lost that takes longer than a moment
RETRY_S = 0.4


def signed(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 (WeChat's own signature)


def fields(xml: str | bytes) -> dict[str, str]:
    return {child.tag: child.text or "" for child in ET.fromstring(xml)}  # noqa: S314 (our own push)


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_a_text_arrives_and_its_reply_is_shown(make_town: MakeTown, mode: str) -> None:
    town = await make_town(mode)
    town.bot.says("请选择科室：\n1 心内科")

    result = await town.say("挂号")

    assert isinstance(result.pop("ms"), int)
    assert result == {
        "attempts": 1,
        "status": 200,
        "reply": {"type": "text", "content": "请选择科室：\n1 心内科"},
        "notice": None,
    }
    assert await town.on_screen() == ["reply: 请选择科室：\n1 心内科"]
    message = town.bot.message(town.bot.pushes[0])
    assert (message.type, message.content, message.source) == ("text", "挂号", CITIZEN)
    assert message.target == town.bot.account.original_id


@pytest.mark.parametrize(
    ("mode", "names"),
    [
        ("plain", {"signature", "timestamp", "nonce", "openid"}),
        ("compatible", {"signature", "timestamp", "nonce", "openid", "encrypt_type", "msg_signature"}),
        ("safe", {"signature", "timestamp", "nonce", "openid", "encrypt_type", "msg_signature"}),
    ],
)
async def test_the_query_is_signed(make_town: MakeTown, mode: str, names: set[str]) -> None:
    town = await make_town(mode)
    await town.say("您好")
    query, body = town.bot.pushes[0].query, fields(town.bot.pushes[0].body)

    assert set(query) == names
    assert query["openid"] == CITIZEN
    token = town.bot.account.token
    assert query["signature"] == signed(token, query["timestamp"], query["nonce"])
    if mode != "plain":
        assert query["encrypt_type"] == "aes"
        assert query["msg_signature"] == signed(token, query["timestamp"], query["nonce"], body["Encrypt"])


async def test_safe_mode_shows_nothing_and_compatible_mode_shows_both(make_town: MakeTown) -> None:
    safe, compatible = await make_town("safe"), await make_town("compatible")
    for town in (safe, compatible):
        await town.say("我的身份证丢了")
    assert list(fields(safe.bot.pushes[0].body)) == ["ToUserName", "Encrypt"]
    shown = fields(compatible.bot.pushes[0].body)
    assert shown["Content"] == "我的身份证丢了"
    inside = fields(compatible.bot.clear(compatible.bot.pushes[0]))
    assert inside == {name: text for name, text in shown.items() if name != "Encrypt"}


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ({"type": "text", "content": "1", "bizmsgmenuid": "7"}, {"Content": "1", "bizmsgmenuid": "7"}),
        ({"type": "image", "pic_url": "http://x.invalid/a.jpg"}, {"PicUrl": "http://x.invalid/a.jpg"}),
        ({"type": "voice", "recognition": "挂号。"}, {"Recognition": "挂号。", "Format": "amr"}),
        (
            {"type": "location", "latitude": 41.8, "longitude": -3, "label": "市府广场"},
            {"Location_X": "41.800000", "Location_Y": "-3.000000", "Scale": "15", "Label": "市府广场"},
        ),
        (
            {"type": "link", "title": "通知", "url": "https://x.invalid/?a=1&b=2", "description": "<b>"},
            {"Title": "通知", "Url": "https://x.invalid/?a=1&b=2", "Description": "<b>"},
        ),
        ({"type": "event", "event": "subscribe"}, {"Event": "subscribe", "EventKey": ""}),
        ({"type": "event", "event": "CLICK", "event_key": "BOOK"}, {"Event": "CLICK", "EventKey": "BOOK"}),
    ],
)
async def test_each_kind_has_its_fields(town: Town, act: dict[str, Any], expected: dict[str, str]) -> None:
    await town.act(**act)
    sent = fields(town.bot.clear(town.bot.pushes[0]))
    assert sent.items() >= expected.items()
    assert sent["CreateTime"] == str(int(town.clock.now.timestamp()))
    assert ("MsgId" in sent) == (act["type"] != "event")


async def test_media_have_ids(town: Town) -> None:
    for kind in ("video", "shortvideo"):
        await town.act(type=kind)
    await town.act(type="voice")
    for pushed in town.bot.pushes[:2]:
        assert fields(town.bot.clear(pushed)).keys() >= {"MediaId", "ThumbMediaId"}
    assert "Recognition" not in fields(town.bot.clear(town.bot.pushes[2]))  # recognition is switched off


async def test_events_carry_nested_and_repeated_fields(town: Town) -> None:
    pictures = {"Count": 2, "PicList": {"item": [{"PicMd5Sum": "a"}, {"PicMd5Sum": "b"}]}}
    await town.act(type="event", event="pic_weixin", event_key="P", fields={"SendPicsInfo": pictures})
    root = ET.fromstring(town.bot.clear(town.bot.pushes[0]))  # noqa: S314 (our own push)
    assert root.findtext("SendPicsInfo/Count") == "2"
    assert [item.findtext("PicMd5Sum") for item in root.findall("SendPicsInfo/PicList/item")] == ["a", "b"]


async def test_a_scan_brings_a_ticket(town: Town) -> None:
    await town.event("subscribe", "qrscene_bus-7")
    await town.event("SCAN", "bus-7")
    await town.event("subscribe", "")
    tickets = ["Ticket" in fields(town.bot.clear(pushed)) for pushed in town.bot.pushes]
    assert tickets == [True, True, False]


async def test_no_text_breaks_out_of_its_element(make_town: MakeTown) -> None:
    town = await make_town("plain")
    nasty = "]]></Content><MsgType>event</MsgType> & <a> ]]]]>> 😀\x00\x0b\ufffe结束"
    await town.say(nasty)
    sent = fields(town.bot.pushes[0].body)
    assert sent["Content"] == "]]></Content><MsgType>event</MsgType> & <a> ]]]]>> 😀结束"
    assert sent["MsgType"] == "text"


async def test_message_ids_are_large_and_never_the_same_unless_asked_for(town: Town) -> None:
    for _ in range(3):
        await town.say("在吗")
    await town.act(type="text", content="在吗", msg_id=9_223_372_036_854_775_807)
    await town.act(type="text", content="在吗", msg_id="42")
    ids = [int(fields(town.bot.clear(pushed))["MsgId"]) for pushed in town.bot.pushes]
    assert len(set(ids)) == 5
    assert all(2**53 < one < 2**63 for one in ids[:3])
    assert ids[3:] == [2**63 - 1, 42]


async def test_an_id_sent_again_is_the_same_message(town: Town) -> None:
    """The platform tells messages apart by id and time: a retry brings both as they were."""
    for resign in (False, False, True):
        await town.act(type="text", content="挂号", msg_id=42, resign=resign)
        town.clock.passes(seconds=7)
    await town.act(type="text", content="挂号", msg_id=43)
    await town.act(type="text", content="挂号", msg_id=42, openid="oSomebodyElse")
    sent = [fields(town.bot.clear(pushed)) for pushed in town.bot.pushes]
    began = int(town.clock.now.timestamp()) - 21
    assert [int(one["CreateTime"]) - began for one in sent] == [0, 0, 0, 21, 21]
    assert sent[0] == sent[1] == sent[2]


# --- three attempts -----------------------------------------------------------------------------------------


def never(town: Town) -> asyncio.Event:
    """The bot reads and does not answer until the event is set."""
    wake = asyncio.Event()

    async def answer(_pushed: Pushed) -> web.StreamResponse:
        await wake.wait()
        return web.Response(text="success")

    town.bot.answer = answer
    return wake


async def test_a_silent_bot_is_asked_three_times_with_the_same_bytes(make_town: MakeTown) -> None:
    town = await make_town(retry_s=RETRY_S)
    wake = never(town)
    result = await town.say("挂号")
    wake.set()
    assert (result["attempts"], result["status"], result["reply"], result["notice"]) == (
        3,
        0,
        None,
        UNREACHABLE,
    )
    assert len({(tuple(pushed.query.items()), pushed.body) for pushed in town.bot.pushes}) == 1
    assert 3 * RETRY_S * 1000 <= result["ms"] < 3 * RETRY_S * 1000 + 700
    assert await town.on_screen() == [f"notice: {UNREACHABLE}"]


async def test_resigned_attempts_differ_outside_and_agree_inside(make_town: MakeTown) -> None:
    town = await make_town(retry_s=RETRY_S)
    town.bot.answers_raw(web.Response(status=500))
    await town.act(type="text", content="挂号", resign=True)
    assert len({pushed.query["nonce"] for pushed in town.bot.pushes}) == 3
    assert len({pushed.body for pushed in town.bot.pushes}) == 3
    assert len({town.bot.clear(pushed) for pushed in town.bot.pushes}) == 1


@pytest.mark.parametrize("failure", ["quick 500", "silence", "connection cut"])
async def test_the_next_attempt_waits_for_the_clock_and_not_for_the_failure(
    make_town: MakeTown, failure: str
) -> None:
    # Told by the sender's own time: when an attempt arrives also depends on how busy the machine is.
    retry_s = 0.5
    town = await make_town(retry_s=retry_s)
    wake = never(town)
    if failure == "quick 500":
        town.bot.answers_raw(web.Response(status=500, text="Internal Server Error"))
    elif failure == "connection cut":

        async def cut(_pushed: Pushed) -> web.StreamResponse:
            raise ConnectionResetError

        town.bot.answer = cut
    result = await town.say("挂号")
    wake.set()
    assert result["attempts"] == 3
    waits = 3 if failure == "silence" else 2  # the last attempt of a silent bot runs into its deadline, too
    # At once after the failure it would take less; a pause after the failure would make five of three.
    assert waits * retry_s * 1000 <= result["ms"] < (waits + 1.8) * retry_s * 1000


@pytest.mark.parametrize("status", [500, 503, 404, 302, 204])
async def test_any_status_but_200_is_a_failed_attempt(make_town: MakeTown, status: int) -> None:
    town = await make_town(retry_s=RETRY_S)
    town.bot.answers_raw(web.Response(status=status, headers={"Location": "/hook"}))
    result = await town.say("挂号")
    assert (result["attempts"], result["status"], result["notice"]) == (3, status, UNREACHABLE)
    assert len(town.bot.pushes) == 3  # a redirect is not followed


async def test_the_second_attempt_may_be_the_one_that_is_answered(make_town: MakeTown) -> None:
    town = await make_town(retry_s=RETRY_S)
    town.bot.answers_raw(web.Response(status=503), web.Response(text="success"))
    result = await town.say("挂号")
    assert (result["attempts"], result["status"], result["notice"]) == (2, 200, None)
    assert result["ms"] >= RETRY_S * 1000 * 0.9


async def test_an_answer_after_its_deadline_is_lost_even_while_the_next_attempt_runs(
    make_town: MakeTown,
) -> None:
    town = await make_town("plain", retry_s=1.0)
    second_has_come = asyncio.Event()

    async def answer(_pushed: Pushed) -> web.StreamResponse:
        number = len(town.bot.pushes)
        content = f"答复{number}"
        if number == 1:
            await second_has_come.wait()
        else:
            second_has_come.set()
            await asyncio.sleep(0.1)  # the late answer to the first attempt goes out before this one
        source, target = town.bot.account.original_id, CITIZEN
        return web.Response(
            text=f"<xml><ToUserName>{target}</ToUserName><FromUserName>{source}</FromUserName>"
            f"<CreateTime>1</CreateTime><MsgType>text</MsgType><Content>{content}</Content></xml>"
        )

    town.bot.answer = answer
    result = await town.say("挂号")
    assert (result["attempts"], result["reply"]) == (2, {"type": "text", "content": "答复2"})
    assert await town.on_screen() == ["reply: 答复2"]


async def test_headers_in_time_are_no_answer_when_the_body_is_late(make_town: MakeTown) -> None:
    town = await make_town(retry_s=RETRY_S)
    cut = asyncio.Semaphore(0)

    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"Content-Length": "7"})
        await response.prepare(request)
        await response.write(b"succ")
        try:
            await asyncio.Event().wait()
        finally:  # aiohttp's test server cancels a handler whose connection is closed
            cut.release()
        return response

    town.bot.handle = handle  # type: ignore[method-assign]
    result = await town.say("挂号")
    assert (result["attempts"], result["status"], result["notice"]) == (3, 0, UNREACHABLE)
    async with asyncio.timeout(5):
        for _ in range(3):  # the platform itself closed each connection at its deadline
            await cut.acquire()


async def test_nobody_listens(make_town: MakeTown) -> None:
    town = await make_town(retry_s=RETRY_S)
    await town.bot.server.close()
    result = await town.say("挂号")
    assert (result["attempts"], result["status"], result["notice"]) == (3, 0, UNREACHABLE)


async def test_several_pushes_for_one_phone_overlap(town: Town) -> None:
    wake = never(town)
    first, second = asyncio.create_task(town.say("一")), asyncio.create_task(town.say("二"))
    await town.bot.has_been_pushed(2)  # control: would wait for ever if the second waited for the first
    wake.set()
    assert [(await one)["attempts"] for one in (first, second)] == [1, 1]


async def test_an_endless_answer_is_a_broken_one(town: Town) -> None:
    town.bot.answers_raw(web.Response(body=b"x" * 200_000))
    result = await town.say("挂号")
    assert (result["attempts"], result["notice"]) == (1, BROKEN)


async def test_stopping_tells_whoever_waits(make_town: MakeTown) -> None:
    town = await make_town(retry_s=30)
    wake = never(town)
    waiting = asyncio.create_task(
        town.client.post(
            "/sim/messages", json={"account": "city", "openid": CITIZEN, "type": "text", "content": "x"}
        )
    )
    await town.bot.has_been_pushed(1)
    server = town.client.server
    await asyncio.wait_for(server.close(), 5)
    response = await waiting
    assert response.status == 503
    assert "stopping" in await response.text()
    wake.set()


async def test_a_push_goes_on_when_the_script_does_not_wait(make_town: MakeTown) -> None:
    town = await make_town(retry_s=RETRY_S)
    town.bot.answers_raw(web.Response(status=500))
    asking = asyncio.create_task(town.say("挂号"))
    await town.bot.has_been_pushed(1)
    asking.cancel()
    async with asyncio.timeout(30):
        await town.bot.has_been_pushed(3)
