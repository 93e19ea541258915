"""The hospital's counter: what is bookable, hold, cancel, 停诊 (domain-rules 1.1 and 1.2)."""

import secrets
from datetime import datetime
from functools import partial

from core.clock import CITY_ZONE, Clock
from core.effects import Effect, perform
from core.errors import DomainError
from core.stores.database import Database, Transaction
from services.citizens.service import Citizens
from services.hospital import directory_store, moving_store, shapes, spoken, store
from services.hospital.errors import CANCEL_REFUSALS, CLAIM_REFUSALS, NoSuchBooking, NoSuchPeriod, NothingLeft
from services.hospital.model import (
    Booking,
    BookingState,
    ClinicSession,
    Department,
    Discrepancy,
    Doctor,
    Exchange,
    Fees,
    Name,
    Period,
    Quote,
    Site,
)
from services.hospital.rules import Rules

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

    async def departments(self, citizen: str | None = None) -> list[Department]:
        """List the specialties of the city: first those where this citizen may book, last those 约满."""
        person = await self._self_of(citizen)
        return [shapes.department(row) for row in await store.departments(self._db, self._at(), person)]

    async def names(self) -> list[Name]:
        """List what citizens call departments, doctors and hospitals, bookable now or not."""
        return [shapes.name(row) for row in await directory_store.names(self._db)]

    async def unknown_doctor(self, folded: str) -> str:
        """A doctor these words speak of whom none of the hospitals has; "" if there is none such in them."""
        called = spoken.doctor_called(folded)
        if called is None:
            return ""
        name, whole = called
        for each in await self.names():
            for alias in each.aliases:
                if alias in folded if each.doctor else alias in name:
                    return ""
        return whole

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
        self, department: str, citizen: str | None = None, moving: str | None = None
    ) -> list[Doctor]:
        """List the doctors of a specialty by the next period this citizen's own limits let them book.

        Behind them come those who have periods for others only, last those without any. Here and in the
        lists below `moving` is a booking of the citizen's that is to be moved: it counts for nothing.
        """
        person = await self._self_of(citizen)
        rows = await store.doctors(self._db, department, self._at(moving), person)
        return [shapes.doctor(row) for row in rows]

    async def sessions(
        self, doctor: str, citizen: str | None = None, moving: str | None = None
    ) -> list[ClinicSession]:
        """List a doctor's bookable half-days; those this citizen's own limits bar come last, marked.

        Where every one of them is barred, the first one's `ClaimRefused` is raised.
        """
        person = await self._self_of(citizen)
        rows = await store.sessions(self._db, doctor, self._at(moving), person)
        sessions = [shapes.session(row) for row in rows]
        if sessions and all(session.barred for session in sessions):
            barred = sessions[0]
            raise await self._session_refused(barred.id, store.Refusal(barred.barred, barred.barred_until))
        return sessions

    async def full_sessions(self, doctor: str) -> list[ClinicSession]:
        """List a doctor's half-days of the coming days that are 约满."""
        return [shapes.session(row) for row in await store.full_sessions(self._db, doctor, self._at())]

    async def periods(self, session: str, moving: str | None = None) -> list[Period]:
        """List the bookable periods of a half-day."""
        return [shapes.period(row) for row in await store.periods(self._db, session, self._at(moving))]

    async def full_periods(self, session: str) -> list[Period]:
        """List the periods of a half-day that are 约满."""
        return [shapes.period(row) for row in await store.full_periods(self._db, session, self._at())]

    async def periods_or_others(
        self, session: str, citizen: str | None = None, moving: str | None = None
    ) -> list[Period]:
        """List the bookable periods of a half-day or, when it is 约满, what there is instead.

        Raises a `ClaimRefused` where this citizen's own limits bar the half-day; `hold` decides in any case.
        """
        person = await self._self_of(citizen)
        at = self._at(moving)
        if person is not None and (refusal := await store.limit(self._db, session, person, at)):
            raise await self._session_refused(session, refusal)
        if periods := await self.periods(session, moving):
            return periods
        full = await store.first_period(self._db, session)
        return await self.alternatives(full, citizen, moving) if full is not None else []

    async def alternatives(
        self, period: str, citizen: str | None = None, moving: str | None = None
    ) -> list[Period]:
        """Offer up to three bookable periods instead of this one, the nearest to it first.

        Half-days that this citizen's own limits bar are left out.
        """
        person = await self._self_of(citizen)
        rows = await store.alternatives(self._db, period, self._at(moving), _ALTERNATIVES, person)
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

    async def move(self, booking: str, period: str, citizen: str, effect: Effect) -> str:
        """Move a booking to another period within the deadline of `cancel`; return its id, which it keeps.

        Raises what `cancel` raises of the old unit and `hold` of the new one; then nothing is changed.
        """
        move = moving_store.Move(booking, period, citizen, _key(effect))
        try:
            return await perform(self._db, effect, partial(self._move, move))
        except _RefusedError as refused:
            code = refused.refusal.code
            if code in CLAIM_REFUSALS or code == NoSuchPeriod.code:
                raise await self._claim_refused(period, refused.refusal) from None
            raise await self._cancel_refused(booking, refused.refusal) from None

    async def to_move(self, booking: str, citizen: str) -> Booking:
        """Read a booking somebody wants to move; what `move` would refuse of its unit now is raised."""
        found = await self.booking(booking, citizen)
        if refusal := await moving_store.return_limit(self._db, booking, self._at()):
            raise await self._cancel_refused(booking, refusal)
        return found

    async def exchange(self, booking: str, period: str, citizen: str) -> Exchange:
        """Say what moving a booking to this period would be; whether it is to be had, only `move` decides."""
        old = await self.booking(booking, citizen)
        row = await store.period(self._db, period, self._at(booking))
        if row is None:
            raise NoSuchPeriod
        new = shapes.quote(row)
        return Exchange(old=old, new=new, last=new.cancel_until <= self._clock.now())

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

    async def movable(self, citizen: str) -> list[Booking]:
        """List the bookings a citizen may want to move; `to_move` says of each whether that is possible."""
        return await self.cancellable(citizen)

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

    def _at(self, moving: str | None = None) -> store.At:
        return store.At(self._clock.now().astimezone(CITY_ZONE), self._rules_row, moving)

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

    async def _move(self, move: moving_store.Move, tx: Transaction) -> str:
        refusal = await moving_store.move(tx, move, self._at())
        if refusal is not None:
            raise _RefusedError(refusal)
        return move.booking

    def _booking(self, row: store.Row) -> Booking:
        return shapes.booking(row, self._clock.now(), self._rules.cancel_grace)

    async def _self_of(self, citizen: str | None) -> str | None:
        return None if citizen is None else await self._citizens.self_person(citizen)

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
