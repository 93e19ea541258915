"""Many move at once: no unit is had twice, nobody waits in a circle; each race with its control."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import date, timedelta
from functools import partial

import asyncpg
import pytest

from core.errors import DomainError, StoreGoneError
from core.stores.database import Database, Transaction
from services.hospital import moving_store, store
from services.hospital.errors import AlreadyReturned, UnitTaken, VisitSuspended
from services.hospital.model import BookingState
from services.hospital.rules import Rules
from services.hospital.service import Hospital
from tests.services.ward import MONDAY, Ward, at, effect

CITIZENS = 40
SESSION_A, SESSION_B = (f"heart-{number}:{MONDAY}:AM" for number in (1, 2))
_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
"""
_IN_A_CIRCLE = """
WITH RECURSIVE waits AS (
    SELECT pid, unnest(pg_blocking_pids(pid)) AS on_pid FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database()
), way AS (
    SELECT pid, on_pid FROM waits
    UNION SELECT way.pid, waits.on_pid FROM way JOIN waits ON waits.pid = way.on_pid
)
SELECT EXISTS (SELECT FROM way WHERE pid = on_pid)
"""
_WITHOUT_ROW_LOCK = """
CREATE OR REPLACE FUNCTION take_unit(p_period text, p_now timestamptz) RETURNS bigint LANGUAGE sql AS $$
    SELECT id FROM units WHERE period = p_period AND state = 'free' ORDER BY no LIMIT 1
$$
"""
# At the gate a list is begun and nothing is locked yet: who stops there has what was free before it opened.
# Each goes through it once.
_WITH_AN_OLD_LIST = """
CREATE FUNCTION gate() RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('bm.passed', true), '') = '' THEN
        PERFORM pg_advisory_lock_shared(4711);
        PERFORM pg_advisory_unlock_shared(4711), set_config('bm.passed', 'yes', true);
    END IF;
    RETURN true;
END $$;
CREATE OR REPLACE FUNCTION take_unit(p_period text, p_now timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_unit bigint;
BEGIN
    SELECT id INTO v_unit FROM units WHERE period = p_period AND state = 'free'
    ORDER BY no LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        SELECT id INTO v_unit FROM units WHERE period = p_period AND state = 'free' AND gate()
        ORDER BY no LIMIT 1 FOR UPDATE;
    END IF;
    RETURN v_unit;
END $$
"""
_BEHIND_THE_GATE = """
SELECT count(*) FROM pg_stat_activity waits
JOIN pg_stat_activity gated ON gated.pid = ANY (pg_blocking_pids(waits.pid))
WHERE gated.wait_event = 'advisory' AND gated.datname = current_database()
"""
_GATE = 4711
_AS_IT_IS = ("UNION", "ORDER BY 1")
# A move stops at a gate behind each session it locked; $1 and $2 say in which order it goes through them.
_GATED = """
SELECT replace(replace(replace(pg_get_functiondef('move_booking'::regproc),
    'END LOOP', 'PERFORM pg_advisory_xact_lock_shared(4711); END LOOP'), 'UNION', $1), 'ORDER BY 1', $2)
"""
_names = (f"b_{number:016}" for number in itertools.count())


async def waiting(db: Database, count: int = 1, which: str = _WAITING) -> None:
    """Return when so many backends wait for others."""
    async with asyncio.timeout(10):
        while await db.fetchval(which) < count:  # noqa: ASYNC110 - other processes are watched
            await asyncio.sleep(0.005)


@asynccontextmanager
async def closed_gate(db: Database) -> AsyncIterator[None]:
    """Nobody passes the gate until the block ends."""
    async with db.transaction() as tx:
        await tx.execute("SELECT pg_advisory_xact_lock($1)", _GATE)
        yield


async def booked(ward: Ward, hospital: Hospital, period: str) -> tuple[str, str]:
    citizen = await ward.citizen()
    return await hospital.hold(period, citizen, effect()), citizen


def at_now(ward: Ward) -> store.At:
    return store.At(ward.clock.now(), Rules().row())


def at_day(ahead: int = 1) -> date:
    """So many days after Monday."""
    return MONDAY + timedelta(days=ahead)


class _RolledBackError(Exception):
    """A move under way that comes to nothing."""


@asynccontextmanager
async def moving(ward: Ward, booking: str, period: str, citizen: str) -> AsyncIterator[None]:
    """A move that has taken its unit and commits when the block ends, or rolls back when it raises."""
    async with ward.db.transaction() as tx:
        wanted = moving_store.Move(store.Return(booking, citizen, "key"), period)
        assert await moving_store.move(tx, wanted, at_now(ward)) is None
        yield


@asynccontextmanager
async def claiming(ward: Ward, period: str, citizen: str, booking: str) -> AsyncIterator[None]:
    """A claim that has taken its unit and commits when the block ends."""
    person = await ward.citizens.self_person(citizen)
    async with ward.db.transaction() as tx:
        assert (
            await store.claim(tx, store.Claim(period, citizen, person, booking, "key"), at_now(ward)) is None
        )
        yield


async def settle(*wishes: Awaitable[object]) -> list[object]:
    """Do all at once; what came of each: a result or a refusal, never anything else."""
    outcomes = await asyncio.gather(*wishes, return_exceptions=True)
    assert not [
        each for each in outcomes if isinstance(each, BaseException) and not isinstance(each, DomainError)
    ]
    return list(outcomes)


class TestLastUnit:
    async def test_forty_move_into_one_and_the_others_keep_theirs(
        self, ward: Ward, hospital: Hospital
    ) -> None:
        old, last = await ward.session(starts=at("10:00"), units=(CITIZENS, 1))
        everybody = await asyncio.gather(*(booked(ward, hospital, old) for _ in range(CITIZENS)))
        outcomes = await settle(
            *(hospital.move(booking, last, citizen, effect()) for booking, citizen in everybody)
        )
        (moved,) = [outcome for outcome in outcomes if isinstance(outcome, str)]
        assert sum(isinstance(outcome, UnitTaken) for outcome in outcomes) == CITIZENS - 1
        assert await ward.states() == {"booked": CITIZENS, "free": 1}
        for booking, _ in everybody:
            now = await hospital.booking(booking)
            assert (now.period, now.version) == ((last, 1) if booking == moved else (old, 0))
        assert await hospital.audit() == []

    @pytest.mark.parametrize("locked", [True, False], ids=["locked", "control: not locked"])
    async def test_the_second_waits_for_the_first(self, ward: Ward, hospital: Hospital, locked: bool) -> None:
        """Without the lock both have the same unit in hand, and only the machine stops the second."""
        if not locked:
            await ward.db.execute(_WITHOUT_ROW_LOCK)
        old, last = await ward.session(starts=at("10:00"), units=(2, 1))
        first, second = await booked(ward, hospital, old), await booked(ward, hospital, old)
        async with moving(ward, first[0], last, first[1]):
            waiter = asyncio.create_task(hospital.move(second[0], last, second[1], effect()))
            await waiting(ward.db)
        with pytest.raises(UnitTaken if locked else asyncpg.IntegrityConstraintViolationError):
            await waiter
        assert (await hospital.booking(second[0])).period == old

    async def test_what_a_rolled_back_move_leaves_is_had(self, ward: Ward, hospital: Hospital) -> None:
        old, last = await ward.session(starts=at("10:00"), units=(1, 1))
        booking, citizen = await booked(ward, hospital, old)
        with suppress(_RolledBackError):
            async with moving(ward, booking, last, citizen):
                waiter = asyncio.create_task(hospital.hold(last, await ward.citizen(), effect()))
                await waiting(ward.db)
                raise _RolledBackError
        assert await waiter
        assert await ward.states() == {"booked": 2}

    async def test_one_booking_moved_to_eight_periods_at_once_is_in_one(
        self, ward: Ward, hospital: Hospital
    ) -> None:
        old, *others = await ward.session(starts=at("10:00", at_day()), units=(1,) * 9)
        booking, citizen = await booked(ward, hospital, old)
        await settle(*(hospital.move(booking, period, citizen, effect()) for period in others))
        assert await ward.states() == {"booked": 1, "free": 8}
        assert (await hospital.booking(booking)).version == 8
        assert await hospital.audit() == []


class TestSameBooking:
    @pytest.mark.parametrize("suspended", [SESSION_A, SESSION_B], ids=["the old one", "the new one"])
    async def test_a_suspension_waits_for_the_move_under_way(
        self, ward: Ward, hospital: Hospital, suspended: str
    ) -> None:
        (old,) = await ward.session("heart-1", at("10:00"))
        (new,) = await ward.session("heart-2", at("10:00"))
        booking, citizen = await booked(ward, hospital, old)
        async with moving(ward, booking, new, citizen):
            suspension = asyncio.create_task(hospital.suspend_session(suspended, "staff"))
            await waiting(ward.db)
        assert await suspension == ([booking] if suspended == SESSION_B else [])
        state = (await hospital.booking(booking)).state
        assert state is (BookingState.SUSPENDED if suspended == SESSION_B else BookingState.BOOKED)
        assert await hospital.audit() == []

    async def test_moved_cancelled_and_suspended_at_once_one_story_comes_of_it(
        self, ward: Ward, hospital: Hospital
    ) -> None:
        """In each of ten half-days; the order in which the three begin is shuffled."""
        shuffled = random.Random(11)
        stories: Counter[str] = Counter()
        for day in range(2, 7):
            for number in (1, 2):
                (old,) = await ward.session(f"heart-{number}", at("10:00", at_day(day)))
                (new,) = await ward.session(f"lungs-{number}", at("10:00", at_day(day)))
                booking, citizen = await booked(ward, hospital, old)
                wishes = {
                    "move": hospital.move(booking, new, citizen, effect()),
                    "cancel": hospital.cancel(booking, citizen, effect()),
                    "suspend": hospital.suspend_session(old.rpartition(":")[0], "staff"),
                }
                names = shuffled.sample(sorted(wishes), k=3)
                outcomes = dict(zip(names, await settle(*(wishes[name] for name in names)), strict=True))
                stories[_story(outcomes, booking, (await hospital.booking(booking)).state)] += 1
        assert await hospital.audit() == []
        assert sum(stories.values()) == 10


def _story(outcomes: dict[str, object], booking: str, state: BookingState) -> str:
    """What happened, if it can have happened in some order."""
    moved, cancelled = outcomes["move"] == booking, outcomes["cancel"] == booking
    suspended = outcomes["suspend"] == [booking]
    if suspended:
        assert not moved
        assert not cancelled
        assert isinstance(outcomes["move"], VisitSuspended)
        assert isinstance(outcomes["cancel"], VisitSuspended)
        assert state is BookingState.SUSPENDED
        return "suspended"
    assert cancelled
    assert state is BookingState.CANCELLED
    assert moved or isinstance(outcomes["move"], AlreadyReturned)
    return "moved, then cancelled" if moved else "cancelled"


async def patiently(db: Database, wish: Callable[[Transaction], Awaitable[object]]) -> object:
    """Do it in a transaction that PostgreSQL does not soon free from a circle, so that one can be seen."""
    async with db.transaction() as tx:
        await tx.execute("SET LOCAL deadlock_timeout = '30s'")
        return await wish(tx)


def in_a_circle(outcome: object) -> bool:
    """Tell whether somebody was told to come again because two waited for each other."""
    return isinstance(outcome, StoreGoneError) and isinstance(
        outcome.__cause__, asyncpg.DeadlockDetectedError
    )


class TestNobodyWaitsInACircle:
    """The order of locks that migration 0009 writes down; each control leaves it."""

    @pytest.mark.parametrize("in_order", [True, False], ids=["by id", "control: the old one first"])
    async def test_two_moves_that_cross_while_both_half_days_are_suspended(
        self, ward: Ward, hospital: Hospital, in_order: bool
    ) -> None:
        """In the control each move stands behind a suspension that waits for the other move."""
        db, now = ward.db, at_now(ward)
        (here,) = await ward.session("heart-1", at("10:00"), units=(2,))
        (there,) = await ward.session("heart-2", at("10:00"), units=(2,))
        going, coming = await booked(ward, hospital, here), await booked(ward, hospital, there)
        await db.execute(await db.fetchval(_GATED, *(("UNION ALL", "") if not in_order else _AS_IT_IS)))
        crossing = [
            partial(
                moving_store.move,
                wanted=moving_store.Move(store.Return(booking, citizen, "key"), period),
                at=now,
            )
            for (booking, citizen), period in ((going, there), (coming, here))
        ]
        suspending = [
            partial(store.suspend, session=session, who="staff", key="key", now=now.now)
            for session in (SESSION_A, SESSION_B)
        ]
        async with closed_gate(db):
            tasks = [asyncio.create_task(patiently(db, wish)) for wish in crossing]
            await waiting(db, 2)
            tasks += [asyncio.create_task(patiently(db, wish)) for wish in suspending]
            await waiting(db, 3 if in_order else 4)
            if in_order:  # nobody holds its half-day yet: it ends before anything moves on
                await asyncio.wait(tasks[-1:])
        if in_order:
            *refused, first, second = await asyncio.gather(*tasks)
            assert [isinstance(each, store.Refusal) and each.code for each in refused] == [
                "session_suspended",
                "visit_suspended",
            ]
            assert (first, second) == ([going[0]], [coming[0]])
            return
        async with asyncio.timeout(10):
            while not await db.fetchval(_IN_A_CIRCLE):  # noqa: ASYNC110 - other processes are watched
                await asyncio.sleep(0.005)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @pytest.mark.parametrize("anew", [True, False], ids=["looked for anew", "control: from an old list"])
    async def test_two_claims_and_two_moves_that_wait_for_the_same_two_periods(
        self, ward: Ward, hospital: Hospital, anew: bool
    ) -> None:
        """In the control the claims go on to units that were free when they began and are moved by now."""
        if not anew:
            await ward.db.execute(_WITH_AN_OLD_LIST)
        (here,) = await ward.session("heart-1", at("10:00"), units=(2,))
        (there,) = await ward.session("heart-2", at("10:00"), units=(2,))
        citizens = [await ward.citizen() for _ in range(6)]
        bookings = [next(_names) for _ in range(4)]
        async with AsyncExitStack() as gate:
            async with AsyncExitStack() as first:
                async with AsyncExitStack() as second:
                    for stack, place in ((first, 0), (second, 1)):
                        for number, period in enumerate((here, there)):
                            name = 2 * place + number
                            held = claiming(ward, period, citizens[name], bookings[name])
                            await stack.enter_async_context(held)
                    claims = [
                        asyncio.create_task(hospital.hold(period, citizen, effect()))
                        for period, citizen in ((here, citizens[4]), (there, citizens[5]))
                    ]
                    await waiting(ward.db, 2)
                if not anew:
                    await gate.enter_async_context(closed_gate(ward.db))
                moves = [
                    asyncio.create_task(hospital.move(bookings[2], there, citizens[2], effect())),
                    asyncio.create_task(hospital.move(bookings[3], here, citizens[3], effect())),
                ]
                await waiting(ward.db, 4)
            if not anew:  # what the claims went on to the moves have
                await waiting(ward.db, 2, _BEHIND_THE_GATE)
        outcomes = await asyncio.gather(*claims, *moves, return_exceptions=True)
        circles = sum(in_a_circle(each) for each in outcomes)
        assert circles == 0 if anew else circles > 0
        if anew:
            assert [type(each) for each in outcomes] == [UnitTaken] * 4
            assert await ward.states() == {"booked": 4}

    async def test_whatever_is_done_at_once_nothing_but_refusals_comes_of_it(
        self, ward: Ward, hospital: Hospital
    ) -> None:
        shuffled = random.Random(7)
        periods = [
            period
            for doctor in ("heart-1", "heart-2", "lungs-1", "lungs-2")
            for period in await ward.session(doctor, at("10:00", at_day()), units=(3, 3, 3))
        ]
        have = [await booked(ward, hospital, period) for period in periods[::2] for _ in range(3)]
        wishes: list[Awaitable[object]] = [
            hospital.move(booking, shuffled.choice(periods), citizen, effect())
            for booking, citizen in have * 4
        ]
        wishes += [hospital.cancel(booking, citizen, effect()) for booking, citizen in have[::4]]
        wishes += [hospital.hold(period, await ward.citizen(), effect()) for period in periods * 2]
        wishes += [
            hospital.suspend_session(f"{doctor}:{at_day()}:AM", "staff") for doctor in ("heart-2", "lungs-2")
        ]
        shuffled.shuffle(wishes)
        outcomes = await settle(*wishes)
        assert any(isinstance(outcome, UnitTaken) for outcome in outcomes)
        assert await hospital.audit() == []
        assert sum((await ward.states()).values()) == 36
