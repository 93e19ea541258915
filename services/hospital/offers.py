"""What the hospitals have to give: departments, doctors, half-days, periods, and what there is instead."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.clock import CITY_ZONE, Clock
from core.errors import DomainError
from core.stores.database import Database
from services.citizens.service import Citizens, Families, Relative
from services.hospital import directory_store, naming, offers_store, shapes, spoken, store
from services.hospital.errors import CLAIM_REFUSALS, NoSuchPeriod, NotAsWished, NothingLeft
from services.hospital.model import (
    ClinicSession,
    Department,
    Doctor,
    Fees,
    Name,
    Near,
    Period,
    Quote,
    Site,
    Wish,
)
from services.hospital.rules import Rules


@dataclass(frozen=True, slots=True)
class People:
    """Who books, and for whom they may."""

    citizens: Citizens
    family: Families


ANYTHING = Wish()
_ALTERNATIVES = 3
_ELSEWHERE = frozenset({"unit_taken", "session_suspended", "booking_closed", "beyond_horizon"})


class Offers:
    """Hospitals, departments, doctors, sessions, periods and units of one city, as citizens see them."""

    def __init__(self, db: Database, people: People, clock: Clock, rules: Rules | None = None) -> None:
        self._db = db
        self._citizens = people.citizens
        self._family = people.family
        self._clock = clock
        self._rules = rules or Rules()
        self._rules_row = self._rules.row()

    async def departments(self, person: str | None = None, wish: Wish = ANYTHING) -> list[Department]:
        """List the specialties of the city: first those where this person may book, last those 约满.

        Of a hospital or a class that was wished only those that have it; of a word for departments those it
        stands for, or all where it stands for none.
        """
        rows = await offers_store.departments(self._db, self._at(), person, wish.hospital, wish.clinic_class)
        everything = [shapes.department(row) for row in rows]
        if wish.clinic_class and not everything:
            raise await self._not_as_wished(wish, "clinic_class")
        meant = naming.covered(wish.among, await self._plain_names()) if wish.among else frozenset()
        return [each for each in everything if each.id in meant] or everything

    async def names(self, folded: str = "") -> list[Name]:
        """List what citizens call departments, doctors and hospitals, bookable now or not.

        What a message calls them although there is nothing of that name is among it: see `Name`.
        """
        return naming.names_in(folded, await self._plain_names())

    async def called(self, doctor: str) -> Name:
        """What a doctor is called, and where they work."""
        return next(each for each in await self._plain_names() if each.doctor == doctor)

    async def site(self, hospital: str) -> Site:
        """A hospital as a place."""
        return next(site for site in await self.sites() if site.id == hospital)

    async def near(self, said: str) -> Near:
        """Which departments a word stands for."""
        return naming.near(said, await self._plain_names())

    async def _plain_names(self) -> list[Name]:
        return [shapes.name(row) for row in await directory_store.names(self._db)]

    def last_day(self) -> date:
        """The last day that can be booked now (H1)."""
        return self._at().now.date() + timedelta(days=self._rules.horizon_days)

    async def sites(self, department: str = "") -> list[Site]:
        """List the hospitals; of a department only those that have it, and where in them."""
        return [shapes.site(row) for row in await directory_store.sites(self._db, department)]

    async def fees(self) -> Fees | None:
        """Say between what the visits of the coming days cost; None if there are none."""
        row = await directory_store.fees(self._db, self._at())
        if row is None or row["lowest"] is None:
            return None
        return Fees(lowest=row["lowest"], highest=row["highest"])

    async def doctors(
        self,
        department: str,
        person: str | None = None,
        wish: Wish = ANYTHING,
        *,
        moving: str | None = None,
    ) -> list[Doctor]:
        """List the doctors of a specialty by the next period this person's own limits let them have.

        Behind them come those who have periods for others only, last those without any. Where nobody is as
        wished, `NotAsWished` is raised: it says what the department does not have. Here and in the lists
        below `moving` is a booking of the person's that is to be moved: it counts for nothing.
        """
        rows = await offers_store.doctors(self._db, department, self._at(moving), person)
        doctors = [shapes.doctor(row) for row in rows]
        there = [each for each in doctors if wish.hospital in ("", each.hospital_id)]
        fitting = [each for each in there if wish.clinic_class in ("", each.clinic_class)]
        if doctors and not fitting:
            raise await self._not_as_wished(
                wish, "clinic_class" if there else "hospital", doctors[0].department
            )
        return fitting

    async def sessions(
        self, doctor: str, person: str | None = None, moving: str | None = None
    ) -> list[ClinicSession]:
        """List a doctor's bookable half-days; those this person's own limits bar come last, marked.

        Where every one of them is barred, the first one's `ClaimRefused` is raised.
        """
        rows = await offers_store.sessions(self._db, doctor, self._at(moving), person)
        sessions = [shapes.session(row) for row in rows]
        if sessions and all(session.barred for session in sessions):
            barred = sessions[0]
            raise await self._session_refused(barred.id, store.Refusal(barred.barred, barred.barred_until))
        return sessions

    async def full_sessions(self, doctor: str) -> list[ClinicSession]:
        """List a doctor's half-days of the coming days that are 约满."""
        return [shapes.session(row) for row in await offers_store.full_sessions(self._db, doctor, self._at())]

    async def periods(self, session: str, moving: str | None = None) -> list[Period]:
        """List the bookable periods of a half-day."""
        return [shapes.period(row) for row in await offers_store.periods(self._db, session, self._at(moving))]

    async def full_periods(self, session: str) -> list[Period]:
        """List the periods of a half-day that are 约满."""
        return [shapes.period(row) for row in await offers_store.full_periods(self._db, session, self._at())]

    async def periods_or_others(
        self, session: str, person: str | None = None, moving: str | None = None
    ) -> list[Period]:
        """List the bookable periods of a half-day or, when it is 约满, what there is instead.

        Raises a `ClaimRefused` where this person's own limits bar the half-day; `hold` decides in any case.
        """
        at = self._at(moving)
        if person is not None and (refusal := await offers_store.limit(self._db, session, person, at)):
            raise await self._session_refused(session, refusal)
        if periods := await self.periods(session, moving):
            return periods
        full = await offers_store.first_period(self._db, session)
        return await self.alternatives(full, person, moving) if full is not None else []

    async def alternatives(
        self, period: str, person: str | None = None, moving: str | None = None
    ) -> list[Period]:
        """Offer up to three bookable periods instead of this one, the nearest to it first.

        Half-days that this person's own limits bar are left out.
        """
        rows = await offers_store.alternatives(self._db, period, self._at(moving), _ALTERNATIVES, person)
        return [shapes.period(row, instead=True) for row in rows]

    async def nothing_left(self, doctor: str) -> NothingLeft:
        """Say that a doctor is 约满, with alternatives: for when the list of sessions came back empty."""
        row = await offers_store.next_period(self._db, doctor, self._at().now.date())
        if row is None:
            return NothingLeft(doctor="", alternatives=[])
        name = row["surname"] + row["given_name"]
        return NothingLeft(doctor=name, alternatives=await self.alternatives(row["period"]))

    async def quote(self, period: str, citizen: str, person: str = "") -> Quote:
        """Say what a booking of this period would be for a person of a citizen's, or for themselves.

        Whether it is still to be had, only `hold` decides. Raises `NotBound`.
        """
        whom = await self._whom(citizen, person)
        row = await offers_store.period(self._db, period, self._at())
        if row is None:
            raise NoSuchPeriod
        return shapes.quote(row, whom)

    async def _whom(self, citizen: str, person: str) -> Relative:
        """One of a citizen's people; "" for themselves."""
        return await self._family.relative(citizen, person or await self._citizens.self_person(citizen))

    def _at(self, moving: str | None = None) -> store.At:
        return store.At(self._clock.now().astimezone(CITY_ZONE), self._rules_row, moving)

    async def _not_as_wished(self, wish: Wish, which: str, department: str = "") -> NotAsWished:
        where = (await self.site(wish.hospital)).name if wish.hospital else ""
        return NotAsWished(
            wish=which,
            department=department,
            hospital=spoken.hospital_short(where),
            clinic_class=wish.clinic_class,
        )

    async def _session_refused(self, session: str, refusal: store.Refusal) -> DomainError:
        """The refusal of a half-day as a whole, told with its first period."""
        first = await offers_store.first_period(self._db, session)
        return NoSuchPeriod() if first is None else await self._claim_refused(first, refusal)

    async def _claim_refused(self, period: str, refusal: store.Refusal) -> DomainError:
        row = await offers_store.period(self._db, period, self._at())
        if row is None:
            return NoSuchPeriod()
        return CLAIM_REFUSALS[refusal.code](
            period=shapes.period(row),
            at=local(refusal.at),
            rules=self._rules,
            alternatives=await self.alternatives(period) if refusal.code in _ELSEWHERE else [],
        )


def local(at: datetime | None) -> datetime | None:
    """A moment as the city's clocks show it."""
    return None if at is None else at.astimezone(CITY_ZONE)
