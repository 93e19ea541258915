"""When what was not paid is tried again (domain-rules T4), and what is of unknown fate is queried (P4)."""

from datetime import datetime, timedelta

STEPS = (timedelta(0), timedelta(hours=1), timedelta(hours=6), timedelta(hours=24), timedelta(hours=72))
STOP_AFTER = timedelta(days=7)
QUERIES = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
LATER_QUERIES = timedelta(hours=1)


def next_try(begun_at: datetime, now: datetime) -> datetime:
    """The next step after `now` of a debt first tried at `begun_at`; the last is where it stops.

    Steps that passed while nobody was there are not made up for: one try takes their place.
    """
    return next(
        (begun_at + step for step in (*STEPS, STOP_AFTER) if begun_at + step > now), begun_at + STOP_AFTER
    )


def is_over(begun_at: datetime, now: datetime) -> bool:
    """Whether nothing is tried any more by itself."""
    return now >= begun_at + STOP_AFTER


def next_query(asked_at: datetime, now: datetime) -> datetime:
    """When to ask again what became of something asked at `asked_at`."""
    return next((asked_at + after for after in QUERIES if asked_at + after > now), now + LATER_QUERIES)
