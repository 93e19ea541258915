"""WeChat's door over HTTP: what a citizen's message needs to come in, and what its answer looks like."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.replies import deserialize_reply

from core.chat.events import Event, Kind
from core.chat.replies import Said
from core.errors import StoreGoneError
from tests.webhooks.samples import SAMPLES, Sample
from tests.webhooks.wire import (
    APPID,
    GH,
    KEY,
    NONCE,
    NOW,
    OLD_KEY,
    OPENID,
    TEXT,
    TOKEN,
    Desk,
    Wire,
    application,
    client_of,
    keys,
    plain_query,
    push,
    seal_push,
)
from webhooks.wechat_xml import parse, word


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def wire(desk: Desk) -> AsyncIterator[Wire]:
    """Three accounts, one in each mode."""
    accounts = (keys(), keys(key="open", mode="plain"), keys(key="both", mode="compatible"))
    async with client_of(application(desk, *accounts)) as client:
        yield Wire(client)


def opened(answer: str, key: str = KEY) -> Any:
    """Open an encrypted reply as WeChat does, signature first."""
    fields = parse(answer.encode())
    crypto = WeChatCrypto(TOKEN, key, APPID)
    clear = crypto.decrypt_message(
        answer, word(fields, "MsgSignature"), word(fields, "TimeStamp"), word(fields, "Nonce")
    )
    return deserialize_reply(clear)


# --- verification ---


@pytest.mark.parametrize("account", ["city", "open", "both"])
@pytest.mark.parametrize("echo", ["5838479218127813673", "a b/+=%&中文<script>"])
async def test_the_echo_is_answered_exactly(wire: Wire, account: str, echo: str) -> None:
    query = plain_query(echostr=echo)
    async with wire.client.get(f"/wechat/{account}", params=query) as response:
        assert response.status == 200
        assert await response.read() == echo.encode()
        assert response.content_type == "text/plain"


async def test_the_published_verification_v1(wire: Wire) -> None:
    query = {
        "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696",
        "timestamp": "1714036504",
        "nonce": "1514711492",
        "echostr": "4375120948345356249",
    }
    assert await wire.get(query) == (200, "4375120948345356249")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 403),
        (plain_query(), 400),
        (plain_query(echostr=""), 400),
        (plain_query(echostr="1" * 1_025), 400),
        (plain_query(echostr="1", token="another"), 403),
        (plain_query(echostr="1", at=NOW - 301), 403),
        (plain_query(echostr="1", signature=""), 403),
    ],
)
async def test_a_wrong_verification_gets_nothing(wire: Wire, query: dict[str, str], status: int) -> None:
    assert await wire.get(query) == (status, "")


async def test_an_account_nobody_knows_is_not_found(wire: Wire, desk: Desk) -> None:
    sealed = seal_push()
    assert (await wire.get(plain_query(echostr="1"), "county"))[0] == 404
    assert (await wire.post(sealed.query, sealed.body, "county"))[0] == 404
    assert desk.events == []


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_other_methods_are_not_allowed(wire: Wire, method: str) -> None:
    async with wire.client.request(method, "/wechat/city") as response:
        assert response.status == 405


# --- a message in each mode ---


async def test_safe_mode(wire: Wire, desk: Desk) -> None:
    status, answer = await wire.send(seal_push())
    reply = opened(answer)
    assert status == 200
    assert (reply.type, reply.content, reply.target, reply.source) == ("text", "请选择科室", OPENID, GH)
    assert reply.time == NOW + 1
    assert [(event.kind, event.text, event.openid) for event in desk.events] == [
        (Kind.TEXT, "挂心内科", OPENID)
    ]


async def test_compatible_mode_reads_and_answers_encrypted(wire: Wire, desk: Desk) -> None:
    clear = push(MsgType="text", Content="别人的话", FromUserName="oSomebodyElse", MsgId="9")
    sealed = seal_push(clear=clear.removeprefix("<xml>").removesuffix("</xml>"))
    status, answer = await wire.post(sealed.query, sealed.body, "both")
    assert (status, opened(answer).content) == (200, "请选择科室")
    assert [(event.openid, event.text) for event in desk.events] == [(OPENID, "挂心内科")]


async def test_plain_mode(wire: Wire, desk: Desk) -> None:
    status, answer = await wire.post(plain_query(), TEXT, "open")
    assert (status, deserialize_reply(answer).content) == (200, "请选择科室")
    assert desk.events[0].id == f"{desk.events[0].conversation}:m:24537849347234234:{NOW}"


async def test_plain_mode_mends_a_citizens_broken_byte(wire: Wire, desk: Desk) -> None:
    assert (await wire.post(plain_query(), TEXT.replace("挂", "\x08挂"), "open"))[0] == 200
    assert desk.events[0].text == "挂心内科"


async def test_the_answers_name_their_type(wire: Wire, desk: Desk) -> None:
    sealed = seal_push()
    async with wire.client.post("/wechat/city", params=sealed.query, data=sealed.body.encode()) as response:
        assert response.headers["Content-Type"] == "application/xml; charset=utf-8"


async def test_a_body_in_pieces_is_read_to_its_end(wire: Wire, desk: Desk) -> None:
    sealed = seal_push()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(sealed.body), 100):
            yield sealed.body[start : start + 100].encode()
            await asyncio.sleep(0)

    async with wire.client.post("/wechat/city", params=sealed.query, data=pieces()) as response:
        assert response.status == 200
    assert len(desk.events) == 1


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
async def test_every_kind_comes_through_the_door(wire: Wire, desk: Desk, sample: Sample) -> None:
    status, answer = await wire.send(seal_push(push(**sample.fields)))
    assert (status, opened(answer).content) == (200, "请选择科室")
    assert [event.kind for event in desk.events] == [sample.kind]


async def test_the_arrival_is_the_loops_time(wire: Wire, desk: Desk) -> None:
    before = asyncio.get_running_loop().time()
    await wire.send(seal_push())
    assert before <= desk.arrivals[0] <= asyncio.get_running_loop().time()


# --- silence ---


@pytest.mark.parametrize("nothing", [None, Said(type="", at=NOW), Said(type="text", at=NOW, text="")])
async def test_nothing_to_say_is_success(wire: Wire, desk: Desk, nothing: Said | None) -> None:
    desk.answer = lambda _event: nothing
    assert await wire.send(seal_push()) == (200, "success")
    assert await wire.post(plain_query(), TEXT, "open") == (200, "success")


# --- rotation ---


async def test_a_reply_goes_out_under_the_key_that_opened_the_push(desk: Desk) -> None:
    async with client_of(application(desk, keys(previous_aes_key=OLD_KEY))) as client:
        for key in (KEY, OLD_KEY):
            _, answer = await Wire(client).send(seal_push(key=key))
            assert opened(answer, key).content == "请选择科室"


# --- refusals ---


REFUSED: dict[str, tuple[dict[str, str], str, int]] = {
    "another token": (*vars(seal_push(token="stranger")).values(), 403),
    "stale": (*vars(seal_push(at=NOW - 301)).values(), 403),
    "from the future": (*vars(seal_push(at=NOW + 301)).values(), 403),
    "another appid": (*vars(seal_push(appid="wx0")).values(), 403),
    "another key": (*vars(seal_push(key=OLD_KEY)).values(), 403),
    "no query": ({}, seal_push().body, 403),
    "no body": (seal_push().query, "", 400),
    "truncated": (seal_push().query, seal_push().body[:-20], 400),
    "a clear body": (plain_query(), TEXT, 400),
    "a clear body that claims nothing": (plain_query(encrypt_type="raw"), TEXT, 400),
    "DOCTYPE": (seal_push().query, "<!DOCTYPE xml>" + seal_push().body, 400),
    "DOCTYPE inside": (*vars(seal_push("<!DOCTYPE xml>" + TEXT)).values(), 400),
    "JSON inside": (*vars(seal_push('{"MsgType": "text"}')).values(), 400),
    "for another account": (*vars(seal_push(push(ToUserName="gh_x", MsgType="text"))).values(), 403),
    "no sender": (*vars(seal_push(push(FromUserName="", MsgType="text"))).values(), 400),
    "no type": (*vars(seal_push(push())).values(), 400),
    "over 64 KB": (seal_push().query, "<xml>" + "x" * 65_536 + "</xml>", 413),
    "too deep": (seal_push().query, "<xml>" + "<a>" * 3_000 + "</a>" * 3_000 + "</xml>", 400),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_bad_input_is_refused_in_one_line_without_work(wire: Wire, desk: Desk, name: str) -> None:
    query, body, expected = REFUSED[name]
    with capture_logs() as lines:
        assert await wire.post(query, body) == (expected, "")
    assert desk.events == []
    assert [(line["event"], line["status"], line["account"]) for line in lines] == [
        ("push_refused", expected, "city")
    ]
    assert "exc_info" not in lines[0]
    assert not any(secret in str(lines) for secret in (OPENID, NONCE, "挂心内科", TOKEN, KEY))


async def test_a_push_in_plain_mode_needs_the_plain_signature(wire: Wire, desk: Desk) -> None:
    for query in ({}, plain_query(token="stranger"), plain_query(at=NOW - 301)):
        assert await wire.post(query, TEXT, "open") == (403, "")
    assert desk.events == []


async def test_asking_for_plain_mode_does_not_downgrade(wire: Wire, desk: Desk) -> None:
    for encrypt_type in ("raw", "", "none"):
        query = plain_query(encrypt_type=encrypt_type)
        assert (await wire.post(query, TEXT, "city"))[0] == 400
        assert (await wire.post(query, TEXT, "both"))[0] == 400
    assert desk.events == []


@pytest.mark.parametrize("size", [65_536, 65_537])
async def test_64_kb_are_the_limit_in_pieces_too(wire: Wire, desk: Desk, size: int) -> None:
    sealed = seal_push()
    body = sealed.body.replace("</xml>", " " * (size - len(sealed.body)) + "</xml>").encode()

    async def pieces() -> AsyncIterator[bytes]:
        yield body[:30_000]
        yield body[30_000:]

    for data in (body, pieces()):
        async with wire.client.post("/wechat/city", params=sealed.query, data=data) as response:
            assert response.status == (200 if size == 65_536 else 413)
    assert len(desk.events) == (2 if size == 65_536 else 0)


async def test_an_announced_body_over_64_kb_is_not_waited_for(wire: Wire) -> None:
    reader, writer = await asyncio.open_connection(wire.client.host, wire.client.port)
    writer.write(b"POST /wechat/city HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n")
    answer = await asyncio.wait_for(reader.readline(), 4)  # less than a body may take to arrive
    writer.close()
    assert b" 413 " in answer


async def test_a_body_that_does_not_arrive_is_given_up(
    wire: Wire, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.wechat.BODY_S", 0.05)
    reader, writer = await asyncio.open_connection(wire.client.host, wire.client.port)
    writer.write(b"POST /wechat/city HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\n<xml>")
    with capture_logs() as lines:
        answer = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    assert b" 408 " in answer
    assert [line["event"] for line in lines] == ["push_refused"]


# --- our own troubles ---


async def test_until_everything_is_ready_wechat_shall_come_again(desk: Desk) -> None:
    ready = False
    async with client_of(application(desk, ready=lambda: ready)) as client:
        wire = Wire(client)
        assert await wire.send(seal_push()) == (503, "")
        assert await wire.get(plain_query(echostr="1")) == (503, "")
        ready = True
        assert (await wire.send(seal_push()))[0] == 200
        assert (await wire.get(plain_query(echostr="1")))[0] == 200
    assert len(desk.events) == 1


async def test_a_store_that_is_gone_makes_wechat_come_again(wire: Wire, desk: Desk) -> None:
    def gone(_event: Event) -> Said:
        raise StoreGoneError("Redis")

    desk.answer = gone
    with capture_logs() as lines:
        assert await wire.send(seal_push()) == (503, "")
    assert [(line["event"], line["event_id"], line["why"]) for line in lines] == [
        ("push_put_off", desk.events[0].id, "Redis cannot be reached")
    ]


@pytest.mark.parametrize("answer", [Said(type="telepathy", at=NOW), ZeroDivisionError()])
async def test_a_mistake_of_ours_is_a_500_and_one_line_with_its_traceback(
    wire: Wire, desk: Desk, answer: Said | Exception
) -> None:
    def mistaken(_event: Event) -> Said:
        if isinstance(answer, Exception):
            raise answer
        return answer

    desk.answer = mistaken
    with capture_logs() as lines:
        assert await wire.send(seal_push()) == (500, "")
    assert [(line["event"], line["event_id"], bool(line["exc_info"])) for line in lines] == [
        ("push_failed", desk.events[0].id, True)
    ]
    assert OPENID not in str(lines)


async def test_a_mistake_before_there_is_an_event_is_a_500_and_one_line_too() -> None:
    """aiohttp would answer with a page of its own, in its debug mode with the traceback on it."""

    class Clumsy(Desk):
        async def bind(self, account: str, timestamp: str, nonce: str, body: bytes) -> bool:
            del account, timestamp, nonce, body
            raise ZeroDivisionError

    async with client_of(application(Clumsy(), keys(key="open", mode="plain"))) as client:
        with capture_logs() as lines:
            assert await Wire(client).post(plain_query(), TEXT, "open") == (500, "")
    assert [(line["event"], line["account"]) for line in lines] == [("push_failed", "open")]
    assert isinstance(lines[0]["exc_info"], ZeroDivisionError)


def test_the_wire_speaks_as_wechat_does() -> None:
    """The samples of these tests are what wechatpy, at least, takes for pushes of WeChat."""
    assert parse_message(TEXT).content == "挂心内科"


async def test_every_answer_is_counted_with_what_became_of_it(wire: Wire, desk: Desk) -> None:
    def gone(_event: Event) -> Said:
        raise StoreGoneError("Redis")

    for answer in (desk.answer, lambda _event: None, gone):
        desk.answer = answer
        await wire.send(seal_push())

    counted = desk.metrics.exposition().decode()
    for outcome in ("replied", "silent", "put_off"):
        assert f'account="city",kind="text",outcome="{outcome}"}} 1.0' in counted


async def test_a_plain_signature_cannot_carry_another_message(wire: Wire, desk: Desk) -> None:
    """In plain mode the signature covers no body: who overheard it could put words into a citizen's mouth."""
    query = plain_query()
    assert (await wire.post(query, TEXT, "open"))[0] == 200
    assert await wire.post(query, TEXT.replace("挂心内科", "取消预约"), "open") == (403, "")
    assert (await wire.post(query, TEXT, "open"))[0] == 200, "WeChat's own repetition goes on"
    assert [event.text for event in desk.events] == ["挂心内科", "挂心内科"]


async def test_what_is_encrypted_needs_no_binding(wire: Wire, desk: Desk) -> None:
    await wire.send(seal_push())
    assert not desk.bodies


class Forgetful(Desk):
    """A desk whose Redis is gone."""

    async def bind(self, account: str, timestamp: str, nonce: str, body: bytes) -> bool:
        del account, timestamp, nonce, body
        raise StoreGoneError("Redis")


@pytest.mark.parametrize(
    ("is_last", "answer"), [(False, (503, "")), (True, (200, "Redis cannot be reached"))]
)
async def test_while_nobody_can_tell_a_plain_push_is_put_off_and_the_last_attempt_hears_why(
    is_last: bool, answer: tuple[int, str]
) -> None:
    desk = Forgetful(is_last=is_last)
    async with client_of(application(desk, keys(key="open", mode="plain"))) as client:
        status, said = await Wire(client).post(plain_query(), TEXT, "open")
    assert status == answer[0]
    assert answer[1] in said
    assert not desk.events
    assert len(desk.given_up) == 1
