"""An answer in one piece says on the wire what aiohttp's own would say."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from webhooks.routes import Doors, Route
from webhooks.serving import listen, serve
from webhooks.whole_answer import WholeAnswer

BODY = "<xml>号源已约满</xml>".encode()
NOW = 1714036504  # 2024-04-25 09:15:04 UTC


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def whole(_request: web.BaseRequest) -> web.StreamResponse:
        return WholeAnswer(b"application/xml", BODY, NOW)

    async def usual(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(
            body=BODY,
            headers={
                "Content-Type": "application/xml; charset=utf-8",
                "X-Content-Type-Options": "nosniff",
                "Date": "Thu, 25 Apr 2024 09:15:04 GMT",
            },
        )

    opened = listen("127.0.0.1", 0, "a test's port")
    doors = Doors([Route("POST", "/whole", whole, "anyone"), Route("POST", "/usual", usual, "anyone")])
    runner = await serve(doors, opened, drain_s=1)
    yield opened.getsockname()[1]
    await runner.cleanup()


class Line:
    """One connection to the server, spoken to byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, path: str, version: str = "1.1", *headers: str) -> tuple[str, set[str], bytes]:
        """Post, and return the status line, the headers, and a body of their length."""
        lines = (f"POST {path} HTTP/{version}", "Host: x", "Content-Length: 0", *headers, "", "")
        self._writer.write("\r\n".join(lines).encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        status, *told = head.strip().split("\r\n")
        size = next(int(line.split(": ")[1]) for line in told if line.startswith("Content-Length"))
        return status, set(told), await self._reader.readexactly(size)

    async def is_over(self) -> bool:
        """Wait until the other side hangs up; False if it says something instead."""
        return await self._reader.read(1) == b""

    def hang_up(self) -> None:
        self._writer.close()


async def called(port: int) -> Line:
    return Line(*await asyncio.open_connection("127.0.0.1", port))


async def test_says_what_aiohttps_own_answer_says_but_for_the_servers_name(port: int) -> None:
    line = await called(port)
    status, told, body = await line.ask("/whole")
    usual_status, usual, usual_body = await line.ask("/usual")
    assert (status, body) == (usual_status, usual_body) == ("HTTP/1.1 200 OK", BODY)
    assert told == {each for each in usual if not each.startswith("Server:")}
    line.hang_up()


async def test_one_connection_carries_many_answers(port: int) -> None:
    line = await called(port)
    assert [(await line.ask("/whole"))[2] for _ in range(3)] == [BODY] * 3
    line.hang_up()


@pytest.mark.parametrize(
    ("version", "asked", "told", "stays"),
    [
        ("1.1", (), None, True),
        ("1.1", ("Connection: close",), "Connection: close", False),
        ("1.0", (), "Connection: close", False),
        ("1.0", ("Connection: keep-alive",), "Connection: keep-alive", True),
    ],
)
async def test_the_connection_ends_or_stays_as_it_was_asked(
    port: int, version: str, asked: tuple[str, ...], told: str | None, *, stays: bool
) -> None:
    line = await called(port)
    _, headers, body = await line.ask("/whole", version, *asked)
    assert body == BODY
    assert {each for each in headers if each.startswith("Connection")} == ({told} if told else set())
    if stays:
        assert (await line.ask("/whole", version, "Connection: close"))[2] == BODY
    assert await line.is_over()


async def test_a_citizens_lost_connection_is_no_error_of_ours(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        gone = await called(port)
        gone._writer.write(b"POST /whole HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" * 20)
        gone._writer.transport.abort()
    line = await called(port)
    assert (await line.ask("/whole"))[2] == BODY
    assert not [each for each in caplog.records if each.levelname in {"ERROR", "CRITICAL"}]
    line.hang_up()
