"""One call to WeChat's API side: bytes out, an answer back, and every way it can fail told apart."""

import io
from collections.abc import Mapping
from typing import Generic, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from clients.bounded import bounded
from clients.wechat_codes import policy_of
from core.delivery.sender import Policy

API_PATH = "/cgi-bin/"

_OK, _TIMED_OUT, _SERVER = 200, 408, 500
_CONNECTING = 0.6  # of the time-out; less than all of it, so that a slow connection is not a slow answer
_PATIENCE = 6.0  # time-outs that a file may take
_MOST_WORDS = 300
_USUAL_BYTES = 64 * 1024
_AT_ONCE = 256  # connections: four lanes of a worker, and whoever else is there
_HEADERS = {"Accept-Encoding": "identity"}  # a small answer that unpacks into a large one is none of WeChat's
_JSON = {**_HEADERS, "Content-Type": "application/json"}
_NOT_WECHAT = "an answer that is not WeChat's"

_encode = msgspec.json.Encoder().encode


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


class WeChatLimitError(ValueError):
    """WeChat would refuse this, so it was not asked."""


class Answer(msgspec.Struct, frozen=True):
    """What every answer may hold; the answer to one call adds its own."""

    errcode: int | None = None
    errmsg: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it says anything: `{}` does not."""
        return self.errcode is not None


A = TypeVar("A", bound=Answer)


class Question(Generic[A]):
    """A call: where it is, and what its answer looks like.

    `patient`: it carries a file, and may take longer. An answer of more than `most_bytes` is not WeChat's.
    """

    def __init__(
        self,
        call: str,
        answer: type[A],
        *,
        most_bytes: int = _USUAL_BYTES,
        patient: bool = False,
        below: str = API_PATH,
    ) -> None:
        self.call = call
        self.path = f"{below}{call}"
        self.most_bytes = most_bytes
        self.patient = patient
        self._decode = msgspec.json.Decoder(answer).decode

    def read(self, content: bytes) -> A:
        """The answer; `WeChatRefusedError` if it is a no, `WeChatGoneError` if it is none."""
        try:
            answer = self._decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise WeChatGoneError(self.call, _NOT_WECHAT, reached=True) from None
        if answer.errcode and policy_of(answer.errcode) is not Policy.DONE:
            raise WeChatRefusedError(self.call, answer.errcode, answer.errmsg[:_MOST_WORDS])
        if not answer.is_whole:
            raise WeChatGoneError(self.call, _NOT_WECHAT, reached=True)
        return answer


class Body:
    """What a request carries: plain UTF-8 JSON, for WeChat refuses escapes with 40033."""

    def __init__(self, content: bytes, headers: Mapping[str, str] = _JSON) -> None:
        self.content = content
        self.headers = headers

    @classmethod
    def json(cls, what: object) -> "Body":
        return cls(_encode(what))

    @classmethod
    def file(cls, content: bytes, content_type: str) -> "Body":
        return cls(content, {**_HEADERS, "Content-Type": content_type})

    def data(self) -> bytes | io.BytesIO:
        """For each request anew: what is large is handed over in pieces."""
        return self.content if len(self.content) <= _USUAL_BYTES else io.BytesIO(self.content)


class Calls:
    """Asks one host; a question is over after `timeout_s`, one about a file after six times as long."""

    def __init__(self, http: aiohttp.ClientSession, base: str, timeout_s: float) -> None:
        self._http = http
        self._base = base
        self._usual = _limit(timeout_s, timeout_s)
        self._patient = _limit(timeout_s * _PATIENCE, timeout_s)
        self.timeout_s = timeout_s

    def url(self, question: Question[A], query: Mapping[str, str]) -> URL:
        """Where a question is asked; made apart, because it is the same for a thousand messages."""
        asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        return URL(f"{self._base}{question.path}{'?' if asked else ''}{asked}", encoded=True)

    def lasts_s(self, question: Question[A]) -> float:
        """How long one request may take."""
        return self.timeout_s * (_PATIENCE if question.patient else 1.0)

    async def ask(self, question: Question[A], url: URL, body: Body | None = None) -> A:
        """WeChat's answer; `WeChatRefusedError` or `WeChatGoneError` if that is no yes."""
        return question.read((await self.fetch(question, url, body))[1])

    async def fetch(self, question: Question[A], url: URL, body: Body | None = None) -> tuple[str, bytes]:
        """What came back, and its content type; `WeChatGoneError` if nothing of WeChat's did."""
        # Nothing of aiohttp's errors is handed on: their words hold the address, and with it the token.
        call = question.call
        try:
            status, kind, content = await self._exchange(question, url, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as failed:
            raise WeChatGoneError(call, f"no connection ({_kind(failed)})", reached=False) from None
        except (aiohttp.ClientError, OSError) as failed:  # a TimeoutError is an OSError
            raise WeChatGoneError(call, f"no answer ({_kind(failed)})", reached=True) from None
        if status != _OK:  # WeChat says no with 200; anything else comes from something on the way
            reached = status >= _SERVER or status == _TIMED_OUT
            raise WeChatGoneError(call, f"HTTP {status}", reached=reached)
        if len(content) > question.most_bytes:
            raise WeChatGoneError(call, _NOT_WECHAT, reached=True)
        return kind, content

    async def _exchange(self, question: Question[A], url: URL, body: Body | None) -> tuple[int, str, bytes]:
        async with self._http.request(
            "GET" if body is None else "POST",
            url,
            data=None if body is None else body.data(),
            headers=_HEADERS if body is None else body.headers,
            timeout=self._patient if question.patient else self._usual,
            allow_redirects=False,  # the token is for WeChat alone
        ) as response:
            content = await bounded(response.content, question.most_bytes)
            return response.status, response.headers.get("Content-Type", ""), content


def open_http() -> aiohttp.ClientSession:
    """Connections for everything that goes to WeChat: enough of them, and no cookies."""
    connector = aiohttp.TCPConnector(limit=_AT_ONCE)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


def _limit(total_s: float, one_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total_s, connect=one_s * _CONNECTING)


def _kind(failed: Exception) -> str:
    return "timed out" if isinstance(failed, TimeoutError) else type(failed).__name__
