"""WeChat's API side: the access token, and the menu of an account."""

from collections.abc import Mapping

import aiohttp
import msgspec

from core.chat.menus import Button, Menu

_TIMEOUT = aiohttp.ClientTimeout(total=5)


class WeChatRefusedError(Exception):
    """WeChat answered with an error code; its own words say why."""

    def __init__(self, call: str, code: int, words: str) -> None:
        super().__init__(f"WeChat refused {call}: {code} {words}")
        self.code = code


class WeChatGoneError(Exception):
    """WeChat could not be reached, or did not answer with JSON."""

    def __init__(self, call: str) -> None:
        super().__init__(f"WeChat did not answer {call}")


class _Answer(msgspec.Struct, frozen=True):
    errcode: int = 0
    errmsg: str = ""
    access_token: str = ""


class WeChat:
    """The API of one account at `api_base`."""

    def __init__(self, http: aiohttp.ClientSession, api_base: str, *, appid: str, secret: str) -> None:
        self._http = http
        self._base = api_base
        self._appid = appid
        self._secret = secret

    async def token(self) -> str:
        """The account's access token; `stable_token` hands out the same one until it nears its end."""
        answer = await self._post(
            "stable_token",
            {},
            {"grant_type": "client_credential", "appid": self._appid, "secret": self._secret},
        )
        return answer.access_token

    async def create_menu(self, menu: Menu) -> None:
        """Show this menu to everybody who opens the account (wechat-facts 2.5)."""
        body = {"button": [_button(button) for button in menu.buttons]}
        await self._post("menu/create", {"access_token": await self.token()}, body)

    async def _post(self, call: str, query: Mapping[str, str], body: object) -> _Answer:
        try:
            async with self._http.post(
                f"{self._base}/cgi-bin/{call}",
                params=query,
                data=msgspec.json.encode(body),
                headers={"Content-Type": "application/json"},
                timeout=_TIMEOUT,
            ) as response:
                answer = msgspec.json.decode(await response.read(), type=_Answer)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as gone:
            raise WeChatGoneError(call) from gone
        if answer.errcode:
            raise WeChatRefusedError(call, answer.errcode, answer.errmsg)
        return answer


def _button(button: Button) -> dict[str, object]:
    if button.children:
        return {"name": button.name, "sub_button": [_button(child) for child in button.children]}
    if button.url:
        return {"name": button.name, "type": "view", "url": button.url}
    return {"name": button.name, "type": "click", "key": button.click}
