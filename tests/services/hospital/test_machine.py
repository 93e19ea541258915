"""The unit machine: what domain-rules 1.2 draws is possible, and nothing else, by any statement."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import asyncpg
import pytest

from core.stores.database import Transaction
from services.hospital.model import UnitState
from tests.services.ward import HALF_HOUR, Ward

MACHINE = {
    ("free", "hold"): "held",
    ("held", "confirm"): "booked",
    ("held", "timeout"): "free",
    ("held", "release"): "free",
    ("held", "move"): "free",
    ("held", "suspend"): "suspended",
    ("booked", "cancel"): "free",
    ("booked", "move"): "free",
    ("booked", "suspend"): "suspended",
    ("booked", "miss"): "noshow",
    ("booked", "check_in"): "checked_in",
    ("checked_in", "call"): "called",
    ("called", "start"): "in_visit",
    ("called", "pass"): "passed",
    ("passed", "check_in"): "checked_in",
    ("in_visit", "finish"): "done",
}
WAY_TO = {
    "free": [],
    "held": ["hold"],
    "booked": ["hold", "confirm"],
    "checked_in": ["hold", "confirm", "check_in"],
    "called": ["hold", "confirm", "check_in", "call"],
    "passed": ["hold", "confirm", "check_in", "call", "pass"],
    "in_visit": ["hold", "confirm", "check_in", "call", "start"],
    "done": ["hold", "confirm", "check_in", "call", "start", "finish"],
    "noshow": ["hold", "confirm", "miss"],
    "suspended": ["hold", "suspend"],
}
EVENTS = sorted({event for _, event in MACHINE})
BOOKING = "b_aaaaaaaaaaaaaaaa"
_WRITE_ALL = """
CREATE FUNCTION write_all(whats text[], news text[]) RETURNS TABLE (what text, new text)
LANGUAGE plpgsql AS $$
BEGIN
    FOREACH what IN ARRAY whats LOOP
        FOREACH new IN ARRAY news LOOP
            BEGIN
                UPDATE units u
                SET state = new, what = write_all.what, version = u.version + 1,
                    booking = CASE WHEN new <> 'free' THEN b.id END,
                    person = CASE WHEN new <> 'free' THEN b.person END,
                    hold_until = CASE WHEN new = 'held' THEN now() END
                FROM bookings b;
                RAISE EXCEPTION 'it passed' USING ERRCODE = 'PASST';
            EXCEPTION
                WHEN check_violation THEN CONTINUE;
                WHEN SQLSTATE 'PASST' THEN RETURN NEXT;
            END;
        END LOOP;
    END LOOP;
END $$
"""


class Bench:
    """One unit that is moved within a transaction and put back afterwards."""

    def __init__(self, tx: Transaction, unit: int, now: datetime) -> None:
        self.tx = tx
        self.unit = unit
        self.now = now

    async def move(self, event: str) -> str:
        sql = "SELECT unit_move($1, $2, 'test', 'key', $3, $4, $5)"
        return str(await self.tx.fetchval(sql, self.unit, event, self.now, BOOKING, self.now + HALF_HOUR))


@asynccontextmanager
async def unit_in(state: str, ward: Ward) -> AsyncIterator[Bench]:
    """A unit brought into a state by legal steps; whatever happens to it is rolled back."""
    unit = await ward.db.fetchval("SELECT id FROM units")
    with suppress(PutBackError):
        async with ward.db.transaction() as tx:
            bench = Bench(tx, unit, ward.clock.now())
            for step in WAY_TO[state]:
                await bench.move(step)
            yield bench
            raise PutBackError


class PutBackError(Exception):
    """Ends a test's transaction without a trace."""


@pytest.fixture
async def one_unit(ward: Ward) -> Ward:
    """A ward with one free unit, and a booking row a hold may name."""
    await ward.session(fee_fen=1000)
    citizen = await ward.citizen()
    await ward.db.execute(
        "INSERT INTO bookings (id, unit, session, citizen, person, fee_fen, made_at)"
        " SELECT $1, u.id, p.session, $2, $3, 1000, $4 FROM units u JOIN periods p ON p.id = u.period",
        BOOKING,
        citizen,
        await ward.citizens.self_person(citizen),
        ward.clock.now(),
    )
    return ward


async def test_every_state_meets_every_event(one_unit: Ward) -> None:
    assert set(WAY_TO) == {state.value for state in UnitState}
    possible = {}
    for state, event in itertools.product(WAY_TO, EVENTS):
        async with unit_in(state, one_unit) as bench:
            try:
                possible[state, event] = await bench.move(event)
            except asyncpg.CheckViolationError as refused:
                assert f'cannot "{event}"' in str(refused)  # noqa: PT017 - most pairs are refused, some are not
    assert possible == MACHINE


async def test_no_statement_gets_past_the_machine(one_unit: Ward) -> None:
    """All states × events × states, written straight to the row; each write that passes is undone."""
    await one_unit.db.execute(_WRITE_ALL)
    possible = {}
    for old in WAY_TO:
        async with unit_in(old, one_unit) as bench:
            for row in await bench.tx.fetch("SELECT * FROM write_all($1, $2)", EVENTS, list(WAY_TO)):
                possible[old, row["what"]] = row["new"]
    assert possible == MACHINE


async def test_a_write_that_is_no_transition_is_refused(one_unit: Ward) -> None:
    for sql in (
        "UPDATE units SET state = 'booked'",
        "UPDATE units SET version = 7",
        "UPDATE units SET no = 2",
        "UPDATE units SET public_at = now()",
        "DELETE FROM units",
        """INSERT INTO units (period, no, state, booking, person, who, key, changed_at)
           SELECT period, 9, 'booked', 'b_bbbbbbbbbbbbbbbb', 'p_aaaaaaaaaaaaaaaa', 'x', 'x', now()
           FROM units""",
        "UPDATE unit_events SET new = 'booked'",
        "DELETE FROM unit_events",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await one_unit.db.execute(sql)


async def test_a_unit_does_not_change_hands_on_its_way(one_unit: Ward) -> None:
    async with unit_in("held", one_unit) as bench:
        with pytest.raises(asyncpg.CheckViolationError):
            await bench.tx.execute(
                "UPDATE units SET state = 'booked', what = 'confirm', version = version + 1,"
                " hold_until = NULL, booking = 'b_bbbbbbbbbbbbbbbb'"
            )


async def test_each_transition_leaves_its_event(one_unit: Ward) -> None:
    async with unit_in("passed", one_unit) as bench:
        rows = await bench.tx.fetch(
            "SELECT version, what, old, new, who, key, booking FROM unit_events ORDER BY id"
        )
        assert [(row["version"], row["old"], row["what"], row["new"]) for row in rows] == [
            (0, "", "open", "free"),
            (1, "free", "hold", "held"),
            (2, "held", "confirm", "booked"),
            (3, "booked", "check_in", "checked_in"),
            (4, "checked_in", "call", "called"),
            (5, "called", "pass", "passed"),
        ]
        assert {row["booking"] for row in rows[1:]} == {BOOKING}
        assert {(row["who"], row["key"]) for row in rows[1:]} == {("test", "key")}
