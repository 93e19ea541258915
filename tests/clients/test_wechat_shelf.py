"""The shared copy of a token and its lock, on each kind of Redis."""

import pytest

from clients.wechat_shelf import Shelf, Token
from core.seal import Seal
from core.stores.redis import Redis

PLACE = "city:wx1"
ONE, OTHER = Token("one", 1.0, 2.0), Token("other", 1.0, 2.0)


@pytest.fixture
def shelf(any_redis: Redis, seal: Seal) -> Shelf:
    return Shelf(any_redis, seal)


async def outlive_the_lock(redis: Redis) -> None:
    """Let the lock end as its time-out would, at once."""
    await redis.client.pexpire("bm:{city:wx1}:token-lock", 0)


async def test_one_of_two_gets_the_lock_and_the_other_its_token(shelf: Shelf) -> None:
    assert await shelf.claim(PLACE, "a", 60) == (None, True)
    assert await shelf.claim(PLACE, "b", 60) == (None, False)
    await shelf.put(PLACE, "a", ONE, 60)
    assert await shelf.claim(PLACE, "b", 60) == (ONE, True)
    await shelf.release(PLACE, "b")
    assert await shelf.claim(PLACE, "c", 60) == (ONE, True)


async def test_a_lock_ends_by_itself(shelf: Shelf, any_redis: Redis) -> None:
    await shelf.claim(PLACE, "a", 60)
    assert 0 < await any_redis.client.pttl("bm:{city:wx1}:token-lock") <= 60_000
    await outlive_the_lock(any_redis)
    assert await shelf.claim(PLACE, "b", 60) == (None, True)


async def test_who_lost_the_lock_neither_frees_it_nor_replaces_what_came_since(
    shelf: Shelf, any_redis: Redis
) -> None:
    await shelf.claim(PLACE, "slow", 60)
    await outlive_the_lock(any_redis)
    await shelf.claim(PLACE, "quick", 60)
    await shelf.put(PLACE, "slow", OTHER, 60)
    await shelf.release(PLACE, "slow")
    assert await shelf.claim(PLACE, "c", 60) == (None, False)
    await shelf.put(PLACE, "quick", ONE, 60)
    assert await shelf.claim(PLACE, "c", 60) == (ONE, True)


async def test_a_copy_opens_only_at_its_own_place(shelf: Shelf, any_redis: Redis) -> None:
    await shelf.claim(PLACE, "a", 60)
    await shelf.put(PLACE, "a", ONE, 60)
    moved = await any_redis.client.get("bm:{city:wx1}:token")
    assert moved is not None
    await any_redis.client.set("bm:{hall:wx2}:token", moved)
    assert await shelf.claim("hall:wx2", "b", 60) == (None, True)
