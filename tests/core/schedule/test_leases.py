"""One process at a time does what is to be done once; who dies is followed."""

import asyncio
from datetime import timedelta

import pytest

from core.schedule import leases
from core.schedule.leases import Leases
from core.stores.database import Database
from tests.support.purging import purged


async def test_one_of_many_gets_it_and_holds_it_on(any_db: Database) -> None:
    several = [Leases(any_db) for _ in range(8)]
    got = await asyncio.gather(*(each.take("fire") for each in several))
    assert sum(got) == 1
    holder = several[got.index(True)]
    assert await holder.take("fire")
    assert await any_db.fetchval("SELECT count(*) FROM leases") == 1


async def test_who_is_dead_is_followed_when_the_lease_is_over(any_db: Database) -> None:
    dead, heir = Leases(any_db), Leases(any_db)
    await dead.take("fire")
    assert not await heir.take("fire")
    await any_db.execute("UPDATE leases SET until = until - $1::interval", timedelta(seconds=6))
    assert await heir.take("fire")
    assert not await dead.take("fire"), "awake again it is the other's"


async def test_given_back_it_is_free_at_once(any_db: Database) -> None:
    one, other = Leases(any_db), Leases(any_db)
    await one.take("fire")
    await other.take("sweep")
    await one.release()
    assert await other.take("fire")
    assert set((await other.held()).values()) == {other.holder}


async def test_each_job_has_its_own(any_db: Database) -> None:
    one, other = Leases(any_db), Leases(any_db)
    assert await one.take("fire")
    assert await other.take("sweep")


async def test_it_is_renewed_as_long_as_the_work_lasts(
    any_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEWAL_S", 0.01)
    one, other = Leases(any_db), Leases(any_db)

    async def last() -> object:
        return await any_db.fetchval("SELECT until FROM leases WHERE name = 'fire'")

    async with one.holding("fire") as held, other.holding("fire") as second:
        assert (held, second) == (True, False)
        first = await last()
        async with asyncio.timeout(15):
            while await last() == first:
                pass
    ended = await last()
    assert await one.take("fire"), "it is still the same holder's"
    assert await last() != ended


async def test_what_killed_processes_held_is_forgotten_one_day(any_db: Database) -> None:
    killed, slow, alive = (Leases(any_db) for _ in range(3))
    await killed.take("work:killed")
    await slow.take("work:slow")
    await alive.take("work:alive")
    past = "UPDATE leases SET until = now() - $1::interval WHERE name = $2"
    await any_db.execute(past, timedelta(hours=25), "work:killed")
    await any_db.execute(past, timedelta(hours=23), "work:slow")
    await purged(any_db, "leases")
    names = [row["name"] for row in await any_db.fetch("SELECT name FROM leases ORDER BY name")]
    assert names == ["work:alive", "work:slow"]
