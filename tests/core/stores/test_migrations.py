"""The schema grows file by file: once, in order, by one at a time, and never behind anybody's back."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from core.errors import BootError, StoreGoneError
from core.stores.database import Database
from core.stores.migrations import migrate, pending
from tests.support.stores import MIGRATIONS, Servers, named, statement

_numbers = itertools.count(1)


@pytest.fixture
async def empty(any_servers: Servers) -> AsyncIterator[str]:
    """A database without any table."""
    name = f"empty_{next(_numbers)}"
    await statement(any_servers.database_url, f"CREATE DATABASE {name}")
    yield named(any_servers.database_url, name)
    await statement(any_servers.database_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two migrations: a table, then a column and a row."""
    (tmp_path / "0001_bus.sql").write_text("CREATE TABLE bus (line text PRIMARY KEY);")
    (tmp_path / "0002_colour.sql").write_text(
        "ALTER TABLE bus ADD COLUMN colour text; INSERT INTO bus VALUES ('1', 'red');"
    )
    return tmp_path


async def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def test_files_are_applied_in_order_and_written_down(empty: str, folder: Path) -> None:
    assert await migrate(empty, folder) == ["0001_bus.sql", "0002_colour.sql"]

    assert await rows(empty, "SELECT * FROM bus") == [("1", "red")]
    written = await rows(
        empty, "SELECT version, name, length(sha256) FROM schema_migrations ORDER BY version"
    )
    assert written == [(1, "0001_bus.sql", 32), (2, "0002_colour.sql", 32)]


async def test_a_second_time_nothing_is_left_to_do(empty: str, folder: Path) -> None:
    await migrate(empty, folder)

    assert await migrate(empty, folder) == []


async def test_a_new_file_is_all_that_a_new_program_applies(empty: str, folder: Path) -> None:
    await migrate(empty, folder)
    (folder / "0003_tram.sql").write_text("CREATE TABLE tram ();")

    assert await migrate(empty, folder) == ["0003_tram.sql"]


async def test_what_is_pending_is_named_without_being_applied(empty: str, folder: Path) -> None:
    db = await Database.open(empty)
    assert await pending(db, folder) == ["0001_bus.sql", "0002_colour.sql"]
    await migrate(empty, folder)
    (folder / "0003_tram.sql").write_text("CREATE TABLE tram ();")
    assert await pending(db, folder) == ["0003_tram.sql"]
    assert await rows(empty, "SELECT to_regclass('tram')") == [(None,)]
    await db.close()


async def test_eight_processes_that_start_at_once_apply_each_file_once(empty: str, folder: Path) -> None:
    applied = await asyncio.gather(*(migrate(empty, folder) for _ in range(8)))

    assert sorted(applied) == [[]] * 7 + [["0001_bus.sql", "0002_colour.sql"]]


async def test_control_without_the_lock_two_starts_collide(empty: str, folder: Path) -> None:
    bus = (folder / "0001_bus.sql").read_text()
    both_looked = asyncio.Barrier(2)

    async def unguarded() -> None:
        connection = await asyncpg.connect(empty)
        try:
            missing = await connection.fetchval("SELECT to_regclass('bus') IS NULL")
            await both_looked.wait()
            if missing:
                await connection.execute(bus)
        finally:
            await connection.close()

    outcomes = await asyncio.gather(unguarded(), unguarded(), return_exceptions=True)

    assert [isinstance(outcome, asyncpg.PostgresError) for outcome in outcomes].count(True) == 1


async def test_a_file_that_fails_leaves_nothing_and_those_before_it_stay(empty: str, folder: Path) -> None:
    (folder / "0003_wrong.sql").write_text("CREATE TABLE tram (); SELECT nonsense;")

    with pytest.raises(BootError, match=r"0003_wrong\.sql failed.*nonsense"):
        await migrate(empty, folder)

    assert await rows(empty, "SELECT to_regclass('tram')") == [(None,)]
    (folder / "0003_wrong.sql").write_text("CREATE TABLE tram ();")
    assert await migrate(empty, folder) == ["0003_wrong.sql"]


async def test_a_file_changed_after_it_was_applied_stops_the_boot(empty: str, folder: Path) -> None:
    await migrate(empty, folder)
    (folder / "0001_bus.sql").write_text("CREATE TABLE bus (line int PRIMARY KEY);")

    with pytest.raises(BootError, match=r"0001_bus\.sql was changed after it was applied"):
        await migrate(empty, folder)
    db = await Database.open(empty)
    with pytest.raises(BootError, match=r"0001_bus\.sql was changed"):
        await pending(db, folder)
    await db.close()


async def test_an_older_program_does_not_touch_a_newer_database(empty: str, folder: Path) -> None:
    await migrate(empty, folder)
    (folder / "0002_colour.sql").unlink()

    with pytest.raises(BootError, match=r"0002_colour\.sql.*none after 0001"):
        await migrate(empty, folder)


async def test_a_database_with_a_gap_is_not_filled_up_silently(empty: str, folder: Path) -> None:
    await migrate(empty, folder)
    await statement(empty, "DELETE FROM schema_migrations WHERE version = 1")

    with pytest.raises(BootError, match="lacks a migration before its newest"):
        await migrate(empty, folder)


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        ("0004_late.sql", "migration 0003 is missing"),
        ("0002_again.sql", "migration 0002 is there twice"),
        ("three.sql", "a migration is named like"),
    ],
)
async def test_a_folder_that_does_not_count_up_stops_the_boot(
    folder: Path, file: str, complaint: str
) -> None:
    (folder / file).write_text("SELECT 1;")

    with pytest.raises(BootError, match=complaint):
        await migrate("postgresql:///never-asked", folder)


async def test_an_absent_server_is_gone(folder: Path) -> None:
    with pytest.raises(StoreGoneError):
        await migrate(f"postgresql://someone@/city?host={folder}", folder)


async def test_our_own_migrations_fit_both_servers(empty: str) -> None:
    applied = await migrate(empty, MIGRATIONS)

    assert applied == sorted(path.name for path in MIGRATIONS.glob("*.sql"))
