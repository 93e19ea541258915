"""A line of any list fits one line of a phone's bubble: thirteen Chinese characters."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from core.chat.lists import Choosable
from core.chat.moments import Moment, Part
from core.chat.words import Words
from core.clock import ManualClock
from core.stores.database import Database
from services.citizens.service import Citizens
from services.hospital.catalogue import load_catalogue, open_days
from services.hospital.errors import CLAIM_REFUSALS
from services.hospital.model import Booking, ClinicSession, Doctor, Period
from services.hospital.neighbours import book_up
from services.hospital.service import Hospital
from tests.services.ward import effect
from tests.support.talk import words_of

FOLDER = Path(__file__).parents[2] / "demo"
BUBBLE = 13  # Chinese characters; a digit, a Latin letter and a blank are half as wide


def width(line: str) -> float:
    return sum(1 if unicodedata.east_asian_width(each) in "WFA" else 0.5 for each in line)


class Phone:
    """Shows lists and remembers which of their lines wrapped."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.wrapped: list[str] = []
        self.lines = 0

    def show(
        self, key: str, items: Sequence[Choosable], wish: Moment | None = None, fitting: Sequence[str] = ()
    ) -> None:
        if not items:
            return
        question = self.words.question(f"hospital/{key}", options=items, wish=wish, fitting=fitting)
        labels = [question.label(item) for item in items[:6]]  # no list numbers more than one digit
        facts = {"notes": [], "lead": "", "lines": labels, "more": True, "back": True}
        said = self.words.render("chat/choice", **facts).splitlines()
        self.lines += len(said)
        self.wrapped += [line for line in said if width(line) > BUBBLE]


@pytest.fixture
def phone(clock: ManualClock) -> Phone:
    return Phone(words_of().on(clock.now().date()))


@pytest.fixture
async def city(db: Database, hospital: Hospital, citizens: Citizens, clock: ManualClock) -> Hospital:
    await load_catalogue(db, FOLDER)
    await open_days(db, clock.now().date(), 7)
    await book_up(hospital, citizens, FOLDER)
    return hospital


def test_what_is_measured() -> None:
    assert width("1、陈静 主任 人民医院 今天有号") == 15
    assert width("1、08:00~08:30，余 12 个号") == BUBBLE


def shown_on(phone: Phone, doctors: list[Doctor], today: date) -> None:
    """A list of doctors without a wish, and as it is for every day and half-day somebody may have wished."""
    phone.show("doctor", doctors)
    for ahead in range(8):
        for part in (None, *Part):
            wish = Moment(today + timedelta(days=ahead), part)
            phone.show("doctor", doctors, wish, [doctor.id for doctor in doctors if doctor.left])


async def test_lines_wrapped_on_a_phone(
    city: Hospital, phone: Phone, citizens: Citizens, clock: ManualClock
) -> None:
    bookings: list[Booking] = []
    departments = await city.departments()
    for start in range(0, len(departments), 6):
        phone.show("department", [replace(each, left=0) for each in departments[start : start + 6]])
    for department in departments:
        doctors = await city.doctors(department.id)
        shown_on(phone, doctors, clock.now().date())
        for doctor in doctors:
            sessions = await city.sessions(doctor.id)
            every: list[ClinicSession] = [*sessions, *barred(sessions)]
            for session in every:
                phone.show("session", [session])
            for period in await periods_of(city, sessions):
                phone.show("period", [period])
                phone.show("period", [replace(period, instead=True)])
            if sessions:
                first, *_ = await city.periods(sessions[0].id)
                citizen = await citizens.arrive(f"city:{doctor.id}", "city", doctor.id)
                bookings.append(await city.booking(await city.hold(first.id, citizen, effect())))
    for booking in bookings:
        phone.show("cancel_which", [booking])
    assert phone.lines > 2_000, "there is something to see"
    assert phone.wrapped == []


def barred(sessions: list[ClinicSession]) -> list[ClinicSession]:
    """The same half-days as they look to somebody who may not have them."""
    return [
        replace(session, barred=code, barred_until=session.starts_at)
        for session in sessions
        for code in CLAIM_REFUSALS
    ]


async def periods_of(city: Hospital, sessions: list[ClinicSession]) -> list[Period]:
    """The periods of a doctor's first and last half-day."""
    return [
        period for session in (*sessions[:1], *sessions[-1:]) for period in await city.periods(session.id)
    ]
