"""What the hospital refuses, and the facts each sentence needs (`templates/errors/<code>.txt`)."""
# ruff: noqa: N818 - a refusal is named by what is the case

from core.errors import DomainError


class ClaimRefused(DomainError):
    """No booking was made, or moved.

    Facts of all: `period` (Period), `at` (the moment the refusal is about, or None), `rules` (Rules),
    `alternatives` (up to three Periods; empty where another period would not help).
    """

    code = "claim_refused"


class UnitTaken(ClaimRefused):
    """约满: the period has no unit left."""

    code = "unit_taken"


class SessionSuspended(ClaimRefused):
    """停诊: the session does not take place."""

    code = "session_suspended"


class BeyondHorizon(ClaimRefused):
    """H1: the day is not open for booking before `at`."""

    code = "beyond_horizon"


class BookingClosed(ClaimRefused):
    """H5: online booking of this period ended at `at`."""

    code = "booking_closed"


class SessionLimit(ClaimRefused):
    """H7: the person has a unit of this session."""

    code = "session_limit"


class DepartmentLimit(ClaimRefused):
    """H8: the person has units of as many departments on that day as the rules allow."""

    code = "department_limit"


class HoldOpen(ClaimRefused):
    """H10: the person holds another unit, unpaid, until `at`."""

    code = "hold_open"


class RebookTooSoon(ClaimRefused):
    """H11: the person gave back a unit of this session and may claim one again from `at`."""

    code = "rebook_too_soon"


class SamePeriod(ClaimRefused):
    """The booking that is to be moved has this period."""

    code = "same_period"


class FeeDiffers(ClaimRefused):
    """The booking that is to be moved is paid, and this session costs something else."""

    code = "fee_differs"


class NoSuchPeriod(DomainError):
    """There is no such period."""

    code = "no_such_period"


class NotAsWished(DomainError):
    """There is none of what was wished: `wish` is "hospital" or "clinic_class".

    Facts: `wish`, `department` and `hospital` (names, "" where none was chosen), `clinic_class`.
    """

    code = "not_as_wished"

    def __init__(self, *, wish: str, department: str, hospital: str, clinic_class: str) -> None:
        super().__init__(wish=wish, department=department, hospital=hospital, clinic_class=clinic_class)
        self.wish = wish


class NothingLeft(DomainError):
    """约满: a doctor has nothing bookable; facts `doctor` (name) and `alternatives`."""

    code = "nothing_left"


class NobodyElse(DomainError):
    """No other doctor of the department has a number for a booking that is to be moved."""

    code = "nobody_else"


class CancelRefused(DomainError):
    """The booking stands as it was. Facts of all: `booking` (Booking), `at` (a moment)."""

    code = "cancel_refused"


class TooLateToCancel(CancelRefused):
    """U6, U7, U9: the deadline `at` (of moving, too) is over; the window's phone is `booking.phone`."""

    code = "too_late_to_cancel"


class CheckedIn(CancelRefused):
    """U8: after check-in only the counter cancels or moves."""

    code = "checked_in"


class VisitSuspended(CancelRefused):
    """停诊: there is nothing to cancel or move, the session does not take place."""

    code = "visit_suspended"


class AlreadyReturned(CancelRefused):
    """The booking was cancelled or lapsed before, at `at`."""

    code = "already_returned"


class BookingChanged(CancelRefused):
    """It is not as it was when the citizen saw it: it has been moved since."""

    code = "booking_changed"


class NoSuchBooking(DomainError):
    """There is no such booking, or it is somebody else's."""

    code = "no_such_booking"


CLAIM_REFUSALS: dict[str, type[ClaimRefused]] = {
    refusal.code: refusal
    for refusal in (
        UnitTaken,
        SessionSuspended,
        BeyondHorizon,
        BookingClosed,
        SessionLimit,
        DepartmentLimit,
        HoldOpen,
        RebookTooSoon,
        SamePeriod,
        FeeDiffers,
    )
}
CANCEL_REFUSALS: dict[str, type[CancelRefused]] = {
    refusal.code: refusal
    for refusal in (TooLateToCancel, CheckedIn, VisitSuspended, AlreadyReturned, BookingChanged)
}
