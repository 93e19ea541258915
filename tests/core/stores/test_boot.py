"""Opening the stores at boot: either a store that fits us, or one clear line; on both kinds of server."""

from pathlib import Path

import pytest

from core.errors import BootError
from core.stores.boot import open_database, open_redis, postgres_version, redis_version


async def test_a_store_that_fits_says_who_it_is(any_redis_url: str, any_db_url: str) -> None:
    redis, db = await open_redis(any_redis_url), await open_database(any_db_url)
    try:
        assert (await redis_version(redis)).split()[0] in {"Redis", "Valkey"}
        assert (await postgres_version(db)).startswith("PostgreSQL 1")
    finally:
        await redis.close()
        await db.close()


async def test_nobody_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(BootError, match=r"stores\.redis_url"):
        await open_redis(f"unix://{tmp_path}/nobody")
    with pytest.raises(BootError, match=r"stores\.database_url"):
        await open_database(f"postgresql:///bianmin?host={tmp_path}")


async def test_a_redis_that_throws_away_stops_the_boot(any_redis_url: str) -> None:
    redis = await open_redis(any_redis_url)
    try:
        await redis.client.config_set("maxmemory-policy", "allkeys-lru")
        with pytest.raises(BootError, match="noeviction"):
            await open_redis(any_redis_url)
    finally:
        await redis.client.config_set("maxmemory-policy", "noeviction")
        await redis.close()
