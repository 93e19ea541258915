"""Sockets: a taken port is told before anything starts; who asked before the end still gets an answer."""

import asyncio
import gzip
import logging
import socket

import aiohttp
import pytest
from aiohttp import web

from core.errors import BootError
from tests.support.waiting import until
from webhooks.access import SERVER_LOGGER
from webhooks.routes import Doors, Request, Route
from webhooks.serving import PortTakenError, listen, serve


def test_a_taken_port_is_told_with_its_setting() -> None:
    with listen("127.0.0.1", 0, "server.port") as first:
        port = first.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {port} on 127.0.0.1 is in use.*server.port"):
            listen("127.0.0.1", port, "server.port")


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_an_address_that_is_not_ours_is_told(host: str) -> None:
    with pytest.raises(BootError, match=r"server\.port"):
        listen(host, 0, "server.port")


def gets_in(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


async def test_draining_answers_who_asked_before_the_end() -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slow(_request: Request) -> web.Response:
        asked.set()
        await answer.wait()
        return web.Response(text="done")

    opened = listen("127.0.0.1", 0, "test")
    port = opened.getsockname()[1]
    runner = await serve(Doors([Route("GET", "/", slow, who="anyone")]), opened, drain_s=10)
    async with aiohttp.ClientSession() as http:
        request = asyncio.create_task(http.get(f"http://127.0.0.1:{port}/"))
        await asked.wait()
        ending = asyncio.create_task(runner.cleanup())
        # Nobody new gets in once the listening socket is closed.
        await until(lambda: not gets_in(port), "the socket is closed")
        answer.set()
        async with await request as response:
            assert await response.text() == "done"
        await ending


async def test_whatever_is_served_keeps_a_strangers_query_out_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for known in list(logging.getLogger(SERVER_LOGGER).filters):
        logging.getLogger(SERVER_LOGGER).removeFilter(known)
    opened = listen("127.0.0.1", 0, "server.port")
    runner = await serve(Doors([]), opened, drain_s=0.1)
    reader, writer = await asyncio.open_connection(*opened.getsockname())
    writer.write(b"GET /?" + b"s3cret" * 3_400 + b" HTTP/1.1\r\nHost: h\r\n\r\n")
    assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.0 400")
    writer.close()
    await runner.cleanup()
    assert "Traceback" not in caplog.text
    assert "s3cret" not in caplog.text


async def test_a_compressed_body_is_not_unpacked() -> None:
    """60 MB of zeros are 60 KB on the way: any stranger could keep us busy with them."""
    arrived: list[int] = []

    async def measure(request: Request) -> web.Response:
        arrived.append(len(await request.read()))
        return web.Response()

    opened = listen("127.0.0.1", 0, "server.port")
    runner = await serve(Doors([Route("POST", "/", measure, who="anyone")]), opened, drain_s=0.1)
    packed = gzip.compress(b"\0" * 500_000)
    async with aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{opened.getsockname()[1]}/"
        async with http.post(url, data=packed, headers={"Content-Encoding": "gzip"}) as response:
            assert response.status == 200
    await runner.cleanup()
    assert arrived == [len(packed)]
