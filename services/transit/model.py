"""What the transit speaks of: gates and what they send, accounts, trips and their money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.transit.pairing import TripState, Way

PURPOSE = PLAN = "transit"  # what payments know debts and contracts by


class State(StrEnum):
    """How an account stands; `none` where there is none, or the last one is closed."""

    NONE = "none"
    CONSENT = "consent"  # agreed to, and there is no contract that is signed
    ACTIVE = "active"
    ARREARS = "arrears"  # something is behind, with a contract to debit it by or without
    SUSPENDED = "suspended"
    CLOSING = "closing"


class Reason(StrEnum):
    """Why a tap is in quarantine; words that gates and operators read."""

    UNREADABLE = "unreadable"  # its code is none
    CLOCK = "clock"  # the gate's clock was off when it sent this
    FUTURE = "future"
    UNKNOWN_CODE = "unknown_code"  # nobody was given it
    NOT_ITS_TIME = "not_its_time"  # the grant was over, or not there yet
    NOT_ALLOWED = "not_allowed"  # a companion on the metro, or a way in with a code for ways out
    WRONG_PLACE = "wrong_place"  # the gate is registered elsewhere
    UNKNOWN_LINE = "unknown_line"  # the gate is registered where nothing stops (any more)
    WRONG_WAY = "wrong_way"  # in and out of a bus, or onto a metro
    SEQ_REUSED = "seq_reused"
    USED_TWICE = "used_twice"  # gates that did not know of one another let it through; the earliest counts


class Money(StrEnum):
    """How a trip is paid: nothing to pay, asked for, paid, or not to be had."""

    NONE = "none"
    OWED = "owed"
    SETTLED = "settled"
    ARREARS = "arrears"


@dataclass(frozen=True, slots=True)
class Device:
    """A gate as it is registered: in a station, or in a vehicle."""

    id: str
    line: str
    station: str = ""
    vehicle: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """A tap as its gate tells it; `at` is the gate's time in milliseconds, `code` the code's bytes."""

    seq: int
    at: int
    way: Way
    line: str
    code: bytes
    station: str = ""
    vehicle: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a gate sends at once; `sent_at` is its own clock."""

    sent_at: datetime
    taps: Sequence[Sent]


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of each tap of a batch, by its number: each stands in one of the three."""

    accepted: Sequence[int]
    known: Sequence[int]
    quarantined: Mapping[int, Reason]


@dataclass(frozen=True, slots=True)
class Stored:
    """A trip as it stands in the database."""

    id: int
    account: str
    first_tap: int
    last_tap: int | None
    state: TripState
    money: Money
    fare_fen: int
    charged_fen: int
    because: str
    metres: int
    version: int
