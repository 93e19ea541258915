"""One call to WeChat's API side: JSON out, JSON back, and every way it can fail told apart."""

from collections.abc import Mapping

import aiohttp
import msgspec

from clients.wechat_codes import policy_of
from core.delivery.sender import Policy

_JSON = {"Content-Type": "application/json"}
_OK, _TIMED_OUT, _SERVER = 200, 408, 500
_CONNECTING = 0.6  # of the time-out; less than all of it, so that a slow connection is not a slow answer
_MOST_WORDS = 300


class WeChatRefusedError(Exception):
    """WeChat answered with an error code; its own words say why."""

    def __init__(self, call: str, code: int, words: str) -> None:
        super().__init__(f"WeChat refused {call}: {code} {words}")
        self.call = call
        self.code = code
        self.words = words


class WeChatGoneError(Exception):
    """WeChat did not answer, or with nothing we can read. `reached`: it may have done what we asked."""

    def __init__(self, call: str, reason: str, *, reached: bool) -> None:
        super().__init__(f"WeChat did not answer {call}")
        self.call = call
        self.reason = reason
        self.reached = reached


class Answer(msgspec.Struct, frozen=True):
    """What an answer may hold; ids are numbers beyond 2^53, or texts."""

    errcode: int | None = None
    errmsg: str = ""
    access_token: str = ""
    expires_in: int = 0
    msgid: int | str = ""
    msg_id: int | str = ""


class Calls:
    """The calls under `<base>/cgi-bin`; one is over after `timeout_s`."""

    def __init__(self, http: aiohttp.ClientSession, base: str, timeout_s: float) -> None:
        self._http = http
        self._base = base
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=timeout_s * _CONNECTING)

    async def post(self, call: str, query: Mapping[str, str], body: object) -> Answer:
        """WeChat's answer to `call`; `WeChatRefusedError` or `WeChatGoneError` if that is no yes."""
        # Nothing of aiohttp's errors is handed on: their words hold the address, and with it the token.
        try:
            answer = _read(call, *await self._exchange(call, query, body))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as failed:
            raise WeChatGoneError(call, f"no connection ({_kind(failed)})", reached=False) from None
        except (aiohttp.ClientError, OSError) as failed:  # a TimeoutError is an OSError
            raise WeChatGoneError(call, f"no answer ({_kind(failed)})", reached=True) from None
        if answer.errcode and policy_of(answer.errcode) is not Policy.DONE:
            raise WeChatRefusedError(call, answer.errcode, answer.errmsg[:_MOST_WORDS])
        return answer

    async def _exchange(self, call: str, query: Mapping[str, str], body: object) -> tuple[int, bytes]:
        async with self._http.post(
            f"{self._base}/cgi-bin/{call}",
            params=query,
            data=msgspec.json.encode(body),  # plain UTF-8: WeChat refuses escapes with 40033
            headers=_JSON,
            timeout=self._timeout,
            allow_redirects=False,  # the token is for WeChat alone
        ) as response:
            return response.status, await response.read()


def _read(call: str, status: int, content: bytes) -> Answer:
    if status != _OK:  # WeChat says no with 200; anything else comes from something on the way
        reached = status >= _SERVER or status == _TIMED_OUT
        raise WeChatGoneError(call, f"HTTP {status}", reached=reached)
    try:
        answer = msgspec.json.decode(content, type=Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise WeChatGoneError(call, "an answer that is not WeChat's", reached=True) from None
    if answer.errcode is None and not answer.access_token:
        raise WeChatGoneError(call, "an answer that is not WeChat's", reached=True)
    return answer


def _kind(failed: Exception) -> str:
    return "timed out" if isinstance(failed, TimeoutError) else type(failed).__name__
