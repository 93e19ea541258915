"""Ride codes: who may have one, for how long, and how many (domain-rules C1, C2, C5-C8)."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock
from core.stores.database import Database
from gate.code import ACCT_REF_BYTES, NONCE_BYTES, Grant, Kind, ServerCode, Type, armour
from services.transit import codes_store as store
from services.transit.accounts import Accounts
from services.transit.codes_store import NewGrant
from services.transit.errors import CodesUsedUp, PicturesUsedUp, TooManyCompanions, TooSoon
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
MOST_CODES = 20  # C7, used on one day


@dataclass(frozen=True, slots=True)
class Granted:
    """A signed grant for a page's own key; `now` is the server's clock, by which the page makes codes."""

    signed: bytes
    expires_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Pictured:
    """A whole code for a picture, good once and until then; `left` more today."""

    code: bytes
    until: datetime
    left: int = 0

    @property
    def text(self) -> str:
        """What stands in the QR code."""
        return armour(self.code)


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

        Refusals: those of `Accounts.in_use`, CodesUsedUp, TooManyCompanions, TooSoon; IssuerGone.
        """
        now = self._clock.now()
        expires = now + (COMPANION_LASTS if companion else GRANT_LASTS)
        ref, cap, _ = await self._note(citizen, Kind.DEVICE, expires, companion=companion)
        content = Grant(
            kid=0,
            acct_ref=ref,
            type=Type.COMPANION if companion else Type.SELF,
            cap_fen=cap,
            user_key=user_key,
            expires_at=int(expires.timestamp()),
            ttl_s=CODE_S,
            custom=self._timetable.network.operator.encode(),
        )
        return Granted(await self._issuer.grant(content), expires, now)

    async def picture(self, citizen: str) -> Pictured:
        """Make one code that is good for two minutes. Refusals: as of `grant`, and PicturesUsedUp."""
        now = self._clock.now()
        until = now + timedelta(seconds=PICTURE_S)
        ref, cap, left = await self._note(citizen, Kind.SERVER, until, companion=False)
        nonce = secrets.token_bytes(NONCE_BYTES)
        content = ServerCode(0, ref, Type.SELF, cap, int(now.timestamp()), PICTURE_S, nonce)
        return Pictured(await self._issuer.code(content), until, left)

    async def _note(
        self, citizen: str, kind: Kind, expires: datetime, *, companion: bool
    ) -> tuple[bytes, int, int]:
        """Write down what is to be signed, if it may be: its `acct_ref`, its cap in fen, pictures left."""
        now = self._clock.now()
        cap = self._cap(now)
        ref = secrets.token_bytes(ACCT_REF_BYTES)
        async with self._db.transaction() as tx:
            account = await self._accounts.in_use(citizen, tx)
            await store.lock(tx, account.id)
            usage = await store.usage(tx, account.id, service_day(now), now - GRANT_LASTS)
            self._require(usage, kind, now, companion=companion)
            await store.add(tx, NewGrant(ref, account.id, kind, companion, cap, now, expires))
        return ref, cap, MOST_PICTURES - usage.pictures - (kind is Kind.SERVER)

    def _require(self, usage: store.Usage, kind: Kind, now: datetime, *, companion: bool) -> None:
        if usage.codes >= MOST_CODES:
            raise CodesUsedUp(most=MOST_CODES)
        if kind is Kind.SERVER and usage.pictures >= MOST_PICTURES:
            raise PicturesUsedUp(most=MOST_PICTURES)
        if companion and usage.companions >= MOST_COMPANIONS:
            raise TooManyCompanions(most=MOST_COMPANIONS, minutes=int(GRANT_LASTS.total_seconds() // 60))
        soon = companion and usage.last is not None and now - usage.last < COMPANION_AFTER
        if soon or usage.grants >= MOST_GRANTS:
            raise TooSoon(seconds=int(COMPANION_AFTER.total_seconds()) if soon else 60)

    def _cap(self, now: datetime) -> int:
        """C8: no code lets anybody ride for more than the dearest ride there is."""
        return self._timetable.dearest(service_day(now))
