"""Two hundred citizens want one period of twenty units, all at once and all through the platform."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest

from core.clock import SystemClock
from tests.support.city import City

pytestmark = pytest.mark.timed
CITIZENS, UNITS, CROWD = 200, 20, 40
OPENIDS = [f"oRace{number:023d}" for number in range(CITIZENS)]

ONE_CLINIC = """
INSERT INTO specialties (id, name, aliases, symptoms, rank) VALUES ('race', '晨跑门诊', '{}', '{}', 1);
INSERT INTO departments (id, hospital, specialty, place)
    SELECT 'race', id, 'race', '一楼' FROM hospitals ORDER BY rank LIMIT 1;
INSERT INTO doctors (id, department, surname, given_name, title, skills)
    VALUES ('race', 'race', '抢', '手', '主任医师', ''), ('spare', 'race', '闲', '人', '医师', '');
"""
# The wanted doctor has one period of twenty; the other one has room for everybody, an hour later.
TIMETABLE = """
INSERT INTO timetables
    (doctor, weekday, half, class, fee_fen, starts, ends, period_minutes, units, onsite_percent, room)
VALUES ('race', $1, 'AM', 'general', 0, '08:00', '08:30', 30, 20, 0, '一'),
       ('spare', $1, 'AM', 'general', 0, '09:00', '10:00', 30, 50, 0, '二')
"""
# What the claim would be without its locks: look first, take afterwards.
LOOK_FIRST = """
CREATE OR REPLACE FUNCTION take_unit(p_period text, p_now timestamptz) RETURNS bigint LANGUAGE sql AS $$
    SELECT id FROM units
    WHERE period = p_period AND state = 'free' AND (public_at IS NULL OR public_at <= p_now)
    ORDER BY no LIMIT 1
$$
"""


async def _open_the_clinic(city: City) -> None:
    clock = SystemClock()
    day = (clock.now() + timedelta(days=2)).date()
    await city.gateway.db.execute(ONE_CLINIC)
    await city.gateway.db.execute(TIMETABLE, day.isoweekday())
    await city.gateway.db.fetchval("SELECT open_day($1, $2, '30 minutes')", day, clock.now())


async def _everybody(city: City, text: str, openids: Sequence[str]) -> dict[str, str]:
    replies = await asyncio.gather(*(city.says(openid, text) for openid in openids))
    return dict(zip(openids, replies, strict=True))


async def _up_to_the_last_question(city: City, openids: list[str]) -> None:
    """Not all at once yet: what is raced for is the number."""
    for start in range(0, len(openids), CROWD):
        await _asked_whether(city, openids[start : start + CROWD])


async def _asked_whether(city: City, openids: Sequence[str]) -> None:
    for text, asks in (
        ("挂晨跑门诊", "请选择医生"),
        ("1", "请选择日期"),
        ("1", "请选择时间"),
        ("1", "要约这个号吗"),
    ):
        replies = await _everybody(city, text, openids)
        assert all(asks in reply for reply in replies.values()), Counter(replies.values()).most_common(3)


async def _booked_units(city: City) -> int:
    taken = await city.gateway.db.fetchval(
        "SELECT count(*) FROM units WHERE state = 'booked' AND period LIKE 'race:%'"
    )
    return int(taken)


async def test_two_hundred_citizens_twenty_units_and_a_loser_books_elsewhere(city: City) -> None:
    await _open_the_clinic(city)
    await _up_to_the_last_question(city, OPENIDS)
    replies = await _everybody(city, "1", OPENIDS)
    outcomes = Counter(
        "booked" if "预约成功" in reply else "full" if "已约满" in reply else reply
        for reply in replies.values()
    )
    assert outcomes == {"booked": UNITS, "full": CITIZENS - UNITS}
    assert all("闲人" in reply for reply in replies.values() if "已约满" in reply)
    assert await _booked_units(city) == UNITS
    assert not await city.gateway.services.hospital.audit()

    loser = next(openid for openid, reply in replies.items() if "已约满" in reply)
    assert "1、" in replies[loser], "what there is instead can be picked by number"
    assert "人民医院" in replies[loser]
    assert len(replies[loser].splitlines()) <= 8, "two for each of the two others: none of them wraps"
    assert "要约这个号吗" in await city.says(loser, "1")
    reply = await city.says(loser, "1")
    assert "预约成功" in reply
    assert "闲人" in reply


async def test_control_looking_first_and_taking_afterwards_fails_citizens(city: City) -> None:
    await _open_the_clinic(city)
    await city.gateway.db.execute(LOOK_FIRST)
    few = OPENIDS[:6]
    await _up_to_the_last_question(city, few)
    replies = await _everybody(city, "1", few)
    booked = sum("预约成功" in reply for reply in replies.values())
    assert booked < len(few), "without the locks claims must meet on one unit, or this race tests nothing"
