"""What citizens asked for and have not got: a person is called before it is late, and again when it is."""

from datetime import date, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from commands.rights import DataRights
from core.clock import CITY_ZONE, ManualClock
from core.stores.redis import Redis
from services.citizens.deadlines import Deadlines
from services.citizens.working_days import left, working_day
from tests.services.citizens.kin import Kin, once
from tests.support.rights import data_rights_of
from tests.support.talk import Ground


@pytest.fixture
def data(kin: Kin, redis: Redis, clock: ManualClock) -> DataRights:
    return data_rights_of(Ground(redis, kin.db, kin.seal, clock))


def on(clock: ManualClock, day: date) -> None:
    """It is that morning."""
    clock.set(datetime(day.year, day.month, day.day, 8, 37, tzinfo=CITY_ZONE))


async def test_three_working_days_before_it_is_due_a_person_is_called(
    kin: Kin, data: DataRights, clock: ManualClock
) -> None:
    asker = await kin.person("王小明", proven=True)
    number = await data.rights.correct(asker.citizen, "name", "王晓明", once())
    due = date(2026, 12, 14)  # fifteen working days behind Monday, 23 November
    told = {}
    for day in (date(2026, 12, 8), date(2026, 12, 9), due, due + timedelta(days=1)):
        on(clock, day)
        with capture_logs() as lines:
            assert await data.deadlines.alarm() == len(lines)
        told[day.day] = [(line["event"], line["number"]) for line in lines]
    assert told == {
        8: [],
        9: [("request_due", number)],
        14: [("request_due", number)],
        15: [("request_late", number)],
    }
    assert "王" not in str(told), "what it is about stands in no log"


async def test_of_what_was_answered_nobody_is_called(kin: Kin, data: DataRights, clock: ManualClock) -> None:
    asker = await kin.person("王小明", proven=True)
    number = await data.rights.correct(asker.citizen, "name", "王晓明", once())
    await data.rights.answer(number, "李")
    on(clock, date(2026, 12, 14))
    assert await data.deadlines.alarm() == 0


async def test_an_erasure_that_waits_for_a_booking_is_told_too_and_who_just_left_is_not(
    kin: Kin, clock: ManualClock
) -> None:
    asker, leaver = await kin.person("王小明"), await kin.person("李桂芳")
    for receipt, who, why in (("000011112222", asker, "asked"), ("000011113333", leaver, "left")):
        await kin.db.execute(
            "INSERT INTO erasures (receipt, citizen, why, asked_at, due_at) VALUES ($1, $2, $3, $4, $5)",
            receipt,
            who.citizen,
            why,
            clock.now(),
            clock.now() + timedelta(days=30),
        )
    deadlines = Deadlines(kin.db, clock)
    (waits,) = await deadlines.waiting()
    assert (waits.number, waits.kind, waits.due_on) == ("000011112222", "erasure", date(2026, 12, 14))
    assert await deadlines.near() == []
    on(clock, date(2026, 12, 11))
    assert [each.number for each in await deadlines.near()] == ["000011112222"]


def test_working_days_leave_out_the_weekend() -> None:
    friday, monday = date(2026, 11, 27), date(2026, 11, 30)
    assert (left(friday, monday), left(friday, friday), left(monday, friday)) == (1, 0, -1)
    assert working_day(friday, 1) == monday
    assert all(left(friday, working_day(friday, days)) == days for days in range(1, 30))
