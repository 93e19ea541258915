"""Opening the stores at boot: either a store that fits us, or one clear line; on both kinds of server."""

from pathlib import Path

import pytest

from core.errors import BootError
from core.stores.boot import open_database, open_redis, postgres_version, redis_version, shown


async def test_a_store_that_fits_says_who_it_is(any_redis_url: str, any_db_url: str) -> None:
    redis, db = await open_redis(any_redis_url), await open_database(any_db_url)
    try:
        assert (await redis_version(redis)).split()[0] in {"Redis", "Valkey"}
        assert (await postgres_version(db)).startswith("PostgreSQL 1")
    finally:
        await redis.close()
        await db.close()


async def test_nobody_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(BootError, match=rf"at unix://{tmp_path}/nobody: start it, .* stores\.redis_url"):
        await open_redis(f"unix://{tmp_path}/nobody")
    with pytest.raises(BootError, match=rf"host={tmp_path}: start it, .* stores\.database_url"):
        await open_database(f"postgresql:///bianmin?host={tmp_path}")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("redis://:s3cret@10.0.0.5:6379/1", "redis://10.0.0.5:6379/1"),
        ("rediss://city:p%40ss@redis.internal:6380", "rediss://city@redis.internal:6380"),
        ("unix:///run/redis.sock?db=2&password=s3cret", "unix:///run/redis.sock?db=2"),
        ("postgresql://city:a@b@one:5432,two:5433/bianmin", "postgresql://city@one:5432,two:5433/bianmin"),
        (
            "postgresql:///bianmin?host=/run/postgresql&password=s3cret&sslkey=/k&user=city",
            "postgresql:///bianmin?host=/run/postgresql&user=city",
        ),
    ],
)
def test_an_address_is_told_without_what_opens_the_door(url: str, told: str) -> None:
    assert shown(url) == told


async def test_a_redis_that_throws_away_stops_the_boot(any_redis_url: str) -> None:
    redis = await open_redis(any_redis_url)
    try:
        await redis.client.config_set("maxmemory-policy", "allkeys-lru")
        with pytest.raises(BootError, match="noeviction"):
            await open_redis(any_redis_url)
    finally:
        await redis.client.config_set("maxmemory-policy", "noeviction")
        await redis.close()
