"""Fixtures for the stores: servers once per test process, a fresh database and an empty Redis per test."""

import asyncio
import fcntl
import itertools
import os
import shutil
import tempfile
import zlib
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from core.stores.database import Database
from core.stores.embedded import postgres
from core.stores.embedded.folder import DataFolder, remove_runtime, runtime_folder
from core.stores.embedded.postgres import PostgresServer
from core.stores.embedded.stores import EmbeddedStores
from core.stores.embedded.valkey import ValkeyServer
from core.stores.migrations import migrate
from core.stores.redis import Redis
from tests.support.required import need

MIGRATIONS = Path(__file__).parents[2] / "migrations"
CONTRACTS = Path(__file__).parents[1] / "core" / "stores"
DEBIAN_REDIS = Path("/usr/bin/redis-server")
DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
_OLDEST_POSTGRES = 15
BOTH = ["embedded", pytest.param("debian", marks=pytest.mark.real_server)]
MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it are made by mkdtemp
_PREFIX = f"bianmin-tests-{os.geteuid()}-"
_IN_USE = "tests.lock"
_PLENTY = 2_000_000_000
_numbers = itertools.count(1)


def by_turns(items: Sequence[pytest.Item]) -> None:
    """Let each test of rules meet one kind of server, by its name, and the other one among the long trials.

    The stores' own tests meet both at once: there the server is what is tested.
    """
    for item in items:
        kind = getattr(item, "callspec", None) and item.callspec.params.get("any_servers")  # type: ignore[attr-defined]
        if kind is None or item.path.is_relative_to(CONTRACTS):
            continue
        turn = zlib.crc32(item.nodeid.partition("[")[0].encode()) % len(BOTH)
        if kind != ("embedded", "debian")[turn]:
            item.add_marker(pytest.mark.soak)


@dataclass(frozen=True, slots=True)
class Servers:
    """A running Redis and PostgreSQL; `database_url` names the database to start from."""

    redis_url: str
    database_url: str


def run_apart(work: Coroutine[Any, Any, object]) -> None:
    """Run a coroutine to its end without touching the event loop the tests use."""
    with ThreadPoolExecutor(1) as executor:
        executor.submit(asyncio.run, work).result()


def named(database_url: str, name: str) -> str:
    """The same server, another database."""
    return urlsplit(database_url)._replace(path=f"/{name}").geturl()


async def statement(database_url: str, sql: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def _make_template(database_url: str) -> None:
    await statement(database_url, "CREATE DATABASE bianmin_template")
    await migrate(named(database_url, "bianmin_template"), MIGRATIONS)


@contextmanager
def scratch_folder(otherwise: Path) -> Iterator[Path]:
    """A data folder in memory where there is plenty: copying a database there is three times as fast."""
    if not (os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > _PLENTY):
        yield otherwise
        return
    for left in MEMORY.glob(f"{_PREFIX}*/{_IN_USE}"):
        _remove_if_left_over(left)
    place = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=MEMORY))
    with (place / "new").open("w") as in_use:
        fcntl.flock(in_use, fcntl.LOCK_EX)  # before it has the name others look for
        (place / "new").rename(place / _IN_USE)
        try:
            yield place / "var"
        finally:
            shutil.rmtree(place)


def _remove_if_left_over(lock: Path) -> None:
    """Remove the folder of tests that were killed; living ones hold its lock."""
    with suppress(FileNotFoundError, BlockingIOError), lock.open("r+") as in_use:
        fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(lock.parent)


@pytest.fixture(scope="session")
def embedded_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Our own Valkey and PostgreSQL, with a migrated template database."""
    with scratch_folder(tmp_path_factory.mktemp("embedded")) as data:
        stores = EmbeddedStores.start(data, scratch=True)
        try:
            run_apart(_make_template(stores.database_url))
            yield Servers(stores.redis_url, stores.database_url)
        finally:
            stores.stop()


@pytest.fixture(scope="session")
def debian_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Debian's Redis and newest PostgreSQL, started by us on a folder of their own."""
    need(DEBIAN_REDIS.exists(), "Debian's redis-server is not installed")
    programs = newest_postgres(DEBIAN_POSTGRES)
    need(programs, f"Debian's postgresql, {_OLDEST_POSTGRES} or newer, is not installed")
    assert programs is not None
    with scratch_folder(tmp_path_factory.mktemp("debian")) as data:
        yield from _debian(data, programs)


def newest_postgres(installed: Path) -> Path | None:
    """Find the programs of the newest PostgreSQL a distribution has brought, if one is new enough for us."""
    programs = [each for each in installed.glob("[1-9]*/bin") if (each / "postgres").is_file()]
    numbered = {int(each.parent.name): each for each in programs if each.parent.name.isdecimal()}
    newest = max(numbered, default=0)
    return numbered[newest] if newest >= _OLDEST_POSTGRES else None


def _debian(data: Path, programs: Path) -> Iterator[Servers]:
    folder = DataFolder.take(data)
    runtime = runtime_folder(folder.path)
    started: list[ValkeyServer | PostgresServer] = []
    try:
        redis = ValkeyServer.launch(DEBIAN_REDIS, folder.path / "redis", runtime, folder.servers_lock)
        started.append(redis)
        plan = postgres.plan_for(programs, folder.path / "pg", runtime, scratch=True)
        postgres.prepare(plan, folder.servers_lock)
        database = PostgresServer.launch(plan, folder.servers_lock)
        started.append(database)
        redis.ready()
        database.ready()
        run_apart(_make_template(database.url))
        yield Servers(redis.url, database.url)
    finally:
        for server in started:
            server.stop()
        for server in started:
            server.child.wait(10)
        remove_runtime(runtime)
        folder.give_back()


async def _copy(servers: Servers) -> AsyncIterator[str]:
    # File by file: through the log of changes, as is usual, it takes twice as long.
    name = f"test_{next(_numbers)}"
    await statement(
        servers.database_url, f"CREATE DATABASE {name} TEMPLATE bianmin_template STRATEGY FILE_COPY"
    )
    yield named(servers.database_url, name)
    await statement(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)")


async def _opened(url: str) -> AsyncIterator[Database]:
    database = await Database.open(url)
    yield database
    await database.close()


async def _emptied(url: str) -> AsyncIterator[Redis]:
    redis = await Redis.open(url)
    await redis.client.flushall()
    yield redis
    await redis.close()


@pytest.fixture
async def db_url(embedded_servers: Servers) -> AsyncIterator[str]:
    """A migrated database of this test's own."""
    async for url in _copy(embedded_servers):
        yield url


@pytest.fixture
async def db(db_url: str) -> AsyncIterator[Database]:
    """A pool on a migrated database of this test's own."""
    async for database in _opened(db_url):
        yield database


@pytest.fixture
def redis_url(embedded_servers: Servers) -> str:
    """The Redis of this test process; ask for `redis` too if it has to be empty."""
    return embedded_servers.redis_url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """An empty Redis."""
    async for redis in _emptied(redis_url):
        yield redis


@pytest.fixture(params=BOTH)
def any_servers(request: pytest.FixtureRequest) -> Servers:
    """Each kind of server in turn, for contract tests."""
    servers = request.getfixturevalue(f"{request.param}_servers")
    assert isinstance(servers, Servers)
    return servers


@pytest.fixture
async def any_db_url(any_servers: Servers) -> AsyncIterator[str]:
    """Like `db_url`, on each kind of server."""
    async for url in _copy(any_servers):
        yield url


@pytest.fixture
async def any_db(any_db_url: str) -> AsyncIterator[Database]:
    """Like `db`, on each kind of server."""
    async for database in _opened(any_db_url):
        yield database


@pytest.fixture
def any_redis_url(any_servers: Servers) -> str:
    """Like `redis_url`, on each kind of server."""
    return any_servers.redis_url


@pytest.fixture
async def any_redis(any_redis_url: str) -> AsyncIterator[Redis]:
    """Like `redis`, on each kind of server."""
    async for redis in _emptied(any_redis_url):
        yield redis
