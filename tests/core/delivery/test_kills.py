"""Workers are killed at random while the platform fails now and then: nothing is told twice or denied."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp.test_utils import TestServer

from core.stores.database import Database
from core.stores.redis import Redis
from tests.support import sending_credits
from tests.support.program import free_port
from tests.support.sending_credits import Purse
from tests.support.sending_judge import Doubt, Fate, complaints
from tests.support.sending_trial import WORKERS, Trial, platform

Stores = tuple[str, str]


@pytest.fixture
def stores(redis_url: str, db_url: str) -> Stores:
    return redis_url, db_url


@asynccontextmanager
async def trial(
    redis: Redis, db: Database, stores: Stores, seed: int, mistake: str = ""
) -> AsyncIterator[Trial]:
    """Workers on their way, faults armed; where a mistake is to be seen the more of them."""
    wechat, app = platform(free_port())
    server = TestServer(app)
    await server.start_server()
    found = Trial(
        redis, db, stores, wechat, str(server.make_url("")).rstrip("/"), random.Random(seed), mistake
    )
    try:
        await found.settle()
        found.arm(0.1 if mistake else 0.015)
        for _ in range(WORKERS):
            await found.start()
        yield found
    finally:
        found.stop()
        await server.close()


async def test_twenty_kills(redis: Redis, db: Database, stores: Stores) -> None:
    async with trial(redis, db, stores, 20261123) as found:
        await found.kill_some(20)
        await found.end()
        await found.judge()
        ways = {row["channel"]: row["count"] for row in await db.fetch(_RECEIVED)}
        assert ways["subscription"] > 10, "credits were used, and had their receipts"


_RECEIVED = "SELECT channel, count(*) FROM outbox WHERE state = 'delivered' GROUP BY channel"


@pytest.mark.parametrize(
    ("mistake", "kills", "said"),
    [
        ("sends again", 4, "shown 2 times"),
        ("begins unnoticed", 4, "shown 2 times"),
        ("nameless", 4, "shown 2 times"),
        ("books as failed", 4, "received and booked as failed"),
        ("gives credits back", 1, "a credit is used twice"),
        ("forgets credits", 1, "a credit is lost"),
    ],
)
async def test_control_a_mistake_is_seen(
    redis: Redis, db: Database, stores: Stores, mistake: str, kills: int, said: str
) -> None:
    async with trial(redis, db, stores, 20261123, mistake) as found:
        await found.kill_some(kills)
        await found.end()
        with pytest.raises(AssertionError, match=said):
            await found.judge()


NO_DOUBT = Doubt(0, 0, 0)


@pytest.mark.parametrize(
    ("fate", "doubt", "said"),
    [
        (Fate("a", "queued", 0), NO_DOUBT, "not at its end, but queued: a"),
        (Fate("a", "accepted", 2), NO_DOUBT, "shown 2 times (accepted): a"),
        (Fate("a", "accepted", 1, again=1), NO_DOUBT, "said again (accepted): a"),
        (Fate("a", "cancelled", 1), NO_DOUBT, "received and booked as cancelled: a"),
        (Fate("a", "delivered", 0), NO_DOUBT, "booked as delivered and not received: a"),
        (Fate("a", "delivered", 0, turn="b"), NO_DOUBT, "1 booked as received of 0 received: b"),
        (Fate("a", "expired", 1, turn="b"), NO_DOUBT, "received and booked as expired: a"),
        (Fate("a", "unknown", 1), Doubt(0, 0, 1), "1 unknown, with 0 in flight and 0 injected"),
        (Fate("a", "unknown", 0), Doubt(1, 0, 0), "the operator is told of 0 unknown ones, and there are 1"),
    ],
)
def test_the_judge_names_what_is_wrong(fate: Fate, doubt: Doubt, said: str) -> None:
    assert complaints([fate], doubt) == [said]


def test_the_judge_has_nothing_against_what_may_happen() -> None:
    fates = [
        Fate("told", "read", 1),
        Fate("in doubt", "unknown", 0),
        Fate("in doubt and heard", "unknown", 1),
        Fate("never sent", "cancelled", 0),
        Fate("better twice", "accepted", 1, again=1, repeatable=True),
    ]
    assert complaints(fates, Doubt(in_flight=1, injected=1, listed=2)) == []


def test_nor_against_two_subscription_notices_whose_receipts_were_swapped() -> None:
    fates = [Fate("lost", "delivered", 0, turn="b"), Fate("heard", "unknown", 1, turn="b")]
    assert complaints(fates, Doubt(in_flight=1, injected=1, listed=1)) == []


FULL = Purse("a", free=2, spent=3, kept=0, void=0, used=3, left=2)


@pytest.mark.parametrize(
    ("purse", "said"),
    [
        (replace(FULL, used=4), "a credit is used twice (4 messages left by 3): a"),
        (replace(FULL, used=2), "a credit is lost (3 were spent on 2 messages): a"),
        (replace(FULL, kept=1), "a credit is lost (1 kept for messages that have ended): a"),
        (replace(FULL, void=1), "1 credits are void, and nobody refused anything: a"),
        (replace(FULL, left=1), "2 credits are open, and WeChat knows of 1: a"),
    ],
)
def test_the_judge_counts_credits(purse: Purse, said: str) -> None:
    assert sending_credits.complaints([purse]) == [said]
    assert sending_credits.complaints([FULL, replace(FULL, left=3)]) == [], "one perhaps never arrived"


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(25))
async def test_five_hundred_kills(redis: Redis, db: Database, stores: Stores, seed: int) -> None:
    async with trial(redis, db, stores, seed) as found:
        await found.kill_some(20)
        await found.end()
        await found.judge()
