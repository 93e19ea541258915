"""The way to an institution's register: signed questions, and nothing believed that is not signed back."""

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import aiohttp
import msgspec
import structlog

from clients import institution_signing as signing
from clients.bounded import bounded
from core.addresses import is_confidential
from core.clock import Clock
from core.errors import BootError
from services.citizens.institutions import (
    NOT_CONFIRMED,
    Checked,
    Identity,
    InstitutionGone,
    TooManyCodes,
    is_request,
)

MOST_BYTES = 4 * 1024
SKEW_S = 300
_OK, _TOO_MANY = 200, 429
_NONCE_BYTES = 18
_PATIENT = re.compile(r"[\x21-\x7e]{1,128}")
_WORD = re.compile(rb'"error": ?"([a-z_]{1,32})"')
_NOT_AGREED = "an answer that is not as agreed"
_CONNECTING = 0.6  # of the time-out
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}

_log = structlog.get_logger("institution")
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Access:
    """What we need to know to ask an institution; the longest one question may take is `timeout_s`."""

    name: str
    title: str
    url: str
    secret: str = field(repr=False)
    knows_guardians: bool = False
    timeout_s: float = 5.0


class _Accepted(msgspec.Struct, frozen=True):
    accepted: bool

    @property
    def is_whole(self) -> bool:
        return self.accepted


class _Confirmed(msgspec.Struct, frozen=True):
    confirmed: bool
    patient: str

    @property
    def is_whole(self) -> bool:
        return not self.confirmed or _PATIENT.fullmatch(self.patient) is not None


A = TypeVar("A", _Accepted, _Confirmed)


class HttpInstitution:
    """An `Institution` behind the API of docs/institution.md."""

    def __init__(self, http: aiohttp.ClientSession, access: Access, clock: Clock) -> None:
        if not is_confidential(access.url):
            raise BootError(f"institutions.{access.name}.url: names and ID numbers go over https only")
        self._http = http
        self._access = access
        self._clock = clock
        self._base = access.url.rstrip("/")
        total = access.timeout_s
        self._limit = aiohttp.ClientTimeout(total=total, connect=total * _CONNECTING)

    @property
    def name(self) -> str:
        return self._access.name

    @property
    def title(self) -> str:
        return self._access.title

    @property
    def knows_guardians(self) -> bool:
        return self._access.knows_guardians

    async def hello(self) -> None:
        """See whether the institution answers, and whether both have the same secret and time."""
        await self._answer("/v1/hello", {}, _Accepted)

    async def send_code(self, request: str, name: str, id_number: str) -> None:
        question = {"request": _named(request), "name": name, "id_number": id_number}
        await self._ask("/v1/codes", question, _Accepted)

    async def check_code(self, request: str, code: str) -> Checked:
        question = {"request": _named(request), "code": code}
        return _checked(await self._ask("/v1/codes/check", question, _Confirmed))

    async def guardian(self, request: str, guardian: Identity, child: Identity) -> Checked:
        if not self.knows_guardians:
            return NOT_CONFIRMED
        question = {"request": _named(request), "guardian": _plain(guardian), "child": _plain(child)}
        return _checked(await self._ask("/v1/guardians", question, _Confirmed))

    async def _ask(self, path: str, question: Mapping[str, object], kind: type[A]) -> A:
        try:
            return await self._answer(path, question, kind)
        except InstitutionGone as gone:
            _log.warning("institution_gone", institution=self.name, call=path, why=gone.why)
            raise

    async def _answer(self, path: str, question: Mapping[str, object], kind: type[A]) -> A:
        # Of what went wrong only its kind is told: other words may hold what was asked.
        try:
            status, content = await self._exchange(path, _encode(question))
            if status == _TOO_MANY:
                raise TooManyCodes(institution=self.title)
            answer = msgspec.json.decode(content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self._gone(_NOT_AGREED) from None
        except (aiohttp.ClientError, OSError) as failed:  # a TimeoutError is an OSError
            raise self._gone(_kind(failed)) from None
        if not answer.is_whole:
            raise self._gone(_NOT_AGREED)
        return answer

    async def _exchange(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and content of an answer that can be believed."""
        at, nonce = str(int(self._clock.timestamp())), secrets.token_urlsafe(_NONCE_BYTES)
        headers = {
            signing.NAME: self.name,
            signing.TIME: at,
            signing.NONCE: nonce,
            signing.SIGNATURE: signing.of_request(self._access.secret, path, (at, nonce), body),
            **_HEADERS,
        }
        async with self._http.post(
            f"{self._base}{path}", data=body, headers=headers, timeout=self._limit, allow_redirects=False
        ) as response:
            content = await bounded(response.content, MOST_BYTES)
        if len(content) > MOST_BYTES:
            raise self._gone("an answer that is too long")
        if response.status not in {_OK, _TOO_MANY}:
            word = _WORD.search(content)
            raise self._gone(f"HTTP {response.status}" + (f": {word[1].decode()}" if word else ""))
        if not self._is_theirs(response, nonce, content):
            raise self._gone("an answer that is not signed by them")
        return response.status, content

    def _is_theirs(self, response: aiohttp.ClientResponse, nonce: str, content: bytes) -> bool:
        at, given = response.headers.get(signing.TIME, ""), response.headers.get(signing.SIGNATURE, "")
        if not (at.isascii() and at.isdecimal() and len(at) <= len(str(2**63))):
            return False
        if abs(self._clock.timestamp() - int(at)) > SKEW_S:
            return False
        right = signing.of_answer(self._access.secret, response.status, (at, nonce), content)
        return hmac.compare_digest(right.encode(), given.encode("utf-8", "surrogateescape"))

    def _gone(self, why: str) -> InstitutionGone:
        return InstitutionGone(institution=self.title, why=why)


def _checked(answer: _Confirmed) -> Checked:
    return Checked(answer.patient) if answer.confirmed else NOT_CONFIRMED


def _kind(failed: Exception) -> str:
    return "timed out" if isinstance(failed, TimeoutError) else type(failed).__name__


def _named(request: str) -> str:
    if not is_request(request):
        raise ValueError("a request is named by new_request()")
    return request


def _plain(identity: Identity) -> dict[str, str]:
    return {"name": identity.name, "id_number": identity.id_number}
