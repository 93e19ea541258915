"""Rows of the database into the hospital's nouns."""

from datetime import date, datetime, timedelta
from typing import TypedDict

import asyncpg

from core.clock import CITY_ZONE
from services.citizens.service import Relative
from services.hospital import spoken
from services.hospital.links import Links
from services.hospital.model import (
    Booking,
    BookingState,
    ClinicClass,
    ClinicSession,
    Department,
    Doctor,
    Half,
    Name,
    Period,
    Quote,
    Site,
)

Row = asyncpg.Record


class _Visit(TypedDict):
    """What every row of `clinic_periods` says of a `Visit`; id, aliases and fee differ."""

    hospital: str
    address: str
    phone: str
    department: str
    doctor: str
    title: str
    clinic_class: ClinicClass
    half: Half
    place: str
    starts_at: datetime
    ends_at: datetime


def department(row: Row) -> Department:
    return Department(
        id=row["id"],
        aliases=(row["name"], *row["aliases"], *row["symptoms"]),
        name=row["name"],
        hospitals=tuple(row["hospitals"]),
        left=row["left"],
    )


def name(row: Row) -> Name:
    called = (row["name"], *row["aliases"], *row["symptoms"])
    if row["doctor"]:
        called = spoken.doctor_names(row["surname"], row["given_name"], row["title"])
    elif not row["department"]:
        called = (row["hospital_name"], spoken.hospital_short(row["hospital_name"]))
    return Name(
        aliases=called,
        department=row["department"],
        department_name=row["name"],
        doctor=row["doctor"],
        doctor_name=row["surname"] + row["given_name"],
        hospital=row["hospital"],
        hospital_name=row["hospital_name"],
    )


def doctor(row: Row) -> Doctor:
    called = spoken.doctor_names(row["surname"], row["given_name"], row["title"])
    return Doctor(
        id=row["id"],
        aliases=(*called, *spoken.class_names(row["class"])),
        name=row["surname"] + row["given_name"],
        title=row["title"],
        skills=row["skills"],
        department=row["department"],
        hospital=row["hospital"],
        hospital_id=row["hospital_id"],
        clinic_class=ClinicClass(row["class"]),
        fee_fen=row["fee_fen"],
        left=row["left"],
        next_at=row["next_at"] and row["next_at"].astimezone(CITY_ZONE),
        halves=tuple(_half_day(each) for each in row["halves"] or ()),
        open_halves=tuple(_half_day(each) for each in row["open_halves"] or ()),
    )


def site(row: Row) -> Site:
    return Site(
        id=row["id"],
        aliases=(row["name"], spoken.hospital_short(row["name"])),
        name=row["name"],
        address=row["address"],
        phone=row["phone"],
        department=row["department"],
        place=row["place"],
        opening=row["opening"],
        collecting=row["collecting"],
        bring=row["bring"],
        insurance=row["insurance"],
    )


def session(row: Row) -> ClinicSession:
    return ClinicSession(
        id=row["id"],
        aliases=(),
        doctor=row["surname"] + row["given_name"],
        date=row["date"],
        half=Half(row["half"]),
        clinic_class=ClinicClass(row["class"]),
        fee_fen=row["fee_fen"],
        starts_at=row["starts_at"].astimezone(CITY_ZONE),
        left=row["left"],
        barred=row["refusal"] or "",
        barred_until=row["at"] and row["at"].astimezone(CITY_ZONE),
    )


def period(row: Row, *, instead: bool = False) -> Period:
    return Period(
        id=row["period"],
        aliases=spoken.doctor_names(row["surname"], row["given_name"], row["title"]) if instead else (),
        fee_fen=row["fee_fen"],
        session=row["session"],
        left=row["left"],
        instead=instead,
        **_visit(row),
    )


def quote(row: Row, whom: Relative | None) -> Quote:
    return Quote(
        id=row["period"],
        aliases=(),
        fee_fen=row["fee_fen"],
        cancel_until=row["cancel_until"].astimezone(CITY_ZONE),
        whom=whom,
        **_visit(row),
    )


def booking(row: Row, now: datetime, grace: timedelta, links: Links) -> Booking:
    """A booking as it stands at `now`; `grace` is the rule's."""
    visit = _visit(row)
    state = BookingState(row["state"])
    in_time = state is BookingState.BOOKED and now < row["cancel_until"]
    return Booking(
        id=row["booking"],
        aliases=(
            visit["department"],
            *spoken.doctor_names(row["surname"], row["given_name"], row["title"]),
        ),
        fee_fen=row["booked_fee_fen"],
        citizen=row["citizen"],
        person=row["person"],
        version=row["version"],
        period=row["period"],
        doctor_id=row["doctor"],
        specialty=row["specialty"],
        state=state,
        number=row["no"],
        made_at=row["made_at"].astimezone(CITY_ZONE),
        hold_until=row["hold_until"] and row["hold_until"].astimezone(CITY_ZONE),
        cancel_until=row["cancel_until"].astimezone(CITY_ZONE),
        can_cancel=in_time or state is BookingState.HELD,
        grace=grace if row["cancel_until"] == row["made_at"] + grace else None,
        link=links.address(row["booking"]),
        own_link=links.own_address(row["booking"], row["version"]),
        **visit,
    )


def _half_day(said: str) -> tuple[date, Half]:
    """2026-11-24 AM, as `store.doctors` says it."""
    day, _, half = said.partition(" ")
    return date.fromisoformat(day), Half(half)


def _visit(row: Row) -> _Visit:
    return _Visit(
        hospital=row["hospital_name"],
        address=row["address"],
        phone=row["phone"],
        department=row["specialty_name"],
        doctor=row["surname"] + row["given_name"],
        title=row["title"],
        clinic_class=ClinicClass(row["class"]),
        half=Half(row["half"]),
        place=row["place"],
        starts_at=row["starts_at"].astimezone(CITY_ZONE),
        ends_at=row["ends_at"].astimezone(CITY_ZONE),
    )
