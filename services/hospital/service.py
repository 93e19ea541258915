"""The hospital's counter: hold, cancel, move, 停诊 (domain-rules 1.1 and 1.2)."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from core.clock import Clock
from core.effects import Effect, perform
from core.errors import DomainError
from core.stores.database import Database, Transaction
from services.citizens.service import NotBound, Relative
from services.hospital import ladder, moving_store, offers_store, shapes, store
from services.hospital.errors import (
    CANCEL_REFUSALS,
    CLAIM_REFUSALS,
    NoSuchBooking,
    NoSuchPeriod,
)
from services.hospital.ladder import Reminding
from services.hospital.links import Links, over_at
from services.hospital.model import (
    Booking,
    BookingState,
    Discrepancy,
    Exchange,
)
from services.hospital.offers import Offers, People, local
from services.hospital.rules import Rules

__all__ = ["SCOPE", "Hospital", "People"]

SCOPE = "book"  # of a binding: who may do this for somebody

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


class Hospital(Offers):
    """Units and bookings of one city, beside all that can be booked."""

    def __init__(
        self,
        db: Database,
        people: People,
        clock: Clock,
        links: Links,
        reminding: Reminding,
        rules: Rules | None = None,
    ) -> None:
        super().__init__(db, people, clock, rules)
        self._links = links
        self._reminding = reminding

    async def hold(self, period: str, citizen: str, effect: Effect, person: str = "") -> str:
        """Claim a unit for the citizen or one of theirs; return the booking's id. Fee 0: booked at once.

        Raises a `ClaimRefused` with its facts, `NoSuchPeriod` or `NotBound`; then nothing is changed.
        """
        whom = await self._whom(citizen, person)
        claim = store.Claim(
            period=period,
            citizen=citizen,
            person=whom.id,
            booking="b_" + secrets.token_urlsafe(12),
            key=effect.name,
        )
        try:
            return await perform(self._db, effect, partial(self._claim, claim, whom))
        except _RefusedError as refused:
            raise await self._claim_refused(period, refused.refusal) from None

    async def cancel(self, booking: str, citizen: str, effect: Effect, version: int | None = None) -> str:
        """Give a booking back within its deadline and return its id.

        Raises a `CancelRefused` with its facts, or `NoSuchBooking`; then nothing is changed. A `version` is
        the one the citizen saw: of another one nothing is given back.
        """
        found = await self.booking(booking, citizen)
        back = store.Return(booking, citizen, effect.name, version, found.person)
        try:
            return await perform(self._db, effect, partial(self._cancel, back))
        except _RefusedError as refused:
            raise await self._cancel_refused(booking, refused.refusal) from None

    async def move(
        self, booking: str, period: str, citizen: str, effect: Effect, version: int | None = None
    ) -> str:
        """Move a booking to another period within the deadline of `cancel`; return its id, which it keeps.

        Raises what `cancel` raises of the old unit and `hold` of the new one; then nothing is changed.
        `version` as in `cancel`.
        """
        found = await self.booking(booking, citizen)
        move = moving_store.Move(store.Return(booking, citizen, effect.name, version, found.person), period)
        whom = found.whom if found.citizen == citizen else await self._of_its_maker(found)
        try:
            return await perform(self._db, effect, partial(self._move, move, whom))
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
        row = await offers_store.period(self._db, period, self._at(booking))
        if row is None:
            raise NoSuchPeriod
        new = shapes.quote(row, old.whom)
        return Exchange(old=old, new=new, last=new.cancel_until <= self._clock.now())

    async def booking(self, booking: str, citizen: str | None = None) -> Booking:
        """Read one booking in whatever state, as its maker sees it.

        A door that got the id from outside names the citizen, too: whoever may not act for the patient, or
        neither made it nor is the patient, finds nothing.
        """
        row = await store.booking(self._db, booking, self._at())
        if row is None:
            raise NoSuchBooking
        seen_by = citizen or row["citizen"]
        theirs = await self._theirs(seen_by)
        if citizen is not None and not _is_seen(row, citizen, theirs):
            raise NoSuchBooking
        return self._booking(row, theirs.get(row["person"]))

    async def linked(self, token: str) -> Booking:
        """Read the booking a link was made for, until a day after the visit.

        Whoever made it and may not act for the patient any more finds nothing.
        """
        known = self._links.booking(token)
        if known is None:
            raise NoSuchBooking
        booking = await self.booking(known)
        if over_at(booking.ends_at) <= self._clock.now() or booking.whom is None:
            raise NoSuchBooking
        return booking

    def right_to(self, booking: Booking, right: str) -> int | None:
        """The version that a link gives the right to change; None if it gives none.

        It may be over: `cancel` and `move` refuse what has changed since.
        """
        return self._links.version(booking.id, right)

    async def bookings(self, citizen: str) -> list[Booking]:
        """List what a citizen has before them, for themselves and theirs, suspended visits included.

        Soonest first. What others booked for them is among it; what they booked for somebody they may act
        for no more is not.
        """
        theirs = await self._theirs(citizen)
        rows = await store.bookings(self._db, list(theirs), self._at())
        return [self._booking(row, theirs[row["person"]]) for row in rows if _is_seen(row, citizen, theirs)]

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

    async def _theirs(self, citizen: str) -> dict[str, Relative]:
        """Whom a citizen may book for, by their ids as persons."""
        return {each.id: each for each in await self._family.people(citizen, SCOPE, former=True)}

    async def _of_its_maker(self, booking: Booking) -> Relative | None:
        """Whom a booking is for, as one of its maker's people; None if they may not act for them any more."""
        try:
            return await self._family.relative(booking.citizen, booking.person)
        except NotBound:
            return None

    async def _claim(self, claim: store.Claim, whom: Relative, tx: Transaction) -> str:
        if await self._family.active(tx, claim.citizen, claim.person, SCOPE) is None:
            raise NotBound(scope=SCOPE)
        refusal = await store.claim(tx, claim, self._at())
        if refusal is not None:
            raise _RefusedError(refusal)
        await self._remind(tx, claim.booking, whom)
        return claim.booking

    async def _cancel(self, back: store.Return, tx: Transaction) -> str:
        await self._require(tx, back)
        refusal = await store.cancel(tx, back, self._at())
        if refusal is not None:
            raise _RefusedError(refusal)
        return back.booking

    async def _move(self, move: moving_store.Move, whom: Relative | None, tx: Transaction) -> str:
        await self._require(tx, move.old)
        refusal = await moving_store.move(tx, move, self._at())
        if refusal is not None:
            raise _RefusedError(refusal)
        await self._remind(tx, move.old.booking, whom)
        return move.old.booking

    async def _require(self, tx: Transaction, back: store.Return) -> None:
        """Refuse who may not act for the patient any more, since they were shown the booking."""
        if await self._family.active(tx, back.citizen, back.person, SCOPE) is None:
            raise NoSuchBooking

    async def _remind(self, tx: Transaction, booking: str, whom: Relative | None) -> None:
        """Set the reminders of what is booked; whoever confirms a payment will do so, too."""
        row = await store.booking(tx, booking, self._at())
        if row is None or row["state"] != BookingState.BOOKED:
            return
        conversation = await self._citizens.conversation(tx, row["citizen"])
        if conversation is not None and whom is not None:
            await ladder.remind(self._reminding, tx, self._booking(row, whom), conversation)

    def _booking(self, row: store.Row, whom: Relative | None) -> Booking:
        made = shapes.booking(row, self._clock.now(), self._rules.cancel_grace, self._links)
        return made if whom is None else replace(made, whom=whom)

    async def _cancel_refused(self, booking: str, refusal: store.Refusal) -> DomainError:
        if refusal.code == NoSuchBooking.code:
            return NoSuchBooking()
        return CANCEL_REFUSALS[refusal.code](booking=await self.booking(booking), at=local(refusal.at))


def _is_seen(row: store.Row, citizen: str, theirs: Mapping[str, Relative]) -> bool:
    """Tell whether a citizen sees a booking: made by them, or for them."""
    whom = theirs.get(row["person"])
    return whom is not None and (row["citizen"] == citizen or whom.is_self)
