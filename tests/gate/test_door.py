"""The virtual gate: a code shown as text or as a picture, green or red, on this machine alone."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from gate.code import LONGEST_TEXT, Reason, armour
from gate.door import Door, build
from gate.gate import Gate
from gate.picture import MOST_BYTES
from gate.screen import Screen, words
from gate.settings import Serve, Settings
from tests.gate.conftest import Open
from tests.support.ride_codes import ACCT_REF, NOW, granted, picture, sent, shown, trust_list

ORIGIN = "http://127.0.0.1:8080"
Page = TestClient[Request, Application]


@pytest.fixture
async def page(gate: Gate, settings: Settings) -> AsyncIterator[Page]:
    served = msgspec.structs.replace(settings, title="中南路 <1>", serve=Serve(origins=(ORIGIN,)))
    async with TestClient(TestServer(build(Screen(gate), served, None))) as client:
        yield client


async def posted(page: Page, body: bytes, kind: str, **headers: str) -> Any:
    async with page.post("/check", data=body, headers={"Content-Type": kind} | headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def shows(page: Page, code: bytes) -> Any:
    return await posted(page, msgspec.json.encode({"code": armour(code)}), "application/json")


async def test_a_phone_is_held_against_the_gate(page: Page, gate: Gate) -> None:
    answer = await shows(page, shown())
    assert answer == {
        "open": True,
        "reason": "",
        "words": "请进",
        "seq": gate.pending()[0].seq,
        "detail": "",
    }
    again = await shows(page, shown())
    assert (again["open"], again["reason"], again["words"]) == (False, "used", "重复使用，请刷新")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (shown(under=granted(kid=8)), "不是本市的乘车码，请换码"),
        (shown(NOW - 41), "二维码已过期，请刷新"),
        (shown(NOW + 11), "二维码时间不对，请刷新"),
        (shown(under=granted(type=2)), "这里不能带人，请各用各的码"),
        (b"rubbish", "请出示乘车码"),
    ],
)
async def test_the_rider_reads_what_to_do(page: Page, code: bytes, words: str) -> None:
    assert (await shows(page, code))["words"] == words


async def test_who_was_suspended_read_that_money_was_missing(page: Page, gate: Gate) -> None:
    """Who is behind is on no deny list; who is suspended or gone finds why on the phone."""
    gate.take_trust(msgspec.json.encode(trust_list(NOW * 1000 + 1, denied=(ACCT_REF,))))
    assert (await shows(page, shown()))["words"] == "乘车码已停用，请看手机"


async def test_a_gate_without_trust_sends_riders_next_door(opened: Open, settings: Settings) -> None:
    async with TestClient(TestServer(build(Screen(opened()), settings, None))) as page:
        answer = await shows(page, shown())
    assert (answer["reason"], answer["words"]) == ("no_trust", "本机暂停使用，请走旁边通道")


def test_every_reason_and_every_fault_has_its_words() -> None:
    told = words()
    assert set(told.refused) == {reason.value for reason in Reason}
    assert set(told.opened) == {"in", "out", "board"}
    assert set(told.out_of_order) == {"clock", "no_trust", "old_trust", "journal"}
    assert max(map(len, [*told.refused.values(), *told.out_of_order.values()])) <= 14, "read in passing"


@pytest.mark.parametrize(("kind", "mime"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
async def test_a_picture_is_read(page: Page, kind: str, mime: str) -> None:
    assert (await posted(page, picture(sent(), kind=kind), mime))["open"]


async def test_text_alone_is_a_code_too(page: Page) -> None:
    assert (await posted(page, armour(shown()).encode(), "text/plain"))["open"]


async def test_no_input_is_too_odd_for_an_answer(page: Page) -> None:
    for body, kind in ((b"", "text/plain"), (b"\xff\xfe", "text/plain"), (b"no picture", "image/png")):
        assert (await posted(page, body, kind))["reason"] == "unreadable"
    for body, kind, status in (
        (b"{", "application/json", 400),
        (b'{"code":1}', "application/json", 400),
        (b'{"code":"A","more":1}', "application/json", 400),
        (b"A" * (2 * LONGEST_TEXT + 1), "text/plain", 413),
        (b"A" * (MOST_BYTES + 2), "image/png", 413),
    ):
        async with page.post("/check", data=body, headers={"Content-Type": kind}) as answer:
            assert answer.status == status


async def test_the_screen_turns_green_when_a_phone_is_shown(page: Page) -> None:
    async with page.get("/last?after=-1") as answer:
        before = await answer.json()
    assert before["number"] == 0
    assert not before["shown"]["open"]
    await shows(page, shown())
    async with page.get("/last?after=0") as answer:
        now = await answer.json()
    assert (now["number"], now["shown"]["open"], now["shown"]["words"]) == (1, True, "请进")
    assert 0 <= now["age_s"] < 6, "a screen that is opened later does not show it as if it were new"
    assert before["age_s"] is None


async def test_the_screen_is_a_page_with_the_place_on_it(page: Page) -> None:
    async with page.get("/") as answer:
        text = await answer.text()
    assert "中南路 &lt;1>" in text
    assert "请出示乘车码" in text
    assert "$" not in text.split("<script>")[0]


async def test_pages_that_are_named_may_show_codes_and_no_others(page: Page) -> None:
    for origin, allowed in ((ORIGIN, ORIGIN), ("http://evil.example", None)):
        async with page.options("/check", headers={"Origin": origin}) as answer:
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed
        async with page.post("/check", data=b"x", headers={"Origin": origin}) as answer:
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed


async def test_a_foreign_name_for_this_machine_opens_nothing(page: Page) -> None:
    async with page.post("/check", data=armour(shown()), headers={"Host": "evil.example:8090"}) as answer:
        assert answer.status == 403
    assert (await shows(page, shown()))["open"], "control: the code was not used up"


async def looks(page: Page, seen: bytes) -> Any:
    """What a camera's picture leads to: None where nothing happens."""
    async with page.post("/look", data=seen, headers={"Content-Type": "image/png"}) as answer:
        return await answer.json() if answer.status == 200 else None


async def test_what_a_camera_sees_is_judged_once_as_long_as_it_stays_there(page: Page, gate: Gate) -> None:
    phone, nothing = picture(shown()), b"a face"
    assert await looks(page, nothing) is None
    assert (await looks(page, phone))["words"] == "请进"
    assert await looks(page, phone) is None, "still the same phone"
    assert await looks(page, nothing) is None
    late = await looks(page, picture(shown(NOW - 41, b"another!")))
    assert late["words"] == "二维码已过期，请刷新"
    assert len(gate.pending()) == 1


async def test_who_is_let_through_is_told_to_who_uploads(gate: Gate, settings: Settings) -> None:
    door = Door(Screen(gate), settings)
    app = Application()
    app.add_routes(door.routes())
    async with TestClient(TestServer(app)) as client:
        await posted(client, b"rubbish", "text/plain")
        assert not door.opened.is_set()
        await shows(client, shown())
        assert door.opened.is_set()
