"""aiohttp's own log: one line for a stranger's nonsense, everything for a real mistake."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, RawTestServer, TestServer

from tests.webhooks.wire import Desk, application
from webhooks.access import SERVER_LOGGER, StrangersNonsense, quiet_server_logger

NONSENSE = {
    "a query of 20 KB": b"GET /wechat/city?echostr=" + b"s3cret" * 3_400 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    "a header of 20 KB": b"GET /wechat/city HTTP/1.1\r\nHost: h\r\nX-Long: "
    + b"s3cret" * 3_400
    + b"\r\n\r\n",
    "no HTTP": b"\x00\x01s3cret\x02\r\n\r\n",
    "a broken request line": b"GET /wechat/city?s3cret\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\ns3cret\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "a negative length": b"POST /wechat/city HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n\r\n",
    "an endless length": b"POST /wechat/city HTTP/1.1\r\nHost: h\r\nContent-Length: "
    + b"9" * 40
    + b"\r\n\r\n",
    "a broken address": b"GET http://[::1/s3cret HTTP/1.1\r\nHost: h\r\n\r\n",
}


@pytest.fixture
def server_log() -> Iterator[logging.Logger]:
    """aiohttp's logger, as it was before once the test is over."""
    logger = logging.getLogger(SERVER_LOGGER)
    before = list(logger.filters)
    yield logger
    logger.filters[:] = before


@pytest.fixture
async def server() -> AsyncIterator[BaseTestServer]:
    async with RawTestServer(application(Desk()).answer, access_log=None) as started:
        yield started


async def say(server: BaseTestServer, request: bytes) -> bytes:
    """Write bytes to the socket and read what comes back until the server hangs up."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


@pytest.mark.parametrize("name", NONSENSE)
async def test_nonsense_is_a_4xx_and_one_line_that_quotes_nothing(
    name: str, server: BaseTestServer, server_log: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    quiet_server_logger()
    answer = await say(server, NONSENSE[name])
    assert answer.split()[1].startswith(b"4")
    assert not any(record.exc_info or record.exc_text for record in caplog.records)
    assert "s3cret" not in caplog.text
    assert len(caplog.text.splitlines()) <= 1


async def test_control_without_the_filter_a_long_query_prints_a_traceback(
    server: BaseTestServer, server_log: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    server_log.filters.clear()
    await say(server, NONSENSE["a query of 20 KB"])
    assert "Traceback" in caplog.text
    assert "s3cret" in caplog.text


async def test_a_mistake_of_ours_keeps_its_traceback(
    server_log: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    quiet_server_logger()

    async def broken(_request: web.Request) -> web.Response:
        raise ZeroDivisionError

    app = web.Application()
    app.router.add_get("/broken", broken)
    async with TestServer(app, access_log=None) as started:
        answer = await say(started, b"GET /broken HTTP/1.1\r\nHost: h\r\n\r\n")
    assert answer.split()[1] == b"500"
    assert "ZeroDivisionError" in caplog.text


def test_the_filter_is_installed_once(server_log: logging.Logger) -> None:
    for _ in range(3):
        quiet_server_logger()
    assert sum(isinstance(known, StrangersNonsense) for known in server_log.filters) == 1
