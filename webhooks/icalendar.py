"""One appointment as an iCalendar file (RFC 5545): what every phone's calendar reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

CONTENT_TYPE = "text/calendar; charset=utf-8; method=PUBLISH"
_LINE = 75  # bytes, without the line break
_ESCAPED = str.maketrans({"\\": r"\\", ";": r"\;", ",": r"\,", "\n": r"\n", "\r": None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """What a calendar shows. `sequence` grows with every change, under one `uid` for ever.

    `alarms`: how long before its start the calendar rings. Times are aware; `made_at` is that of the file.
    """

    uid: str
    sequence: int
    status: Literal["CONFIRMED", "TENTATIVE", "CANCELLED"]
    starts_at: datetime
    ends_at: datetime
    made_at: datetime
    summary: str
    location: str
    note: str
    alarms: Sequence[timedelta] = ()


def written(appointment: Appointment) -> bytes:
    """The file. Times stand in UTC, so that no calendar needs a table of zones."""
    return b"".join(_folded(line) for line in _lines(appointment))


def _lines(it: Appointment) -> Iterator[str]:
    yield from ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Bianmin//visits//ZH")
    yield from ("CALSCALE:GREGORIAN", "METHOD:PUBLISH", "BEGIN:VEVENT")
    yield f"UID:{it.uid}"
    yield f"SEQUENCE:{it.sequence}"
    yield f"DTSTAMP:{_stamp(it.made_at)}"
    yield f"DTSTART:{_stamp(it.starts_at)}"
    yield f"DTEND:{_stamp(it.ends_at)}"
    yield f"STATUS:{it.status}"
    yield f"SUMMARY:{_text(it.summary)}"
    yield f"LOCATION:{_text(it.location)}"
    yield f"DESCRIPTION:{_text(it.note)}"
    yield "CLASS:PRIVATE"
    for before in it.alarms:
        minutes = int(before.total_seconds()) // 60
        yield from ("BEGIN:VALARM", "ACTION:DISPLAY", f"TRIGGER:-PT{minutes}M")
        yield from (f"DESCRIPTION:{_text(it.summary)}", "END:VALARM")
    yield from ("END:VEVENT", "END:VCALENDAR")


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(said: str) -> str:
    """Words as a value: what has a meaning there is escaped, control characters are left out."""
    plain = "".join(each for each in said if each in "\n\t" or each.isprintable())
    return plain.translate(_ESCAPED)


def _folded(line: str) -> bytes:
    """A line with its break, cut into pieces of at most 75 bytes, never inside a character."""
    pieces: list[bytes] = []
    piece = b""
    for each in map(str.encode, line):
        if len(piece) + len(each) > _LINE:
            pieces.append(piece)
            piece = b" "
        piece += each
    return b"".join(part + b"\r\n" for part in [*pieces, piece])
