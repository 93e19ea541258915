"""How much an account may send, whoever asks: a second, a day, and nothing while an API is stopped."""

import asyncio
from datetime import timedelta

import pytest

from core.delivery.lanes import Lane
from core.delivery.rates import TEMPLATE, WINDOW, Limits, Rates
from core.stores.redis import Redis
from tests.core.delivery.bureau import clock_at

FAST = 1_000_000
ALL_DAY = Limits(per_second=FAST, quotas={"city": {TEMPLATE: 100, WINDOW: 100}})


@pytest.fixture
def rates(any_redis: Redis) -> Rates:
    return Rates(any_redis, ALL_DAY, clock_at(12))


async def test_bulk_gets_its_share_of_a_day_and_the_others_the_rest(rates: Rates) -> None:
    granted = [(await rates.take("city", TEMPLATE, Lane.BULK, 32)).count for _ in range(3)]
    assert granted == [32, 28, 0]
    assert await rates.left_today("city", TEMPLATE, Lane.BULK) == 0
    assert (await rates.take("city", TEMPLATE, Lane.PERSONAL, 50)).count == 40
    assert (await rates.take("city", WINDOW, Lane.BULK, 32)).count == 32, "another API"
    assert (await rates.take("school", TEMPLATE, Lane.BULK, 32)).count == 32, "another account"


async def test_used_up_it_waits_for_the_city_s_midnight(any_redis: Redis, rates: Rates) -> None:
    await rates.take("city", TEMPLATE, Lane.PERSONAL, 100)
    none = await rates.take("city", TEMPLATE, Lane.PERSONAL, 1)
    assert (none.count, none.wait_s) == (0, timedelta(hours=12, minutes=1).total_seconds())
    assert "quota" in none.why
    clock = clock_at(12)
    clock.move(timedelta(hours=12))
    tomorrow = Rates(any_redis, ALL_DAY, clock)
    assert (await tomorrow.take("city", TEMPLATE, Lane.PERSONAL, 1)).count == 1


async def test_given_back_they_may_be_sent_after_all(rates: Rates) -> None:
    await rates.take("city", TEMPLATE, Lane.PERSONAL, 100)
    await rates.give_back("city", TEMPLATE, 5)
    assert (await rates.take("city", TEMPLATE, Lane.PERSONAL, 32)).count == 5


async def test_processes_share_one_rate(any_redis: Redis) -> None:
    several = [Rates(any_redis, Limits(per_second=50), clock_at(12)) for _ in range(5)]
    taken = await asyncio.gather(*(each.take("city", WINDOW, Lane.URGENT, 32) for each in several))
    assert 50 <= sum(each.count for each in taken) < 100, "one second's worth, and what grew meanwhile"
    assert all(0 < each.wait_s <= 1 for each in taken if each.count < 32)


async def test_bulk_leaves_room_for_the_others(any_redis: Redis) -> None:
    rates = Rates(any_redis, Limits(per_second=100), clock_at(12))
    bulk = sum([(await rates.take("city", WINDOW, Lane.BULK, 32)).count for _ in range(5)])
    urgent = (await rates.take("city", WINDOW, Lane.URGENT, 10)).count
    assert 80 <= bulk < 100
    assert urgent == 10


@pytest.mark.parametrize("what", ["*", TEMPLATE, f"{TEMPLATE}:T-1"])
async def test_what_is_stopped_sends_nothing_for_a_while(rates: Rates, any_redis: Redis, what: str) -> None:
    await rates.stop("city", what, 60)
    stopped = await rates.take("city", TEMPLATE, Lane.URGENT, 1, "T-1")
    assert stopped.count == 0
    assert 59 <= stopped.wait_s <= 60
    assert (await rates.take("city", TEMPLATE, Lane.URGENT, 1, "T-2")).count == (what == f"{TEMPLATE}:T-1")
    assert (await rates.take("city", WINDOW, Lane.URGENT, 1)).count == (what != "*")
    await any_redis.client.hincrby("bm:{city}:sent", f"stop:{what}", -60_000)
    assert (await rates.take("city", TEMPLATE, Lane.URGENT, 1, "T-1")).count == 1
