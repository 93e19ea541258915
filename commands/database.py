"""The database as commands use it: its schema up to date, and given back at the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from commands.places import MIGRATIONS
from core.errors import BootError
from core.stores.boot import open_database
from core.stores.database import Database
from core.stores.migrations import pending


@asynccontextmanager
async def migrated(database_url: str) -> AsyncIterator[Database]:
    """Open a database, or say in one line why it cannot be used."""
    db = await open_database(database_url)
    try:
        await require_schema(db)
        yield db
    finally:
        await db.close()


async def require_schema(db: Database) -> None:
    """Refuse a database that `migrate` has not brought up to date."""
    missing = await pending(db, MIGRATIONS)
    if missing:
        raise BootError(
            f"the database lacks {', '.join(missing)}: run `.venv/bin/python main.py migrate` first"
        )
