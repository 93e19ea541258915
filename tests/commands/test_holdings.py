"""Every table belongs to one part of the house, with a purpose and a period, or says nothing of anybody."""

import re
from collections import Counter
from datetime import timedelta

import asyncpg
import pytest

from commands.holdings import IMPERSONAL
from commands.rights import DataRights
from core.clock import ManualClock, SystemClock
from core.privacy.holdings import End
from core.privacy.retention import Retention
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from tests.support.rights import data_rights_of
from tests.support.talk import Ground, words_of

_TABLES = """
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
"""
# What names a citizen, a person or a conversation, or may hold something of theirs.
_TELLING = re.compile(
    r"^(citizen|person|conversation|openid|sealed|name|phone|unionid|id_number|asker|event|run|who)$"
)
_PLATFORM = re.compile(r"nick|avatar|headimg|sex|gender|city_of|province|remark")


@pytest.fixture
def data(redis: Redis, db: Database, seal: Seal, clock: ManualClock) -> DataRights:
    return data_rights_of(Ground(redis, db, seal, clock))


async def test_every_table_belongs_to_one_part_or_says_why_not(data: DataRights, db: Database) -> None:
    every = {row["table_name"] for row in await db.fetch(_TABLES)}
    named = Counter(rule.table for rule in data.retention.rules)
    assert set(named) == every, "a new table: whose is it, what for, how long? (commands/holdings.py)"
    assert not [table for table, times in named.items() if times > 1]


async def test_what_is_said_to_be_of_nobody_has_no_column_that_is_of_somebody(db: Database) -> None:
    rows = await db.fetch("SELECT table_name, column_name FROM information_schema.columns")
    impersonal = {rule.table for rule in IMPERSONAL}
    telling = {
        (row["table_name"], row["column_name"])
        for row in rows
        if row["table_name"] in impersonal and _TELLING.match(row["column_name"])
    }
    # names of places and of staff, and the words of a notice to all
    assert telling == {
        ("hospitals", "name"), ("hospitals", "phone"), ("specialties", "name"), ("leases", "name"),
        ("schema_migrations", "name"), ("session_events", "who"), ("jobs", "who"), ("jobs", "sealed"),
        ("job_events", "who"), ("staff_audit", "who"), ("staff_members", "name"),
        ("community_places", "name"), ("community_doors", "sealed"),
    }  # fmt: skip


async def test_nothing_of_wechats_profile_is_stored(db: Database) -> None:
    rows = await db.fetch("SELECT column_name FROM information_schema.columns WHERE table_schema = 'public'")
    assert not [row["column_name"] for row in rows if _PLATFORM.search(row["column_name"])]


def test_every_rule_says_what_for_and_how_long(data: DataRights) -> None:
    for rule in data.retention.rules:
        assert rule.purpose, rule.table
        assert rule.until, rule.table
        assert rule.lasting, rule.table
        assert (rule.period is None) == (not rule.since), rule.table
        assert isinstance(rule.end, End)


async def test_every_rules_words_are_sql_that_holds(data: DataRights, db: Database) -> None:
    await data.retention.purge()
    for rule in data.retention.rules:
        await db.fetch(f"SELECT 1 FROM {rule.table} t WHERE false")  # noqa: S608 - our own names


def test_what_citizens_are_told_of_periods_is_what_is_done(data: DataRights) -> None:
    said = words_of().render("citizens/data_purposes")
    days = {rule.table: rule.period.days for rule in data.retention.rules if rule.period is not None}
    for words, table, told in (
        ("记录留 30 天", "outbox", 30),
        ("办完留 1 年", "desk_messages", 365),
        ("同意书留 5 年", "consent_events", 5 * 366),
        ("谁看过您留 3 年", "access_events", 3 * 366),
        ("去了哪里留 180 天", "transit_taps", 180),
    ):
        assert words in said
        assert days[table] == told


async def test_whatever_has_a_time_goes_one_day_or_says_why_it_stays(data: DataRights, db: Database) -> None:
    """A log without a period is the table nobody thinks of: it grows for ever, and tells for ever."""
    rows = await db.fetch(
        """
        SELECT DISTINCT table_name FROM information_schema.columns
        WHERE table_schema = 'public' AND data_type LIKE 'timestamp%'
          AND column_name IN ('at', 'until', 'since')
        """
    )
    timeless = {rule.table for rule in data.retention.rules if rule.period is None}
    assert {row["table_name"] for row in rows} & timeless == {
        "accounts", "persons", "citizens",  # as long as the account
        "patient_references", "citizen_events", "stops", "staff_members", "session_events", "unit_events",
        "payment_events",  # as long as the books
        "transit_accounts", "transit_account_events", "transit_trip_events", "transit_ledger",
        "transit_due",  # until what it names is paired, seconds later
    }  # fmt: skip


async def test_what_staff_did_is_told_for_three_years_and_then_no_more(
    data: DataRights, db: Database
) -> None:
    add = """
        INSERT INTO staff_audit (at, who, what, object, outcome)
        VALUES (now() - $1::interval, '', $2, '', 'done')
    """
    for days, what in ((1, "young"), (3 * 365, "kept"), (3 * 366 + 2, "old")):
        await db.execute(add, timedelta(days=days), what)
    with pytest.raises(asyncpg.RestrictViolationError):
        await db.execute("DELETE FROM staff_audit WHERE what = 'young'")
    with pytest.raises(asyncpg.RestrictViolationError):
        await db.execute("UPDATE staff_audit SET what = 'nothing' WHERE what = 'old'")
    await Retention(db, SystemClock(), data.retention.rules).purge()
    rows = await db.fetch("SELECT what FROM staff_audit ORDER BY id")
    assert [row["what"] for row in rows] == ["young", "kept"]


async def test_a_notice_to_many_is_forgotten_behind_its_last_message(data: DataRights, db: Database) -> None:
    add = """
        INSERT INTO jobs (key, kind, account, audience, sealed, state, who, ended_at, not_before,
                          valid_until)
        VALUES ($1, 'city_notice', 'city', 'followers', $2, 'done', 'li', now() - interval '367 d', now(),
                now())
        RETURNING id
    """
    for key in ("gone", "told"):
        job = await db.fetchval(add, key, b"s" * 30)
        at = "now() - interval '367 d'" if key == "gone" else "now()"
        await db.execute(f"INSERT INTO job_events (at, job, who, what) VALUES ({at}, $1, 'li', 'made')", job)  # noqa: S608
    await Retention(db, SystemClock(), data.retention.rules).purge()
    assert [row["key"] for row in await db.fetch("SELECT key FROM jobs")] == ["told"]
