"""The contract of the hot path, on Valkey of our own and on Debian's Redis."""

from core.stores.redis import Redis, Script

_COUNT = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])")


async def test_a_script_runs_though_the_server_never_saw_it(any_redis: Redis) -> None:
    await any_redis.client.script_flush()

    assert await any_redis.run(_COUNT, ["{a}"], [2]) == 2
    assert await any_redis.run(_COUNT, ["{a}"], [3]) == 5
