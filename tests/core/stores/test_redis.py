"""The contract of the hot path, on Valkey of our own and on Debian's Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from core.errors import BootError, StoreGoneError
from core.stores.redis import Redis, Script, ScriptError

COUNT = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
ECHO = Script("return ARGV[1]")
SEVERAL = Script("return {redis.call('GET', KEYS[1]), KEYS[2], false, 7, ARGV[1]}")
WRONG = Script("return redis.call('INCR', KEYS[1], 'too', 'many')")
NO_LUA = Script("this is no Lua")


@asynccontextmanager
async def configured(redis: Redis, name: str, value: str) -> AsyncIterator[None]:
    """The server with another setting for a while."""
    before = str((await redis.client.config_get(name))[name])
    await redis.client.config_set(name, value)
    try:
        yield
    finally:
        await redis.client.config_set(name, before)


async def reads(redis: Redis) -> int:
    return int((await redis.client.info("stats"))["total_reads_processed"])


async def test_a_script_answers_with_what_lua_returned(any_redis: Redis) -> None:
    await any_redis.client.set("{a}:s", b"\x00\xff")

    assert await any_redis.run(SEVERAL, ["{a}:s", "{a}:t"], ["早"]) == [
        b"\x00\xff",
        b"{a}:t",
        None,
        7,
        "早".encode(),
    ]


async def test_a_script_runs_though_the_server_never_saw_it(any_redis: Redis) -> None:
    await any_redis.client.script_flush()

    assert await any_redis.run(COUNT, ["{a}"], [2]) == 2
    assert await any_redis.run(COUNT, ["{a}"], [3]) == 5


async def test_a_server_that_forgot_its_scripts_midway_runs_each_command_once(any_redis: Redis) -> None:
    await any_redis.load(COUNT)

    async def forget() -> None:
        for _ in range(20):
            await any_redis.client.script_flush()

    answers, _ = await asyncio.gather(
        asyncio.gather(*(any_redis.run(COUNT, ["{a}"], [1]) for _ in range(500))), forget()
    )

    assert sorted(answers) == list(range(1, 501))


async def test_commands_of_concurrent_requests_are_written_together(any_redis: Redis) -> None:
    await any_redis.load(ECHO)
    before = await reads(any_redis)

    answers = await asyncio.gather(*(any_redis.run(ECHO, [], [n]) for n in range(32)))

    assert answers == [str(n).encode() for n in range(32)]
    assert await reads(any_redis) - before < 8


async def test_control_commands_one_after_the_other_are_written_one_by_one(any_redis: Redis) -> None:
    await any_redis.load(ECHO)
    before = await reads(any_redis)

    for n in range(32):
        await any_redis.run(ECHO, [], [n])

    assert await reads(any_redis) - before >= 32


async def test_a_failing_script_fails_alone(any_redis: Redis) -> None:
    wrong = asyncio.create_task(any_redis.run(WRONG, ["{a}"], []))
    right = asyncio.create_task(any_redis.run(COUNT, ["{a}"], [1]))

    with pytest.raises(ScriptError):
        await wrong
    assert await right == 1


async def test_what_is_no_lua_is_refused_at_boot(any_redis: Redis) -> None:
    with pytest.raises(ScriptError, match="compiling"):
        await any_redis.load(ECHO, NO_LUA)


async def test_a_caller_who_gave_up_does_not_shift_the_answers_of_others(any_redis: Redis) -> None:
    impatient = asyncio.create_task(any_redis.run(ECHO, [], ["for the impatient"]))
    patient = asyncio.create_task(any_redis.run(ECHO, [], ["for the patient"]))
    await asyncio.sleep(0)  # both are queued
    impatient.cancel()

    assert await patient == b"for the patient"
    assert await any_redis.run(ECHO, [], ["next"]) == b"next"


async def test_keys_without_a_common_tag_are_a_mistake(any_redis: Redis) -> None:
    with pytest.raises(ValueError, match="hash tag"):
        await any_redis.run(COUNT, ["{a}:1", "{b}:1"], [1])


async def test_after_a_lost_connection_the_next_call_connects_again(any_redis: Redis) -> None:
    await any_redis.client.client_kill_filter(_type="normal", skipme=True)

    async def works() -> bool:
        try:
            return bool(await any_redis.run(ECHO, [], ["back"]) == b"back")
        except StoreGoneError:  # it was cut with our command on the way
            return False

    assert await works() or await works()


async def test_one_new_connection_serves_all_who_wait_for_it(any_redis: Redis) -> None:
    await any_redis.run(ECHO, [], ["x"])
    assert any_redis._wire is not None
    any_redis._wire.abort()
    before = int((await any_redis.client.info("stats"))["total_connections_received"])

    await asyncio.gather(*(any_redis.run(ECHO, [], [n]) for n in range(20)))

    assert int((await any_redis.client.info("stats"))["total_connections_received"]) == before + 1


async def test_a_full_server_is_a_store_that_is_gone_not_a_wrong_script(any_redis: Redis) -> None:
    async with configured(any_redis, "maxmemory", "1"):
        with pytest.raises(StoreGoneError):
            await any_redis.run(COUNT, ["{a}"], [1])

    assert await any_redis.run(COUNT, ["{a}"], [1]) == 1


async def test_a_fit_server_passes_the_check(any_redis: Redis) -> None:
    await any_redis.check()


async def test_a_server_that_throws_keys_away_is_refused(any_redis: Redis) -> None:
    async with configured(any_redis, "maxmemory-policy", "allkeys-lru"):
        with pytest.raises(BootError, match="noeviction"):
            await any_redis.check()


async def test_user_password_and_database_number_of_the_url_count(
    any_redis: Redis, any_redis_url: str
) -> None:
    await any_redis.client.acl_setuser(
        "gate", enabled=True, passwords=["+open sesame"], keys=["*"], categories=["+@all"]
    )
    try:
        base = any_redis_url.partition("?")[0].replace("unix://", "unix://gate:open%20sesame@")
        admitted = await Redis.open(f"{base}?db=3")
        await admitted.run(COUNT, ["{a}"], [4])
        await admitted.close()

        assert await any_redis.client.get("{a}") is None
        await any_redis.client.select(3)
        assert await any_redis.client.get("{a}") == b"4"
        with pytest.raises(BootError, match="WRONGPASS"):
            await Redis.open(base.replace("sesame", "barley"))
    finally:
        await any_redis.client.select(0)
        await any_redis.client.acl_deluser("gate")
