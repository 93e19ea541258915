"""Asking the stores who they are: for `check`, `/readyz` and the health page."""

from redis.exceptions import RedisError

from core.errors import BootError, StoreGoneError
from core.stores.database import Database
from core.stores.redis import Redis

_OLDEST_POSTGRESQL = 150_000


async def redis_version(redis: Redis) -> str:
    """Name and version of a Redis; `BootError` where it does not fit us, `StoreGoneError` if it is gone."""
    await redis.check()
    try:
        server = await redis.client.info("server")
    except (RedisError, OSError) as gone:
        raise StoreGoneError("Redis") from gone
    if server.get("server_name") == "valkey":
        return f"Valkey {server['valkey_version']}"
    return f"Redis {server['redis_version']}"


async def postgres_version(db: Database) -> str:
    """Name and version of a PostgreSQL that is new enough for us."""
    number = int(await db.fetchval("SELECT current_setting('server_version_num')"))
    version = str(await db.fetchval("SELECT split_part(current_setting('server_version'), ' ', 1)"))
    if number < _OLDEST_POSTGRESQL:
        raise BootError(f"PostgreSQL {version} is too old: 15 or newer is needed (stores.database_url)")
    return f"PostgreSQL {version}"
