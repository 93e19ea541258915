"""One signature, one body, on our Valkey and on Debian's Redis."""

import asyncio

from core.chat.digests import Digests
from core.chat.durations import Durations
from core.stores.redis import Redis

SIGNED = ("open", "1795395600", "n1")


async def test_wechats_repetition_goes_on_and_another_body_does_not(any_redis: Redis) -> None:
    digests = Digests(any_redis)
    assert await digests.bind(*SIGNED, b"<xml>one</xml>")
    assert await digests.bind(*SIGNED, b"<xml>one</xml>")
    assert not await digests.bind(*SIGNED, b"<xml>two</xml>")
    assert await digests.bind(*SIGNED, b"<xml>one</xml>"), "the forger does not shut out the sender"


async def test_account_time_and_nonce_each_make_a_signature_of_its_own(any_redis: Redis) -> None:
    digests = Digests(any_redis)
    for signed in (SIGNED, ("city", *SIGNED[1:]), ("open", "1795395601", "n1"), ("open", "1795395600", "n2")):
        assert await digests.bind(*signed, repr(signed).encode())


async def test_of_a_hundred_different_bodies_at_once_one_gets_in(any_redis: Redis) -> None:
    digests = Digests(any_redis)
    bound = await asyncio.gather(*(digests.bind(*SIGNED, b"%d" % n) for n in range(100)))
    assert sum(bound) == 1


async def test_a_signature_is_remembered_longer_than_it_is_fresh(any_redis: Redis) -> None:
    await Digests(any_redis).bind(*SIGNED, b"body")
    [key] = await any_redis.client.keys("*")
    assert 600_000 < await any_redis.client.pttl(key) <= Durations().claim * 1000
