"""WeChat's API side: what we send to citizens ourselves, and the menu of an account."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp
import structlog

from clients.wechat_call import Answer, Calls, WeChatGoneError, WeChatRefusedError
from clients.wechat_codes import policy_of
from clients.wechat_custom import body_of
from clients.wechat_shelf import Shelf
from clients.wechat_token import TOKEN_CALL, AccessToken, Credentials, Source
from core.chat.menus import Button, Menu
from core.chat.replies import Said
from core.clock import CITY_ZONE, Clock
from core.delivery.sender import (
    Choices,
    Outcome,
    PerhapsSent,
    Policy,
    Refused,
    Sent,
    SurelyNotSent,
    Unsendable,
)

__all__ = [
    "Credentials",
    "Platform",
    "Shelf",
    "WeChat",
    "WeChatGoneError",
    "WeChatRefusedError",
    "WeChatSender",
]

_SOON_S = 5.0  # before we knock again at a platform that did not open
_FORCED_S = 30.0  # WeChat forces a new token at most that often (wechat-facts 2.1)
_MINUTE_S = 60.0
_SHOWN = 4  # characters of an openid that a log may show

_log = structlog.get_logger("wechat")


@dataclass(frozen=True, slots=True)
class Platform:
    """Where WeChat is, and what all accounts share; without a shelf each process asks for its own tokens.

    `timeout_s` is the longest one request may take; every other duration here follows from it.
    """

    http: aiohttp.ClientSession
    api_base: str
    clock: Clock
    shelf: Shelf | None = None
    timeout_s: float = 5.0


class WeChat:
    """The API of one account."""

    def __init__(self, platform: Platform, credentials: Credentials) -> None:
        self._account = credentials.account
        self._clock = platform.clock
        self._timeout_s = platform.timeout_s
        self._calls = Calls(platform.http, platform.api_base, platform.timeout_s)
        source = Source(self._calls, platform.shelf, platform.clock, platform.timeout_s)
        self._token = AccessToken(source, credentials)

    async def token(self) -> str:
        """The account's access token; the same one in all processes until it nears its end."""
        return await self._token.value()

    async def create_menu(self, menu: Menu) -> None:
        """Show this menu to everybody who opens the account (wechat-facts 2.5)."""
        await self._call("menu/create", {"button": [_button(button) for button in menu.buttons]})

    async def send(self, openid: str, said: Said | Choices) -> Outcome:
        """Send a customer-service message (wechat-facts 2.2) and say what became of it.

        Over after two time-outs; a message is repeated only after WeChat refused the token it came with.
        """
        body = body_of(said, openid)
        kind = "msgmenu" if isinstance(said, Choices) else said.type
        if body is None:
            return self._told(openid, Unsendable(kind))
        try:
            answer = await self._call("message/custom/send", body)
        except WeChatGoneError as gone:
            return self._told(openid, _lost(gone))
        except WeChatRefusedError as no:
            return self._told(openid, _refusal(no, self._clock.now()))
        return Sent(str(answer.msgid or answer.msg_id))

    async def _call(self, call: str, body: object) -> Answer:
        """One call with the account's token; a token that WeChat refuses is replaced once."""
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        token = await self._token_by(deadline)
        try:
            return await self._calls.post(call, {"access_token": token}, body)
        except WeChatRefusedError as no:
            if policy_of(no.code) is not Policy.TOKEN:
                raise
        self._token.refuse(token)
        return await self._calls.post(call, {"access_token": await self._token_by(deadline)}, body)

    async def _token_by(self, deadline: float) -> str:
        late = WeChatGoneError(TOKEN_CALL, "no token in time", reached=False)
        if asyncio.get_running_loop().time() >= deadline:
            raise late
        try:
            async with asyncio.timeout_at(deadline):
                return await self._token.value()
        except TimeoutError:
            raise late from None

    def _told(self, openid: str, outcome: Outcome) -> Outcome:
        """Leave one line about what did not arrive: no words, no openid, no token in it."""
        _log.warning("not delivered", account=self._account, openid=_masked(openid), outcome=str(outcome))
        return outcome


class WeChatSender:
    """Sends through whichever account a citizen wrote to: core's `Sender`."""

    def __init__(self, platform: Platform, accounts: Iterable[Credentials]) -> None:
        self._accounts = {each.account: WeChat(platform, each) for each in accounts}

    async def send(self, account: str, openid: str, said: Said | Choices) -> Outcome:
        """Send as `account`; one that is no longer in the settings sends nothing."""
        wechat = self._accounts.get(account)
        if wechat is None:
            return Refused(Policy.CONFIGURATION, 0, f"accounts.{account} is not in the settings")
        return await wechat.send(openid, said)


def _lost(gone: WeChatGoneError) -> Outcome:
    """Without a token nothing was sent, whatever became of the question for one."""
    if gone.reached and gone.call != TOKEN_CALL:
        return PerhapsSent(gone.reason)
    return SurelyNotSent(f"{gone.call}: {gone.reason}", _SOON_S)


def _refusal(no: WeChatRefusedError, now: datetime) -> Outcome:
    """What a refusal means: the moment is to blame, or the token, the settings, or the message itself."""
    policy, words = policy_of(no.code), f"{no.code} {no.words}"
    asked_token = no.call == TOKEN_CALL
    if policy is Policy.BUSY and not asked_token:
        return PerhapsSent(words)
    if policy is Policy.TOKEN and asked_token:  # the token call itself has none: the secret is wrong
        return Refused(Policy.CONFIGURATION, no.code, no.words)
    waits = {
        Policy.BUSY: _SOON_S,
        Policy.TOKEN: _FORCED_S,
        Policy.RATE_MINUTE: _MINUTE_S,
        Policy.RATE_DAY: _until_tomorrow(now),
    }
    if policy in waits:
        return SurelyNotSent(f"{no.call}: {words}", waits[policy])
    return Refused(policy, no.code, no.words)


def _until_tomorrow(now: datetime) -> float:
    """Seconds until a minute after the city's midnight, when daily quotas begin anew (wechat-facts 3)."""
    today = now.astimezone(CITY_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1, minutes=1) - now).total_seconds()


def _masked(openid: str) -> str:
    return f"…{openid[-_SHOWN:]}" if len(openid) > 4 * _SHOWN else "…"


def _button(button: Button) -> dict[str, object]:
    if button.children:
        return {"name": button.name, "sub_button": [_button(child) for child in button.children]}
    if button.url:
        return {"name": button.name, "type": "view", "url": button.url}
    return {"name": button.name, "type": "click", "key": button.click}
