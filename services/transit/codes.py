"""Ride codes: who may have one, for how long, and how many (domain-rules C1, C2, C5-C8)."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock
from core.errors import DomainError
from core.stores.database import Database
from gate.code import ACCT_REF_BYTES, NONCE_BYTES, Grant, Kind, ServerCode, Type, armour
from services.transit import codes_store as store
from services.transit.accounts import Account, Accounts
from services.transit.codes_store import NewGrant
from services.transit.errors import CodesUsedUp, NoLines, PicturesUsedUp, TooManyCompanions, TooSoon
from services.transit.issuer import Issuer
from services.transit.pairing import service_day
from services.transit.tariffs import Timetable

CODE_S = 30  # C1
PICTURE_S = 120  # C2
GRANT_LASTS = timedelta(minutes=15)
COMPANION_LASTS = timedelta(seconds=90)
COMPANION_AFTER = timedelta(seconds=3)  # C5
MOST_COMPANIONS = 3
MOST_GRANTS = 40  # within the life of one: a page renews after five minutes
MOST_PICTURES = 5  # a day
MORE_PICTURES = 3  # a day, for who is on the metro and has none left to get out
MOST_CODES = 20  # C7, used on one day


@dataclass(frozen=True, slots=True)
class Granted:
    """A signed grant for a page's own key; `now` is the server's clock, by which the page makes codes.

    `refusal`: what is in the way of a ride, so that its codes let out who is under way, and nobody in.
    """

    signed: bytes
    expires_at: datetime
    now: datetime
    refusal: DomainError | None = None


@dataclass(frozen=True, slots=True)
class Pictured:
    """A whole code for a picture, good once and until then; `left` more today. `refusal`: as of `Granted`."""

    code: bytes
    until: datetime
    left: int = 0
    refusal: DomainError | None = None

    @property
    def text(self) -> str:
        """What stands in the QR code."""
        return armour(self.code)


@dataclass(frozen=True, slots=True)
class _Asked:
    kind: Kind
    type: Type
    now: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class _Noted:
    """What is written down, and may be signed."""

    acct_ref: bytes
    type: Type
    cap_fen: int
    pictures_left: int
    refusal: DomainError | None  # of anything but a way out


class Codes:
    """Grants and pictures. Each has an `acct_ref` of its own, which only our table leads back from."""

    def __init__(
        self, db: Database, accounts: Accounts, issuer: Issuer, timetable: Timetable, clock: Clock
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._issuer = issuer
        self._timetable = timetable
        self._clock = clock

    async def grant(self, citizen: str, user_key: bytes, *, companion: bool = False) -> Granted:
        """Let a page make codes with its key (33 bytes, a compressed P-256 point).

        Refusals: those of `Accounts.rides`, CodesUsedUp, TooManyCompanions, TooSoon; IssuerGone. Whoever is
        under way gets codes for a way out in spite of the first two.
        """
        now = self._clock.now()
        expires = now + (COMPANION_LASTS if companion else GRANT_LASTS)
        asked = _Asked(Kind.DEVICE, Type.COMPANION if companion else Type.SELF, now, expires)
        noted = await self._note(citizen, asked)
        content = Grant(
            kid=0,
            acct_ref=noted.acct_ref,
            type=noted.type,
            cap_fen=noted.cap_fen,
            user_key=user_key,
            expires_at=int(expires.timestamp()),
            ttl_s=CODE_S,
            custom=self._timetable.network.operator.encode(),
        )
        async with self._kept_if_signed(noted.acct_ref):
            signed = await self._issuer.grant(content)
        return Granted(signed, expires, now, noted.refusal)

    async def picture(self, citizen: str) -> Pictured:
        """Make one code that is good for two minutes. Refusals: as of `grant`, and PicturesUsedUp."""
        now = self._clock.now()
        until = now + timedelta(seconds=PICTURE_S)
        noted = await self._note(citizen, _Asked(Kind.SERVER, Type.SELF, now, until))
        nonce = secrets.token_bytes(NONCE_BYTES)
        content = ServerCode(
            0, noted.acct_ref, noted.type, noted.cap_fen, int(now.timestamp()), PICTURE_S, nonce
        )
        async with self._kept_if_signed(noted.acct_ref):
            code = await self._issuer.code(content)
        return Pictured(code, until, noted.pictures_left, noted.refusal)

    @asynccontextmanager
    async def _kept_if_signed(self, acct_ref: bytes) -> AsyncIterator[None]:
        """What was not signed was not used: neither a day's picture nor one of many grants."""
        try:
            yield
        except Exception:
            await store.drop(self._db, acct_ref)
            raise

    async def _note(self, citizen: str, asked: _Asked) -> _Noted:
        """Write down what is to be signed, if it may be."""
        cap = self._cap(asked.now)
        ref = secrets.token_bytes(ACCT_REF_BYTES)
        async with self._db.transaction() as tx:
            account, refusal = await self._accounts.rides(citizen, tx)
            await store.lock(tx, account.id)
            usage = await store.usage(tx, account.id, service_day(asked.now), asked.now - GRANT_LASTS)
            refusal = refusal or _used_up(usage, asked.kind)
            kind_of_code = asked.type
            if refusal is not None:
                if not _may_come_out(account, usage, asked):
                    raise refusal
                kind_of_code = Type.WAY_OUT
            _require_slowly(usage, asked)
            new = NewGrant(ref, account.id, asked.kind, kind_of_code, cap, asked.now, asked.until)
            await store.add(tx, new)
        left = MOST_PICTURES - usage.pictures - (asked.kind is Kind.SERVER)
        return _Noted(ref, kind_of_code, cap, max(0, left), refusal)

    def _cap(self, now: datetime) -> int:
        """C8: no code lets anybody ride for more than the dearest ride there is."""
        if not self._timetable.runs(day := service_day(now)):
            raise NoLines
        return self._timetable.dearest(day)


def _used_up(usage: store.Usage, kind: Kind) -> DomainError | None:
    if usage.codes >= MOST_CODES:
        return CodesUsedUp(most=MOST_CODES)
    if kind is Kind.SERVER and usage.pictures >= MOST_PICTURES:
        return PicturesUsedUp(most=MOST_PICTURES)
    return None


def _may_come_out(account: Account, usage: store.Usage, asked: _Asked) -> bool:
    """Who is on the metro gets out by a code that opens no way in; of pictures there are a few for it."""
    if not account.may_come_out or asked.type is Type.COMPANION:
        return False
    return asked.kind is Kind.DEVICE or usage.pictures < MOST_PICTURES + MORE_PICTURES


def _require_slowly(usage: store.Usage, asked: _Asked) -> None:
    companion = asked.type is Type.COMPANION
    if companion and usage.companions >= MOST_COMPANIONS:
        raise TooManyCompanions(most=MOST_COMPANIONS, minutes=int(GRANT_LASTS.total_seconds() // 60))
    soon = companion and usage.last is not None and asked.now - usage.last < COMPANION_AFTER
    if soon or usage.grants >= MOST_GRANTS:
        raise TooSoon(seconds=int(COMPANION_AFTER.total_seconds()) if soon else 60)
