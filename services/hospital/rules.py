"""The hospital's numbers: every default of domain-rules 1.1 and 1.2 that this service applies."""

from dataclasses import astuple, dataclass
from datetime import time, timedelta


@dataclass(frozen=True, slots=True)
class Rules:
    """Configurable; the order is that of the SQL type `hospital_rules`.

    One unit per person and session (H7), one open hold per person (H10) and no oversell (U1) are no numbers
    but unique indexes: a setting must not be able to loosen them.
    """

    horizon_days: int = 7  # H1: today … today + 7
    am_until: time = time(11)  # H5: same-day booking of a morning session
    pm_until: time = time(16)  # H5: of an afternoon session; a night session closes when the period begins
    departments_per_day: int = 3  # H8
    rebook_after_cancel: timedelta = timedelta(seconds=60)  # H11
    rebook_after_refund: timedelta = timedelta(hours=2)  # H11, when money went back
    hold_for: timedelta = timedelta(minutes=10)  # U3
    return_after_min: timedelta = timedelta(minutes=1)  # U5
    return_after_max: timedelta = timedelta(minutes=10)  # U5
    expert_cancel_until: timedelta = timedelta(
        0
    )  # U6: this long before 00:00 of the visit day; 特需 likewise
    general_cancel_until: timedelta = timedelta(minutes=30)  # U7: this long before the period
    cancel_grace: timedelta = timedelta(minutes=30)  # U6, U7: always within this long of booking

    def row(self) -> tuple[object, ...]:
        """Return the rules as a value of the SQL type `hospital_rules`."""
        return astuple(self)


ONSITE_UNTIL = timedelta(minutes=30)  # H6: a reserved unit is released online this long before its session
