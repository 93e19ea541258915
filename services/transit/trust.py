"""Whom gates are to trust: the keys of the issuer, and the few codes that open nothing all the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.stores.database import Database
from services.transit.issuer import Issuer
from services.transit.taps import SKEW


@dataclass(frozen=True, slots=True)
class Denial:
    """An `acct_ref` that opens nothing before `until`."""

    acct_ref: bytes
    until: datetime


@dataclass(frozen=True, slots=True)
class TrustList:
    """The whole list as of `now`: the issuer's public keys by `kid`, those revoked, and the denials."""

    now: datetime
    issuers: Mapping[int, bytes]
    denied: Sequence[Denial]
    revoked: Mapping[int, bytes] = field(default_factory=dict)


class Trusting:
    """Makes the list. Who is in arrears gets no new code to go in by (T3), and is let out all the same."""

    def __init__(self, db: Database, issuer: Issuer) -> None:
        self._db = db
        self._issuer = issuer

    async def trust(self, now: datetime) -> TrustList:
        """The list as of now; `IssuerGone` where nobody can tell the keys."""
        issuers, revoked = await self._issuer.public_keys(), await self._issuer.revoked_keys()
        rows = await self._db.fetch(
            """
            SELECT g.acct_ref, g.expires_at FROM transit_grants g JOIN transit_accounts a ON a.id = g.account
            WHERE g.expires_at > $1 AND a.state IN ('suspended', 'closed') ORDER BY g.expires_at, g.acct_ref
            """,
            now - 2 * SKEW,
        )
        denied = [Denial(row[0], row[1] + 2 * SKEW) for row in rows]
        return TrustList(now, issuers, denied, revoked)
