"""Whether a message may still leave is looked at last: what its request would wait for is there before."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from core.delivery.sender import Outcome, Policy, Refused, SurelyNotSent, Unknown
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.town import HERE, Phone
from tests.support.waiting import until

TEMPLATE = "[T-visit]"
RIVER = f"river:{'1' * 32}"
MINUTE = timedelta(minutes=1)
NO_CONNECTION = SurelyNotSent("stable_token: no connection", 5)


@pytest.fixture
async def booked(bureau: Bureau) -> Bureau:
    """A message that hangs on a booking is due."""
    await bureau.queue(replace(bureau.notice("visit"), guards=("booking:1",)))
    return bureau


async def test_what_changes_while_a_token_is_fetched_is_not_sent(booked: Bureau) -> None:
    async def fetches() -> None:
        booked.post.on_ready = None
        await booked.bump("booking:1")

    booked.post.on_ready = fetches
    await booked.out.send_due()
    assert (booked.heard, await booked.states()) == ([], [("cancelled", "changed")])


async def test_nor_is_what_changes_while_one_is_fetched_that_has_run_out_meanwhile(booked: Bureau) -> None:
    """The token was there when the request was begun to be noted, and is not any more."""
    asked = 0

    async def fetches() -> None:
        nonlocal asked
        asked += 1
        if asked == 2:
            arrives = asyncio.get_running_loop().time() + 0.6
            await until(lambda: asyncio.get_running_loop().time() > arrives, "the token arrives")
            await booked.bump("booking:1")

    booked.post.on_ready = fetches
    await booked.out.send_due()
    assert asked > 1
    assert (booked.heard, await booked.states()) == ([], [("cancelled", "changed")])


async def test_control_a_sender_that_fetches_its_token_when_it_sends_sends_what_has_changed(
    booked: Bureau,
) -> None:
    async def fetches() -> None:
        await booked.bump("booking:1")

    booked.post.on_send = fetches
    await booked.out.send_due()
    assert booked.heard == [TEMPLATE]


async def test_who_dies_while_a_token_is_fetched_leaves_nothing_in_doubt(bureau: Bureau) -> None:
    await bureau.queue(bureau.notice("note"))
    await bureau.opens()
    asked = asyncio.Event()

    async def never() -> None:
        asked.set()
        await asyncio.Event().wait()

    bureau.post.on_ready = never
    dies = asyncio.create_task(bureau.worker().send_due())
    await asked.wait()
    dies.cancel()
    await asyncio.gather(dies, return_exceptions=True)
    bureau.post.on_ready = None
    await bureau.passes(timedelta(seconds=31))
    await bureau.out.send_due()
    assert (len(bureau.heard), await bureau.state()) == (1, "accepted"), "it is no unknown fate"


# --- no token is to be had ---


async def lacks(bureau: Bureau, outcome: Outcome) -> list[str]:
    """There is none from now on; who asks for one is noted."""
    asked: list[str] = []

    async def on_ready() -> Outcome:
        asked.append("token")
        return outcome

    bureau.post.on_ready = on_ready
    return asked


async def test_without_a_token_nothing_is_asked_of_wechat_and_it_waits(bureau: Bureau) -> None:
    await bureau.queue(bureau.notice("visit"))
    await lacks(bureau, NO_CONNECTION)
    await bureau.out.send_due()
    assert (bureau.post.asked, await bureau.states()) == (0, [("queued", NO_CONNECTION.reason)])
    bureau.post.on_ready = None
    await bureau.passes(timedelta(seconds=6))
    await bureau.out.send_due()
    assert bureau.heard == [TEMPLATE]


@pytest.mark.parametrize(("kind", "tried"), [("storm", 30 * MINUTE), ("visit", timedelta(hours=4))])
async def test_that_counts_as_trying(bureau: Bureau, kind: str, tried: timedelta) -> None:
    await bureau.queue(bureau.notice(kind))
    await lacks(bureau, NO_CONNECTION)
    await bureau.out.send_due()
    await bureau.passes(tried - MINUTE)
    await bureau.out.send_due()
    assert await bureau.state() == "queued"
    await bureau.passes(MINUTE)
    await bureau.out.send_due()
    assert await bureau.states() == [("failed", f"given up: {NO_CONNECTION.reason}")]


async def test_a_wrong_secret_is_asked_with_once_a_minute(bureau: Bureau) -> None:
    for _ in range(2):
        await bureau.queue(bureau.notice("visit"))
    asked = await lacks(bureau, Refused(Policy.CONFIGURATION, 40001, "invalid credential"))
    await bureau.out.send_due()
    await bureau.out.send_due()
    assert (len(asked), await bureau.states()) == (1, [("queued", "40001 invalid credential")] * 2)
    bureau.post.on_ready = None
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert bureau.heard == [], "its account is stopped"
    await bureau.passes(MINUTE)
    await bureau.out.send_due()
    assert bureau.heard == [TEMPLATE] * 3


async def test_a_code_nobody_knows_is_tried_five_times_here_too(bureau: Bureau) -> None:
    await bureau.queue(bureau.notice("visit"))
    asked = await lacks(bureau, Unknown(98_765, "?"))
    for _ in range(9):
        await bureau.out.send_due()
        await bureau.passes(MINUTE)
    assert (len(asked), await bureau.states()) == (5, [("failed", "98765 ?")])


async def test_what_was_counted_for_it_is_given_back(bureau: Bureau) -> None:
    await bureau.allows("S-visit")
    await bureau.queue(bureau.notice("visit"))
    await lacks(bureau, NO_CONNECTION)
    for _ in range(9):
        await bureau.out.send_due()
        await bureau.passes(timedelta(seconds=6))
    bureau.post.on_ready = None
    await bureau.out.send_due()
    assert bureau.heard == ["(S-visit)"], "neither its credit nor its place among the day's eight is lost"


async def test_another_account_is_not_concerned(bureau: Bureau) -> None:
    bureau.post.phones[RIVER] = Phone("river", "o-river")
    for conversation in (HERE, RIVER):
        await bureau.opens(conversation=conversation)
        await bureau.queue(bureau.notice("storm", conversation=conversation))
    find = bureau.post.ready

    async def ready(account: str) -> Outcome | None:
        return NO_CONNECTION if account == "river" else await find(account)

    bureau.post.ready = ready  # type: ignore[method-assign]
    await bureau.out.send_due()
    assert (len(bureau.heard), bureau.post.phones[RIVER].heard) == (1, [])
    assert [state for state, _ in await bureau.states()] == ["accepted", "queued"]
