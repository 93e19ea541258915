"""Data files become a city: once, quickly, repeatably, and a mistake names its place."""

import asyncio
from datetime import date, timedelta
from pathlib import Path

import pytest

from core.clock import ManualClock
from core.errors import BootError
from core.stores.database import Database
from services.hospital.catalogue import catalogue_files, load_catalogue, open_days, read_catalogue
from services.hospital.service import Hospital
from tests.services.ward import at

MONDAY = date(2026, 11, 23)
CITY = """
[hours.AM]
starts = 08:00:00
ends = 09:00:00
[[hospitals]]
id = "h"
name = "测试医院"
address = "一号街"
phone = "0199-5550000"
[[specialties]]
id = "heart"
name = "心内科"
aliases = ["心内"]
symptoms = ["心慌"]
[[departments]]
hospital = "h"
specialty = "heart"
place = "三楼"
[[doctors]]
id = "chen"
hospital = "h"
specialty = "heart"
surname = "陈"
given_name = "静"
title = "主任医师"
skills = ""
clinic_class = "expert"
room = "1诊室"
works = ["Mon AM", "Tue AM"]
units = 10
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "city.toml").write_text(CITY)
    return tmp_path


async def count(db: Database, table: str) -> int:
    return int(await db.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 - our own names


async def test_a_day_is_opened_as_the_timetable_says(db: Database, hospital: Hospital, folder: Path) -> None:
    assert await load_catalogue(db, folder)
    assert await open_days(db, MONDAY, 7) == 3  # Monday, Tuesday, and Monday again
    periods = await hospital.periods(f"chen:{MONDAY + timedelta(days=1)}:AM")
    assert [(period.starts_at, period.left) for period in periods] == [
        (at("08:00", date(2026, 11, 24)), 10),
        (at("08:30", date(2026, 11, 24)), 10),
    ]
    assert periods[0].place == "三楼1诊室"
    numbers = await db.fetch("SELECT no FROM units WHERE period = $1 ORDER BY no", periods[1].id)
    assert [row["no"] for row in numbers] == list(range(11, 21))
    assert await hospital.audit() == []


async def test_the_same_files_and_days_again_change_nothing(db: Database, folder: Path) -> None:
    await load_catalogue(db, folder)
    await open_days(db, MONDAY, 7)
    units = await count(db, "units")
    assert not await load_catalogue(db, folder)
    assert await open_days(db, MONDAY, 7) == 0
    assert await count(db, "units") == units


async def test_midnight_opens_the_next_day_only(db: Database, folder: Path) -> None:
    await load_catalogue(db, folder)
    await open_days(db, MONDAY, 7)
    assert await open_days(db, MONDAY + timedelta(days=1), 7) == 1  # Tuesday of next week
    assert await open_days(db, MONDAY + timedelta(days=2), 7) == 0


async def test_several_processes_open_a_day_once(db: Database, hospital: Hospital, folder: Path) -> None:
    await asyncio.gather(*(load_catalogue(db, folder) for _ in range(4)))
    assert sum(await asyncio.gather(*(open_days(db, MONDAY, 7) for _ in range(4)))) == 3
    assert await hospital.audit() == []


async def test_changed_files_change_the_catalogue_and_coming_days_but_no_open_session(
    db: Database, folder: Path
) -> None:
    await load_catalogue(db, folder)
    await open_days(db, MONDAY, 0)
    changed = CITY.replace("units = 10", "units = 3").replace('"静"', '"敏"').replace('["心内"]', '["心脏"]')
    (folder / "city.toml").write_text(changed)
    assert await load_catalogue(db, folder)
    await open_days(db, MONDAY, 1)
    quotas = await db.fetch("SELECT quota FROM sessions ORDER BY date")
    assert [row["quota"] for row in quotas] == [20, 6]
    assert await db.fetchval("SELECT given_name FROM doctors") == "敏"
    assert await db.fetchval("SELECT aliases FROM specialties") == ["心脏"]


async def test_h6_reserved_units_are_public_half_an_hour_before_the_session(
    db: Database, hospital: Hospital, clock: ManualClock, folder: Path
) -> None:
    (folder / "city.toml").write_text(CITY.replace("units = 10", "units = 10\nonsite_percent = 30"))
    await load_catalogue(db, folder)
    await open_days(db, MONDAY, 0)
    clock.set(at("07:29"))
    assert [period.left for period in await hospital.periods(f"chen:{MONDAY}:AM")] == [7, 7]
    clock.set(at("07:30"))
    assert [period.left for period in await hospital.periods(f"chen:{MONDAY}:AM")] == [10, 10]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('given_name = "静"', 'given_nam = "静"', "city.toml: .*given_nam"),
        ('specialty = "heart"\nplace', 'specialty = "hart"\nplace', "department h-hart names an unknown"),
        ('specialty = "heart"\nsurname', 'specialty = "lungs"\nsurname', "doctor chen works in an unknown"),
        ('"Mon AM"', '"Monday"', 'doctor chen works "Monday"; write it like "Mon AM"'),
        ('"Tue AM"', '"Tue NIGHT"', "no hours are given"),
        (
            "[hours.AM]",
            '[neighbours_leave.nobody]\n"Mon AM" = 0\n[hours.AM]',
            "neighbours_leave: nobody does not work Mon AM",
        ),
        ("units = 10", "units = ", "city.toml"),
        ('place = "三楼"', 'place = ""', r"city.toml: .*departments\[0\]\.place"),
        ('place = "三楼"', 'place = "\u3000"', r"city.toml: .*departments\[0\]\.place"),
        ('name = "测试医院"', 'name = " "', r"city.toml: .*hospitals\[0\]\.name"),
        ('surname = "陈"', 'surname = ""', r"city.toml: .*doctors\[0\]\.surname"),
    ],
)
async def test_a_mistake_is_named(db: Database, folder: Path, old: str, new: str, said: str) -> None:
    assert old in CITY
    (folder / "city.toml").write_text(CITY.replace(old, new, 1))
    with pytest.raises(BootError, match=said):
        await load_catalogue(db, folder)
    assert await count(db, "hospitals") == 0


def test_a_folder_without_data_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(BootError, match="no hospital data"):
        read_catalogue(catalogue_files(tmp_path))
