"""Brings one push to a bot: three attempts, a deadline each, and what the answers mean."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import aiohttp
from yarl import URL

from simulator.accounts import Account
from simulator.clock import Clock
from simulator.content import Content
from simulator.envelope import Envelope, Sealed
from simulator.replies import BadAnswerError, Reader
from simulator.xml import Field

ATTEMPTS = 3
MOST_ANSWER_BYTES = 64 * 1024
UNREACHABLE = "该公众号暂时无法提供服务，请稍后再试"
BROKEN = "该公众号提供的服务出现故障，请稍后再试"
OK = 200
_HEADERS = {"Content-Type": "text/xml", "Accept": "*/*", "User-Agent": "Mozilla/4.0", "Pragma": "no-cache"}


@dataclass(frozen=True, slots=True)
class Push:
    """One message or event on its way to the bot."""

    openid: str
    kind: str
    fields: Sequence[Field]
    resign: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a push ended. `status` is that of the attempt that ended it, 0 if it was not answered."""

    attempts: int
    status: int
    ms: int = 0
    reply: Content | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes = b""


def session() -> aiohttp.ClientSession:
    """The platform's outgoing connections: no cookies, no time-outs but our own deadlines."""
    return aiohttp.ClientSession(
        # Idle connections go before the usual servers (5 s and more) close them under our hands.
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=2),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        headers=_HEADERS,
        skip_auto_headers=("Accept-Encoding",),
        auto_decompress=False,
    )


async def fetch(
    http: aiohttp.ClientSession, method: str, url: URL, body: bytes | None, deadline: float
) -> _Answer:
    """One request that must be answered completely by `deadline` (loop time); status 0 if it was not."""
    try:
        async with (
            asyncio.timeout_at(deadline),
            http.request(method, url, data=body, allow_redirects=False) as response,
        ):
            received = bytearray()
            while len(received) <= MOST_ANSWER_BYTES and (chunk := await response.content.readany()):
                received += chunk
            return _Answer(response.status, bytes(received))
    except (TimeoutError, aiohttp.ClientError, OSError):
        # The connection is closed by leaving the block: what comes later on it is lost.
        return _Answer(0)


class Courier:
    """Delivers the pushes of one account."""

    def __init__(self, account: Account, http: aiohttp.ClientSession, clock: Clock, retry_s: float) -> None:
        self._url = f"{URL(account.webhook_url)}{'&' if '?' in account.webhook_url else '?'}"
        self._envelope = Envelope(account)
        self._reader = Reader(account, self._envelope)
        self._http = http
        self._clock = clock
        self._retry_s = retry_s

    async def deliver(self, push: Push) -> Outcome:
        """Push, and push again `retry_s` after the previous attempt began, whatever ended that one."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        outcome = await self._attempts(push, loop)
        return replace(outcome, ms=round((loop.time() - started) * 1000))

    async def _attempts(self, push: Push, loop: asyncio.AbstractEventLoop) -> Outcome:
        sealed = self._seal(push)
        status = 0
        for attempt in range(1, ATTEMPTS + 1):
            begun = loop.time()
            answer = await self._post(sealed, begun + self._retry_s)
            if answer.status == OK:
                return self._judge(push, answer, attempt)
            status = answer.status
            if attempt < ATTEMPTS:
                await asyncio.sleep(begun + self._retry_s - loop.time())
                sealed = self._seal(push) if push.resign else sealed
        return Outcome(ATTEMPTS, status, notice=UNREACHABLE)

    def _judge(self, push: Push, answer: _Answer, attempt: int) -> Outcome:
        if len(answer.body) > MOST_ANSWER_BYTES:
            return Outcome(attempt, OK, notice=BROKEN)
        try:
            reply = self._reader.read(answer.body, push.openid, push.kind)
        except BadAnswerError:
            return Outcome(attempt, OK, notice=BROKEN)
        return Outcome(attempt, OK, reply=reply)

    async def _post(self, sealed: Sealed, deadline: float) -> _Answer:
        return await fetch(self._http, "POST", self._address(sealed.query), sealed.body, deadline)

    def _address(self, query: Mapping[str, str]) -> URL:
        """The webhook with this query; every value is made of characters that need no escape."""
        return URL(self._url + "&".join(f"{name}={value}" for name, value in query.items()), encoded=True)

    def _seal(self, push: Push) -> Sealed:
        return self._envelope.seal(push.fields, push.openid, self._clock().timestamp())

    async def verify(self, echo: str, deadline_s: float) -> tuple[bool, str]:
        """The console's check of a webhook address: it must give `echo` back, and nothing else."""
        timestamp = str(int(self._clock().timestamp()))
        query = self._envelope.signed(timestamp, echo[:9]) | {"echostr": echo}
        deadline = asyncio.get_running_loop().time() + deadline_s
        answer = await fetch(self._http, "GET", self._address(query), None, deadline)
        if answer.status == 0:
            return False, f"no answer within {deadline_s:g} s"
        if answer.status != OK:
            return False, f"HTTP {answer.status} where 200 is expected"
        if answer.body != echo.encode():
            return False, "the body is not exactly echostr"
        return True, "echostr came back"
