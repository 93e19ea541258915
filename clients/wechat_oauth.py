"""The web login: the page that asks a citizen, and what its code is worth (wechat-facts 2.9)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from clients.wechat_call import A, Answer, Calls, Question, WeChatLimitError, WeChatRefusedError
from clients.wechat_codes import policy_of
from clients.wechat_token import Credentials
from core.delivery.sender import Policy

_STATE = re.compile(r"[a-zA-Z0-9]{1,128}")
_RID = re.compile(r"rid: [\w-]{1,64}")
_OVER = {Policy.TOKEN, Policy.LOGIN, Policy.GONE}
_SNS = "/sns/"


class SnapshotUserError(Exception):
    """Somebody looks at a preview of the page; the identity WeChat gave is nobody's, not to be bound."""


class _Granted(Answer, frozen=True):
    access_token: str = ""
    expires_in: int = 0
    refresh_token: str = ""
    openid: str = ""
    scope: str = ""
    unionid: str = ""
    is_snapshotuser: int | bool = 0

    @property
    def is_whole(self) -> bool:
        return bool(self.access_token and self.openid)


class _Profile(Answer, frozen=True):
    openid: str = ""
    nickname: str = ""
    headimgurl: str = ""
    unionid: str = ""

    @property
    def is_whole(self) -> bool:
        return bool(self.openid)


_REDEEM = Question("oauth2/access_token", _Granted, below=_SNS)
_REFRESH = Question("oauth2/refresh_token", _Granted, below=_SNS)
_CHECK = Question("auth", Answer, below=_SNS)
_PROFILE = Question("userinfo", _Profile, below=_SNS)


@dataclass(frozen=True, slots=True)
class Login:
    """Who came to the page; `access_token` is good for two hours there, and has nothing to do with ours."""

    openid: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    lasts_s: int
    scope: str
    unionid: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Profile:
    """What citizens show of themselves when they agree to."""

    openid: str = field(repr=False)
    nickname: str = field(repr=False)
    picture: str = field(default="", repr=False)
    unionid: str = field(default="", repr=False)


class WebLogin:
    """The login of one account; each call may raise `WeChatRefusedError` or `WeChatGoneError`.

    A refusal is told by its code alone: WeChat's words may repeat what is secret.
    """

    def __init__(self, calls: Calls, open_base: str, credentials: Credentials) -> None:
        self._calls = calls
        self._open_base = open_base
        self._credentials = credentials

    def address(self, back: str, state: str, *, profile: bool = False) -> str:
        """Where to send a citizen, who comes `back` with a code and the same `state`.

        With `profile` WeChat asks them whether we may see it. WeChat insists on this order of parameters.
        """
        if not _STATE.fullmatch(state):
            raise WeChatLimitError("a state has 1 to 128 letters and digits")
        if not back.startswith(("https://", "http://")):
            raise WeChatLimitError("the page to come back to begins with https:// or http://")
        scope = "snsapi_userinfo" if profile else "snsapi_base"
        return (
            f"{self._open_base}/connect/oauth2/authorize?appid={quote(self._credentials.appid, safe='')}"
            f"&redirect_uri={quote(back, safe='')}&response_type=code&scope={scope}&state={state}"
            "#wechat_redirect"
        )

    async def redeem(self, code: str) -> Login:
        """Who has this code, which is good once; `SnapshotUserError` for nobody real."""
        mine = self._credentials
        query = {"appid": mine.appid, "secret": mine.secret, "code": code, "grant_type": "authorization_code"}
        return _login(await self._ask(_REDEEM, query))

    async def refresh(self, refresh_token: str) -> Login:
        """Another access token, within thirty days."""
        query = {
            "appid": self._credentials.appid,
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
        }
        return _login(await self._ask(_REFRESH, query))

    async def is_good(self, access_token: str, openid: str) -> bool:
        """Whether an access token is still this citizen's."""
        try:
            await self._ask(_CHECK, {"access_token": access_token, "openid": openid})
        except WeChatRefusedError as no:
            if policy_of(no.code) not in _OVER:
                raise
            return False
        return True

    async def profile(self, access_token: str, openid: str) -> Profile:
        """What a citizen who agreed to it shows of themselves."""
        query = {"access_token": access_token, "openid": openid, "lang": "zh_CN"}
        told = await self._ask(_PROFILE, query)
        return Profile(told.openid, told.nickname, told.headimgurl, told.unionid)

    async def _ask(self, question: Question[A], query: Mapping[str, str]) -> A:
        try:
            return await self._calls.ask(question, self._calls.url(question, query))
        except WeChatRefusedError as no:
            code, rid = no.code, _RID.search(no.words)
        raise WeChatRefusedError(question.call, code, rid.group() if rid else "")


def _login(granted: _Granted) -> Login:
    if granted.is_snapshotuser:
        raise SnapshotUserError("an anonymous preview identity")
    return Login(
        granted.openid,
        granted.access_token,
        granted.refresh_token,
        granted.expires_in,
        granted.scope,
        granted.unionid,
    )
