"""Servers and networks that fail: what was surely not sent is told apart from what perhaps was."""

import asyncio
import socket

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from structlog.testing import capture_logs

from core.chat.replies import Said
from core.delivery.sender import Outcome, PerhapsSent, Sent, SurelyNotSent
from tests.clients.platform import (
    OPENID,
    SEND,
    TOKEN,
    Gateway,
    Instead,
    Weixin,
    answers,
    resets,
    says,
)
from tests.support.waiting import until

LATE = Said(type="text", at=0, text="您的预约成功")
SOON = 0.5  # long enough for an answer, short enough to wait for none


async def hangs(_request: web.Request) -> web.StreamResponse | None:
    await asyncio.Event().wait()
    return None


async def half_an_answer(request: web.Request) -> web.StreamResponse:
    """The connection is cut in the middle of the answer."""
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"errcode": 0')
    assert request.transport is not None
    request.transport.abort()
    return response


async def points_elsewhere(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPTemporaryRedirect("http://127.0.0.1:1/cgi-bin/message/custom/send")


async def send(gateway: Gateway, url: str, timeout_s: float = 5.0) -> Outcome:
    return await gateway.sender(url, timeout_s=timeout_s).send("city", OPENID, LATE)


@pytest.mark.parametrize(
    "trouble",
    [
        resets,
        half_an_answer,
        says(502, "<html>Bad Gateway"),
        says(500, '{"errcode": 40003}'),
        says(408, ""),
        says(200, "<html>"),
        says(200, ""),
        says(200, "[]"),
        says(200, "{}"),
        says(200, '{"errcode": "0"}'),
        says(200, "\x00" * 100_000),
        answers(-1),
    ],
)
async def test_a_send_without_a_clear_answer_was_perhaps_sent(
    weixin: Weixin, gateway: Gateway, trouble: Instead
) -> None:
    weixin.instead[SEND] = trouble
    assert isinstance(await send(gateway, weixin.url), PerhapsSent)
    assert len(weixin.asked(SEND)) == 1  # and is not repeated here


async def test_a_send_that_gets_no_answer_in_time_was_perhaps_sent(weixin: Weixin, gateway: Gateway) -> None:
    sender = gateway.sender(weixin.url, timeout_s=SOON)
    await weixin.writes()
    assert await sender.send("city", OPENID, LATE) == Sent()
    weixin.instead[SEND] = hangs
    assert await sender.send("city", OPENID, LATE) == PerhapsSent("no answer (timed out)")


@pytest.mark.parametrize(
    "trouble", [resets, half_an_answer, says(502, ""), says(200, "<html>"), says(200, "{}"), says(404, "")]
)
async def test_without_a_token_nothing_was_sent(weixin: Weixin, gateway: Gateway, trouble: Instead) -> None:
    weixin.instead[TOKEN] = trouble
    assert isinstance(await send(gateway, weixin.url), SurelyNotSent)
    assert not weixin.asked(SEND)


async def test_a_token_that_does_not_come_in_time_is_waited_for_by_all_together(
    weixin: Weixin, gateway: Gateway
) -> None:
    weixin.instead[TOKEN] = hangs
    sender = gateway.sender(weixin.url, timeout_s=SOON)
    outcomes = await asyncio.gather(*(sender.send("city", OPENID, LATE) for _ in range(20)))
    assert {type(outcome) for outcome in outcomes} == {SurelyNotSent}
    assert len(weixin.calls) == 1


async def test_a_refusal_that_comes_late_is_not_followed_by_a_second_try(
    weixin: Weixin, gateway: Gateway
) -> None:
    """Whoever holds a lease on this message counts on two time-outs, and no more."""
    have_a_token, refuse = asyncio.Event(), asyncio.Event()

    async def slowly(_request: web.Request) -> None:
        await have_a_token.wait()

    async def refusing(request: web.Request) -> web.StreamResponse | None:
        number = len(weixin.asked(SEND))
        if number == 1:
            await refuse.wait()
        return await answers(42001)(request) if number < 3 else None

    await weixin.writes()
    weixin.instead.update({TOKEN: slowly, SEND: refusing})
    sender = gateway.sender(weixin.url, timeout_s=2.0)
    loop = asyncio.get_running_loop()
    late = asyncio.create_task(sender.send("city", OPENID, LATE))
    await until(lambda: weixin.forced, "the token is asked for")
    deadline = (
        loop.time() + 2.0
    )  # the message's own is a little earlier, the end of its request a second later
    await until(lambda: loop.time() > deadline - 1.0, "half of the time for a token is over")
    have_a_token.set()
    await until(lambda: weixin.asked(SEND), "the message is on its way")
    assert await sender.send("city", OPENID, LATE) == Sent()  # with a token that replaced the refused one
    await until(lambda: loop.time() > deadline, "the time for a token is over")
    refuse.set()
    assert isinstance(await late, SurelyNotSent)
    assert len(weixin.asked(SEND)) == 3


@pytest.mark.parametrize("trouble", [says(404, "not found"), says(403, ""), says(429, ""), points_elsewhere])
async def test_something_on_the_way_that_turned_us_away_sent_nothing(
    weixin: Weixin, gateway: Gateway, trouble: Instead
) -> None:
    weixin.instead[SEND] = trouble
    outcome = await send(gateway, weixin.url)
    assert isinstance(outcome, SurelyNotSent)
    assert "HTTP" in outcome.reason


async def test_nobody_listens(gateway: Gateway) -> None:
    assert isinstance(await send(gateway, "http://127.0.0.1:1"), SurelyNotSent)


async def test_a_server_that_goes_between_token_and_message(weixin: Weixin, gateway: Gateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    sender = gateway.sender(weixin.url)
    await weixin.writes()
    assert await sender.send("city", OPENID, LATE) == Sent()
    # The shared token is there, so that only the message itself meets the empty port.
    assert isinstance(await send(gateway, f"http://127.0.0.1:{port}"), SurelyNotSent)


class Names(AbstractResolver):
    """Names that do not resolve, at once or ever."""

    def __init__(self, *, ever: bool) -> None:
        self._ever = ever

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del port, family
        if self._ever:
            raise OSError(None, f"no such name: {host}")
        await asyncio.Event().wait()
        return []

    async def close(self) -> None:
        return None


@pytest.mark.parametrize("ever", [True, False])
async def test_a_name_that_does_not_resolve(weixin: Weixin, gateway: Gateway, *, ever: bool) -> None:
    await weixin.writes()
    assert await send(gateway, weixin.url) == Sent()  # shares a token
    connector = aiohttp.TCPConnector(resolver=Names(ever=ever))
    async with aiohttp.ClientSession(connector=connector) as http:
        lost = Gateway(http, gateway.clock, gateway.redis, gateway.seal)
        outcome = await send(lost, "http://api.city.example", SOON)
    assert isinstance(outcome, SurelyNotSent)
    assert outcome.reason.startswith("message/custom/send: no connection")


async def test_a_failure_does_not_show_the_address_it_went_to(weixin: Weixin, gateway: Gateway) -> None:
    """The token stands in the address, and aiohttp's errors tell addresses."""
    await weixin.writes()
    assert await send(gateway, weixin.url) == Sent()
    connector = aiohttp.TCPConnector(resolver=Names(ever=False))
    async with aiohttp.ClientSession(connector=connector) as http:
        lost = Gateway(http, gateway.clock, gateway.redis, gateway.seal)
        with capture_logs() as lines:
            await send(lost, "http://api.city.example", SOON)
    assert lines
    assert "access_token" not in str(lines)
