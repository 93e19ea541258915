"""What goes wrong when a test wants it to: quotas, tokens that end early, faults on demand."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from simulator.quotas import Quota
from simulator.wechat import Rules
from tests.simulator.conftest import MakeTown
from tests.simulator.notices import TEMPLATE_SEND, send_template, stock
from tests.simulator.test_api import stable, usable
from tests.simulator.town import Town

SEND = "message/template/send"


@pytest.fixture
async def town(make_town: MakeTown) -> Town:
    return await stock(await make_town(rules=Rules(receipt_s=600)))


async def code(town: Town) -> int:
    return int((await send_template(town))["errcode"])


async def codes(town: Town, count: int) -> list[int]:
    return [await code(town) for _ in range(count)]


async def fault(town: Town, **what: Any) -> str:
    return str((await town.post("/sim/faults", {"call": SEND} | what))["id"])


async def standing(town: Town) -> list[int]:
    """How often each fault has struck."""
    return [one["struck"] for one in await town.get("/sim/faults")]


# --- quotas -------------------------------------------------------------------------------------------------


async def test_a_day_has_its_quota_and_midnight_in_beijing_ends_it(town: Town) -> None:
    quota = {"account": "city", "api": SEND, "per_day": 2}
    assert (await town.post("/sim/quotas", quota))["per_day"] == 2
    assert await codes(town, 3) == [0, 0, 45009]
    town.clock.passes(hours=14, minutes=59, seconds=59)  # it was 09:00
    assert await code(town) == 45009
    town.clock.passes(seconds=1)
    assert await code(town) == 0


async def test_a_minute_has_its_quota(town: Town) -> None:
    quota = {"account": "city", "api": SEND, "per_day": None, "per_minute": 2}
    await town.post("/sim/quotas", quota)
    assert await codes(town, 3) == [0, 0, 45011]
    town.clock.passes(seconds=60)
    assert await code(town) == 0
    answer = await town.post("/sim/quotas", quota)
    assert (answer["today"], answer["this_minute"]) == (3, 1)


async def test_other_calls_have_their_own_quota(town: Town) -> None:
    await town.post("/sim/quotas", {"account": "city", "api": SEND, "per_day": 0})
    assert await code(town) == 45009
    await town.say("您好")
    assert await town.send() == 0


async def test_the_platforms_usual_quotas_stand(make_town: MakeTown) -> None:
    town = await make_town()
    token = await town.token()
    codes = [(await town.call("/cgi-bin/menu/delete", token=token))["errcode"] for _ in range(1001)]
    assert codes == [0] * 1000 + [45009]


async def test_a_program_sets_quotas_at_start(make_town: MakeTown) -> None:
    rules = Rules(receipt_s=600, quotas={SEND: Quota(1), "stable_token": Quota(1)})
    town = await stock(await make_town(rules=rules))
    assert await codes(town, 2) == [0, 45009]
    assert "access_token" in await stable(town)
    assert (await stable(town))["errcode"] == 45009


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"api": "message/telepathy"}, SEND),
        ({"account": "atlantis"}, "atlantis"),
        ({"per_day": -1}, "per_day"),
    ],
)
async def test_a_wrong_quota_is_refused_in_words(town: Town, change: dict[str, Any], says: str) -> None:
    body = {"account": "city", "api": SEND, "per_day": 2} | change
    assert says in await town.refused("POST", "/sim/quotas", json=body)


# --- tokens -------------------------------------------------------------------------------------------------


async def test_tokens_end_at_once_when_a_script_says_so(town: Town) -> None:
    plain, kept = await town.token(), (await stable(town))["access_token"]
    await town.post("/sim/tokens/expire", {"account": "city"})
    assert [await usable(town, plain), await usable(town, kept)] == [40001, 40001]
    fresh = (await stable(town))["access_token"]
    assert fresh != kept
    assert await usable(town, fresh) == 0


async def test_the_life_of_a_token_is_a_setting(make_town: MakeTown) -> None:
    town = await make_town(rules=Rules(token_s=48))
    answer = await stable(town)
    assert answer["expires_in"] == 48
    town.clock.passes(seconds=45)
    assert (await stable(town))["access_token"] == answer["access_token"]
    town.clock.passes(seconds=1)  # two seconds before its end: the overlap is the 24th part of a life
    assert (await stable(town))["access_token"] != answer["access_token"]
    assert await usable(town, answer["access_token"]) == 0
    town.clock.passes(seconds=2)
    assert await usable(town, answer["access_token"]) == 42001


async def test_the_end_of_a_life_and_a_second_call_have_different_codes(town: Town) -> None:
    first = await town.token()
    town.clock.passes(seconds=7200 - 100)
    await town.token()  # later than the overlap reaches
    town.clock.passes(seconds=100)
    assert await usable(town, first) == 42001


# --- faults -------------------------------------------------------------------------------------------------


async def test_an_error_code_for_so_many_calls(town: Town) -> None:
    await fault(town, errcode=45009, times=2)
    assert await codes(town, 3) == [45009, 45009, 0]
    assert len(await town.inbox()) == 1
    assert await standing(town) == [2]


async def test_a_status_that_is_no_answer(town: Town) -> None:
    await fault(town, status=502, times=1)
    token = await town.token()
    async with town.client.post(TEMPLATE_SEND, params={"access_token": token}, json={}) as response:
        assert response.status == 502
    assert await town.inbox() == []


async def test_an_answer_that_takes_long(town: Town) -> None:
    await fault(town, latency_s=0.3, times=1)
    began = time.monotonic()
    assert await code(town) == 0
    assert time.monotonic() - began >= 0.3


async def test_who_gives_up_waiting_is_served_all_the_same(town: Town) -> None:
    await fault(town, latency_s=0.5, times=1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await send_template(town)
    async with asyncio.timeout(30):
        while not await town.inbox():  # noqa: ASYNC110 (the phone has no bell for tests)
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("cut", "arrived"), [("before", 0), ("after", 1)])
async def test_a_connection_that_is_cut(town: Town, cut: str, arrived: int) -> None:
    await fault(town, cut=cut, times=1)
    with pytest.raises(aiohttp.ClientError):
        await send_template(town, client_msg_id="row-1")
    assert len(await town.inbox()) == arrived
    assert (await send_template(town, client_msg_id="row-1"))["errcode"] == 0
    assert len(await town.inbox()) == 1


async def test_chance_is_the_same_for_the_same_seed(town: Town) -> None:
    rounds = []
    for _ in range(2):
        number = await fault(town, errcode=-1, probability=0.5, seed=7)
        rounds.append(await codes(town, 20))
        async with town.client.delete(f"/sim/faults/{number}") as response:
            assert await response.json() == {"removed": 1}
    assert rounds[0] == rounds[1]
    assert set(rounds[0]) == {0, -1}


async def test_the_first_that_strikes_wins(town: Town) -> None:
    token = await town.token()
    await fault(town, errcode=45011, times=1)
    await fault(town, call="*", errcode=-1, times=1)
    await fault(town, errcode=50001)
    answers = [(await town.call(TEMPLATE_SEND, {}, token))["errcode"] for _ in range(4)]
    assert answers == [45011, -1, 50001, 50001]
    assert await standing(town) == [1, 1, 2]


async def test_faults_of_other_calls_and_accounts_do_not_strike(town: Town) -> None:
    await fault(town, call="message/custom/send", errcode=-1)
    assert await code(town) == 0
    assert await standing(town) == [0]


@pytest.mark.parametrize("call", ["token", "stable_token", SEND])
async def test_a_fault_of_an_account_strikes_its_calls(town: Town, call: str) -> None:
    async def asked() -> int:
        mine = town.bot.account
        if call == "token":
            query = {"grant_type": "client_credential", "appid": mine.appid, "secret": mine.secret}
            answer = await town.get("/cgi-bin/token", **query)
        else:
            answer = await (stable(town) if call == "stable_token" else send_template(town))
        return int(answer.get("errcode", 0))

    await fault(town, call=call, account="city", errcode=-1, times=1)
    assert [await asked(), await asked()] == [-1, 0]


async def test_faults_are_taken_back(town: Town) -> None:
    await fault(town, errcode=-1)
    await fault(town, errcode=-1)
    async with town.client.delete("/sim/faults") as response:
        assert await response.json() == {"removed": 2}
    assert await town.get("/sim/faults") == []
    assert await code(town) == 0
    assert "no fault" in await town.refused("DELETE", "/sim/faults/1")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "exactly one"),
        ({"errcode": 1, "status": 500}, "exactly one"),
        ({"errcode": 1, "call": "message/telepathy"}, SEND),
        ({"errcode": 1, "account": "atlantis"}, "atlantis"),
        ({"cut": "sometimes"}, "cut"),
        ({"status": 200}, "status"),
        ({"latency_s": 0}, "latency_s"),
        ({"errcode": 1, "probability": 2}, "probability"),
        ({"errcode": 1, "seed": 2}, "probability"),
        ({"errcode": 1, "times": 0}, "times"),
    ],
)
async def test_a_wrong_fault_is_refused_in_words(town: Town, change: dict[str, Any], says: str) -> None:
    assert says in await town.refused("POST", "/sim/faults", json={"call": SEND} | change)
    assert await town.get("/sim/faults") == []


async def test_a_fault_says_what_it_is(town: Town) -> None:
    number = await fault(town, account="city", cut="after", times=3, probability=0.5, seed=1)
    assert await town.get("/sim/faults") == [
        {
            "id": number,
            "call": SEND,
            "account": "city",
            "cut": "after",
            "times": 3,
            "probability": 0.5,
            "seed": 1,
            "struck": 0,
        }
    ]
