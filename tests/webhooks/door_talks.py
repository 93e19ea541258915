"""What is said at the door to find out whether it keeps its rules; each talk tells what one sees of it."""

from typing import Any

from core.chat.events import Event
from core.chat.replies import Said
from core.errors import StoreGoneError
from tests.webhooks.house import TAKEN, House, Talk, plain
from tests.webhooks.wire import (
    KEY,
    NOW,
    OPENID,
    TEXT,
    TOKEN,
    Sealed,
    plain_query,
    push,
    raw_encrypt,
    seal_push,
    signed_push,
)

OTHER_WORDS = TEXT.replace("挂心内科", "取消预约")


def sends(push: Sealed, account: str = "city", key: str = KEY, token: str = TOKEN) -> Talk:
    """One push, and what comes back."""

    async def talk(house: House) -> str:
        return await house.hear(push, account, key, token)

    return talk


def sends_raw(plain_text: bytes) -> Talk:
    """One push whose encrypted part is just this; its signature is right."""
    return sends(signed_push(raw_encrypt(plain_text)))


def tells(push: Sealed, account: str = "city") -> Talk:
    """One push, and what the desk hears of it."""

    async def talk(house: House) -> str:
        status = await house.hear(push, account)
        return ", ".join(f"{event.kind} {event.text}".strip() for event in house.desk.events) or status

    return talk


def in_turn(*pushes: tuple[Sealed, str]) -> Talk:
    """Several pushes, and the status of each."""

    async def talk(house: House) -> str:
        return " ".join([(await house.hear(push, account))[:3] for push, account in pushes])

    return talk


def twice_at_the_desk(first: str, second: str) -> Talk:
    """Two pushes, and whether they are two for reception or attempts of one."""

    async def talk(house: House) -> str:
        for xml in (first, second):
            assert await house.hear(seal_push(xml)) == TAKEN
        ids = {event.id for event in house.desk.events}
        return {1: "one", 2: "two"}[len(ids)]

    return talk


def says(text: str) -> Talk:
    """The desk answers this; what arrives."""

    async def talk(house: House) -> str:
        house.desk.answer = lambda _event: Said(type="text", at=NOW, text=text)
        return await house.hear(seal_push())

    return talk


def says_too_much(text: str) -> Talk:
    """The desk answers more than WeChat takes; how many bytes arrive."""

    async def talk(house: House) -> str:
        answer = await says(text)(house)
        return f"{len(answer.removeprefix('200 ').encode())} bytes"

    return talk


def fails(trouble: Exception) -> Talk:
    """Reception is in trouble; what WeChat is answered, and what stands in the log."""

    async def talk(house: House) -> str:
        def failing(_event: Event) -> Said:
            raise trouble

        house.desk.answer = failing
        status = await house.hear(seal_push())
        return "; ".join([status, *(line["event"] for line in house.lines)])

    return talk


async def a_mistake_before_there_is_an_event(house: House) -> str:
    async def bind(*_signed: Any) -> bool:
        raise ZeroDivisionError("our secret")

    house.digests.bind = bind  # type: ignore[assignment, method-assign]
    status = await house.hear(plain(TEXT), "open")
    return "; ".join([status, *(line["event"] for line in house.lines)])


async def a_secret_in_the_log(house: House) -> str:
    await fails(ZeroDivisionError())(house)
    return "the openid is in the log" if OPENID in str(house.lines) else "nobody's name"


async def the_id(house: House) -> str:
    await house.hear(seal_push())
    return "names the citizen" if OPENID in house.desk.events[0].id else "nobody's name"


async def a_very_long_address(house: House) -> str:
    await house.hear(
        seal_push(push(MsgType="event", Event="VIEW", EventKey="https://a.example/" + "a" * 900))
    )
    return "short" if len(house.desk.events[0].id) < 200 else "long"


def is_told_why(push: Sealed, account: str = "city") -> Talk:
    """One push, and the reason in our log."""

    async def talk(house: House) -> str:
        await house.hear(push, account)
        return "; ".join(line["reason"] for line in house.lines)

    return talk


async def before_everything_is_ready(house: House) -> str:
    house.ready = False
    pushed = await house.hear(seal_push())
    asked = await house.wire.get(plain_query(echostr="1"))
    return f"{pushed} {asked[0]}"


def asks(query: dict[str, str]) -> Talk:
    """WeChat, or somebody, asks whether this address is ours."""

    async def talk(house: House) -> str:
        status, answer = await house.wire.get(query)
        return f"{status} {answer}".strip()

    return talk


# --- bodies that come slowly, in pieces, or too large ---


def _request(headers: str, body: str) -> bytes:
    query = "&".join(f"{name}={value}" for name, value in seal_push().query.items())
    return f"POST /wechat/city?{query} HTTP/1.1\r\nHost: h\r\n{headers}\r\n\r\n{body}".encode()


def _piece(body: str) -> str:
    return f"{len(body.encode()):x}\r\n{body}\r\n"


async def a_body_announced_too_large(house: House) -> str:
    house.door.BODY_S = 0.05
    return await house.hear_raw(_request("Content-Length: 65537", ""))


async def a_body_without_end(house: House) -> str:
    house.door.BODY_S = 1.0
    return await house.hear_raw(_request("Transfer-Encoding: chunked", _piece("x" * 70_000)))


async def a_body_in_pieces_that_is_a_little_too_large(house: House) -> str:
    sealed = seal_push()
    body = sealed.body.replace("</xml>", " " * (65_537 - len(sealed.body)) + "</xml>")
    query = "&".join(f"{name}={value}" for name, value in sealed.query.items())
    head = f"POST /wechat/city?{query} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    return await house.hear_raw(f"{head}{_piece(body)}0\r\n\r\n".encode())


async def a_body_that_does_not_arrive(house: House) -> str:
    house.door.BODY_S = 0.05
    return await house.hear_raw(_request("Content-Length: 500", "<xml>"), patience=1.5)


# --- plain mode: what a signature was used for ---


async def another_body_ten_minutes_later(house: House) -> str:
    """The clock of the door stands still; Redis's own is moved on by what it keeps."""
    first = await house.hear(plain(TEXT), "open")
    [name] = await house.redis.client.keys("*")
    left = await house.redis.client.pttl(name)
    await house.redis.client.pexpire(name, left - 601_000)
    return f"{first[:3]} {await house.hear(plain(OTHER_WORDS), 'open')}"


async def another_body_with_a_borrowed_zero(house: House) -> str:
    """Sorted and joined, nonce 0012340 and time 17… are signed as nonce 001234 and time 017…."""
    first = plain(TEXT, nonce="0012340")
    moved = {"nonce": "001234", "timestamp": f"0{NOW}"}
    second = Sealed(first.query | moved, OTHER_WORDS)
    return f"{(await house.hear(first, 'open'))[:3]} {await house.hear(second, 'open')}"


async def a_message_under_the_signature_of_a_verification(house: House) -> str:
    status, _ = await house.wire.get(plain_query(echostr="1"), "open")
    return f"{status} {await house.hear(plain(OTHER_WORDS), 'open')}"


async def while_redis_is_gone(house: House) -> str:
    async def gone(*_signed: Any) -> bool:
        raise StoreGoneError("Redis")

    house.digests.bind = gone  # type: ignore[assignment, method-assign]
    return (await house.hear(plain(TEXT), "open"))[:3]
