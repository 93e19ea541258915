"""Who is ready has a token at hand: what is sent then waits for nothing but its own request."""

import asyncio

import pytest
from aiohttp import web

from core.chat.replies import Said
from core.delivery.sender import Policy, Refused, Sent, SurelyNotSent, Unknown
from tests.clients.platform import OPENID, SEND, TOKEN, Gateway, Weixin, answers, says

LATE = Said(type="text", at=0, text="您的预约成功")
SOON = 0.3


async def test_who_is_ready_sends_without_asking_for_a_token(weixin: Weixin, gateway: Gateway) -> None:
    await weixin.writes()
    sender = gateway.sender(weixin.url)
    assert await sender.ready("city") is None
    assert [call for call, _ in weixin.calls] == [TOKEN]
    assert await sender.send("city", OPENID, LATE) == Sent()
    assert [call for call, _ in weixin.calls] == [TOKEN, SEND]


async def test_control_who_is_not_asks_first(weixin: Weixin, gateway: Gateway) -> None:
    await weixin.writes()
    assert await gateway.sender(weixin.url).send("city", OPENID, LATE) == Sent()
    assert [call for call, _ in weixin.calls] == [TOKEN, SEND]


async def test_who_is_ready_asks_nobody_again(weixin: Weixin, gateway: Gateway) -> None:
    sender = gateway.sender(weixin.url)
    for _ in range(3):
        assert await sender.ready("city") is None
    assert weixin.forced == [False]


@pytest.mark.parametrize("trouble", [says(502, ""), says(404, ""), says(200, "{}"), answers(-1)])
async def test_without_an_answer_nothing_is_sent(weixin: Weixin, gateway: Gateway, trouble: object) -> None:
    weixin.instead[TOKEN] = trouble  # type: ignore[assignment]
    assert isinstance(await gateway.sender(weixin.url).ready("city"), SurelyNotSent)


async def test_it_takes_one_time_out_at_most(weixin: Weixin, gateway: Gateway) -> None:
    async def hangs(_request: web.Request) -> None:
        await asyncio.Event().wait()

    weixin.instead[TOKEN] = hangs
    sender, loop = gateway.sender(weixin.url, timeout_s=SOON), asyncio.get_running_loop()
    began = loop.time()
    assert isinstance(await sender.ready("city"), SurelyNotSent)
    assert loop.time() - began < 2 * SOON


@pytest.mark.parametrize("code", [40001, 40013, 40164, 40243, 41004, 40003, 43002, 43101, 45002, 48001])
async def test_whoever_is_refused_a_token_needs_a_person_whatever_the_code_would_mean_for_a_message(
    weixin: Weixin, gateway: Gateway, code: int
) -> None:
    weixin.instead[TOKEN] = answers(code)
    told = await gateway.sender(weixin.url).ready("city")
    assert isinstance(told, Refused)
    assert (told.policy, told.code) == (Policy.CONFIGURATION, code)


async def test_but_a_code_nobody_knows_and_one_that_says_when_are_what_they_are(
    weixin: Weixin, gateway: Gateway
) -> None:
    weixin.instead[TOKEN] = answers(98_765)
    assert isinstance(await gateway.sender(weixin.url).ready("city"), Unknown)
    weixin.instead[TOKEN] = answers(45011)
    told = await gateway.sender(weixin.url).ready("city")
    assert isinstance(told, SurelyNotSent)
    assert told.policy is Policy.RATE_MINUTE


async def test_an_account_that_is_not_in_the_settings_is_never_ready(
    weixin: Weixin, gateway: Gateway
) -> None:
    told = await gateway.sender(weixin.url).ready("hall")
    assert isinstance(told, Refused)
    assert told.policy is Policy.CONFIGURATION
