"""The contract of reception, on our Valkey and on Debian's Redis."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

from core.chat.durations import MOST_AT_ONCE, MOST_WAITING, Durations
from core.chat.inbox import (
    Commit,
    Done,
    Entered,
    Flood,
    Full,
    Hushed,
    Inbox,
    Over,
    Passed,
    Run,
    Wait,
    Who,
)
from core.stores.redis import Redis

CONVERSATION = "city:0123456789abcdef0123456789abcdef"
_numbers = itertools.count(1)


def message() -> str:
    return f"{CONVERSATION}:m:{next(_numbers)}:1795395600"


async def run_of(inbox: Inbox, event_id: str) -> Run:
    entered = await inbox.enter(event_id)
    assert isinstance(entered, Run)
    return entered


async def until(
    look: Callable[[], Awaitable[object]], kind: type[object] | tuple[type[object], ...], seconds: float = 10
) -> object:
    async with asyncio.timeout(seconds):
        while not isinstance(found := await look(), kind):  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0.01)
    return found


async def test_one_attempt_runs_and_all_others_wait_and_get_the_same_bytes(inbox: Inbox) -> None:
    event = message()
    run = await run_of(inbox, event)
    assert (run.session, run.shown) == (None, True)
    assert isinstance(await inbox.enter(event), Wait)
    assert await inbox.commit(run, b"session", b"\x00reply\xff") == Commit()
    for _ in range(3):
        assert await inbox.enter(event) == Done(b"\x00reply\xff")
    following = await run_of(inbox, message())
    assert (following.session, following.shown) == (b"session", True)


async def test_a_reply_that_is_handed_over_is_kept_as_long_as_its_claim(
    inbox: Inbox, any_redis: Redis
) -> None:
    """PostgreSQL may be away for longer than the minute a reply is kept otherwise."""
    event = message()
    run = await run_of(inbox, event)
    await inbox.commit(run, b"session", b"reply")
    (key,) = [each async for each in any_redis.client.scan_iter("*:r:*")]
    assert 59_000 < await any_redis.client.pttl(key) <= 60_000
    assert await inbox.leave(event, 1)
    assert await inbox.hand_over(event, last=False) == Done(b"reply", owed=True)
    assert 619_000 < await any_redis.client.pttl(key) <= 620_000


async def test_a_message_costs_two_round_trips(inbox: Inbox, any_redis: Redis) -> None:
    await run_of(inbox, message())  # the scripts are known from now on
    await any_redis.client.config_resetstat()
    other = f"city:{'f' * 32}:m:1:1795395600"
    await inbox.commit(await run_of(inbox, other), b"session", b"reply")
    stats = await any_redis.client.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 2


async def test_only_the_head_runs_and_the_order_is_that_of_arrival(inbox: Inbox) -> None:
    first, second, third = message(), message(), message()
    run = await run_of(inbox, first)
    assert isinstance(await inbox.enter(second), Wait)
    assert isinstance(await inbox.enter(third), Wait)
    await inbox.commit(run, b"s", b"1")
    assert isinstance(await inbox.enter(third, Who.AGAIN), Wait)
    run = await run_of(inbox, second)
    await inbox.commit(run, b"s", b"2")
    assert isinstance(await inbox.enter(third, Who.AGAIN), Run)


async def test_other_conversations_do_not_wait(inbox: Inbox) -> None:
    await run_of(inbox, message())
    assert isinstance(await inbox.enter(message().replace("0123", "ffff")), Run)


async def test_a_commit_with_a_stale_fence_or_another_token_is_discarded(quick: Inbox) -> None:
    event = message()
    stale = await run_of(quick, event)
    current = await until(lambda: quick.enter(event), Run)
    assert isinstance(current, Run)
    assert current.fence == stale.fence + 1
    assert (await quick.commit(stale, b"stale", b"stale")).stale
    assert not await quick.renew(stale)
    forged = Run(event, current.keys, current.fence, stale.token, None, True)
    assert (await quick.commit(forged, b"forged", b"forged")).stale
    assert await quick.commit(current, b"good", b"good") == Commit()
    assert await quick.enter(event) == Done(b"good")
    assert (await quick.commit(current, b"twice", b"twice")).stale


async def test_a_renewed_lease_is_not_taken_over(quick: Inbox) -> None:
    event = message()
    run = await run_of(quick, event)
    loop = asyncio.get_running_loop()
    end = loop.time() + 0.4  # well over the lease
    while loop.time() < end:
        assert await quick.renew(run)
        assert isinstance(await quick.enter(event), Wait)
    assert await quick.commit(run, None, b"reply") == Commit()


async def test_a_released_run_may_be_entered_at_once(inbox: Inbox) -> None:
    event = message()
    run = await run_of(inbox, event)
    assert await inbox.release(run)
    again = await run_of(inbox, event)
    assert again.fence == run.fence + 1
    assert not await inbox.release(run)


async def test_a_later_message_passes_a_dead_one_which_never_runs(quick: Inbox) -> None:
    dead, later = message(), message()
    run = await run_of(quick, dead)
    assert isinstance(await quick.enter(later), Wait)
    passing = await until(lambda: quick.enter(later, Who.AGAIN), Run)
    assert isinstance(passing, Run)
    assert await quick.enter(dead) == Passed()
    assert (await quick.commit(run, b"late", b"late")).stale
    assert not (await quick.commit(passing, b"s", b"r")).stale


async def test_a_message_that_only_waited_and_was_given_up_is_passed_too(quick: Inbox) -> None:
    first, abandoned, later = message(), message(), message()
    run = await run_of(quick, first)
    assert isinstance(await quick.enter(abandoned), Wait)
    await quick.commit(run, b"s", b"1")
    assert isinstance(await until(lambda: quick.enter(later), Run), Run)
    assert await quick.enter(abandoned) == Passed()


async def test_five_wait_and_the_sixth_is_told(inbox: Inbox) -> None:
    run = await run_of(inbox, message())
    for _ in range(MOST_WAITING):
        assert isinstance(await inbox.enter(message()), Wait)
    refused = message()
    assert await inbox.enter(refused) == Full()
    await inbox.commit(run, b"s", b"r")
    assert await inbox.enter(refused) == Full(), "who was told to wait is not run behind their back"


async def served(inbox: Inbox, event_id: str) -> Entered:
    """What becomes of a message that is answered at once if it may run."""
    entered = await inbox.enter(event_id)
    if isinstance(entered, Run):
        await inbox.commit(entered, b"s", b"r")
    return entered


async def test_in_a_flood_one_message_is_told_and_the_others_are_not_run(inbox: Inbox) -> None:
    events = [message() for _ in range(MOST_AT_ONCE + 5)]
    outcomes = [await served(inbox, event) for event in events]
    assert [type(each) for each in outcomes] == [Run] * MOST_AT_ONCE + [Flood] + [Hushed] * 4
    assert await inbox.enter(events[MOST_AT_ONCE]) == Flood(), "its repetition is told the same"
    assert await inbox.enter(events[-1]) == Hushed()
    assert await inbox.enter(events[0]) == Done(b"r"), "a repetition is no new message"
    assert isinstance(await inbox.enter(message().replace("0123", "ffff")), Run), "others are not hit"


async def test_a_flood_is_over_when_the_rate_falls_and_the_next_one_is_told_again(any_redis: Redis) -> None:
    inbox = Inbox(any_redis, Durations(flood=0.5))

    async def flooded(kind: type[object]) -> None:
        await until(lambda: served(inbox, message()), kind)

    await flooded(Flood)
    await until(lambda: served(inbox, message()), Hushed)

    async def calmer() -> Entered:
        await asyncio.sleep(0.06)  # with the pause of `until`, some 7 in half a second
        return await served(inbox, message())

    await until(calmer, Run)
    await flooded(Flood)


async def test_dead_messages_do_not_fill_the_queue(quick: Inbox) -> None:
    """Once six of a killed process stood in the order, the citizen was told to wait for ten minutes."""
    await run_of(quick, message())
    for _ in range(MOST_WAITING):
        await quick.enter(message())
    assert await quick.enter(message()) == Full()
    knocking: list[str] = []

    async def knocks() -> Entered:
        knocking.append(message())  # who was told to wait writes anew
        return await quick.enter(knocking[-1])

    await until(knocks, (Run, Wait))
    assert isinstance(await until(lambda: quick.enter(knocking[-1]), Run), Run)


async def test_a_question_answered_too_late_does_not_count_as_shown(quick: Inbox) -> None:
    run = await run_of(quick, message())
    loop = asyncio.get_running_loop()
    end = loop.time() + 0.35  # over the 0.25 s an attempt lives
    while loop.time() < end:
        await quick.renew(run)
    await quick.commit(run, b"s", b"r")
    following = await run_of(quick, message())
    assert not following.shown
    assert await quick.commit(following, b"s", b"", asks=False) == Commit()
    unseen = await run_of(quick, message())
    assert not unseen.shown  # silence showed nothing
    await quick.commit(unseen, b"s", b"r")
    assert (await run_of(quick, message())).shown


async def test_a_failed_run_leaves_the_session(inbox: Inbox) -> None:
    await inbox.commit(await run_of(inbox, message()), b"old", b"1")
    await inbox.commit(await run_of(inbox, message()), None, b"2")
    assert (await run_of(inbox, message())).session == b"old"


async def test_the_reply_is_gone_after_its_time_but_the_claim_is_not(any_redis: Redis) -> None:
    inbox = Inbox(any_redis, Durations(reply=0.05))
    event = message()
    await inbox.commit(await run_of(inbox, event), None, b"reply")

    async def reply() -> bytes | None:
        entered = await inbox.enter(event)
        assert isinstance(entered, Done)
        return entered.reply

    await until(reply, type(None))
    assert await inbox.enter(event) == Done(None)


async def test_a_lost_order_is_made_anew(inbox: Inbox, any_redis: Redis) -> None:
    event, later = message(), message()
    run = await run_of(inbox, event)
    await any_redis.client.delete(f"bm:{{{CONVERSATION}}}:o")
    assert isinstance(await inbox.enter(event), Wait)
    assert isinstance(await inbox.enter(later), Wait)
    assert await inbox.commit(run, b"s", b"1") == Commit()
    assert isinstance(await inbox.enter(later, Who.AGAIN), Run)


async def test_a_wiped_redis_loses_no_more_than_it_holds(inbox: Inbox, any_redis: Redis) -> None:
    event = message()
    run = await run_of(inbox, event)
    await any_redis.client.flushall()
    await any_redis.client.script_flush()
    assert (await inbox.commit(run, b"s", b"r")).stale
    assert isinstance(await inbox.enter(event), Run)


async def test_a_hundred_at_once_and_one_runs(inbox: Inbox) -> None:
    event = message()
    entered = await asyncio.gather(*(inbox.enter(event) for _ in range(100)))
    assert sum(isinstance(one, Run) for one in entered) == 1
    assert sum(isinstance(one, Wait) for one in entered) == 99


async def test_every_key_of_a_conversation_has_its_tag_and_dies(inbox: Inbox, any_redis: Redis) -> None:
    await inbox.commit(await run_of(inbox, message()), b"s", b"r")
    await run_of(inbox, message())
    keys = await any_redis.client.keys("*")
    assert keys
    for key in keys:
        assert f"{{{CONVERSATION}}}".encode() in key
        assert await any_redis.client.pttl(key) > 0


async def test_a_hand_over_done_when_nobody_waits_any_more_leaves_the_reply_to_be_sent(inbox: Inbox) -> None:
    """A Redis that hung does what it was asked meanwhile, when who asked has long been answered."""
    for still_there, way in ((True, "passive"), (False, "")):
        event = message()
        await inbox.commit(await run_of(inbox, event), None, b"reply")
        if not still_there:
            await inbox.leave(event, 1)
        await inbox.hand_over(event, last=True)
        over = await inbox.enter(event, Who.SWEEP)
        assert isinstance(over, Over)
        assert over.way == way
