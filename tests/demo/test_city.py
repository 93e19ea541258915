"""The demo city: big enough, quick to load, and nobody has to guess a department's name."""

import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from core.chat.answers import fold
from core.clock import ManualClock
from core.stores.database import Database
from services.citizens.service import Citizens
from services.hospital.catalogue import Catalogue, catalogue_files, load_catalogue, open_days, read_catalogue
from services.hospital.neighbours import book_up
from services.hospital.service import Hospital
from tests.services.ward import effect
from tests.support.talk import red_flags

FOLDER = Path(__file__).parents[2] / "demo"
MONDAY = date(2026, 11, 23)
ALARMS = ("胸痛", "胸口疼", "呼吸困难", "喘不上气", "意识不清", "昏迷", "大出血", "自杀", "抽搐")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return read_catalogue(catalogue_files(FOLDER))


@pytest.fixture
async def city(db: Database) -> Database:
    await load_catalogue(db, FOLDER)
    await open_days(db, MONDAY, 7)
    return db


def test_it_is_a_city(catalogue: Catalogue) -> None:
    assert len(catalogue.hospitals) >= 2
    assert len(catalogue.specialties) >= 12
    assert len(catalogue.doctors) >= 40
    names = [doctor.surname + doctor.given_name for doctor in catalogue.doctors]
    assert len(set(names)) == len(names)
    assert {f"{doctor.hospital}-{doctor.specialty}" for doctor in catalogue.doctors} == {
        department.id for department in catalogue.departments
    }
    both = Counter(department.specialty for department in catalogue.departments)
    assert 2 <= sum(n == 2 for n in both.values()) < len(both) / 2
    assert all(doctor.fee_fen == 0 and doctor.onsite_percent == 0 for doctor in catalogue.doctors)


def test_a_word_leads_to_one_department_or_is_meant_for_several_and_no_alarm_sign_leads_to_any(
    catalogue: Catalogue,
) -> None:
    words = [
        word for entry in catalogue.specialties for word in (entry.name, *entry.aliases, *entry.symptoms)
    ]
    assert [word for word, times in Counter(words).items() if times > 1] == ["内科", "妇产科"]
    assert [word for word in words if word in ALARMS] == []


def test_a_symptom_of_a_department_was_answered_with_120(catalogue: Catalogue) -> None:
    words = [
        *(hospital.name for hospital in catalogue.hospitals),
        *(word for each in catalogue.specialties for word in (each.name, *each.aliases, *each.symptoms)),
        *(doctor.surname + doctor.given_name for doctor in catalogue.doctors),
        *(skill for doctor in catalogue.doctors for skill in doctor.skills.split("、")),
    ]
    assert [word for word in words if red_flags().raised_by(fold(f"挂{word}"))] == []
    assert [word for word in words if red_flags().raised_by(fold(word))] == []


def test_a_half_day_fits_on_one_page_of_six_lines(catalogue: Catalogue) -> None:
    for hours in catalogue.hours.values():
        minutes = (hours.ends.hour - hours.starts.hour) * 60 + hours.ends.minute - hours.starts.minute
        assert minutes <= 6 * 30


async def test_people_find_their_department(city: Database, hospital: Hospital) -> None:
    departments = await hospital.departments()
    for word in ("心内科", "心内", "心血管内科", "心脏", "牙科", "孩子发烧", "针灸"):
        assert [department for department in departments if word in department.aliases], word


async def test_all_departments_can_be_booked_and_one_at_every_question_books(
    city: Database, hospital: Hospital, citizens: Citizens, clock: ManualClock
) -> None:
    citizen = await citizens.arrive("city:one", "city", "openid")
    for _ in range(0, 24 * 7, 11):  # whatever the hour, the first of each list is bookable
        department, *others = await hospital.departments()
        assert all(other.left for other in others)
        doctor, *_ = await hospital.doctors(department.id)
        session, *_ = await hospital.sessions(doctor.id)
        period, *_ = await hospital.periods(session.id)
        booking = await hospital.hold(period.id, citizen, effect())
        await hospital.cancel(booking, citizen, effect())
        clock.move(timedelta(hours=11))
        await open_days(city, clock.now().date(), 7)
    assert await hospital.audit() == []


async def test_neighbours_obey_the_rules_and_one_doctor_is_full_from_the_start(
    city: Database, hospital: Hospital, citizens: Citizens
) -> None:
    assert await book_up(hospital, citizens, FOLDER) > 0
    assert await book_up(hospital, citizens, FOLDER) == 0
    assert await hospital.sessions("tan-song") == []
    assert (await hospital.nothing_left("tan-song")).facts["alternatives"]
    last = (await hospital.doctors("cardiology"))[-1]
    assert (last.id, last.left) == ("tan-song", 0)
    assert await hospital.audit() == []


@pytest.mark.parametrize("famous", ["ge-huairen", "ren-boan"])
async def test_the_famous_were_always_full_so_nobody_could_race_for_their_last_number(
    db: Database, hospital: Hospital, citizens: Citizens, clock: ManualClock, famous: str
) -> None:
    await load_catalogue(db, FOLDER)
    for _ in range(8):  # whatever day it is
        await open_days(db, clock.now().date(), 7)
        await book_up(hospital, citizens, FOLDER)
        few = [session.left for session in await hospital.sessions(famous)]
        assert few
        assert all(1 <= left <= 3 for left in few)
        coming = await db.fetchval(
            "SELECT count(*) FROM sessions WHERE doctor = $1 AND date BETWEEN $2 AND $3",
            famous,
            clock.now().date() + timedelta(days=1),
            clock.now().date() + timedelta(days=7),
        )
        assert len(few) < coming + 1, "on other days they are full"
        clock.move(timedelta(days=1))


async def test_whoever_takes_a_last_number_keeps_it(
    city: Database, hospital: Hospital, citizens: Citizens
) -> None:
    await book_up(hospital, citizens, FOLDER)
    last = next(session for session in await hospital.sessions("ge-huairen") if session.left == 1)
    (period,) = await hospital.periods(last.id)
    citizen = await citizens.arrive("city:one", "city", "openid")
    await hospital.hold(period.id, citizen, effect())
    assert await book_up(hospital, citizens, FOLDER) == 0
    assert last.id not in {session.id for session in await hospital.sessions("ge-huairen")}


def test_every_doctor_worked_the_same_few_weeks(catalogue: Catalogue) -> None:
    weeks = Counter(doctor.works for doctor in catalogue.doctors)
    assert len(weeks) >= 20
    whole_days = [doctor.id for doctor in catalogue.doctors if {"Mon AM", "Mon PM"} <= set(doctor.works)]
    assert len(whole_days) >= 5, "two 周一 in one list"


async def test_midnight_passes_and_the_next_day_is_open(
    city: Database, hospital: Hospital, clock: ManualClock
) -> None:
    opened = await city.fetchval("SELECT max(date) FROM sessions")
    clock.move(timedelta(hours=15))
    assert await open_days(city, clock.now().date(), 7) > 0
    assert await city.fetchval("SELECT max(date) FROM sessions") == opened + timedelta(days=1)
    assert await hospital.audit() == []


async def test_loading_is_quick(db: Database) -> None:
    started = time.perf_counter()
    await load_catalogue(db, FOLDER)
    await open_days(db, MONDAY, 7)
    first = time.perf_counter()
    await load_catalogue(db, FOLDER)
    await open_days(db, MONDAY, 7)
    assert first - started < 1.5 * 5  # the bar is 1.5 s on a quiet machine; test machines are not
    assert time.perf_counter() - first < 0.1 * 5
