"""Access tokens: the old call and the stable one, each with its own life."""

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from simulator.accounts import Account
from simulator.clock import BEIJING, Clock
from simulator.refusals import ApiError

LIFE_S = 7200
OVERLAP_PART = 24  # of a life: five minutes of two hours
FORCED_A_DAY = 20
FORCED_APART_S = 30


@dataclass(slots=True)
class _Token:
    value: str
    expires: float
    replaced: bool = False  # by a newer one, which ends it early


@dataclass(slots=True)
class _Purse:
    """The tokens of one account: `plain` from /token, `stable` from /stable_token."""

    account: Account
    plain: _Token | None = None
    stable: _Token | None = None
    forced_on: str = ""
    forced: int = 0
    forced_at: float = field(default=float("-inf"))


class Tokens:
    """Hands out tokens and knows whose a token is."""

    def __init__(self, accounts: Iterable[Account], clock: Clock, life_s: int = LIFE_S) -> None:
        self._life_s = life_s
        self._overlap_s = life_s / OVERLAP_PART
        self._purses = {account.appid: _Purse(account) for account in accounts}
        self._issued: dict[str, tuple[Account, _Token]] = {}
        self._clock = clock

    def plain(self, appid: str, secret: str) -> tuple[str, int]:
        """A new token each time; the one before lives on for a while."""
        purse = self._purse(appid, secret)
        if purse.plain is not None:
            overlap_ends = self._now() + self._overlap_s
            purse.plain.replaced = overlap_ends < purse.plain.expires
            purse.plain.expires = min(purse.plain.expires, overlap_ends)
        purse.plain = self._issue(purse.account)
        return purse.plain.value, self._life_s

    def stable(self, appid: str, secret: str, *, force: bool) -> tuple[str, int]:
        """The same token until shortly before its end, unless a new one is forced."""
        purse = self._purse(appid, secret)
        now = self._now()
        if force:
            self._count_forced(purse, now)
            if purse.stable is not None:
                self._issued.pop(purse.stable.value, None)
            purse.stable = None
        if purse.stable is None or purse.stable.expires - now <= self._overlap_s:
            purse.stable = self._issue(purse.account)
        return purse.stable.value, int(purse.stable.expires - now)

    def holder(self, appid: str, secret: str) -> Account:
        """The account with these credentials; raises 41002, 41004, 40013 or 40125."""
        return self._purse(appid, secret).account

    def owner(self, token: str) -> Account:
        """The account a token speaks for; raises 41001, 40001 or 42001."""
        if not token:
            raise ApiError(41001)
        found = self._issued.get(token)
        if found is None:
            raise ApiError(40001)
        account, issued = found
        if issued.expires <= self._now():
            raise ApiError(40001 if issued.replaced else 42001)
        return account

    def expire(self, account: Account) -> None:
        """Every token of the account is invalid from now on."""
        purse = self._purses[account.appid]
        purse.plain = purse.stable = None
        for value in [value for value, (owner, _) in self._issued.items() if owner is account]:
            del self._issued[value]

    def _purse(self, appid: str, secret: str) -> _Purse:
        if not appid:
            raise ApiError(41002)
        if not secret:
            raise ApiError(41004)
        purse = self._purses.get(appid)
        if purse is None:
            raise ApiError(40013)
        if not hmac.compare_digest(purse.account.secret.encode(), secret.encode()):
            raise ApiError(40125)
        return purse

    def _count_forced(self, purse: _Purse, now: float) -> None:
        today = self._clock().astimezone(BEIJING).date().isoformat()
        if purse.forced_on != today:
            purse.forced_on, purse.forced = today, 0
        if now - purse.forced_at < FORCED_APART_S:
            raise ApiError(45011, f"force_refresh at most every {FORCED_APART_S} s")
        if purse.forced >= FORCED_A_DAY:
            raise ApiError(45009, f"force_refresh at most {FORCED_A_DAY} times a day")
        purse.forced += 1
        purse.forced_at = now

    def _issue(self, account: Account) -> _Token:
        now = self._now()
        # An expired token is remembered for a while, so that it is refused as expired and not as unknown.
        forgotten = [
            value for value, (_, token) in self._issued.items() if token.expires < now - self._life_s
        ]
        for value in forgotten:
            del self._issued[value]
        token = _Token(f"{secrets.randbelow(90) + 10}_{secrets.token_urlsafe(100)}", now + self._life_s)
        self._issued[token.value] = (account, token)
        return token

    def _now(self) -> float:
        return self._clock().timestamp()
