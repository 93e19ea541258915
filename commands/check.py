"""`check`: is everything there that the gateway needs? One line each, exit code 1 if something is not."""

import asyncio
from collections.abc import Awaitable, Callable

from commands import places, terminal
from commands.database import migrated
from commands.gateway import Assemble
from commands.places import Places
from core.errors import BootError, StoreGoneError
from core.stores import keys
from core.stores.boot import open_database, open_redis, postgres_version, redis_version
from services.hospital.catalogue import loaded_catalogues
from settings import Settings, Stores, require_credentials

Look = Callable[[], Awaitable[str]]


def check(settings: Settings, _assemble: Assemble) -> int:
    """Look at everything, also after something was found wrong."""
    return asyncio.run(_look_at_all(_Looks(settings)))


class _Looks:
    """Each look answers with what it found or raises what is wrong."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.stores = settings.stores

    async def accounts(self) -> str:
        if self._settings.stores.embedded and not self._settings.accounts:
            return "none given: `run` makes one up for its simulator"
        require_credentials(self._settings)
        return ", ".join(self._settings.accounts)

    async def key_ring(self) -> str:
        path = places.key_ring(self._settings.stores)
        keys.load(path)
        return str(path)

    async def redis(self) -> str:
        redis = await open_redis(self._places().redis_url)
        try:
            return f"{await redis_version(redis)}, noeviction"
        finally:
            await redis.close()

    async def postgres(self) -> str:
        db = await open_database(self._places().database_url)
        try:
            return await postgres_version(db)
        finally:
            await db.close()

    async def schema(self) -> str:
        async with migrated(self._places().database_url):
            return "up to date"

    async def catalogue(self) -> str:
        async with migrated(self._places().database_url) as db:
            sources = await loaded_catalogues(db)
        if not sources:
            raise BootError("no hospitals: run `.venv/bin/python main.py catalogue load FOLDER`")
        return ", ".join(sources)

    def _places(self) -> Places:
        return places.find(self._settings.stores)


async def _look_at_all(looks: _Looks) -> int:
    terminal.done("Settings", "read")
    fine = True
    for name, look in (
        ("Accounts", looks.accounts),
        ("Key ring", looks.key_ring),
        ("Redis", looks.redis),
        ("PostgreSQL", looks.postgres),
        ("Schema", looks.schema),
        ("Catalogue", looks.catalogue),
    ):
        fine = await _looked(name, look, looks.stores) and fine
    return 0 if fine else 1


async def _looked(name: str, look: Look, stores: Stores) -> bool:
    try:
        terminal.done(name, await look())
    except StoreGoneError as gone:
        terminal.failed(name, str(places.unreachable(stores, gone)))
        return False
    except BootError as wrong:
        terminal.failed(name, str(wrong))
        return False
    return True
