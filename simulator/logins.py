"""The web login of citizens (OAuth): codes that work once, and the tokens one gets for them."""

import secrets
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from simulator.accounts import Account
from simulator.clock import Clock
from simulator.people import Phone
from simulator.refusals import ApiError

CODE_S, TOKEN_S, REFRESH_S = 300, 7_200, 30 * 86_400
BASE, USERINFO = "snsapi_base", "snsapi_userinfo"
SCOPES = (BASE, USERINFO)
_TOKENS = ("access_token", "refresh_token")


@dataclass(frozen=True, slots=True)
class Login:
    """What a code, an access token or a refresh token stands for."""

    appid: str
    phone: Phone
    scope: str
    until: float
    used: bool = False


class _Purse:
    """Secrets of one kind; the oldest goes when there are too many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._logins: OrderedDict[str, Login] = OrderedDict()

    def put(self, value: str, login: Login) -> str:
        self._logins[value] = login
        if len(self._logins) > self._most:
            self._logins.popitem(last=False)
        return value

    def get(self, value: str) -> Login | None:
        return self._logins.get(value)


class Logins:
    """All logins of all accounts. Their tokens have nothing to do with those of the API."""

    def __init__(self, accounts: Iterable[Account], clock: Clock, most: int) -> None:
        self._appids = {account.appid for account in accounts}
        self._clock = clock
        self._codes, self._tokens, self._refreshing = _Purse(most), _Purse(most), _Purse(most)

    def code(self, account: Account, phone: Phone, scope: str) -> str:
        """A code for the page that the citizen is sent back to."""
        return self._codes.put(secrets.token_urlsafe(24), self._login(account.appid, phone, scope, CODE_S))

    def redeem(self, account: Account, code: str) -> dict[str, object]:
        """Tokens for a code; raises 41008, 40029, 40163 or 42003."""
        if not code:
            raise ApiError(41008)
        login = self._codes.get(code)
        if login is None or login.appid != account.appid:
            raise ApiError(40029)
        if login.used:
            raise ApiError(40163)
        if self._over(login):
            raise ApiError(42003)
        self._codes.put(code, replace(login, used=True))
        refresh = self._login(account.appid, login.phone, login.scope, REFRESH_S)
        return self._granted(login, self._refreshing.put(secrets.token_urlsafe(64), refresh))

    def refresh(self, appid: str, refresh_token: str) -> dict[str, object]:
        """Another access token; raises 41002, 40013, 40030 or 42002."""
        if not appid:
            raise ApiError(41002)
        if appid not in self._appids:
            raise ApiError(40013)
        login = self._refreshing.get(refresh_token)
        if login is None or login.appid != appid:
            raise ApiError(40030)
        if self._over(login):
            raise ApiError(42002)
        return self._granted(login, refresh_token)

    def owner(self, token: str, openid: str) -> Login:
        """Whose token it is; raises 41001, 40001, 42001 or 40003."""
        if not token:
            raise ApiError(41001)
        login = self._tokens.get(token)
        if login is None:
            raise ApiError(40001)
        if self._over(login):
            raise ApiError(42001)
        if openid != login.phone.openid:
            raise ApiError(40003)
        return login

    def _granted(self, login: Login, refresh_token: str) -> dict[str, object]:
        if login.phone.preview:
            return self._of_nobody(login)
        fresh = self._login(login.appid, login.phone, login.scope, TOKEN_S)
        granted: dict[str, object] = {
            "access_token": self._tokens.put(secrets.token_urlsafe(64), fresh),
            "expires_in": TOKEN_S,
            "refresh_token": refresh_token,
            "openid": login.phone.openid,
            "scope": login.scope,
        }
        if login.scope == USERINFO and login.phone.unionid:
            granted["unionid"] = login.phone.unionid
        return granted

    def _of_nobody(self, login: Login) -> dict[str, object]:
        """What a page learns of who looks at a preview of it: an identity that is good for nothing."""
        granted: dict[str, object] = {name: secrets.token_urlsafe(64) for name in _TOKENS}
        invented = {"openid": f"o{secrets.token_urlsafe(20)}", "scope": login.scope}
        return granted | {"expires_in": TOKEN_S, "is_snapshotuser": 1} | invented

    def _login(self, appid: str, phone: Phone, scope: str, life_s: int) -> Login:
        return Login(appid, phone, scope, self._clock().timestamp() + life_s)

    def _over(self, login: Login) -> bool:
        return login.until <= self._clock().timestamp()
