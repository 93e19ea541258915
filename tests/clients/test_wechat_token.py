"""One access token for all: asked for once, shared sealed, replaced once when it is refused."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from aiohttp import web

from clients.wechat import Credentials, WeChat
from clients.wechat_call import Calls
from clients.wechat_token import AccessToken, Source
from core.chat.replies import Said
from core.clock import ManualClock
from core.delivery.sender import Outcome, Policy, Refused, Sender, Sent, SurelyNotSent
from core.stores.redis import Redis
from tests.clients.conftest import MakeGateway
from tests.clients.platform import CITY, OPENID, SEND, TOKEN, Gateway, Weixin, answers, says
from tests.support.waiting import until

LATE = Said(type="text", at=0, text="您的预约成功")


async def send_many(*senders: Sender, each: int = 50) -> list[Outcome]:
    return await asyncio.gather(
        *(sender.send("city", OPENID, LATE) for sender in senders for _ in range(each))
    )


@pytest.fixture
async def weixin(patient_weixin: Weixin) -> Weixin:
    """A platform on which one citizen has just written, and takes any number of answers."""
    await patient_weixin.writes()
    return patient_weixin


async def test_a_hundred_sends_of_two_processes_ask_for_one_token(
    weixin: Weixin, make_gateway: MakeGateway
) -> None:
    senders = [(await make_gateway()).sender(weixin.url) for _ in range(2)]
    assert set(await send_many(*senders)) == {Sent()}
    assert weixin.forced == [False]
    assert len(await weixin.phone()) == 100


async def test_control_without_a_shared_copy_each_process_asks(
    weixin: Weixin, make_gateway: MakeGateway
) -> None:
    senders = [(await make_gateway("")).sender(weixin.url) for _ in range(2)]
    assert set(await send_many(*senders)) == {Sent()}
    assert weixin.forced == [False, False]


async def test_who_comes_while_another_process_asks_waits_for_its_copy(
    weixin: Weixin, make_gateway: MakeGateway
) -> None:
    go_on = asyncio.Event()

    async def slowly(_request: web.Request) -> None:
        await go_on.wait()

    weixin.instead[TOKEN] = slowly
    one, other = [await make_gateway() for _ in range(2)]
    assert other.redis is not None
    sending = [asyncio.create_task(send_many(each.sender(weixin.url), each=3)) for each in (one, other)]
    await until(lambda: weixin.forced, "somebody asks for a token")
    asked = await scripts_run(other.redis)
    while await scripts_run(other.redis) < asked + 3:  # the other one looks, and looks again
        assert weixin.forced == [False]
    go_on.set()
    assert {outcome for each in sending for outcome in await each} == {Sent()}
    assert weixin.forced == [False]


async def scripts_run(redis: Redis) -> int:
    """How many scripts the server has run so far."""
    stats = await redis.client.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("eval", "evalsha"))


async def test_a_fresh_token_costs_no_round_trip_to_redis(weixin: Weixin, gateway: Gateway) -> None:
    assert gateway.redis is not None
    sender = gateway.sender(weixin.url)
    await send_many(sender, each=1)
    before = await scripts_run(gateway.redis)
    assert before > 0
    await send_many(sender)
    assert await scripts_run(gateway.redis) == before


async def test_a_new_process_takes_the_shared_copy(weixin: Weixin, make_gateway: MakeGateway) -> None:
    await send_many((await make_gateway()).sender(weixin.url), each=1)
    await send_many((await make_gateway()).sender(weixin.url), each=1)
    assert weixin.forced == [False]


async def test_a_token_that_expired_in_the_middle_is_replaced_once_for_everybody(
    weixin: Weixin, make_gateway: MakeGateway
) -> None:
    senders = [(await make_gateway()).sender(weixin.url) for _ in range(2)]
    await send_many(*senders, each=1)
    weixin.calls.clear()
    weixin.clock.passes(hours=2)  # ours did not notice
    assert set(await send_many(*senders)) == {Sent()}
    assert weixin.forced == [False]  # 42001: WeChat has a new one without being forced
    assert len(weixin.asked(SEND)) <= 200


async def test_a_token_somebody_else_made_invalid_is_replaced_once(
    weixin: Weixin, make_gateway: MakeGateway
) -> None:
    senders = [(await make_gateway()).sender(weixin.url) for _ in range(2)]
    await send_many(*senders, each=1)
    await weixin.forces_a_token()
    assert set(await send_many(*senders)) == {Sent()}
    assert weixin.forced == [False]


async def test_a_refused_token_that_wechat_still_hands_out_is_forced_out(
    weixin: Weixin, make_gateway: MakeGateway
) -> None:
    gateways = [await make_gateway() for _ in range(2)]
    senders = [each.sender(weixin.url) for each in gateways]
    await send_many(*senders, each=1)
    bad = await WeChat(gateways[0].platform(weixin.url), CITY).token()
    weixin.calls.clear()

    async def not_this_one(request: web.Request) -> web.StreamResponse | None:
        return await answers(40001)(request) if request.query["access_token"] == bad else None

    weixin.instead[SEND] = not_this_one
    assert set(await send_many(*senders)) == {Sent()}
    assert weixin.forced == [False, True]


async def test_a_message_is_tried_twice_at_most_however_often_its_token_is_refused(
    weixin: Weixin, gateway: Gateway
) -> None:
    weixin.instead[SEND] = answers(40001)
    sender = gateway.sender(weixin.url)
    (outcome,) = await send_many(sender, each=1)
    assert isinstance(outcome, SurelyNotSent)
    assert outcome.retry_after >= 30
    assert len(weixin.asked(SEND)) == 2
    assert weixin.forced == [False, False, True]


async def test_a_wrong_secret_is_asked_about_once_and_names_its_setting(
    weixin: Weixin, gateway: Gateway
) -> None:
    sender = gateway.sender(weixin.url, Credentials("city", "wx1", "wrong"))
    outcomes = {*await send_many(sender), *await send_many(sender)}
    (outcome,) = outcomes
    assert isinstance(outcome, Refused)
    assert (outcome.policy, outcome.code) == (Policy.CONFIGURATION, 40125)
    assert "check accounts.city.secret" in outcome.words
    assert len(weixin.calls) == 1  # no loop, and nothing was sent


async def test_40001_to_the_question_for_a_token_is_a_wrong_secret_too(
    weixin: Weixin, gateway: Gateway
) -> None:
    weixin.instead[TOKEN] = answers(40001)
    (outcome,) = await send_many(gateway.sender(weixin.url), each=1)
    assert isinstance(outcome, Refused)
    assert outcome.policy is Policy.CONFIGURATION
    assert "check accounts.city.secret" in outcome.words
    assert len(weixin.calls) == 1


async def test_after_a_refusal_wechat_is_asked_again_once_a_pause_is_over(
    weixin: Weixin, gateway: Gateway
) -> None:
    sender = gateway.sender(weixin.url, timeout_s=0.3)
    weixin.instead[TOKEN] = answers(40164)
    outcomes = await send_many(sender, each=1)
    weixin.instead.clear()
    while outcomes[-1] != Sent():
        outcomes += await send_many(sender, each=1)
    assert isinstance(outcomes[0], Refused)
    assert 2 <= len(weixin.forced) < len(outcomes)


async def test_a_late_echo_about_an_old_token_does_not_bring_a_refused_one_back(
    weixin: Weixin, gateway: Gateway
) -> None:
    calls = Calls(gateway.http, weixin.url, 5.0)
    access = AccessToken(Source(calls, None, gateway.clock), CITY)
    first = await access.value()
    await weixin.forces_a_token()
    access.refuse(first)
    second = await access.value()
    weixin.clock.passes(seconds=31)
    await weixin.forces_a_token()
    access.refuse(second)
    access.refuse(first)
    assert await access.value() not in {first, second}


@pytest.mark.parametrize("code", [-1, 45011, 45009])
async def test_no_token_for_now_means_surely_not_sent_and_leaves_no_lock(
    weixin: Weixin, gateway: Gateway, redis: Redis, code: int
) -> None:
    weixin.instead[TOKEN] = answers(code)
    (outcome,) = await send_many(gateway.sender(weixin.url), each=1)
    assert isinstance(outcome, SurelyNotSent)
    assert not weixin.asked(SEND)
    assert await redis.client.keys("*") == []


async def test_a_token_is_renewed_five_minutes_before_its_end(
    weixin: Weixin, gateway: Gateway, our_clock: ManualClock
) -> None:
    sender = gateway.sender(weixin.url)
    for seconds, tokens in ((0, 1), (6890, 1), (11, 2), (6890, 2)):
        our_clock.move(timedelta(seconds=seconds))
        weixin.clock.passes(seconds=seconds)
        assert await send_many(sender, each=1) == [Sent()]
        assert len(weixin.forced) == tokens
    assert True not in weixin.forced


async def test_a_token_near_its_end_is_not_asked_for_at_each_send(weixin: Weixin, gateway: Gateway) -> None:
    async def short(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"access_token": "short", "expires_in": 280})

    weixin.instead.update({TOKEN: short, SEND: answers(0)})
    sender = gateway.sender(weixin.url)
    for _ in range(3):
        assert await send_many(sender, each=1) == [Sent()]
    assert weixin.forced == [False]


async def test_a_token_that_lives_is_used_while_wechat_gives_no_new_one(
    weixin: Weixin, gateway: Gateway, our_clock: ManualClock
) -> None:
    sender = gateway.sender(weixin.url)
    await send_many(sender, each=1)
    weixin.instead[TOKEN] = says(502, "")
    our_clock.move(timedelta(seconds=7_000))
    assert await send_many(sender, each=1) == [Sent()]
    our_clock.move(timedelta(seconds=200))
    assert isinstance((await send_many(sender, each=1))[0], SurelyNotSent)


async def test_the_shared_copy_is_sealed_and_ends_with_the_token(weixin: Weixin, gateway: Gateway) -> None:
    assert gateway.redis is not None
    await send_many(gateway.sender(weixin.url), each=1)
    client = gateway.redis.client
    (key,) = await client.keys("*")  # the lock is gone
    assert 7_000_000 < await client.pttl(key) <= 7_200_000
    kept = await client.get(key)
    assert isinstance(kept, bytes)
    token = await WeChat(gateway.platform(weixin.url), CITY).token()
    assert weixin.forced == [False]
    assert token.encode() not in kept
    assert b"right" not in kept


@pytest.mark.parametrize("rubbish", [b"rubbish", b""])
async def test_a_shared_copy_nobody_can_read_is_replaced(
    weixin: Weixin, make_gateway: MakeGateway, redis: Redis, rubbish: bytes
) -> None:
    await redis.client.set("bm:{city:wx1}:token", rubbish)
    for _ in range(2):
        assert await send_many((await make_gateway()).sender(weixin.url), each=1) == [Sent()]
    assert weixin.forced == [False]


async def test_another_appid_never_finds_the_token_of_the_old_one(
    weixin: Weixin, make_gateway: MakeGateway
) -> None:
    await send_many((await make_gateway()).sender(weixin.url), each=1)
    moved = (await make_gateway()).sender(weixin.url, Credentials("city", "wx2", "right"))
    outcome = await moved.send("city", OPENID, LATE)
    assert isinstance(outcome, Refused)  # this citizen never wrote to that account
    assert outcome.code == 40003
    assert [body["appid"] for body in weixin.asked(TOKEN)] == ["wx1", "wx2"]


async def test_who_gives_up_waiting_does_not_stop_the_renewal(weixin: Weixin, gateway: Gateway) -> None:
    go_on = asyncio.Event()

    async def slowly(_request: web.Request) -> None:
        await go_on.wait()

    weixin.instead[TOKEN] = slowly
    sender = gateway.sender(weixin.url)
    first, second = (asyncio.create_task(sender.send("city", OPENID, LATE)) for _ in range(2))
    await until(lambda: weixin.forced, "the token is asked for")
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    go_on.set()
    assert await second == Sent()
    assert weixin.forced == [False]


async def test_a_lock_whose_holder_died_keeps_nobody_from_sending(
    weixin: Weixin, gateway: Gateway, redis: Redis
) -> None:
    await redis.client.set("bm:{city:wx1}:token-lock", "of a process that was killed")
    assert set(await send_many(gateway.sender(weixin.url, timeout_s=2.0), each=5)) == {Sent()}
    assert weixin.forced == [False]
    assert await redis.client.get("bm:{city:wx1}:token-lock") == b"of a process that was killed"
