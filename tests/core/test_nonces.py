"""A nonce is heard once, by whichever process it comes to."""

from core.nonces import Nonces
from core.stores.redis import Redis


async def test_once_then_never_again_unless_it_is_forgotten(redis: Redis) -> None:
    here, there = Nonces(redis, "pay"), Nonces(redis, "pay")
    assert await here.first("n1")
    assert not await there.first("n1")
    assert await there.first("n2")
    assert await Nonces(redis, "another").first("n1")
    await there.forget("n1")
    assert await here.first("n1")
