"""What is offered to who moves a booking: what they might have if they had not that booking."""

from datetime import timedelta

import pytest

from services.hospital.errors import SessionLimit
from services.hospital.service import Hospital
from tests.services.hospital.test_move_rules import booked
from tests.services.ward import MONDAY, Ward, at, effect

TUESDAY = MONDAY + timedelta(days=1)
WEDNESDAY = MONDAY + timedelta(days=2)


async def test_its_own_half_day_is_open_and_its_own_period_is_nowhere_to_move_to(
    ward: Ward, hospital: Hospital
) -> None:
    old, new = await ward.session(starts=at("10:00", TUESDAY), units=(3, 3))
    booking, citizen = await booked(ward, hospital, old)
    (barred,) = await ward.session("heart-2", at("10:00", TUESDAY))
    with pytest.raises(SessionLimit):
        await hospital.sessions("heart-1", await ward.person(citizen))
    (session,) = await hospital.sessions("heart-1", await ward.person(citizen), booking)
    assert (session.barred, session.left) == ("", 3)
    offered = await hospital.periods_or_others(session.id, await ward.person(citizen), booking)
    assert [period.id for period in offered] == [new]
    doctors = await hospital.doctors("heart", await ward.person(citizen), moving=booking)
    assert {doctor.id: doctor.left for doctor in doctors} == {"heart-1": 3, "heart-2": 1}
    await hospital.hold(barred, await ward.citizen(), effect())
    assert [
        period.id for period in await hospital.alternatives(barred, await ward.person(citizen), booking)
    ] == [new]


async def test_a_half_day_at_another_price_is_marked(ward: Ward, hospital: Hospital) -> None:
    (old,) = await ward.session(starts=at("10:00", TUESDAY), fee_fen=1000)
    await ward.session("heart-2", at("10:00", TUESDAY), fee_fen=1000)
    await ward.session("heart-2", at("10:00", WEDNESDAY), fee_fen=2500)
    booking, citizen = await booked(ward, hospital, old)
    await ward.move(booking, "confirm")
    sessions = await hospital.sessions("heart-2", await ward.person(citizen), booking)
    assert [session.barred for session in sessions] == ["", "fee_differs"]
