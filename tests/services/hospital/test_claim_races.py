"""Many at once: no unit is sold twice, none is refused that could be had; each race with its control."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest

from core.clock import ManualClock
from core.stores.database import Database
from services.hospital import store
from services.hospital.errors import DepartmentLimit, NoSuchBooking, SessionLimit, SessionSuspended, UnitTaken
from services.hospital.model import Period
from services.hospital.rules import Rules
from services.hospital.service import Hospital
from tests.services.ward import DEPARTMENTS, MONDAY, Ward, at, effect

CITIZENS = 200
UNITS = 20
_WITHOUT_PERSON_LOCK = """
SELECT replace(pg_get_functiondef('claim_unit'::regproc),
               $$'person:' || p_person$$, $$'other:' || p_booking$$)
"""
_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


async def waiting(db: Database) -> None:
    """Return when some backend waits for another one's row or transaction."""
    async with asyncio.timeout(10):
        while not await db.fetchval(_WAITING):  # noqa: ASYNC110 - another process is watched
            await asyncio.sleep(0.005)


class TestStorm:
    async def test_two_hundred_citizens_twenty_units(self, ward: Ward, hospital: Hospital) -> None:
        period, _ = await ward.session(units=(UNITS, 50))
        everybody = await asyncio.gather(*(ward.citizen() for _ in range(CITIZENS)))
        outcomes = await asyncio.gather(
            *(hospital.hold(period, citizen, effect()) for citizen in everybody), return_exceptions=True
        )
        refused = [outcome for outcome in outcomes if isinstance(outcome, UnitTaken)]
        assert len({outcome for outcome in outcomes if isinstance(outcome, str)}) == UNITS
        assert len(refused) == CITIZENS - UNITS
        assert await ward.states() == {"booked": UNITS, "free": 50}
        assert await hospital.audit() == []
        for refusal in refused:
            alternatives = refusal.facts["alternatives"]
            assert isinstance(alternatives, list)
            assert [type(other) for other in alternatives] == [Period]
            assert alternatives[0].left == 50

    async def test_control_counting_before_inserting_oversells(self, ward: Ward) -> None:
        """What the claim would be without the row lock: everybody counts, then everybody inserts."""
        await ward.db.execute("CREATE TABLE naive (citizen integer)")

        async def naive(citizen: int) -> None:
            if await ward.db.fetchval("SELECT count(*) FROM naive") < UNITS:
                await ward.db.execute("INSERT INTO naive VALUES ($1)", citizen)

        await asyncio.gather(*(naive(citizen) for citizen in range(CITIZENS)))
        assert await ward.db.fetchval("SELECT count(*) FROM naive") > UNITS

    async def test_one_person_at_once_in_all_periods_gets_one(self, ward: Ward, hospital: Hospital) -> None:
        periods = await ward.session(units=(1,) * 8)
        citizen = await ward.citizen()
        outcomes = await asyncio.gather(
            *(hospital.hold(period, citizen, effect()) for period in periods), return_exceptions=True
        )
        assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, SessionLimit) for outcome in outcomes) == 7

    async def test_three_departments_hold_when_five_are_asked_at_once(
        self, ward: Ward, hospital: Hospital
    ) -> None:
        periods = [(await ward.session(f"{name}-1"))[0] for name in DEPARTMENTS]
        citizen = await ward.citizen()
        await asyncio.gather(
            *(hospital.hold(period, citizen, effect()) for period in periods), return_exceptions=True
        )
        assert await ward.states() == {"booked": 3, "free": 2}

    @pytest.mark.parametrize("locked", [True, False], ids=["person locked", "control: not locked"])
    async def test_a_count_is_kept_only_by_the_persons_lock(
        self, ward: Ward, hospital: Hospital, locked: bool
    ) -> None:
        """H8 with two departments booked and two more claimed at once; the control takes the lock away."""
        if not locked:
            await ward.db.execute(await ward.db.fetchval(_WITHOUT_PERSON_LOCK))
        periods = [(await ward.session(f"{name}-1"))[0] for name in DEPARTMENTS]
        citizen = await ward.citizen()
        for period in periods[:2]:
            await hospital.hold(period, citizen, effect())
        async with under_way(ward, periods[2], citizen):
            fourth = asyncio.create_task(hospital.hold(periods[3], citizen, effect()))
            await waiting(ward.db)
        if locked:
            with pytest.raises(DepartmentLimit):
                await fourth
        else:
            await fourth
        assert (await ward.states())["booked"] == (3 if locked else 4)


class _RolledBackError(Exception):
    """A claim under way that comes to nothing."""


@asynccontextmanager
async def under_way(ward: Ward, period: str, citizen: str) -> AsyncIterator[None]:
    """A claim that has taken its unit and commits when the block ends, or rolls back when it raises."""
    person = await ward.citizens.self_person(citizen)
    async with ward.db.transaction() as tx:
        claim = store.Claim(period, citizen, person, "b_aaaaaaaaaaaaaaaa", "key")
        assert await store.claim(tx, claim, store.At(ward.clock.now(), Rules().row())) is None
        yield


class TestRolledBackClaim:
    """The unit freed by a rolled-back claim is not refused to the one who waits."""

    @pytest.mark.parametrize("commits", [False, True], ids=["rolled back: had", "committed: refused"])
    async def test_the_one_waiting_learns_the_truth(
        self, ward: Ward, hospital: Hospital, commits: bool
    ) -> None:
        (period,) = await ward.session()
        first, second = await ward.citizen(), await ward.citizen()
        with suppress(_RolledBackError):
            async with under_way(ward, period, first):
                waiter = asyncio.create_task(hospital.hold(period, second, effect()))
                await waiting(ward.db)
                if not commits:
                    raise _RolledBackError
        if commits:
            with pytest.raises(UnitTaken):
                await waiter
        else:
            assert (await hospital.booking(await waiter)).citizen == second
        assert await ward.states() == {"booked": 1}

    async def test_everyone_waiting_for_the_last_unit_gets_an_answer(
        self, ward: Ward, hospital: Hospital
    ) -> None:
        (period,) = await ward.session(units=(2,))
        first, *others = await asyncio.gather(*(ward.citizen() for _ in range(7)))
        with suppress(_RolledBackError):
            async with under_way(ward, period, first):
                waiters = [asyncio.create_task(hospital.hold(period, other, effect())) for other in others]
                await waiting(ward.db)
                raise _RolledBackError
        outcomes = await asyncio.gather(*waiters, return_exceptions=True)
        kinds = Counter("booked" if isinstance(outcome, str) else repr(outcome) for outcome in outcomes)
        assert kinds == {"booked": 2, repr(UnitTaken()): 4}

    async def test_control_skipping_locked_rows_refuses_a_unit_that_is_free_a_moment_later(
        self, ward: Ward
    ) -> None:
        """The same moment, seen by a claim that does not wait."""
        (period,) = await ward.session()
        skipping = "SELECT id FROM units WHERE period = $1 AND state = 'free' FOR UPDATE SKIP LOCKED"

        async def claim_and_fail() -> None:
            async with ward.db.transaction() as tx:
                assert await tx.fetchval(skipping, period) is not None
                assert await ward.db.fetchval(skipping, period) is None
                raise _RolledBackError

        with pytest.raises(_RolledBackError):
            await claim_and_fail()
        assert await ward.states() == {"free": 1}


class TestAgainstEachOther:
    async def test_a_suspension_waits_for_the_claim_under_way_and_finds_it(
        self, ward: Ward, hospital: Hospital
    ) -> None:
        (period,) = await ward.session(units=(2,))
        async with under_way(ward, period, await ward.citizen()):
            suspension = asyncio.create_task(hospital.suspend_session(f"heart-1:{MONDAY}:AM", "staff"))
            await waiting(ward.db)
        assert await suspension == ["b_aaaaaaaaaaaaaaaa"]
        assert await ward.states() == {"suspended": 1, "free": 1}

    async def test_a_suspension_and_a_storm_leave_no_live_booking(
        self, ward: Ward, hospital: Hospital
    ) -> None:
        (period,) = await ward.session(units=(30,))
        everybody = await asyncio.gather(*(ward.citizen() for _ in range(40)))
        holds = [hospital.hold(period, citizen, effect()) for citizen in everybody]
        session = f"heart-1:{MONDAY}:AM"
        outcomes = await asyncio.gather(
            *holds[:20], hospital.suspend_session(session, "staff"), *holds[20:], return_exceptions=True
        )
        won = [outcome for outcome in outcomes if isinstance(outcome, str)]
        assert all(isinstance(outcome, (str, list, SessionSuspended, UnitTaken)) for outcome in outcomes)
        assert "booked" not in await ward.states()
        assert (await ward.states()).get("suspended", 0) == len(won)
        assert await hospital.audit() == []

    async def test_two_cancellations_return_one_unit_once(self, ward: Ward, hospital: Hospital) -> None:
        (period,) = await ward.session()
        citizen = await ward.citizen()
        booking = await hospital.hold(period, citizen, effect())
        outcomes = await asyncio.gather(
            *(hospital.cancel(booking, citizen, effect()) for _ in range(6)), return_exceptions=True
        )
        assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
        assert await ward.db.fetchval("SELECT count(*) FROM unit_events WHERE what = 'cancel'") == 1

    async def test_several_expiry_jobs_free_each_hold_once(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        (period,) = await ward.session(starts=at("10:30"), fee_fen=1000, units=(20,))
        for citizen in await asyncio.gather(*(ward.citizen() for _ in range(20))):
            await hospital.hold(period, citizen, effect())
        clock.set(at("09:10"))
        freed = await asyncio.gather(*(hospital.expire_holds(limit=5) for _ in range(8)))
        freed.append(await hospital.expire_holds())
        assert sum(freed) == 20
        assert await ward.db.fetchval("SELECT count(*) FROM unit_events WHERE what = 'timeout'") == 20


async def test_a_live_booking_cannot_be_doubled_behind_the_claim(ward: Ward, hospital: Hospital) -> None:
    (period,) = await ward.session()
    await hospital.hold(period, await ward.citizen(), effect())
    other = await ward.citizen()
    with pytest.raises(asyncpg.UniqueViolationError, match="bookings_one_per_unit"):
        await ward.db.execute(
            "INSERT INTO bookings SELECT 'b_bbbbbbbbbbbbbbbb', unit, session, $1, $2, 0, now() FROM bookings",
            other,
            await ward.citizens.self_person(other),
        )
    with pytest.raises(NoSuchBooking):
        await hospital.booking("b_bbbbbbbbbbbbbbbb")
