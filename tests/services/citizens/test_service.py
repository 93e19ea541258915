"""Who writes to us: once known, known for ever, and never by openid."""

import asyncio

import asyncpg
import pytest

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from services.citizens.model import Recipient, UnknownCitizen
from services.citizens.service import FOLLOWERS, Citizens
from tests.services.citizens.kin import Kin

HERE = "city:0123456789abcdef0123456789abcdef"
OPENID = "oABCD-1234567890abcdefghijkl"


async def events(db: Database) -> list[str]:
    return [row["what"] for row in await db.fetch("SELECT what FROM citizen_events ORDER BY id")]


async def test_first_contact_makes_account_self_person_and_binding(db: Database, citizens: Citizens) -> None:
    citizen = await citizens.arrive(HERE, "city", OPENID)
    binding = await db.fetchrow("SELECT * FROM bindings WHERE citizen = $1", citizen)
    assert binding is not None
    assert binding["person"] == await citizens.self_person(citizen)
    assert (binding["relation"], binding["state"], binding["proof"]) == ("self", "active", None)
    assert binding["scopes"] == ["book", "pay", "queue"]
    assert await events(db) == ["arrived", "person_made", "bound"]


async def test_a_second_contact_is_the_same_citizen(db: Database, citizens: Citizens) -> None:
    assert await citizens.arrive(HERE, "city", OPENID) == await citizens.arrive(HERE, "city", OPENID)
    assert await events(db) == ["arrived", "person_made", "bound"]


async def test_twenty_first_contacts_at_once_make_one_citizen(db: Database, seal: Seal) -> None:
    contacts = [Citizens(db, seal).arrive(HERE, "city", OPENID) for _ in range(20)]
    assert len(set(await asyncio.gather(*contacts))) == 1
    assert await db.fetchval("SELECT count(*) FROM persons") == 1
    assert await events(db) == ["arrived", "person_made", "bound"]


async def test_control_without_the_unique_conversation_each_contact_makes_a_citizen(
    db: Database, citizens: Citizens
) -> None:
    for number in range(2):  # what check-then-insert does when both checks come first
        await citizens.arrive(f"{HERE}{number}", "city", OPENID)
    assert await db.fetchval("SELECT count(*) FROM persons") == 2


async def test_leaving_and_coming_back_keeps_the_citizen_and_leaves_a_trace(
    db: Database, citizens: Citizens
) -> None:
    citizen = await citizens.arrive(HERE, "city", OPENID)
    await citizens.leave(HERE)
    await citizens.leave(HERE)
    assert not (await citizens.resolve_all([HERE]))[HERE].following
    assert await citizens.arrive(HERE, "city", OPENID) == citizen
    assert (await citizens.resolve_all([HERE]))[HERE].following
    assert (await events(db))[3:] == ["left", "returned"]


async def test_a_stranger_who_leaves_is_no_error(db: Database, citizens: Citizens) -> None:
    await citizens.leave(HERE)
    assert await events(db) == []


async def test_the_way_back_is_opened_only_for_the_sender(citizens: Citizens) -> None:
    await citizens.arrive(HERE, "city", OPENID)
    found = await citizens.resolve_all([HERE, "city:nobody"])
    assert found == {HERE: Recipient("city", OPENID, following=True)}


async def test_followers_come_page_by_page_and_who_left_is_none(citizens: Citizens) -> None:
    for number in range(5):
        await citizens.arrive(f"city:{number:032x}", "city", f"o-{number}")
    await citizens.arrive(f"school:{7:032x}", "school", "o-7")
    await citizens.lost(f"city:{1:032x}")
    first = await citizens.page("city", FOLLOWERS, "", 2)
    rest = await citizens.page("city", FOLLOWERS, first[-1], 10)
    assert [int(each[-1]) for each in (*first, *rest)] == [0, 2, 3, 4]
    with pytest.raises(ValueError, match="no audience"):
        await citizens.page("city", "everybody", "", 10)


async def test_nobody_has_no_self(citizens: Citizens) -> None:
    with pytest.raises(UnknownCitizen):
        await citizens.self_person("c_aaaaaaaaaaaaaaaa")


async def test_no_row_of_any_table_holds_the_openid(db: Database, citizens: Citizens) -> None:
    await citizens.arrive(HERE, "city", OPENID)
    tables = await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    needles = (OPENID, OPENID.encode().hex())
    for table in tables:
        text = str(await db.fetchval(f'SELECT string_agg(t::text, chr(10)) FROM "{table["tablename"]}" t'))  # noqa: S608
        assert not [needle for needle in needles if needle in text], table["tablename"]


async def test_an_openid_sealed_for_one_conversation_opens_in_no_other(
    db: Database, citizens: Citizens, seal: Seal
) -> None:
    await citizens.arrive(HERE, "city", OPENID)
    sealed = await db.fetchval("SELECT openid FROM accounts")
    with pytest.raises(Exception, match="another place"):
        seal.open(sealed, "openid:city:other")


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE accounts SET openid = convert_to('oABCD-1234567890abcdefghijkl', 'UTF8')",
        "UPDATE bindings SET scopes = ARRAY['book', 'record']",
        "UPDATE bindings SET relation = 'mother', what = 'former'",
        """INSERT INTO bindings (citizen, person, relation, state, scopes)
           SELECT citizen, 'p_aaaaaaaaaaaaaaaa', 'self', 'active', '{}' FROM accounts""",
        "UPDATE citizen_events SET what = 'left'",
        "DELETE FROM citizen_events",
    ],
    ids=["raw openid", "scope without proof", "family without proof", "second self", "rewrite", "erase"],
)
async def test_the_database_itself_refuses(db: Database, citizens: Citizens, wrong: str) -> None:
    await citizens.arrive(HERE, "city", OPENID)
    await db.execute("INSERT INTO persons (id) VALUES ('p_aaaaaaaaaaaaaaaa')")
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await db.execute(wrong)


async def test_a_self_that_changed_in_another_process_was_remembered_as_it_had_been(
    db: Database, seal: Seal, citizens: Citizens, clock: ManualClock
) -> None:
    kin = Kin(db, seal, clock)
    mother = await kin.person("李桂芳")
    before = await citizens.self_person(mother.citizen)
    await kin.bound(await kin.person("王小明"), mother)
    await kin.proves_self(mother)
    assert (
        await citizens.self_person(mother.citizen) == await kin.citizens.self_person(mother.citizen) != before
    )
