"""A repeated run is harmless, wherever the process died in hold, cancel or move (design 3, "Effects")."""

import asyncio
from functools import partial

import pytest

from core.clock import ManualClock
from core.effects import AlreadyDone, Effect, perform
from core.errors import StoreGoneError
from core.seal import Seal
from core.stores.database import Database, Transaction
from services.citizens.model import Relative
from services.hospital import moving_store, store
from services.hospital.errors import UnitTaken
from services.hospital.service import Hospital
from tests.services.ward import Ward, at, effect
from tests.support.city_hospital import hospital_of


class CrashError(Exception):
    """The process ends here."""


class Dying(Hospital):
    """A hospital whose process dies once, after the claim and before the commit."""

    async def _claim(self, claim: store.Claim, whom: Relative, tx: Transaction) -> str:
        await super()._claim(claim, whom, tx)
        raise CrashError

    async def _cancel(self, back: store.Return, tx: Transaction) -> str:
        await super()._cancel(back, tx)
        raise CrashError

    async def _move(self, move: moving_store.Move, whom: Relative | None, tx: Transaction) -> str:
        await super()._move(move, whom, tx)
        raise CrashError


@pytest.fixture
def dying(db: Database, seal: Seal, clock: ManualClock) -> Hospital:
    return hospital_of(db, seal, clock, kind=Dying)


async def rows(ward: Ward) -> tuple[int, int]:
    return (
        await ward.db.fetchval("SELECT count(*) FROM bookings"),
        await ward.db.fetchval("SELECT count(*) FROM effects"),
    )


async def test_dead_before_the_commit_nothing_happened(
    ward: Ward, hospital: Hospital, dying: Hospital
) -> None:
    (period,) = await ward.session()
    citizen, named = await ward.citizen(), effect()
    with pytest.raises(CrashError):
        await dying.hold(period, citizen, named)
    assert (await rows(ward), await ward.states()) == ((0, 0), {"free": 1})
    assert await hospital.hold(period, citizen, named)


async def test_dead_after_the_commit_the_next_run_gets_the_stored_booking(
    ward: Ward, hospital: Hospital
) -> None:
    (period,) = await ward.session(units=(3,))
    citizen, named = await ward.citizen(), effect()
    booking = await hospital.hold(period, citizen, named)
    assert await hospital.hold(period, citizen, named) == booking
    assert (await rows(ward), await ward.states()) == ((1, 1), {"booked": 1, "free": 2})


async def test_the_connection_lost_before_the_commit(ward: Ward, hospital: Hospital) -> None:
    (period,) = await ward.session()
    citizen, named = await ward.citizen(), effect()

    async def cut(tx: Transaction) -> str:
        backend = await tx.fetchval("SELECT pg_backend_pid()")
        await tx.execute("SELECT take_unit($1, $2)", period, ward.clock.now())
        await ward.db.fetchval("SELECT pg_terminate_backend($1, 5000)", backend)
        await tx.execute("SELECT 1")
        return "never"

    with pytest.raises(StoreGoneError):
        await perform(ward.db, named, cut)
    assert (await rows(ward), await ward.states()) == ((0, 0), {"free": 1})
    assert await hospital.hold(period, citizen, named)


async def test_cancel_dead_before_and_after_the_commit(
    ward: Ward, hospital: Hospital, dying: Hospital
) -> None:
    (period,) = await ward.session()
    citizen, named = await ward.citizen(), effect(key="cancel")
    booking = await hospital.hold(period, citizen, effect())
    with pytest.raises(CrashError):
        await dying.cancel(booking, citizen, named)
    assert await ward.states() == {"booked": 1}
    assert await hospital.cancel(booking, citizen, named) == booking
    assert await hospital.cancel(booking, citizen, named) == booking
    assert await ward.db.fetchval("SELECT count(*) FROM unit_events WHERE what = 'cancel'") == 1


async def test_move_dead_before_and_after_the_commit(ward: Ward, hospital: Hospital, dying: Hospital) -> None:
    old, new, other = await ward.session(starts=at("11:00"), units=(1, 1, 1))
    citizen, named = await ward.citizen(), effect(key="move")
    booking = await hospital.hold(old, citizen, effect())
    with pytest.raises(CrashError):
        await dying.move(booking, new, citizen, named)
    assert (await hospital.booking(booking)).period == old
    assert await ward.states() == {"booked": 1, "free": 2}
    for _ in range(2):
        assert await hospital.move(booking, new, citizen, named) == booking
    assert await ward.db.fetchval("SELECT count(*) FROM unit_events WHERE what = 'move'") == 1
    with pytest.raises(AlreadyDone):
        await hospital.move(booking, other, citizen, Effect(named.run, named.key, b"other"))
    assert (await hospital.booking(booking)).period == new


async def test_other_arguments_are_told_what_was_done(ward: Ward, hospital: Hospital) -> None:
    first, second = await ward.session(units=(1, 1))
    citizen = await ward.citizen()
    booking = await hospital.hold(first, citizen, Effect("run", "hold", b"first"))
    with pytest.raises(AlreadyDone) as done:
        await hospital.hold(second, citizen, Effect("run", "hold", b"second"))
    assert done.value.result == booking
    assert await rows(ward) == (1, 1)


async def test_control_run_and_key_alone_would_pass_an_old_booking_off_as_the_new_one(
    ward: Ward, hospital: Hospital
) -> None:
    first, second = await ward.session(units=(1, 1))
    citizen = await ward.citizen()
    booking = await hospital.hold(first, citizen, Effect("run", "hold", b""))
    assert await hospital.hold(second, citizen, Effect("run", "hold", b"")) == booking
    assert (await hospital.booking(booking)).starts_at != (await hospital.quote(second, citizen)).starts_at


async def test_a_refusal_may_be_followed_by_another_choice_under_the_same_key(
    ward: Ward, hospital: Hospital
) -> None:
    first, second = await ward.session(units=(1, 1))
    await hospital.hold(first, await ward.citizen(), effect())
    citizen = await ward.citizen()
    with pytest.raises(UnitTaken):
        await hospital.hold(first, citizen, Effect("run", "hold", b"first"))
    assert await hospital.hold(second, citizen, Effect("run", "hold", b"second"))


async def test_four_runs_at_once_make_one_booking(ward: Ward, hospital: Hospital) -> None:
    (period,) = await ward.session(units=(4,))
    again = partial(hospital.hold, period, await ward.citizen(), effect())
    assert len(set(await asyncio.gather(again(), again(), again(), again()))) == 1
    assert await ward.states() == {"booked": 1, "free": 3}


async def test_control_with_a_run_of_their_own_the_rules_must_stop_them(
    ward: Ward, hospital: Hospital
) -> None:
    (period,) = await ward.session(units=(4,))
    citizen = await ward.citizen()
    outcomes = await asyncio.gather(
        *(hospital.hold(period, citizen, effect()) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 3
