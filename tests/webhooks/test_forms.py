"""Forms: read within bounds, and what no page of ours sends is refused with a status, never with a 500."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote_plus, urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer, TestClient
from hypothesis import given
from hypothesis import strategies as st

from webhooks.forms import TYPE, FormRefusedError, form_of
from webhooks.routes import Doors, Request, Route

Client = TestClient[web.BaseRequest, None]
MOST = 200


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async def taken(request: Request) -> web.Response:
        try:
            form = await form_of(request, MOST)
        except FormRefusedError as refused:
            return web.Response(status=refused.status)
        return web.json_response(dict(form))

    doors = Doors([Route("POST", "/", taken, "anyone")])
    opened: Client = TestClient(RawTestServer(doors.answer))
    async with opened:
        yield opened


async def sends(client: Client, body: bytes, content_type: str = TYPE) -> object:
    headers = {"Content-Type": content_type}
    async with client.post("/", data=body, headers=headers) as answer:
        return await answer.json() if answer.status == 200 else answer.status


async def test_what_a_browser_sends_is_read(client: Client) -> None:
    body = urlencode({"name": "张 三", "empty": "", "sum": "1+1=2&x"}).encode()
    assert await sends(client, body) == {"name": "张 三", "empty": "", "sum": "1+1=2&x"}
    assert await sends(client, b"a=1", f"{TYPE}; charset=UTF-8") == {"a": "1"}
    assert await sends(client, b"") == {}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"a=%ff%fe", 400),
        (b"%c3%28=1", 400),
        ("a=中".encode("gbk"), 400),
        ("a=中".encode(), 400),  # browsers escape it
        (b"a=%00", 400),
        (b"a=1&a=2", 400),
        (b"&".join(b"%d=1" % each for each in range(60)), 413),
        (b"&".join(b"=" for _ in range(60)), 400),
        (b"a=" + b"x" * MOST, 413),
    ],
)
async def test_what_is_no_form_of_ours_has_its_status(client: Client, body: bytes, status: int) -> None:
    assert await sends(client, body) == status


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/json", "multipart/form-data; boundary=x"]
)
async def test_another_type_is_not_read(client: Client, content_type: str) -> None:
    assert await sends(client, b"a=1", content_type) == 415


async def test_a_body_whose_length_nobody_told_is_bounded_too(client: Client) -> None:
    async def pieces(count: int) -> AsyncIterator[bytes]:
        for number in range(count):
            yield b"%d=%s&" % (number, b"x" * 10)

    for count, status in ((5, 200), (50, 413)):
        async with client.post("/", data=pieces(count), headers={"Content-Type": TYPE}) as answer:
            assert answer.status == status


async def test_a_body_that_never_ends_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.forms._IN_TIME_S", 0.05)
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(
        f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {TYPE}\r\nContent-Length: 9\r\n\r\na=".encode()
    )
    assert b" 408 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=20), max_size=4))
def test_whatever_is_typed_comes_as_it_was_typed(typed: dict[str, str]) -> None:
    """What the browser escapes and what we read are each other's opposite, but for NULs."""
    whole = "".join((*typed, *typed.values()))
    sent = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in typed.items())

    class Sent:
        content_type, content_length = TYPE, len(sent)

        class content:  # noqa: N801 - as aiohttp calls it
            @staticmethod
            async def iter_any() -> AsyncIterator[bytes]:
                yield sent.encode()

    async def read() -> object:
        return await form_of(Sent(), 10_000)  # type: ignore[arg-type]

    if "\0" in whole:
        with pytest.raises(FormRefusedError):
            asyncio.run(read())
    else:
        assert asyncio.run(read()) == typed
