"""`privacy`: the rules of all tables, what citizens asked for, and what a receipt says."""

from collections.abc import Awaitable, Callable

import pytest

from commands.rights import DataRights
from core.clock import SystemClock
from core.stores import keys
from core.stores.database import Database
from core.stores.redis import Redis
from tests.commands.conftest import Own, Tell, counted
from tests.support.household import Household
from tests.support.people import MOTHER
from tests.support.rights import data_rights_of
from tests.support.stores import run_apart
from tests.support.talk import Ground


@pytest.fixture
def own(own: Own, tell: Tell) -> Own:
    """A place with a key ring and credentials."""
    tell(own.folder, "keys", "create")
    with (own.folder / "bianmin.toml").open("a", encoding="utf-8") as file:
        file.write(f'aes_key = "{"K" * 43}"\n')
    return own


def live(own: Own, redis_url: str, life: Callable[[Household, DataRights], Awaitable[None]]) -> None:
    """Let something happen to a citizen there."""

    async def happen() -> None:
        db, redis = await Database.open(own.database_url), await Redis.open(redis_url)
        seal = keys.load(own.folder / "var" / "keys")
        try:
            home = Household(db, seal, SystemClock())
            await home.proven("mother", "王秀英", MOTHER)
            data = data_rights_of(Ground(redis, db, seal, SystemClock()))  # type: ignore[arg-type]
            await life(home, data)
        finally:
            await redis.close()
            await db.close()

    run_apart(happen())


def test_every_table_is_told_with_purpose_and_period(own: Own, tell: Tell) -> None:
    told = tell(own.folder, "privacy", "show")
    assert told.code == 0, told.err
    assert "accounts            erased    the way to a citizen: the openid, sealed" in told.out
    assert "kept as long as the account" in told.out
    assert "hospitals           nobody's  what hospitals publish of themselves" in told.out
    assert "kept 1098 days after the deed" in told.out
    assert "nothing was purged yet" in told.out


def test_what_the_last_purge_did_is_told(own: Own, tell: Tell, redis_url: str) -> None:
    async def purge(home: Household, data: DataRights) -> None:
        await home.db.execute("INSERT INTO leases (name, holder, until) VALUES ('x', 'y', now())")
        await home.db.execute(
            """
            INSERT INTO effects (run, key, digest, result, at)
            VALUES ('1', '1', '', '', now() - interval '31 d')
            """
        )
        await data.retention.purge()

    live(own, redis_url, purge)
    told = tell(own.folder, "privacy", "show")
    assert "last purge" in told.out
    assert "30 days after the effect; last night 1 went" in told.out


def test_what_is_overdue_is_a_matter_for_a_person(own: Own, tell: Tell, redis_url: str) -> None:
    async def late(home: Household, _data: DataRights) -> None:
        await home.db.execute(
            """INSERT INTO purge_reports VALUES (now(), 'outbox', 0, now() - interval '90 d', true)"""
        )

    live(own, redis_url, late)
    told = tell(own.folder, "privacy", "show")
    assert told.code == 1
    assert "outbox" in told.line


def test_a_request_is_listed_answered_and_told(own: Own, tell: Tell, redis_url: str) -> None:
    async def asks(home: Household, data: DataRights) -> None:
        await data.rights.correct(home.citizens["mother"], "name", "王秀瑛", home.effect())

    assert "no requests wait" in tell(own.folder, "privacy", "requests").out
    live(own, redis_url, asks)
    listed = tell(own.folder, "privacy", "requests")
    assert "the name should be: 王秀瑛" in listed.out
    number = listed.out.split()[0]
    told = tell(own.folder, "privacy", "close", number, "--by", "李", "--refused", "请带身份证来窗口")
    assert (told.code, f"{number} refused by 李" in told.out) == (0, True)
    waiting = "SELECT count(*) FROM outbox WHERE kind = 'rights_answered'"
    assert counted(own.database_url, waiting) == 1
    again = tell(own.folder, "privacy", "close", number)
    assert again.code == 1
    assert "no open request" in again.line


def test_what_is_late_or_soon_will_be_is_a_matter_for_a_person(own: Own, tell: Tell, redis_url: str) -> None:
    async def asks(home: Household, data: DataRights) -> None:
        await data.rights.correct(home.citizens["mother"], "name", "王秀瑛", home.effect())
        await data.rights.correct(home.citizens["mother"], "other", "科室", home.effect())
        await home.db.execute(
            """
            UPDATE rights_requests SET due_on = current_date + CASE kind WHEN 'name' THEN 1 ELSE 40 END
            """
        )
        await home.db.execute(
            """
            INSERT INTO erasures (receipt, citizen, why, asked_at, due_at)
            SELECT '000011112222', id, 'asked', now() - interval '29 d', now() + interval '1 d' FROM citizens
            """
        )

    live(own, redis_url, asks)
    listed = tell(own.folder, "privacy", "requests")
    assert listed.code == 1
    erasure, name, other = listed.out.splitlines()[:3]
    assert erasure.startswith("000011112222")
    assert " LATE " in erasure
    assert "wants to be erased" in erasure
    assert (" SOON " in name, "王秀瑛" in name) == (True, True)
    assert ("SOON" in other, "LATE" in other) == (False, False)
    assert "due within 3 working days: 000011112222, 2000" in listed.line


def test_a_receipt_is_told_with_what_its_hash_is_over(own: Own, tell: Tell, redis_url: str) -> None:
    found: list[str] = []

    async def erased(home: Household, data: DataRights) -> None:
        found.append(await data.erasing.ask(home.citizens["mother"], home.effect()))

    live(own, redis_url, erased)
    told = tell(own.folder, "privacy", "receipt", found[0])
    assert told.code == 0
    assert "done" in told.out
    assert '"erased":{"accounts":1' in told.out
    assert tell(own.folder, "privacy", "receipt", "000011112222").code == 1
