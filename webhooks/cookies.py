"""Cookies of ours: sealed for one purpose, closed to scripts and to other sites' forms."""

import base64
import binascii
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from core.seal import Seal, SealBrokenError
from webhooks.routes import Request

_MOST = 3_000  # characters; a browser keeps 4,096 bytes


@dataclass(frozen=True, slots=True)
class Jar:
    """Cookies for pages at one address; with https only over it, and under names no other host can set."""

    secure: bool

    def name(self, name: str) -> str:
        """The whole name of a cookie."""
        return f"__Host-{name}" if self.secure else name

    def get(self, request: Request, name: str) -> str:
        """What a cookie holds; "" if there is none, or nothing of ours."""
        found = request.cookies.get(self.name(name), "")
        return found if found.isascii() and len(found) <= _MOST else ""

    def names(self, request: Request, beginning: str) -> list[str]:
        """The names of cookies that begin so, without what stands before each."""
        ours = self.name("")
        return [each.removeprefix(ours) for each in request.cookies if each.startswith(ours + beginning)]

    def put(self, answer: web.StreamResponse, name: str, value: str, lasts: timedelta | None = None) -> None:
        """Let the browser keep something; without `lasts` until it is closed."""
        answer.set_cookie(
            self.name(name),
            value,
            path="/",
            max_age=None if lasts is None else int(lasts.total_seconds()),
            httponly=True,
            secure=self.secure,
            samesite="Lax",
        )

    def drop(self, answer: web.StreamResponse, name: str) -> None:
        """Let the browser forget it."""
        self.put(answer, name, "", timedelta(0))


def sealed(seal: Seal, plain: bytes, context: str) -> str:
    """Seal what a cookie is to hold."""
    return base64.urlsafe_b64encode(seal.seal(plain, context)).rstrip(b"=").decode()


def opened(seal: Seal, value: str, context: str) -> bytes | None:
    """What a cookie holds; None for anything that we did not seal for this purpose."""
    try:
        whole = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
        return seal.open(whole, context)
    except (binascii.Error, ValueError, SealBrokenError):
        return None
