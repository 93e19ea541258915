"""The contract of the database, on PostgreSQL of our own and on Debian's."""

import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from core.errors import BootError, DomainError, StoreGoneError
from core.stores.database import Database
from tests.support.stores import named

ADD = "INSERT INTO effects (run, key, digest, result) VALUES ($1, 'k', '', 'x')"
RUNS = "SELECT count(*) FROM effects"


async def test_a_transaction_is_kept_when_its_block_ends(any_db: Database) -> None:
    async with any_db.transaction() as tx:
        await tx.execute(ADD, "one")
        await tx.execute(ADD, "two")

    assert await any_db.fetchval(RUNS) == 2


async def test_a_refusal_leaves_no_trace(any_db: Database) -> None:
    async def refuse() -> None:
        async with any_db.transaction() as tx:
            await tx.execute(ADD, "one")
            raise DomainError

    with pytest.raises(DomainError):
        await refuse()
    assert await any_db.fetchval(RUNS) == 0


async def test_a_cancelled_transaction_leaves_no_trace(any_db: Database) -> None:
    inside = asyncio.Event()

    async def change() -> None:
        async with any_db.transaction() as tx:
            await tx.execute(ADD, "one")
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(change())
    await inside.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert await any_db.fetchval(RUNS) == 0


async def test_rows_come_back_as_asked(any_db: Database) -> None:
    assert await any_db.execute(ADD, "one") == "INSERT 0 1"
    row = await any_db.fetchrow("SELECT run, result FROM effects")
    assert row is not None
    assert dict(row) == {"run": "one", "result": "x"}
    assert await any_db.fetchrow("SELECT 1 WHERE false") is None
    assert [record["n"] for record in await any_db.fetch("SELECT generate_series(1, $1::int) AS n", 3)] == [
        1,
        2,
        3,
    ]


async def test_a_day_begins_at_the_city_s_midnight(any_db: Database) -> None:
    day = await any_db.fetchval("SELECT '2026-11-22T16:30:00Z'::timestamptz::date::text")

    assert day == "2026-11-23"


async def test_chinese_sorts_and_compares_by_its_characters(any_db: Database) -> None:
    assert await any_db.fetchval("SELECT lower('ABC心内科') || length('心内科')") == "abc心内科3"


async def test_a_wrong_statement_is_not_a_store_that_is_gone(any_db: Database) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await any_db.execute("SELECT * FROM nowhere")


async def test_a_missing_file_inside_a_transaction_is_not_a_store_that_is_gone(any_db: Database) -> None:
    with pytest.raises(FileNotFoundError):
        async with any_db.transaction():
            Path("/nowhere/at/all").read_bytes()


async def test_a_connection_cut_midway_is_a_store_that_is_gone_and_the_next_call_works(
    any_db: Database,
) -> None:
    async def be_cut() -> None:
        async with any_db.transaction() as tx:
            await tx.execute(ADD, "one")
            await tx.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(StoreGoneError):
        await be_cut()
    assert await any_db.fetchval(RUNS) == 0


async def test_connections_that_died_while_idle_are_replaced(any_db: Database) -> None:
    await asyncio.gather(*(any_db.fetchval("SELECT pg_sleep(0.05)") for _ in range(5)))
    await any_db.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )

    async def works() -> bool:
        try:
            return bool(await any_db.fetchval("SELECT true"))
        except StoreGoneError:  # it was picked before its end was noticed
            return False

    assert any([await works() for _ in range(5)])
    assert await works()


async def test_an_endless_statement_is_given_up(any_db_url: str) -> None:
    db = await Database.open(any_db_url, timeout_s=0.3)
    with pytest.raises(StoreGoneError):
        await db.fetchval("SELECT pg_sleep(60)")

    assert await db.fetchval("SELECT 1") == 1
    await db.close()


async def test_a_driver_confused_by_its_server_s_death_is_a_store_that_is_gone(any_db: Database) -> None:
    with pytest.raises(StoreGoneError):
        async with any_db.transaction():
            raise asyncpg.InternalClientError("cannot switch to state 12; another operation is in progress")

    assert await any_db.fetchval("SELECT 1") == 1


async def test_of_two_that_wait_for_each_other_one_is_told_to_come_again(any_db: Database) -> None:
    both = asyncio.Barrier(2)

    async def locks(first: int, then: int) -> str:
        try:
            async with any_db.transaction() as tx:
                await tx.execute("SELECT pg_advisory_xact_lock($1)", first)
                await both.wait()
                await tx.execute("SELECT pg_advisory_xact_lock($1)", then)
        except StoreGoneError:
            return "come again"
        return "done"

    assert sorted(await asyncio.gather(locks(1, 2), locks(2, 1))) == ["come again", "done"]


async def test_who_gives_up_on_a_server_that_hangs_is_not_held_up_by_it(db_url: str) -> None:
    db = await Database.open(db_url, timeout_s=30)
    backend = await db.fetchval("SELECT pg_backend_pid()")
    os.kill(backend, signal.SIGSTOP)
    try:
        async with asyncio.timeout(5):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(db.fetchval("SELECT 1"), 0.1)
            assert await db.fetchval("SELECT 1") == 1, "there are other connections"
    finally:
        os.kill(backend, signal.SIGCONT)
    await db.close()


async def test_who_stops_inside_a_transaction_holds_up_others_no_longer_than_that(
    any_db: Database, any_db_url: str
) -> None:
    db = await Database.open(any_db_url, timeout_s=0.2)
    lock = "SELECT pg_advisory_xact_lock(7)"

    async def stops() -> None:
        async with db.transaction() as tx:
            await tx.execute(lock)
            await any_db.execute(lock)  # it would give up after four seconds
            others.append("got it")
            await tx.execute("SELECT 1")

    others: list[str] = []
    with pytest.raises(StoreGoneError):
        await stops()
    assert others == ["got it"]
    assert await db.fetchval("SELECT 1") == 1
    await db.close()


async def test_whoever_finds_every_connection_taken_waits_no_longer_than_allowed(any_db_url: str) -> None:
    db = await Database.open(any_db_url, connections=1, timeout_s=0.3)
    async with db.transaction():
        with pytest.raises(StoreGoneError):
            await db.fetchval("SELECT 1")

    assert await db.fetchval("SELECT 1") == 1
    await db.close()


async def test_an_absent_server_is_gone(tmp_path: Path) -> None:
    with pytest.raises(StoreGoneError):
        await Database.open(f"postgresql://someone@/city?host={tmp_path}")


async def test_a_database_that_does_not_exist_is_named_at_boot(any_db_url: str) -> None:
    with pytest.raises(BootError, match='"atlantis" does not exist'):
        await Database.open(named(any_db_url, "atlantis"))


async def test_an_address_that_makes_no_sense_is_named_at_boot() -> None:
    with pytest.raises(BootError, match=r"stores\.database_url"):
        await Database.open("mysql://city")
