"""The hospital's nouns, as the counter uses them; every item a citizen may choose has `id` and `aliases`."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from services.citizens.service import Relative
from services.hospital.spoken import hospital_short


class Half(StrEnum):
    """午别: which part of a day a session is."""

    AM = "AM"
    PM = "PM"
    NIGHT = "NIGHT"


class ClinicClass(StrEnum):
    """号别: 普通, 专家, 特需."""

    GENERAL = "general"
    EXPERT = "expert"
    SPECIAL = "special"


class UnitState(StrEnum):
    """Where a unit stands (domain-rules 1.2)."""

    FREE = "free"
    HELD = "held"
    BOOKED = "booked"
    CHECKED_IN = "checked_in"
    CALLED = "called"
    PASSED = "passed"
    IN_VISIT = "in_visit"
    DONE = "done"
    NOSHOW = "noshow"
    SUSPENDED = "suspended"


class BookingState(StrEnum):
    """Where a booking stands: as its unit, or how it gave the unit back."""

    HELD = "held"
    BOOKED = "booked"
    CHECKED_IN = "checked_in"
    CALLED = "called"
    PASSED = "passed"
    IN_VISIT = "in_visit"
    DONE = "done"
    NOSHOW = "noshow"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """科室: a specialty of the whole city. `left` counts the units bookable now."""

    id: str
    aliases: tuple[str, ...]
    name: str
    hospitals: tuple[str, ...]
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What citizens call a department or, where `doctor` is not empty, a doctor of it; both are ids.

    `hospital` is the id of a hospital's own name, and of the doctor's hospital. What narrows the lists
    without being in one has a field of its own: a class of numbers (专家号), a word for several departments
    or for one there is not (`among`), a doctor there is not (`stranger`), one whose name was nearly said
    (`guess`, an id).
    """

    aliases: tuple[str, ...]
    department: str = ""
    department_name: str = ""
    doctor: str = ""
    doctor_name: str = ""
    hospital: str = ""
    hospital_name: str = ""
    clinic_class: str = ""
    among: str = ""
    stranger: str = ""
    guess: str = ""

    @property
    def hospital_short(self) -> str:
        """The hospital without the name of its city."""
        return hospital_short(self.hospital_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the lists are narrowed to: a hospital (an id), a class of numbers, a word for departments."""

    hospital: str = ""
    clinic_class: str = ""
    among: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """The departments a word stands for: it covers `names` or, where it is not `known`, is only like them."""

    said: str
    known: bool
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A hospital as a place; `place` is where `department` is in it, if one was asked for, else both "".

    What it publishes for those who come is "" where it publishes nothing.
    """

    id: str
    aliases: tuple[str, ...]
    name: str
    address: str
    phone: str  # of the registration window
    department: str
    place: str
    opening: str  # when it is open
    collecting: str  # where and when a booked number is collected
    bring: str
    insurance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """What the visits of the coming days cost, in fen."""

    lowest: int
    highest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctor:
    """A doctor with a session in the coming days; `left` 0 and `next_at` None: 约满.

    `halves`: the half-days with something bookable; `open_halves`: those of them that the citizen's own
    limits leave.
    """

    id: str
    aliases: tuple[str, ...]
    name: str
    title: str
    skills: str
    department: str
    hospital: str
    hospital_id: str
    clinic_class: ClinicClass
    fee_fen: int
    left: int
    next_at: datetime | None
    halves: tuple[tuple[date, Half], ...]
    open_halves: tuple[tuple[date, Half], ...]

    @property
    def hospital_short(self) -> str:
        """The hospital without the name of its city."""
        return hospital_short(self.hospital)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicSession:
    """排班: a doctor's half-day that can still be booked.

    `barred`: the code of the `ClaimRefused` with which this person would be refused here, "" for none;
    `barred_until`: the moment that refusal is about, or None.
    """

    id: str
    aliases: tuple[str, ...]
    doctor: str
    date: date
    half: Half
    clinic_class: ClinicClass
    fee_fen: int
    starts_at: datetime
    left: int
    barred: str = ""
    barred_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Where, when and with whom: what every sentence about a period or a booking may name."""

    id: str
    aliases: tuple[str, ...]
    hospital: str
    address: str
    phone: str  # of the registration window
    department: str
    doctor: str
    title: str
    clinic_class: ClinicClass
    half: Half
    place: str
    starts_at: datetime
    ends_at: datetime
    fee_fen: int

    @property
    def hospital_short(self) -> str:
        """The hospital without the name of its city."""
        return hospital_short(self.hospital)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period(Visit):
    """时段: half an hour of a session; `left` counts the units bookable now.

    `instead`: it is offered in place of a half-day that is 约满.
    """

    session: str
    left: int
    instead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote(Visit):
    """What a citizen confirms, for `whom`; `cancel_until` is that of a booking made, or moved there, now."""

    cancel_until: datetime
    whom: Relative | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking(Visit):
    """One person's claim on one unit; `number` is the unit's place in its session.

    `version` grows when it is moved, given back or suspended. `period`, `doctor_id` and `specialty` are ids.
    `link` is the address of its page, for the citizen and whom they show it to; `own_link` is for the
    citizen alone: who has it can move and cancel the booking as long as it is of this version.
    `can_cancel`: the chat would take it back now. `grace`: how long after booking it would, where that and
    not the visit decides `cancel_until` (domain-rules U6, U7); else None. `citizen` made it for `person`;
    `whom`: that is this one of the reader's people, None where the reader may not act for them any more.
    """

    citizen: str
    person: str
    whom: Relative | None = None
    version: int
    period: str
    doctor_id: str
    specialty: str
    state: BookingState
    number: int
    made_at: datetime
    hold_until: datetime | None
    cancel_until: datetime
    can_cancel: bool
    grace: timedelta | None
    link: str
    own_link: str

    @property
    def patient(self) -> str:
        """Whom it is for, where that is not the reader: 妈妈王*英."""
        return "" if self.whom is None or self.whom.is_self else self.whom.called


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a citizen confirms who moves a booking; `last`: it could be neither moved nor cancelled again."""

    old: Booking
    new: Quote
    last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """Something the books of a session do not agree on; there should never be one (domain-rules U2)."""

    session: str
    what: str
    expected: int
    found: int
