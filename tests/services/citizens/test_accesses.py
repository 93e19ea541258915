"""Who looked: a reading through a binding is told to the person, once a day or each time, and never not."""

from datetime import timedelta

import asyncpg
import pytest

from core.clock import ManualClock
from core.effects import Effect
from core.seal import Seal
from core.stores.database import Database
from services.citizens.accesses import DIGEST, Accesses, NoSuchMode
from services.citizens.errors import NotBound
from tests.support.city_hospital import notices_of
from tests.support.household import Household
from tests.support.people import MOTHER


@pytest.fixture
def accesses(db: Database, seal: Seal, clock: ManualClock) -> Accesses:
    return Accesses(db, seal, clock, notices_of(seal, clock))


@pytest.fixture
async def home(db: Database, seal: Seal, clock: ManualClock) -> Household:
    """A mother who has proven who she is, and her daughter, who may see her reports."""
    home = Household(db, seal, clock)
    await home.proven("mother", "王秀英", MOTHER)
    await home.bound("daughter", "mother", "王秀英", MOTHER, asker="女儿小芳", scopes=("book", "report"))
    return home


async def reads(home: Household, accesses: Accesses, who: str = "daughter", what: str = "report") -> None:
    async with home.db.transaction() as tx:
        await accesses.note(tx, home.citizens[who], home.persons["mother"], what, "hospital")


async def test_a_reading_is_told_by_who_it_was(home: Household, accesses: Accesses) -> None:
    await reads(home, accesses)
    (look,) = (await accesses.of(home.citizens["mother"])).lines
    assert (look.asker, look.what, look.title) == ("女儿小芳", "report", "妈妈")
    assert (await accesses.of(home.citizens["daughter"])).lines == (), "it is nothing of the daughter's"


async def test_who_may_not_read_leaves_no_reading(home: Household, accesses: Accesses) -> None:
    with pytest.raises(NotBound):
        await reads(home, accesses, what="record")
    await home.stranger("neighbour")
    with pytest.raises(NotBound):
        await reads(home, accesses, "neighbour")
    assert (await accesses.of(home.citizens["mother"])).lines == ()


async def test_ones_own_reading_is_nobodys_business(home: Household, accesses: Accesses) -> None:
    await home.proven("mother", "王秀英", MOTHER, scopes=("book", "report"))
    await reads(home, accesses, "mother")
    assert (await accesses.of(home.citizens["mother"])).lines == ()


async def test_a_digest_once_a_day_and_none_for_nothing(
    home: Household, accesses: Accesses, clock: ManualClock
) -> None:
    assert await accesses.tell() == 0
    for _ in range(5):
        await reads(home, accesses)
    assert await accesses.tell() == 1
    assert await accesses.tell() == 0
    (told,) = await home.waiting("mother", DIGEST)
    assert "女儿小芳 看了检查报告" in told
    assert "还有 2 次" in told
    assert len(told.splitlines()) <= 7
    await reads(home, accesses)
    assert await accesses.tell() == 0, "tomorrow"
    clock.move(timedelta(days=1))
    assert await accesses.tell() == 1
    clock.move(timedelta(days=1))
    assert await accesses.tell() == 0


async def test_each_time_for_who_wants_that(home: Household, accesses: Accesses) -> None:
    await accesses.choose(home.citizens["mother"], "each", Effect("1", "mode", b""))
    await reads(home, accesses)
    await reads(home, accesses)
    assert len(await home.waiting("mother", DIGEST)) == 2
    assert await accesses.tell() == 0, "nothing is told twice"


async def test_off_is_not_allowed(home: Household, accesses: Accesses) -> None:
    with pytest.raises(NoSuchMode):
        await accesses.choose(home.citizens["mother"], "off", Effect("1", "mode", b""))
    with pytest.raises(asyncpg.CheckViolationError):
        await home.db.execute(
            "INSERT INTO access_digests (person, mode) VALUES ($1, 'off')", home.persons["mother"]
        )


async def test_who_is_that_person_no_more_hears_no_more_of_it(home: Household, accesses: Accesses) -> None:
    await reads(home, accesses)
    await accesses.tell()
    assert await home.waiting("mother", DIGEST)
    await home.revoke("mother", home.bindings["mother"])
    assert await home.waiting("mother", DIGEST) == []


async def test_who_is_unbound_is_told_of_without_a_name(home: Household, accesses: Accesses) -> None:
    await reads(home, accesses)
    await home.revoke("mother", home.bindings["daughter"])
    (look,) = (await accesses.of(home.citizens["mother"])).lines
    assert (look.asker, look.title) == ("", "妈妈")


async def test_readings_are_read_a_page_at_a_time(home: Household, accesses: Accesses) -> None:
    for _ in range(6):
        await reads(home, accesses)
    first = await accesses.of(home.citizens["mother"])
    assert len(first.lines) == 4
    rest = await accesses.of(home.citizens["mother"], first.before)
    assert len(rest.lines) == 2
    assert rest.before is None
    seen = [each.id for each in (*first.lines, *rest.lines)]
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    "statement", ["UPDATE access_events SET what = 'record'", "DELETE FROM access_events"]
)
async def test_a_reading_is_never_changed_nor_removed_before_its_time(
    home: Household, accesses: Accesses, statement: str
) -> None:
    await reads(home, accesses)
    with pytest.raises(asyncpg.RestrictViolationError):
        await home.db.execute(statement)
