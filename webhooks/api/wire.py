"""What gates and the city write to one another, as docs/transit-api.json shows it."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MOST_BYTES = 256 * 1024
MOST_TAPS = 500
MOST_SEQ = 2**53 - 1
_LAST_MS = 253_402_300_799_000  # the year 9999

Seq = Annotated[
    int, Meta(ge=0, le=MOST_SEQ, description="number of the tap; (device, seq) is a tap's for ever")
]
Millis = Annotated[int, Meta(ge=-MOST_SEQ, le=MOST_SEQ, description="Unix milliseconds")]
Moment = Annotated[int, Meta(ge=0, le=_LAST_MS, description="Unix milliseconds")]
Place = Annotated[str, Meta(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
Text64 = Annotated[str, Meta(max_length=4096, pattern=r"^[A-Za-z0-9_=-]*$", description="base64url")]


class Tap(msgspec.Struct, frozen=True):
    """One opening of the gate; one of station and vehicle is null."""

    seq: Seq
    at: Millis
    way: Literal["in", "out", "board"]
    line: Place
    code: Text64
    station: Place | None = None
    vehicle: Place | None = None


class Taps(msgspec.Struct, frozen=True):
    """What a gate uploads; `sent_at` is its own clock, `batch` a name for logs."""

    device: Place
    batch: Place
    sent_at: Moment
    taps: Annotated[tuple[Tap, ...], Meta(max_length=MOST_TAPS)]


class Quarantined(msgspec.Struct, frozen=True):
    """A tap that is kept, and that nobody believes."""

    seq: int
    reason: str


class Taken(msgspec.Struct, frozen=True):
    """Each number of the batch in exactly one list, and the city's clock: the gate may forget them all."""

    accepted: tuple[int, ...]
    known: tuple[int, ...]
    quarantined: tuple[Quarantined, ...]
    now: int


class IssuerKey(msgspec.Struct, frozen=True):
    """One issuer key: base64url of 32 bytes; `until` (Unix seconds) null is for ever."""

    kid: int
    key: str
    revoked: bool = False
    until: int | None = None


class Denied(msgspec.Struct, frozen=True):
    """An acct_ref (base64url of 16 bytes) that opens nothing before `until` (Unix seconds)."""

    acct_ref: str
    until: int


class Trust(msgspec.Struct, frozen=True):
    """The whole list, which replaces the one in use."""

    now: int
    issuers: tuple[IssuerKey, ...]
    denied: tuple[Denied, ...]


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a request was not heard, in one word, and the city's clock; `field` is what is wrong in it."""

    error: Literal["bad_request", "bad_signature", "stale", "repeated", "too_long", "failed", "unavailable"]
    now: int
    field: str = ""


def millis(at: datetime) -> int:
    """A moment as machines write it."""
    return int(at.timestamp() * 1000)


def moment(milliseconds: int) -> datetime:
    """And read it; `Moment` has looked at its size."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
