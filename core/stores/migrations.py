"""The schema, step by step: numbered SQL files, each applied once, in order, by one process at a time."""

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from core.errors import BootError, StoreGoneError
from core.stores.database import UNREACHABLE, Database

_FILE = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql")
_LOCK = 0x6269616E6D696E  # one number for all who migrate this database
_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    integer     PRIMARY KEY,
    name       text        NOT NULL,
    sha256     bytea       NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
_APPLIED = "SELECT version, name, sha256 FROM schema_migrations ORDER BY version"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the folder."""

    version: int
    file: str
    sql: str
    sha256: bytes


async def migrate(database_url: str, folder: Path) -> list[str]:
    """Apply what is missing and return the files applied; concurrent starts wait for each other."""
    known = read(folder)
    try:
        connection = await asyncpg.connect(database_url, timeout=10)
    except UNREACHABLE as gone:
        raise StoreGoneError("PostgreSQL") from gone
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(_TABLE)
        missing = _missing(known, await connection.fetch(_APPLIED))
        for migration in missing:
            await _apply(connection, migration)
    except UNREACHABLE as gone:
        raise StoreGoneError("PostgreSQL") from gone
    finally:
        with suppress(*UNREACHABLE):  # closing frees the lock; a server that is gone has freed it already
            await connection.close(timeout=5)
    return [migration.file for migration in missing]


async def pending(db: Database, folder: Path) -> list[str]:
    """Name the files this database still lacks."""
    known = read(folder)
    if await db.fetchval("SELECT to_regclass('schema_migrations')") is None:
        return [migration.file for migration in known]
    return [migration.file for migration in _missing(known, await db.fetch(_APPLIED))]


def read(folder: Path) -> list[Migration]:
    """Read the folder; numbers start at 1 and leave nothing out."""
    found: list[Migration] = []
    for number, path in enumerate(sorted(folder.glob("*.sql")), start=1):
        name = _FILE.fullmatch(path.name)
        if name is None:
            raise BootError(f"{path}: a migration is named like 0007_what_it_does.sql")
        version = int(name["version"])
        if version != number:
            what = "is there twice" if version < number else "is missing"
            raise BootError(f"{path}: migration {min(version, number):04} {what}; number them without gaps")
        source = path.read_bytes()
        found.append(Migration(version, path.name, source.decode(), hashlib.sha256(source).digest()))
    return found


def _missing(known: Sequence[Migration], applied: Sequence[asyncpg.Record]) -> list[Migration]:
    done = {row["version"]: row for row in applied}
    newest = known[-1].version if known else 0
    for version, applied_row in done.items():
        if version > newest:
            raise BootError(
                f"the database has migration {applied_row['name']}, but this program knows none "
                f"after {newest:04}: start the newer program"
            )
    for migration in known:
        row = done.get(migration.version)
        if row is not None and row["sha256"] != migration.sha256:
            raise BootError(
                f"migration {migration.file} was changed after it was applied: restore it and put the change "
                "into a new file"
            )
    if sorted(done) != list(range(1, len(done) + 1)):
        raise BootError("the database lacks a migration before its newest one: schema_migrations was altered")
    return [migration for migration in known if migration.version not in done]


async def _apply(connection: "asyncpg.Connection[asyncpg.Record]", migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)",
                migration.version,
                migration.file,
                migration.sha256,
            )
    except UNREACHABLE:
        raise
    except asyncpg.PostgresError as wrong:
        raise BootError(f"migration {migration.file} failed and left nothing behind: {wrong}") from wrong
