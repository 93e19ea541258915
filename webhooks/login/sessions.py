"""A citizen's session on pages: a sealed cookie, which PostgreSQL can end at once."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec
from aiohttp import web

from core.clock import CITY_ZONE, Clock
from core.seal import Seal
from services.citizens.logins import LASTS, Logins
from webhooks.cookies import Jar, opened, sealed
from webhooks.routes import Request

IDLE = timedelta(hours=2)
NAME = "session"
_CONTEXT = "h5-session"
_CSRF = "h5-form"
_RENEWED = timedelta(minutes=1)  # no page need carry a new cookie more often


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """What stands in the cookie. Times are Unix seconds."""

    id: bytes
    account: str
    conversation: str
    opened: int
    seen: int


@dataclass(frozen=True, slots=True)
class H5Session:
    """Who is logged in on a page, through which account."""

    id: bytes
    account: str
    conversation: str
    citizen: str
    opened_at: datetime
    seen_at: datetime

    @property
    def until(self) -> datetime:
        """When it ends, however much it is used."""
        return self.opened_at + LASTS


class Sessions:
    """Opens sessions, finds the one of a request, and closes them."""

    def __init__(self, logins: Logins, seal: Seal, clock: Clock, jar: Jar) -> None:
        self._logins = logins
        self._seal = seal
        self._clock = clock
        self._jar = jar

    async def of(self, request: Request) -> H5Session | None:
        """Return who asks; None for who is not logged in (any more)."""
        kept = self._kept(request)
        if kept is None:
            return None
        citizen = await self._logins.citizen(kept.id, kept.conversation)
        if citizen is None:
            return None
        return H5Session(
            kept.id, kept.account, kept.conversation, citizen, _moment(kept.opened), _moment(kept.seen)
        )

    async def open(self, answer: web.StreamResponse, state: str, account: str, conversation: str) -> bool:
        """Log in with an answer; False if a session came of this state before."""
        session = await self._logins.open(state, conversation)
        if session is None:
            return False
        now = int(self._clock.timestamp())
        self._give(answer, _Kept(session, account, conversation, now, now))
        return True

    async def close(self, request: Request, answer: web.StreamResponse) -> None:
        """Log out on this device."""
        kept = self._kept(request)
        if kept is not None:
            await self._logins.close(kept.id)
        self._jar.drop(answer, NAME)

    async def close_all(self, session: H5Session, answer: web.StreamResponse) -> None:
        """Log out everywhere, through whichever account."""
        await self._logins.close_all(session.citizen)
        self._jar.drop(answer, NAME)

    def renew(self, answer: web.StreamResponse, session: H5Session) -> None:
        """Let the idle time begin anew."""
        now = self._clock.now()
        if now - session.seen_at < _RENEWED or self._jar.name(NAME) in answer.cookies:
            return
        fresh = replace(session, seen_at=now)
        times = (int(fresh.opened_at.timestamp()), int(fresh.seen_at.timestamp()))
        self._give(answer, _Kept(fresh.id, fresh.account, fresh.conversation, *times))

    def csrf(self, session: H5Session) -> str:
        """What each form of this session carries; no other session's form has it."""
        return self._seal.capability(_CSRF, session.id.hex())

    def is_csrf(self, session: H5Session, given: str) -> bool:
        """Tell, in constant time, whether a form is one of this session's."""
        return self._seal.is_capability(_CSRF, session.id.hex(), given)

    def _kept(self, request: Request) -> _Kept | None:
        """What the cookie holds, if it is ours and neither idle nor old."""
        plain = opened(self._seal, self._jar.get(request, NAME), _CONTEXT)
        if plain is None:
            return None
        try:
            kept = msgspec.msgpack.decode(plain, type=_Kept)
        except msgspec.DecodeError:  # of a version of ours that wrote other things into it
            return None
        now = self._clock.now()
        if now - _moment(kept.seen) >= IDLE or now - _moment(kept.opened) >= LASTS:
            return None
        return kept

    def _give(self, answer: web.StreamResponse, kept: _Kept) -> None:
        self._jar.put(answer, NAME, sealed(self._seal, msgspec.msgpack.encode(kept), _CONTEXT), LASTS)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, CITY_ZONE)
