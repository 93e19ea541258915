"""The hospital's counter: what is bookable, hold, cancel, 停诊 (domain-rules 1.1 and 1.2)."""

import secrets
from datetime import date, datetime, timedelta
from functools import partial

from core.clock import CITY_ZONE, Clock
from core.effects import Effect, perform
from core.errors import DomainError
from core.stores.database import Database, Transaction
from services.citizens.service import Citizens
from services.hospital import directory_store, naming, shapes, spoken, store
from services.hospital.errors import (
    CANCEL_REFUSALS,
    CLAIM_REFUSALS,
    NoSuchBooking,
    NoSuchPeriod,
    NotAsWished,
    NothingLeft,
)
from services.hospital.model import (
    Booking,
    BookingState,
    ClinicSession,
    Department,
    Discrepancy,
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

ANYTHING = Wish()
_ALTERNATIVES = 3
_ELSEWHERE = frozenset({"unit_taken", "session_suspended", "booking_closed", "beyond_horizon"})
_CANCELLABLE = frozenset(
    {
        BookingState.HELD,
        BookingState.BOOKED,
        BookingState.CHECKED_IN,
        BookingState.CALLED,
        BookingState.PASSED,
    }
)


class _RefusedError(Exception):
    """Carries a refusal out of the transaction it rolls back; its facts are read afterwards."""

    def __init__(self, refusal: store.Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class Hospital:
    """Hospitals, departments, doctors, sessions, periods, units and bookings of one city."""

    def __init__(self, db: Database, citizens: Citizens, clock: Clock, rules: Rules | None = None) -> None:
        self._db = db
        self._citizens = citizens
        self._clock = clock
        self._rules = rules or Rules()
        self._rules_row = self._rules.row()

    async def departments(self, citizen: str | None = None, wish: Wish = ANYTHING) -> list[Department]:
        """List the specialties of the city: first those where this citizen may book, last those 约满.

        Of a hospital or a class that was wished only those that have it; of a word for departments those it
        stands for, or all where it stands for none.
        """
        person = await self._self_of(citizen)
        rows = await store.departments(self._db, self._at(), person, wish.hospital, wish.clinic_class)
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
        self, department: str, citizen: str | None = None, wish: Wish = ANYTHING
    ) -> list[Doctor]:
        """List the doctors of a specialty by the next period this citizen's own limits let them book.

        Behind them come those who have periods for others only, last those without any. Where nobody is as
        wished, `NotAsWished` is raised: it says what the department does not have.
        """
        person = await self._self_of(citizen)
        rows = await store.doctors(self._db, department, self._at(), person)
        doctors = [shapes.doctor(row) for row in rows]
        there = [each for each in doctors if wish.hospital in ("", each.hospital_id)]
        fitting = [each for each in there if wish.clinic_class in ("", each.clinic_class)]
        if doctors and not fitting:
            raise await self._not_as_wished(
                wish, "clinic_class" if there else "hospital", doctors[0].department
            )
        return fitting

    async def sessions(self, doctor: str, citizen: str | None = None) -> list[ClinicSession]:
        """List a doctor's bookable half-days; those this citizen's own limits bar come last, marked.

        Where every one of them is barred, the first one's `ClaimRefused` is raised.
        """
        person = await self._self_of(citizen)
        sessions = [shapes.session(row) for row in await store.sessions(self._db, doctor, self._at(), person)]
        if sessions and all(session.barred for session in sessions):
            barred = sessions[0]
            raise await self._session_refused(barred.id, store.Refusal(barred.barred, barred.barred_until))
        return sessions

    async def full_sessions(self, doctor: str) -> list[ClinicSession]:
        """List a doctor's half-days of the coming days that are 约满."""
        return [shapes.session(row) for row in await store.full_sessions(self._db, doctor, self._at())]

    async def periods(self, session: str) -> list[Period]:
        """List the bookable periods of a half-day."""
        return [shapes.period(row) for row in await store.periods(self._db, session, self._at())]

    async def full_periods(self, session: str) -> list[Period]:
        """List the periods of a half-day that are 约满."""
        return [shapes.period(row) for row in await store.full_periods(self._db, session, self._at())]

    async def periods_or_others(self, session: str, citizen: str | None = None) -> list[Period]:
        """List the bookable periods of a half-day or, when it is 约满, what there is instead.

        Raises a `ClaimRefused` where this citizen's own limits bar the half-day; `hold` decides in any case.
        """
        person = await self._self_of(citizen)
        if person is not None and (refusal := await store.limit(self._db, session, person, self._at())):
            raise await self._session_refused(session, refusal)
        if periods := await self.periods(session):
            return periods
        full = await store.first_period(self._db, session)
        return await self.alternatives(full, citizen) if full is not None else []

    async def alternatives(self, period: str, citizen: str | None = None) -> list[Period]:
        """Offer up to three bookable periods instead of this one, the nearest to it first.

        Half-days that this citizen's own limits bar are left out.
        """
        person = await self._self_of(citizen)
        rows = await store.alternatives(self._db, period, self._at(), _ALTERNATIVES, person)
        return [shapes.period(row, instead=True) for row in rows]

    async def nothing_left(self, doctor: str) -> NothingLeft:
        """Say that a doctor is 约满, with alternatives: for when the list of sessions came back empty."""
        row = await store.next_period(self._db, doctor, self._at().now.date())
        if row is None:
            return NothingLeft(doctor="", alternatives=[])
        name = row["surname"] + row["given_name"]
        return NothingLeft(doctor=name, alternatives=await self.alternatives(row["period"]))

    async def quote(self, period: str, citizen: str) -> Quote:
        """Say what a booking of this period would be; whether it is still to be had, only `hold` decides."""
        await self._citizens.self_person(citizen)
        row = await store.period(self._db, period, self._at())
        if row is None:
            raise NoSuchPeriod
        return shapes.quote(row)

    async def hold(self, period: str, citizen: str, effect: Effect) -> str:
        """Claim a unit for the citizen's self and return the booking's id; fee 0 is booked at once.

        Raises a `ClaimRefused` with its facts, or `NoSuchPeriod`; then nothing is changed.
        """
        claim = store.Claim(
            period=period,
            citizen=citizen,
            person=await self._citizens.self_person(citizen),
            booking="b_" + secrets.token_urlsafe(12),
            key=_key(effect),
        )
        try:
            return await perform(self._db, effect, partial(self._claim, claim))
        except _RefusedError as refused:
            raise await self._claim_refused(period, refused.refusal) from None

    async def cancel(self, booking: str, citizen: str, effect: Effect) -> str:
        """Give a booking back within its deadline and return its id.

        Raises a `CancelRefused` with its facts, or `NoSuchBooking`; then nothing is changed.
        """
        try:
            return await perform(self._db, effect, partial(self._cancel, booking, citizen, _key(effect)))
        except _RefusedError as refused:
            raise await self._cancel_refused(booking, refused.refusal) from None

    async def booking(self, booking: str, citizen: str | None = None) -> Booking:
        """Read one booking in whatever state; a door that got the id from outside names the citizen, too."""
        row = await store.booking(self._db, booking, self._at())
        if row is None or (citizen is not None and row["citizen"] != citizen):
            raise NoSuchBooking
        return self._booking(row)

    async def bookings(self, citizen: str) -> list[Booking]:
        """List what a citizen has before them, suspended visits included, soonest first."""
        return [self._booking(row) for row in await store.bookings(self._db, citizen, self._at())]

    async def cancellable(self, citizen: str) -> list[Booking]:
        """List the bookings a citizen may want to cancel.

        Those past their deadline or checked in are among them: the refusal tells whom to phone (U8, U9).
        """
        return [booking for booking in await self.bookings(citizen) if booking.state in _CANCELLABLE]

    async def suspend_session(self, session: str, by: str) -> list[str]:
        """停诊: close a session, suspend what is held or booked, return those bookings; again: nothing."""
        async with self._db.transaction() as tx:
            return await store.suspend(tx, session, by, f"suspend:{session}", self._at().now)

    async def expire_holds(self, limit: int = 500) -> int:
        """Free units that were held and not paid in time (U3); correct however many do it at once."""
        return await store.lapse(self._db, self._at(), limit)

    async def audit(self) -> list[Discrepancy]:
        """Compare quotas, units, events and bookings of every session (U2); empty when all agree."""
        return [Discrepancy(**dict(row)) for row in await store.discrepancies(self._db)]

    def _at(self) -> store.At:
        return store.At(self._clock.now().astimezone(CITY_ZONE), self._rules_row)

    async def _claim(self, claim: store.Claim, tx: Transaction) -> str:
        refusal = await store.claim(tx, claim, self._at())
        if refusal is not None:
            raise _RefusedError(refusal)
        return claim.booking

    async def _cancel(self, booking: str, citizen: str, key: str, tx: Transaction) -> str:
        refusal = await store.cancel(tx, booking, citizen, key, self._at())
        if refusal is not None:
            raise _RefusedError(refusal)
        return booking

    def _booking(self, row: store.Row) -> Booking:
        return shapes.booking(row, self._clock.now(), self._rules.cancel_grace)

    async def _self_of(self, citizen: str | None) -> str | None:
        return None if citizen is None else await self._citizens.self_person(citizen)

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
        first = await store.first_period(self._db, session)
        return NoSuchPeriod() if first is None else await self._claim_refused(first, refusal)

    async def _claim_refused(self, period: str, refusal: store.Refusal) -> DomainError:
        row = await store.period(self._db, period, self._at())
        if row is None:
            return NoSuchPeriod()
        return CLAIM_REFUSALS[refusal.code](
            period=shapes.period(row),
            at=_local(refusal.at),
            rules=self._rules,
            alternatives=await self.alternatives(period) if refusal.code in _ELSEWHERE else [],
        )

    async def _cancel_refused(self, booking: str, refusal: store.Refusal) -> DomainError:
        if refusal.code == NoSuchBooking.code:
            return NoSuchBooking()
        return CANCEL_REFUSALS[refusal.code](booking=await self.booking(booking), at=_local(refusal.at))


def _key(effect: Effect) -> str:
    """Name an effect in the event rows it leaves."""
    return f"{effect.run}#{effect.key}"


def _local(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(CITY_ZONE)
