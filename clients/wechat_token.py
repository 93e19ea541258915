"""The access token of one account: asked for once, shared by every process, replaced when it is refused."""

import asyncio
import random
import secrets
from collections.abc import Awaitable
from dataclasses import dataclass

import structlog

from clients.wechat_call import Answer, Body, Calls, Question, WeChatGoneError, WeChatRefusedError
from clients.wechat_codes import at_fault, policy_of
from clients.wechat_shelf import Shelf, Token
from core.clock import Clock
from core.delivery.sender import Policy
from core.errors import StoreGoneError
from core.joint import Joint
from core.stores.redis import ScriptError

TOKEN_CALL = "stable_token"  # noqa: S105 - the name of a call

_MARGIN_S = 300.0  # WeChat hands out the next token about 5 min before the end of this one (wechat-facts 2.1)
_LEAST_SHARE = 0.1  # of its life a token is used before we ask again, however short that life is
_PROOF_BYTES = 16

# In time-outs of one call, so that one figure scales them all.
_LOCK = 1.2  # the holder's call, and what lies around it
_WAIT = 0.6  # for the copy another process is fetching; then we ask, too: stable_token hands out the same one
_POLL = 0.01
_PAUSE = 6.0  # after a refusal that only a person, or time, can mend

# Redis gone, or one that takes no scripts of ours: a token that cannot be shared is no reason not to send.
_NOT_SHARED = (StoreGoneError, ScriptError)

_log = structlog.get_logger("wechat")


class _Granted(Answer, frozen=True):
    access_token: str = ""
    expires_in: int = 0

    @property
    def is_whole(self) -> bool:
        return self.errcode is not None or bool(self.access_token)


_GRANT = Question(TOKEN_CALL, _Granted)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What WeChat knows an account by; `account` is its name in the settings."""

    account: str
    appid: str
    secret: str

    def __repr__(self) -> str:
        return f"Credentials({self.account}, {self.appid}, …)"


@dataclass(frozen=True, slots=True)
class Source:
    """Where tokens come from: WeChat, and before it the copy all processes share, if there is one."""

    calls: Calls
    shelf: Shelf | None
    clock: Clock


class AccessToken:
    """The token as this process knows it. Reading it costs nothing while it is fresh."""

    def __init__(self, source: Source, credentials: Credentials) -> None:
        self._source = source
        self._credentials = credentials
        self._account = credentials.account
        self._place = f"{credentials.account}:{credentials.appid}"
        self._held: Token | None = None
        self._refused = ""
        self._renewal = Joint(self._renewed)
        self._failed: tuple[float, WeChatRefusedError] | None = None  # until when (loop time), and why

    async def value(self) -> str:
        """A token WeChat has not refused, as far as we know; everybody here waits for the same renewal.

        `WeChatRefusedError`, `WeChatGoneError`: there is none. A caller that gives up stops nobody's renewal.
        """
        return self.fresh() or await self._renewal.outcome()

    def fresh(self) -> str:
        """The token, if it is good without asking anybody; else ""."""
        held = self._held
        return held.value if held is not None and self._is_fresh(held) else ""

    def refuse(self, value: str) -> None:
        """WeChat does not take this token any more; of one that was replaced already we knew."""
        if self._held is not None and self._held.value == value:
            self._refused = value

    def _is_fresh(self, token: Token) -> bool:
        return token.value != self._refused and self._now() < token.renew_at

    async def _renewed(self) -> str:
        try:
            self._spare_wechat()
            self._held = await self._found_or_asked()
        except (WeChatRefusedError, WeChatGoneError) as failed:
            held = self._held
            if held is None or held.value == self._refused or self._now() >= held.expires_at:
                raise
            _log.warning("access token used past its margin", account=self._account, why=str(failed))
            return held.value
        return self._held.value

    def _spare_wechat(self) -> None:
        """Do not ask again and again what WeChat has just refused."""
        if self._failed is not None and asyncio.get_running_loop().time() < self._failed[0]:
            no = self._failed[1]
            raise WeChatRefusedError(no.call, no.code, no.words)

    async def _found_or_asked(self) -> Token:
        """The shared copy if it is good, else what WeChat says; while Redis is there, one process asks."""
        shelf = self._source.shelf
        if shelf is None:
            return await self._asked(may_force=True)
        proof = secrets.token_hex(_PROOF_BYTES)
        try:
            found, locked = await self._claimed(shelf, proof)
        except _NOT_SHARED as gone:
            self._warn(gone)
            return await self._asked(may_force=True)
        if found is not None:
            return found
        if not locked:
            return await self._asked(may_force=False)
        try:
            token = await self._asked(may_force=True)
        except (WeChatRefusedError, WeChatGoneError):
            await self._settled(shelf.release(self._place, proof))
            raise
        await self._settled(shelf.put(self._place, proof, token, token.expires_at - self._now()))
        return token

    async def _claimed(self, shelf: Shelf, proof: str) -> tuple[Token | None, bool]:
        """A good shared copy, or the lock; neither if somebody else holds it for too long."""
        time_of, timeout_s = asyncio.get_running_loop().time, self._source.calls.timeout_s
        deadline = time_of() + _WAIT * timeout_s
        while True:
            found, locked = await shelf.claim(self._place, proof, _LOCK * timeout_s)
            if found is not None and self._is_fresh(found):
                if locked:
                    await self._settled(shelf.release(self._place, proof))
                return found, False
            if locked or time_of() > deadline:
                return None, locked
            await asyncio.sleep(_POLL * timeout_s * random.uniform(0.5, 1.5))

    async def _asked(self, *, may_force: bool) -> Token:
        """WeChat's token; a new one is forced only if WeChat still hands out the one it has refused."""
        token = await self._granted(force=False)
        if token.value == self._refused and may_force:
            token = await self._granted(force=True)
        return token

    async def _granted(self, *, force: bool) -> Token:
        who = self._credentials
        wish: dict[str, object] = {
            "grant_type": "client_credential",
            "appid": who.appid,
            "secret": who.secret,
            "force_refresh": force,
        }
        asked_at, calls = self._now(), self._source.calls
        try:
            answer = await calls.ask(_GRANT, calls.url(_GRANT, {}), Body.json(wish))
        except WeChatRefusedError as no:
            check = at_fault(no.code, who.account)
            clear = WeChatRefusedError(
                TOKEN_CALL, no.code, f"{no.words} (check {check})" if check else no.words
            )
            if policy_of(no.code) is not Policy.BUSY:
                until = asyncio.get_running_loop().time() + _PAUSE * self._source.calls.timeout_s
                self._failed = until, clear
            raise clear from None
        if not answer.access_token or answer.expires_in <= 0:
            raise WeChatGoneError(TOKEN_CALL, "an answer without a token", reached=True)
        usable_s = max(answer.expires_in - _MARGIN_S, answer.expires_in * _LEAST_SHARE)
        return Token(answer.access_token, asked_at + usable_s, asked_at + answer.expires_in)

    async def _settled(self, on_shelf: Awaitable[None]) -> None:
        """Do something on the shelf that may fail: whoever misses it asks WeChat, the lock ends by itself."""
        try:
            await on_shelf
        except _NOT_SHARED as gone:
            self._warn(gone)

    def _warn(self, gone: Exception) -> None:
        _log.warning("access token is not shared", account=self._account, why=str(gone))

    def _now(self) -> float:
        return self._source.clock.timestamp()
