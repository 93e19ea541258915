"""How many messages of ours may follow one of a citizen's, and for how long."""

import itertools

import pytest

from core.chat.durations import MOST_AT_ONCE, TAP_SENDS, WINDOW_SENDS, Durations
from core.chat.inbox import Flood, Full, Inbox, Run, Who, Window, windows_key
from core.delivery.windows import Windows
from core.stores.redis import Redis

HERE, THERE = f"city:{'0' * 32}", f"city:{'f' * 32}"
MINUTE_S, HOUR_S = 60, 3600
_numbers = itertools.count(1)


@pytest.fixture
def inbox(any_redis: Redis) -> Inbox:
    return Inbox(any_redis, Durations(flood=0))


@pytest.fixture
def windows(any_redis: Redis) -> Windows:
    return Windows(any_redis)


def message(conversation: str = HERE) -> str:
    return f"{conversation}:m:{next(_numbers)}:1795395600"


async def writes(inbox: Inbox, conversation: str = HERE) -> None:
    await inbox.enter(message(conversation), Who.NEW, Window.MESSAGE)


async def taps(inbox: Inbox) -> None:
    await inbox.enter(message(), Who.NEW, Window.TAP)


async def sends(windows: Windows) -> int:
    """Send as long as we may; how many messages that were."""
    sent = 0
    while await windows.take(HERE):
        sent += 1
        assert sent < 100
    return sent


async def time_goes_by(redis: Redis, seconds: float) -> None:
    """Let everything that is known of windows be so much older."""
    ms, key = int(seconds * 1000), windows_key(HERE)
    for kind in ("message", "tap"):
        if await redis.client.hexists(key, kind):
            await redis.client.hincrby(key, kind, -ms)
    await redis.client.pexpire(key, await redis.client.pttl(key) - ms)


async def test_of_whom_nothing_is_known_we_cannot_say(windows: Windows) -> None:
    assert await windows.is_open(HERE) is None


async def test_after_a_message_five_of_ours_may_follow(inbox: Inbox, windows: Windows) -> None:
    await writes(inbox)
    assert await sends(windows) == WINDOW_SENDS == 5
    assert await windows.is_open(HERE) is False
    assert await windows.is_open(THERE) is None, "others are not concerned"


async def test_how_many_may_follow_is_a_setting(any_redis: Redis, windows: Windows) -> None:
    await writes(Inbox(any_redis, window_sends=20))
    assert await sends(windows) == 20


async def test_they_may_follow_for_48_hours(inbox: Inbox, windows: Windows, any_redis: Redis) -> None:
    await writes(inbox)
    await time_goes_by(any_redis, 48 * HOUR_S - MINUTE_S)
    assert await windows.is_open(HERE)
    await time_goes_by(any_redis, 2 * MINUTE_S)
    assert not await windows.is_open(HERE)


async def test_after_a_tap_three_may_follow_for_a_minute(
    inbox: Inbox, windows: Windows, any_redis: Redis
) -> None:
    await taps(inbox)
    await time_goes_by(any_redis, MINUTE_S - 10)
    assert await sends(windows) == TAP_SENDS == 3
    await taps(inbox)
    await time_goes_by(any_redis, MINUTE_S + 1)
    assert not await windows.is_open(HERE)


async def test_a_message_of_ours_counts_in_every_window_that_is_open(
    inbox: Inbox, windows: Windows, any_redis: Redis
) -> None:
    await writes(inbox)
    await taps(inbox)
    assert await sends(windows) == WINDOW_SENDS, "not eight: whether windows add up nobody knows"
    await taps(inbox)
    assert await sends(windows) == TAP_SENDS, "a tap after that allows its own"
    await taps(inbox)
    await time_goes_by(any_redis, MINUTE_S + 1)
    assert await windows.is_open(HERE) is False, "for its minute"


async def test_when_the_tap_is_long_ago_only_the_message_counts(
    inbox: Inbox, windows: Windows, any_redis: Redis
) -> None:
    await writes(inbox)
    await taps(inbox)
    await windows.take(HERE)
    await time_goes_by(any_redis, MINUTE_S + 1)
    assert await sends(windows) == WINDOW_SENDS - 1


async def test_a_tap_does_not_shorten_what_a_message_opened(
    inbox: Inbox, windows: Windows, any_redis: Redis
) -> None:
    await writes(inbox)
    await taps(inbox)
    await time_goes_by(any_redis, 47 * HOUR_S)
    assert await windows.is_open(HERE)


async def test_a_message_lengthens_what_a_tap_opened(
    inbox: Inbox, windows: Windows, any_redis: Redis
) -> None:
    await taps(inbox)
    await writes(inbox)
    await time_goes_by(any_redis, 47 * HOUR_S)
    assert await windows.is_open(HERE)


async def test_a_second_message_opens_the_window_anew(
    inbox: Inbox, windows: Windows, any_redis: Redis
) -> None:
    await writes(inbox)
    for _ in range(3):
        await windows.take(HERE)
    await time_goes_by(any_redis, 47 * HOUR_S)
    await writes(inbox)
    await time_goes_by(any_redis, 47 * HOUR_S)
    assert await sends(windows) == WINDOW_SENDS, "five, whatever was left of the first"


async def test_a_repetition_of_the_same_message_opens_nothing(inbox: Inbox, windows: Windows) -> None:
    event = message()
    run = await inbox.enter(event, Who.NEW, Window.MESSAGE)
    assert isinstance(run, Run)
    assert await sends(windows) == WINDOW_SENDS
    await inbox.enter(event, Who.NEW, Window.MESSAGE)
    assert await windows.is_open(HERE) is False
    await inbox.commit(run, None, b"reply")
    await inbox.enter(event, Who.NEW, Window.MESSAGE)
    assert await windows.is_open(HERE) is False


async def test_what_is_no_sign_of_life_opens_nothing(inbox: Inbox, windows: Windows) -> None:
    await inbox.enter(message(), Who.NEW, Window.NONE)
    await inbox.enter(message(), Who.SWEEP)
    assert await windows.is_open(HERE) is None


async def test_a_message_that_is_not_run_was_written_all_the_same(inbox: Inbox, windows: Windows) -> None:
    outcome = None
    while not isinstance(outcome, Full):
        await windows.close(HERE)
        outcome = await inbox.enter(message(), Who.NEW, Window.MESSAGE)
    assert await windows.is_open(HERE)


async def test_a_message_in_a_flood_too(any_redis: Redis, windows: Windows) -> None:
    flooded = Inbox(any_redis)
    for _ in range(MOST_AT_ONCE + 1):
        await windows.close(HERE)
        outcome = await flooded.enter(message(), Who.NEW, Window.MESSAGE)
    assert isinstance(outcome, Flood)
    assert await windows.is_open(HERE)


async def test_the_platform_is_believed_when_it_says_that_no_window_is_open(
    inbox: Inbox, windows: Windows, any_redis: Redis
) -> None:
    await writes(inbox)
    await taps(inbox)
    await windows.close(HERE)
    assert await windows.is_open(HERE) is False
    await taps(inbox)
    assert await sends(windows) == TAP_SENDS, "the closed window of the message stays closed"
    await writes(inbox)
    assert await sends(windows) == WINDOW_SENDS
    await time_goes_by(any_redis, 49 * HOUR_S)
    assert await windows.is_open(HERE) is None, "nothing is kept longer than it can matter"


async def test_it_is_believed_of_conversations_nothing_is_known_of(
    inbox: Inbox, windows: Windows, any_redis: Redis
) -> None:
    """As after Redis was wiped: without this note, every message of ours would be refused by WeChat anew."""
    await windows.close(HERE)
    assert await windows.is_open(HERE) is False
    assert await any_redis.client.pttl(windows_key(HERE)) > 0, "nothing is kept for ever"
    await writes(inbox)
    assert await windows.is_open(HERE)


async def test_a_send_nobody_knows_a_window_for_leaves_nothing_behind(
    windows: Windows, any_redis: Redis
) -> None:
    await windows.take(HERE)
    assert await windows.is_open(HERE) is None
    assert await any_redis.client.keys("*") == []


async def test_open_ones_are_told_from_the_others(inbox: Inbox, windows: Windows) -> None:
    shut, unknown = f"city:{'1' * 32}", f"city:{'2' * 32}"
    await writes(inbox)
    await writes(inbox, THERE)
    await windows.close(shut)
    assert await windows.open_ones([THERE, shut, unknown, HERE]) == [THERE, HERE]
