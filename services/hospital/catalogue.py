"""A city's hospitals out of data files, and the opening of their days."""

import hashlib
from datetime import date, time, timedelta
from pathlib import Path
from typing import Annotated

import msgspec

from core.errors import BootError
from core.stores.database import Database
from services.hospital import catalogue_store as store
from services.hospital.model import ClinicClass, Half
from services.hospital.rules import ONSITE_UNTIL

Said = Annotated[str, msgspec.Meta(pattern=r"\S")]  # stands in messages and notices: never blank


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The common shape of all entries: a misspelt field is an error, not a default."""


class HospitalEntry(_Entry, frozen=True, kw_only=True):
    """A hospital; what it does not publish is asked for by phone."""

    id: str
    name: Said
    address: str
    phone: str
    opening: str = ""  # when it is open
    collecting: str = ""  # where and when a booked number is collected
    bring: str = ""
    insurance: str = ""


class SpecialtyEntry(_Entry, frozen=True, kw_only=True):
    id: str
    name: Said
    aliases: tuple[str, ...]
    symptoms: tuple[str, ...]


class DepartmentEntry(_Entry, frozen=True, kw_only=True):
    hospital: str
    specialty: str
    place: Said  # with the room behind it: where a visit is

    @property
    def id(self) -> str:
        return f"{self.hospital}-{self.specialty}"


class Hours(_Entry, frozen=True, kw_only=True):
    """From when to when a half-day's clinic runs, local time."""

    starts: time
    ends: time


class DoctorEntry(_Entry, frozen=True, kw_only=True):
    """A doctor and their week: `works` names half-days such as "Mon AM"."""

    id: str
    hospital: str
    specialty: str
    surname: Said
    given_name: str
    title: str
    skills: str
    clinic_class: ClinicClass
    room: str
    works: tuple[str, ...]
    units: int  # of each period
    fee_fen: int = 0
    period_minutes: int = 30
    onsite_percent: int = 0  # H6
    hours: dict[Half, Hours] = {}  # where they differ from the city's


class Catalogue(_Entry, frozen=True, kw_only=True):
    """Everything the files of one folder say together."""

    hours: dict[Half, Hours] = {}
    hospitals: tuple[HospitalEntry, ...] = ()
    specialties: tuple[SpecialtyEntry, ...] = ()
    departments: tuple[DepartmentEntry, ...] = ()
    doctors: tuple[DoctorEntry, ...] = ()
    # By doctor and half-day: how many numbers the demo's neighbours leave to others.
    neighbours_leave: dict[str, dict[str, int]] = {}


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def half_day_of(day: date, half: Half) -> str:
    """A half-day as the data files write it: "Mon AM"."""
    return f"{_WEEKDAYS[day.weekday()]} {half}"


async def load_catalogue(db: Database, folder: Path) -> bool:
    """Write the catalogue of a folder of TOML files; False when just these files are loaded already.

    Entries that vanished from the files stay: booked sessions may hang on them.
    """
    files = catalogue_files(folder)
    digest = _digest(files)
    if await store.loaded(db, folder.name) == digest:
        return False
    catalogue = read_catalogue(files)
    async with db.transaction() as tx:
        await store.lock(tx)
        await store.put_hospitals(tx, [msgspec.structs.astuple(hospital) for hospital in catalogue.hospitals])
        await store.put_specialties(
            tx, [(s.id, s.name, s.aliases, s.symptoms) for s in catalogue.specialties]
        )
        await store.put_departments(
            tx, [(d.id, d.hospital, d.specialty, d.place) for d in catalogue.departments]
        )
        await store.put_doctors(
            tx,
            [
                (d.id, f"{d.hospital}-{d.specialty}", d.surname, d.given_name, d.title, d.skills)
                for d in catalogue.doctors
            ],
        )
        await store.put_timetables(tx, [row for d in catalogue.doctors for row in _week(d, catalogue.hours)])
        await store.note_loaded(tx, folder.name, digest)
    return True


async def open_days(db: Database, today: date, days: int) -> int:
    """Open the sessions the timetables ask for, today and `days` days on; return how many are new.

    Repeatable and safe in several processes at once; to be called at start and after midnight.
    """
    opened = 0
    async with db.transaction() as tx:
        await store.lock(tx)
        for ahead in range(days + 1):
            opened += await store.open_day(tx, today + timedelta(days=ahead), ONSITE_UNTIL)
        if opened:
            await store.learn(tx)
    return opened


async def loaded_catalogues(db: Database) -> list[str]:
    """Name the folders the database has a catalogue of; none means that nothing can be booked."""
    return await store.sources(db)


def catalogue_files(folder: Path) -> list[Path]:
    """List the data files of a folder; a folder without any is a mistake."""
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise BootError(f"{folder}: no hospital data (*.toml) here")
    return files


def read_catalogue(files: list[Path]) -> Catalogue:
    """Read and join the files; a mistake names its file, and a reference to nothing is a mistake."""
    parts = [_read(path) for path in files]
    catalogue = Catalogue(
        hours={half: hours for part in parts for half, hours in part.hours.items()},
        hospitals=tuple(entry for part in parts for entry in part.hospitals),
        specialties=tuple(entry for part in parts for entry in part.specialties),
        departments=tuple(entry for part in parts for entry in part.departments),
        doctors=tuple(entry for part in parts for entry in part.doctors),
        neighbours_leave={doctor: week for part in parts for doctor, week in part.neighbours_leave.items()},
    )
    _check_references(catalogue)
    return catalogue


def _read(path: Path) -> Catalogue:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Catalogue)
    except (msgspec.DecodeError, OSError) as wrong:
        raise BootError(f"{path}: {wrong}") from wrong


def _check_references(catalogue: Catalogue) -> None:
    departments = {entry.id for entry in catalogue.departments}
    hospitals = {entry.id for entry in catalogue.hospitals}
    specialties = {entry.id for entry in catalogue.specialties}
    for department in catalogue.departments:
        if department.hospital not in hospitals or department.specialty not in specialties:
            raise BootError(
                f"hospital data: department {department.id} names an unknown hospital or specialty"
            )
    for doctor in catalogue.doctors:
        if f"{doctor.hospital}-{doctor.specialty}" not in departments:
            raise BootError(f"hospital data: doctor {doctor.id} works in an unknown department")
    works = {(doctor.id, half_day) for doctor in catalogue.doctors for half_day in doctor.works}
    left = {(doctor, half_day) for doctor, week in catalogue.neighbours_leave.items() for half_day in week}
    for doctor_id, half_day in sorted(left - works):
        raise BootError(f"hospital data: neighbours_leave: {doctor_id} does not work {half_day}")


def _week(doctor: DoctorEntry, city_hours: dict[Half, Hours]) -> list[tuple[object, ...]]:
    """Spell a doctor's week out as rows of `timetables`."""
    rows: list[tuple[object, ...]] = []
    for half_day in doctor.works:
        weekday, _, name = half_day.partition(" ")
        if weekday not in _WEEKDAYS or name not in Half.__members__:
            raise BootError(f'hospital data: doctor {doctor.id} works "{half_day}"; write it like "Mon AM"')
        half = Half(name)
        hours = doctor.hours.get(half) or city_hours.get(half)
        if hours is None:
            raise BootError(f"hospital data: doctor {doctor.id} works {half}, but no hours are given for it")
        rows.append(
            (
                doctor.id,
                _WEEKDAYS.index(weekday) + 1,
                half,
                doctor.clinic_class,
                doctor.fee_fen,
                hours.starts,
                hours.ends,
                doctor.period_minutes,
                doctor.units,
                doctor.onsite_percent,
                doctor.room,
            )
        )
    return rows


def _digest(files: list[Path]) -> bytes:
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.digest()
