"""Opening the stores at boot, and asking them who they are: every failure is one clear line."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit

import asyncpg
from redis.exceptions import RedisError

from core.errors import BootError, StoreGoneError
from core.stores.database import Database
from core.stores.redis import Redis

_OLDEST_POSTGRESQL = 150_000
_SETTING = {"Redis": "stores.redis_url", "PostgreSQL": "stores.database_url"}
_TELLS_NO_SECRET = frozenset(("db", "dbname", "host", "port", "user"))


def unreachable(gone: StoreGoneError, url: str) -> BootError:
    """One line for a store that is not there: which, where, and what to do."""
    return BootError(
        f"{gone} at {shown(url)}: start it, or put the right address into {_SETTING[gone.store]}"
    )


def shown(url: str) -> str:
    """A store's address as it may be printed: no password, and no option that may be one."""
    parts = urlsplit(url)
    whose, _, where = parts.netloc.rpartition("@")
    user = whose.partition(":")[0]
    told = [(key, value) for key, value in parse_qsl(parts.query) if key in _TELLS_NO_SECRET]
    query = "?" + urlencode(told, safe="/:,") if told else ""
    return f"{parts.scheme}://{user and user + '@'}{where}{parts.path}{query}"


async def open_redis(url: str) -> Redis:
    """Connect to a Redis that fits us."""
    try:
        redis = await Redis.open(url)
    except StoreGoneError as gone:
        raise unreachable(gone, url) from gone
    try:
        await redis.check()
    except BaseException:
        await redis.close()
        raise
    return redis


async def open_database(url: str) -> Database:
    """Connect to a PostgreSQL that fits us."""
    try:
        db = await Database.open(url)
    except StoreGoneError as gone:
        raise unreachable(gone, url) from gone
    try:
        await postgres_version(db)
    except BaseException:
        await db.close()
        raise
    return db


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
    """Name and version of a PostgreSQL; `BootError` where it is too old, `StoreGoneError` if it is gone."""
    row = await db.fetchrow(
        "SELECT current_setting('server_version_num')::int AS number,"
        " split_part(current_setting('server_version'), ' ', 1) AS version"
    )
    if row is None:
        raise StoreGoneError("PostgreSQL")
    if row["number"] < _OLDEST_POSTGRESQL:
        raise BootError(
            f"PostgreSQL {row['version']} is too old: 15 or newer is needed (stores.database_url)"
        )
    return f"PostgreSQL {row['version']}"


@contextmanager
def refusals_told(what: str) -> Iterator[None]:
    """Turn what PostgreSQL refuses (a value out of range, the same id twice) into one line about `what`."""
    try:
        yield
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as refused:
        raise BootError(f"{what}: PostgreSQL refuses it: {refused}") from refused
