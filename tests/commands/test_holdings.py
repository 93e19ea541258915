"""Every table belongs to one part of the house, with a purpose and a period, or says nothing of anybody."""

import re
from collections import Counter

import pytest

from commands.holdings import IMPERSONAL
from commands.rights import DataRights
from core.clock import ManualClock
from core.privacy.holdings import End
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
    named = Counter([*(rule.table for rule in data.retention.rules), *IMPERSONAL])
    assert set(named) == every, "a new table: whose is it, what for, how long? (commands/holdings.py)"
    assert not [table for table, times in named.items() if times > 1]


async def test_what_is_said_to_be_of_nobody_has_no_column_that_is_of_somebody(db: Database) -> None:
    rows = await db.fetch("SELECT table_name, column_name FROM information_schema.columns")
    telling = {
        (row["table_name"], row["column_name"])
        for row in rows
        if row["table_name"] in IMPERSONAL and _TELLING.match(row["column_name"])
    }
    # names of places and of staff, and the words of a notice to all
    assert telling == {
        ("hospitals", "name"), ("hospitals", "phone"), ("specialties", "name"), ("leases", "name"),
        ("schema_migrations", "name"), ("session_events", "who"), ("jobs", "who"), ("jobs", "sealed"),
        ("job_events", "who"), ("staff_audit", "who"), ("staff_members", "name"),
    }  # fmt: skip


async def test_nothing_of_wechats_profile_is_stored(db: Database) -> None:
    rows = await db.fetch("SELECT column_name FROM information_schema.columns WHERE table_schema = 'public'")
    assert not [row["column_name"] for row in rows if _PLATFORM.search(row["column_name"])]


def test_every_rule_says_what_for_and_how_long(data: DataRights) -> None:
    for rule in data.retention.rules:
        assert rule.purpose, rule.table
        assert rule.until, rule.table
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
    ):
        assert words in said
        assert days[table] == told
