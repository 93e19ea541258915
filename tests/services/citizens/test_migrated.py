"""Whoever was there before families came is there still, with what they had booked."""

import shutil
from pathlib import Path

import asyncpg
import pytest

from core.clock import SystemClock
from core.seal import Seal
from core.stores.database import Database
from core.stores.migrations import migrate
from services.citizens.service import Citizens
from tests.services.citizens.kin import Kin
from tests.services.citizens.test_binding_events import as_it_stands, replayed
from tests.support.stores import MIGRATIONS, Servers, named, statement

_BEFORE = """
INSERT INTO accounts (citizen, conversation, account, openid, following, since)
VALUES ('c_aaaaaaaaaaaaaaaa', 'city:1', 'city', repeat('x', 40)::bytea, true, '2026-11-01');
INSERT INTO persons (id) VALUES ('p_aaaaaaaaaaaaaaaa');
INSERT INTO bindings (citizen, person, relation, state, scopes, since)
VALUES ('c_aaaaaaaaaaaaaaaa', 'p_aaaaaaaaaaaaaaaa', 'self', 'active', '{book,pay,queue}', '2026-11-01');
INSERT INTO citizen_events (who, what, citizen, person, old, new, key)
VALUES ('c_aaaaaaaaaaaaaaaa', 'arrived', 'c_aaaaaaaaaaaaaaaa', NULL, '', 'following', 'city:1'),
       ('c_aaaaaaaaaaaaaaaa', 'bound', 'c_aaaaaaaaaaaaaaaa', 'p_aaaaaaaaaaaaaaaa', '', 'active', 'city:1');
INSERT INTO hospitals VALUES ('h', '测试医院', '一号街', '0199-5550000', 1);
INSERT INTO specialties VALUES ('heart', 'heart', '{}', '{}', 1);
INSERT INTO departments VALUES ('heart', 'h', 'heart', '一楼');
INSERT INTO doctors VALUES ('d', 'heart', '陈', '一', '主任医师', '');
INSERT INTO sessions (id, doctor, department, date, half, class, fee_fen, place, quota)
VALUES ('s', 'd', 'heart', '2026-11-25', 'AM', 'general', 0, '一楼', 1);
INSERT INTO periods VALUES ('p', 's', '2026-11-25 09:00+08', '2026-11-25 09:30+08');
INSERT INTO units (period, no, who, key, changed_at) VALUES ('p', 1, 'x', 'x', now());
INSERT INTO bookings (id, unit, session, citizen, person, fee_fen, made_at)
SELECT 'b_aaaaaaaaaaaaaaaa', id, 's', 'c_aaaaaaaaaaaaaaaa', 'p_aaaaaaaaaaaaaaaa', 0, now() FROM units;
"""


@pytest.fixture
async def before(embedded_servers: Servers, tmp_path: Path) -> str:
    """A database as it was before migration 0014, with a citizen and their booking in it."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    (families,) = MIGRATIONS.glob("*_families.sql")
    for file in MIGRATIONS.glob("*.sql"):
        if file.name < families.name:
            shutil.copy(file, folder)
    await statement(embedded_servers.database_url, "CREATE DATABASE before_families")
    url = named(embedded_servers.database_url, "before_families")
    await migrate(url, folder)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_BEFORE)
    finally:
        await connection.close()
    return url


async def test_who_was_there_is_there_still(before: str, seal: Seal, embedded_servers: Servers) -> None:
    applied = await migrate(before, MIGRATIONS)
    assert applied[0].endswith("_families.sql")
    db = await Database.open(before)
    try:
        await _is_there_still(db, seal)
    finally:
        await db.close()
        await statement(embedded_servers.database_url, "DROP DATABASE before_families WITH (FORCE)")


async def _is_there_still(db: Database, seal: Seal) -> None:
    me, person = "c_aaaaaaaaaaaaaaaa", "p_aaaaaaaaaaaaaaaa"
    citizens = Citizens(db, seal)
    assert await citizens.arrive("city:1", "city", "o-1") == me
    assert await citizens.self_person(me) == person
    async with db.transaction() as tx:
        assert await citizens.conversation(tx, me) == "city:1"
        assert await Kin(db, seal, SystemClock()).families.active(tx, me, person, "book") == "1"
    assert await replayed(db) == await as_it_stands(db)
    assert await db.fetchval("SELECT citizen FROM bookings") == me
    times = "SELECT c.since, a.since, a.heard_at FROM citizens c JOIN accounts a ON a.citizen = c.id"
    row = await db.fetchrow(times)
    assert row is not None
    assert len(set(row)) == 1
    with pytest.raises(asyncpg.RestrictViolationError):
        await db.execute("DELETE FROM citizen_events")
