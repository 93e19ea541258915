"""WeChat's API side: what we send to citizens ourselves, and everything else an account may ask for."""

from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp

from clients.wechat_call import (
    Answer,
    Calls,
    Question,
    WeChatGoneError,
    WeChatLimitError,
    WeChatRefusedError,
    open_http,
)
from clients.wechat_custom import body_of
from clients.wechat_line import Line
from clients.wechat_media import File, FileKind, Files, Film
from clients.wechat_menu import MenuButton, Menus, as_wechat
from clients.wechat_notice import subscription_body, template_body
from clients.wechat_oauth import Login, Profile, SnapshotUserError, WebLogin
from clients.wechat_outcome import Outcomes
from clients.wechat_qrcode import QrCode, QrCodes
from clients.wechat_shelf import Shelf
from clients.wechat_token import AccessToken, Credentials, Source
from clients.wechat_users import Person, Users
from core.chat.replies import Said
from core.clock import Clock
from core.delivery.sender import Choices, Notice, Outcome, Sent, Unsendable

__all__ = [
    "Credentials",
    "File",
    "FileKind",
    "Film",
    "Login",
    "MenuButton",
    "Person",
    "Platform",
    "Profile",
    "QrCode",
    "Shelf",
    "SnapshotUserError",
    "WeChat",
    "WeChatGoneError",
    "WeChatLimitError",
    "WeChatRefusedError",
    "WeChatSender",
    "as_wechat",
    "open_http",
]


class _Taken(Answer, frozen=True):
    """Ids are numbers beyond 2^53, or texts."""

    msgid: int | str = ""
    msg_id: int | str = ""


_CUSTOM = Question("message/custom/send", _Taken)
_TYPING = Question("message/custom/typing", Answer)
_TEMPLATE = Question("message/template/send", _Taken)
_SUBSCRIPTION = Question("message/subscribe/bizsend", _Taken)


@dataclass(frozen=True, slots=True)
class Platform:
    """Where WeChat is, and what all accounts share; without a shelf each process asks for its own tokens.

    `timeout_s` is the longest one request may take (for files, six times as long); every other duration here
    follows from it. Citizens' browsers go to `open_base` to log in, and to `mp_base` for pictures.
    """

    http: aiohttp.ClientSession
    api_base: str
    clock: Clock
    shelf: Shelf | None = None
    timeout_s: float = 5.0
    open_base: str = "https://open.weixin.qq.com"
    mp_base: str = "https://mp.weixin.qq.com"


class WeChat:
    """The API of one account: what it sends, and by its name whatever else there is."""

    def __init__(self, platform: Platform, credentials: Credentials) -> None:
        calls = Calls(platform.http, platform.api_base, platform.timeout_s)
        self._token = AccessToken(Source(calls, platform.shelf, platform.clock), credentials)
        self._line = Line(calls, self._token)
        self._outcomes = Outcomes(credentials.account, platform.clock)
        self.menus = Menus(self._line)
        self.codes = QrCodes(self._line, platform.mp_base)
        self.users = Users(self._line)
        self.files = Files(self._line)
        self.login = WebLogin(calls, platform.open_base, credentials)

    async def token(self) -> str:
        """The account's access token; the same one in all processes until it nears its end."""
        return await self._token.value()

    async def about(self, openid: str) -> Person | Outcome:
        """What is known of a follower (wechat-facts 2.7), or what became of the question."""
        try:
            return await self.users.about(openid)
        except (WeChatGoneError, WeChatRefusedError) as failed:
            return self._outcomes.of(failed)

    async def ready(self) -> Outcome | None:
        """Have a token at hand, within one time-out; else what becomes of whatever is sent now."""
        try:
            await self._line.ready()
        except (WeChatGoneError, WeChatRefusedError) as failed:
            return self._outcomes.of(failed)
        return None

    async def send(self, openid: str, said: Said | Choices) -> Outcome:
        """Send a customer-service message (wechat-facts 2.2) and say what became of it.

        Over after two time-outs; a message is repeated only after WeChat refused the token it came with.
        """
        kind = "msgmenu" if isinstance(said, Choices) else said.type
        return await self._deliver(_CUSTOM, openid, body_of(said, openid), kind)

    async def send_template(self, openid: str, notice: Notice) -> Outcome:
        """Send a template message (wechat-facts 2.3), in the same way."""
        return await self._deliver(_TEMPLATE, openid, template_body(notice, openid), "template")

    async def send_subscription(self, openid: str, notice: Notice) -> Outcome:
        """Send a subscription notification (wechat-facts 2.4), in the same way; its receipt has its id."""
        return await self._deliver(_SUBSCRIPTION, openid, subscription_body(notice, openid), "subscription")

    async def typing(self, openid: str, *, on: bool = True) -> None:
        """Show that somebody is typing, for 15 seconds at the longest, or show it no more."""
        await self._line.post(_TYPING, {"touser": openid, "command": "Typing" if on else "CancelTyping"})

    async def _deliver(self, question: Question[_Taken], openid: str, body: object, kind: str) -> Outcome:
        if body is None:
            return self._outcomes.told(openid, Unsendable(kind))
        try:
            taken = await self._line.post(question, body)
        except (WeChatGoneError, WeChatRefusedError) as failed:
            return self._outcomes.told(openid, self._outcomes.of(failed))
        return Sent(str(taken.msgid or taken.msg_id))


class WeChatSender:
    """Sends through whichever account a citizen knows: core's `Sender`."""

    def __init__(self, platform: Platform, accounts: Iterable[Credentials]) -> None:
        self._accounts = {each.account: WeChat(platform, each) for each in accounts}
        self._clock = platform.clock
        self._strangers: dict[str, Outcomes] = {}

    async def ready(self, account: str) -> Outcome | None:
        """Have the token of `account` at hand."""
        wechat = self._accounts.get(account)
        return await wechat.ready() if wechat else self._unlisted(account)

    async def send(self, account: str, openid: str, said: Said | Choices) -> Outcome:
        """Send as `account`; one that is no longer in the settings sends nothing."""
        wechat = self._accounts.get(account)
        return await wechat.send(openid, said) if wechat else self._unlisted(account)

    async def send_template(self, account: str, openid: str, notice: Notice) -> Outcome:
        """Send a template message as `account`."""
        wechat = self._accounts.get(account)
        return await wechat.send_template(openid, notice) if wechat else self._unlisted(account)

    async def send_subscription(self, account: str, openid: str, notice: Notice) -> Outcome:
        """Send a subscription notification as `account`."""
        wechat = self._accounts.get(account)
        return await wechat.send_subscription(openid, notice) if wechat else self._unlisted(account)

    def _unlisted(self, account: str) -> Outcome:
        return self._strangers.setdefault(account, Outcomes(account, self._clock)).of_a_stranger()
