"""Citizens' logins on pages: each state and code is good once, and every session can be ended at once."""

import hashlib
import secrets
from datetime import datetime, timedelta

from core.clock import Clock
from core.stores.database import Database, Transaction
from services.citizens import logins_store as store

LASTS = timedelta(hours=12)  # a session, however much it is used
STATE_LASTS = timedelta(minutes=10)  # from the way to WeChat until the way back
_CODE_LASTS = timedelta(minutes=30)  # WeChat's own are good for five minutes
_ID_BYTES = 16


class Logins:
    """What PostgreSQL knows of sessions on pages; the cookie knows the rest (ADR 0019)."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def use(self, state: str, account: str, code: str) -> bool:
        """Note that a state and WeChat's code were used; False if one of them was before."""
        now = self._clock.now()
        return await store.use(self._db, _hashed(state), _hashed(account, code), now, now + _CODE_LASTS)

    async def open(self, state: str, conversation: str) -> bytes | None:
        """Open the session of a login whose state was used, and return its id; None the second time."""
        session, until = secrets.token_bytes(_ID_BYTES), self._clock.now() + LASTS
        opened = await store.open_session(self._db, _hashed(state), session, conversation, until)
        return session if opened else None

    async def citizen(self, session: bytes, conversation: str) -> str | None:
        """Return who is logged in; None once the session was closed or is over, or the citizen is gone."""
        return await store.citizen(self._db, session, conversation, self._clock.now())

    async def close(self, session: bytes) -> None:
        """Log out on one device."""
        await store.close(self._db, session, self._clock.now())

    async def close_all(self, citizen: str, tx: Transaction | None = None) -> None:
        """Log a citizen out everywhere, in the transaction of whatever is the reason."""
        await store.close_all(tx or self._db, citizen, self._clock.now())

    def over(self, opened_at: datetime) -> bool:
        """Tell whether a session has lasted as long as any may."""
        return self._clock.now() - opened_at >= LASTS


def _hashed(*what: str) -> bytes:
    return hashlib.sha256("\0".join(what).encode(errors="surrogatepass")).digest()
