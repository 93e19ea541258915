"""Pictures, sounds and films that bots upload: checked as the platform does, and kept for three days."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from simulator.clock import Clock
from simulator.refusals import ApiError

KEPT_S = 3 * 86_400
KB, MB = 1024, 1024 * 1024


def _is_jpeg(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8\xff")


def _is_picture(data: bytes) -> bool:
    return _is_jpeg(data) or data.startswith((b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a"))


def _is_sound(data: bytes) -> bool:
    return data.startswith((b"#!AMR", b"ID3")) or (data[:1] == b"\xff" and data[1:2] >= b"\xe0")


def _is_film(data: bytes) -> bool:
    return data[4:8] == b"ftyp"


@dataclass(frozen=True, slots=True)
class _Rule:
    most_bytes: int
    fits: Callable[[bytes], bool]


RULES = {
    "image": _Rule(10 * MB, _is_picture),
    "voice": _Rule(2 * MB, _is_sound),
    "video": _Rule(10 * MB, _is_film),
    "thumb": _Rule(64 * KB, _is_jpeg),
}


@dataclass(frozen=True, slots=True)
class Medium:
    """One uploaded file."""

    media_id: str
    account: str
    kind: str
    data: bytes
    at: float

    @property
    def content_type(self) -> str:
        """Never anything that a browser would run."""
        data = self.data
        if self.kind == "video":
            return "video/mp4"
        if self.kind == "voice":
            return "audio/amr" if data.startswith(b"#!AMR") else "audio/mpeg"
        return "image/jpeg" if _is_jpeg(data) else "image/png" if data[:1] == b"\x89" else "image/gif"


class Media:
    """Holds at most `most_bytes` in all; the oldest goes first."""

    def __init__(self, clock: Clock, most_bytes: int) -> None:
        self._clock = clock
        self._most_bytes = most_bytes
        self._held: dict[str, Medium] = {}
        self._bytes = 0

    def keep(self, account: str, kind: str, data: bytes) -> Medium:
        """Take a file in; raises 40004, 40005, 40006 or 41005."""
        rule = rule_for(kind)
        if not data:
            raise ApiError(41005)
        if len(data) > rule.most_bytes:
            raise ApiError(40006, f"{kind}: at most {rule.most_bytes} bytes")
        if not rule.fits(data):
            raise ApiError(40005, kind)
        medium = Medium(secrets.token_urlsafe(48), account, kind, data, self._clock().timestamp())
        self._held[medium.media_id] = medium
        self._bytes += len(data)
        while self._bytes > self._most_bytes and len(self._held) > 1:
            self._drop(next(iter(self._held)))
        return medium

    def find(self, account: str, media_id: str) -> Medium:
        """A file of this account; raises 40007 for one that is unknown or was kept long enough."""
        medium = self._held.get(media_id)
        if medium is None or medium.account != account:
            raise ApiError(40007)
        if self._clock().timestamp() - medium.at >= KEPT_S:
            self._drop(media_id)
            raise ApiError(40007, "kept for three days only")
        return medium

    def _drop(self, media_id: str) -> None:
        self._bytes -= len(self._held.pop(media_id).data)


def rule_for(kind: str) -> _Rule:
    """What a file of this type has to be; raises 40004 for a type that there is none of."""
    if kind not in RULES:
        raise ApiError(40004, f"type is one of {', '.join(RULES)}")
    return RULES[kind]
