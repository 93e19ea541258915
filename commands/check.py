"""`check`: is everything there that the gateway needs? One line each, exit code 1 if something is not."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from commands import lines, paying, places, registers, terminal, wording
from commands.bots import menu_of, router_of
from commands.database import migrated
from commands.gateway import Assemble
from core.chat.words import Words
from core.clock import SystemClock
from core.errors import BootError, StoreGoneError
from core.stores import keys
from core.stores.boot import open_database, open_redis, postgres_version, redis_version
from services.hospital.catalogue import loaded_catalogues
from services.transit.pairing import service_day
from settings import CONFIG_VARIABLE, EMBEDDED, Settings, Stores, require_credentials
from webhooks.serving import listen

# What can be looked at only where something else is well.
_NEEDS = {"Words": "Bots", "Schema": "PostgreSQL", "Catalogue": "Schema"}
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
        settings = self._settings
        if settings.stores.embedded and not settings.accounts:
            return "none given: `run` makes one up for its simulator"
        require_credentials(settings)
        return ", ".join(settings.accounts)

    async def institutions(self) -> str:
        settings = self._settings
        if settings.stores.embedded and not settings.institutions:
            return "none given: `run` plays one"
        return ", ".join(await registers.require_answers(settings)) or "none given"

    async def pay(self) -> str:
        settings = self._settings
        if settings.stores.embedded and not settings.pay.mch_id:
            return "none given: `run` plays one"
        if not settings.pay.mch_id:
            return "none given: nothing can be signed or debited"
        return f"merchant {await paying.require_answers(settings)}"

    async def transit(self) -> str:
        folder = self._settings.transit.folder
        if folder:
            today = service_day(SystemClock().now())
            return lines.told(Path(folder), today, self._settings.issuer.cap_fen)
        return "none given: `run` has the demo city's" if self.stores.embedded else "none given"

    async def bots(self) -> str:
        settings = self._settings
        for key in settings.accounts:
            router_of(settings, key)
            menu_of(settings, key)
        return ", ".join(account.bot for account in settings.accounts.values()) or "bots.city"

    async def words(self) -> str:
        said = Words(places.TEMPLATES)
        for key in self._settings.accounts:
            wording.require(router_of(self._settings, key), said)
        return "every template that handlers name is there"

    async def address(self) -> str:
        server = self._settings.server
        listen(server.host, 0, "server.host").close()
        return f"{server.host}, port {server.port}"

    async def folder(self) -> str:
        if self.stores.embedded:
            places.require_writable(self.stores)
        return str(self.stores.folder)

    async def key_ring(self) -> str:
        stores, path = self.stores, places.key_ring(self.stores)
        if stores.database_url == EMBEDDED and not (path.exists() or (stores.folder / "pg").exists()):
            raise BootError(f"{path} is not there yet: `make run` makes it when it first starts")
        keys.load(path)
        return str(path)

    async def redis(self) -> str:
        redis = await open_redis(places.redis(self.stores))
        try:
            return f"{await redis_version(redis)}, noeviction"
        finally:
            await redis.close()

    async def postgres(self) -> str:
        db = await open_database(places.database(self.stores))
        try:
            return await postgres_version(db)
        finally:
            await db.close()

    async def schema(self) -> str:
        async with migrated(places.database(self.stores)):
            return "up to date"

    async def catalogue(self) -> str:
        async with migrated(places.database(self.stores)) as db:
            sources = await loaded_catalogues(db)
        if not sources:
            raise BootError("no hospitals: run `.venv/bin/python main.py catalogue load FOLDER`")
        return ", ".join(sources)


async def _look_at_all(looks: _Looks) -> int:
    terminal.done("Settings", _source())
    bad: set[str] = set()
    for name, look in (
        ("Accounts", looks.accounts),
        ("Institutions", looks.institutions),
        ("Pay", looks.pay),
        ("Transit", looks.transit),
        ("Bots", looks.bots),
        ("Words", looks.words),
        ("Address", looks.address),
        ("Data folder", looks.folder),
        ("Key ring", looks.key_ring),
        ("Redis", looks.redis),
        ("PostgreSQL", looks.postgres),
        ("Schema", looks.schema),
        ("Catalogue", looks.catalogue),
    ):
        needed = _NEEDS.get(name, "")
        if needed in bad:
            terminal.failed(name, f"not looked at, because of {needed}")
            bad.add(name)
        elif not await _looked(name, look, looks.stores):
            bad.add(name)
    return 1 if bad else 0


def _source() -> str:
    """Where the settings come from: whoever is in the wrong folder sees it here."""
    path = Path(os.environ.get(CONFIG_VARIABLE) or "bianmin.toml").absolute()
    return str(path) if path.exists() else f"no {path}: every setting has its default"


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
