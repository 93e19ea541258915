"""Where an institution is asked: signed questions over HTTP, signed answers, as docs/institution.md says."""

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

import msgspec
from aiohttp import StreamReader, web
from msgspec import Meta

from simulator.clock import Clock
from simulator.register import Figures, Register, TooOftenError
from simulator.texts import Texts

MOST_BYTES = 4 * 1024
SKEW_S = 300
_NONCES = 100_000
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_TIME = re.compile(r"[0-9]{1,12}", re.ASCII)
_HEADERS = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
_ACCEPTED = b'{"accepted":true}'
_NOT_CONFIRMED = b'{"confirmed":false,"patient":""}'

Request = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{16,64}\Z")]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
IdNumber = Annotated[str, Meta(pattern=r"^[0-9]{17}[0-9X]\Z")]


Wish = TypeVar("Wish")


class Somebody(msgspec.Struct, frozen=True):
    name: Name
    id_number: IdNumber


class CodeWish(msgspec.Struct, frozen=True):
    request: Request
    name: Name
    id_number: IdNumber


class CodeCheck(msgspec.Struct, frozen=True):
    request: Request
    code: Annotated[str, Meta(pattern=r"^[0-9]{6}\Z")]


class Family(msgspec.Struct, frozen=True):
    request: Request
    guardian: Somebody
    child: Somebody


@dataclass(frozen=True, slots=True)
class Institution:
    """An institution as its own people set it up; the gateway that asks has `secret`, too."""

    name: str
    title: str
    secret: str = field(repr=False)
    figures: Figures = field(default_factory=Figures)


class _NoError(Exception):
    """The question is not answered: status, and a word for the engineer on the other side."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(word)
        self.status = status
        self.word = word


class Institutions:
    """The demo institutions, each with its register under `/institution/<name>/v1/`."""

    def __init__(self, texts: Texts, clock: Clock) -> None:
        self._texts = texts
        self._clock = clock
        self._doors: dict[str, _Door] = {}

    def add(self, institution: Institution) -> None:
        """Play one more; its people get their short messages from it by its title."""

        def deliver(number: str, words: str) -> None:
            if number:
                self._texts.send(number, institution.title, f"【{institution.title}】{words}")

        register = Register(institution.name, self._clock, deliver, institution.figures)
        self._doors[institution.name] = _Door(institution, register, self._clock)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/institution/{name}/{path:v1/.{1,40}}", self.ask),
            web.get("/sim/register", self.listed),
        ]

    async def ask(self, request: web.Request) -> web.Response:
        door = self._doors.get(request.match_info["name"])
        if door is None:
            raise web.HTTPNotFound
        return await door.answer(request, "/" + request.match_info["path"])

    async def listed(self, _request: web.Request) -> web.Response:
        """Whom a tester can be: everybody in every register."""
        found = [
            {
                "institution": door.institution.name,
                "title": door.institution.title,
                "people": [each.as_json() for each in door.register.people],
            }
            for door in self._doors.values()
        ]
        return web.Response(body=msgspec.json.encode(found), headers=_HEADERS)


class _Door:
    """One institution's."""

    def __init__(self, institution: Institution, register: Register, clock: Clock) -> None:
        self.institution = institution
        self.register = register
        self._clock = clock
        self._nonces: OrderedDict[str, float] = OrderedDict()
        self._answers: dict[str, Callable[[bytes], bytes]] = {
            "/v1/hello": self._hello,
            "/v1/codes": self._send,
            "/v1/codes/check": self._check,
            "/v1/guardians": self._guardian,
        }

    async def answer(self, request: web.Request, path: str) -> web.Response:
        body = await _bounded(request.content)
        nonce = request.headers.get("Bianmin-Nonce", "")
        try:
            self._admit(request, path, body)
            status, content = 200, self._answers[path](body)
        except _NoError as no:
            status, content = no.status, msgspec.json.encode({"error": no.word})
        at = str(int(self._clock().timestamp()))
        signature = self._sign("bianmin-answer-1", str(status), at, nonce, content)
        signed = {"Bianmin-Time": at, "Bianmin-Signature": signature}
        return web.Response(body=content, status=status, headers=_HEADERS | signed)

    def _admit(self, request: web.Request, path: str, body: bytes) -> None:
        """Let through what the gateway with the same secret asks now, for the first time."""
        if len(body) > MOST_BYTES:
            raise _NoError(413, "too_long")
        at, nonce, given = (
            request.headers.get(f"Bianmin-{each}", "") for each in ("Time", "Nonce", "Signature")
        )
        if not _NONCE.fullmatch(nonce) or not _TIME.fullmatch(at):
            raise _NoError(401, "bad_signature")
        right = self._sign("bianmin-request-1", "POST", path, at, nonce, body)
        if not hmac.compare_digest(right.encode(), given.encode("utf-8", "surrogateescape")):
            raise _NoError(401, "bad_signature")
        now = self._clock().timestamp()
        if abs(now - int(at)) > SKEW_S:
            raise _NoError(401, "stale")
        if nonce in self._nonces:
            raise _NoError(401, "repeated")
        self._remember(nonce, now)
        if path not in self._answers:
            raise _NoError(404, "no_such_question")

    def _remember(self, nonce: str, now: float) -> None:
        self._nonces[nonce] = now
        while len(self._nonces) > _NONCES or next(iter(self._nonces.values())) < now - 2 * SKEW_S:
            self._nonces.popitem(last=False)

    def _sign(self, *parts: str | bytes) -> str:
        *lines, body = parts
        digest = hashlib.sha256(body if isinstance(body, bytes) else body.encode()).hexdigest()
        said = "\n".join([*map(str, lines), digest])
        return hmac.new(self.institution.secret.encode(), said.encode(), hashlib.sha256).hexdigest()

    def _hello(self, _body: bytes) -> bytes:
        return _ACCEPTED

    def _send(self, body: bytes) -> bytes:
        wish = _read(body, CodeWish)
        try:
            self.register.send(wish.request, wish.name, wish.id_number)
        except TooOftenError:
            raise _NoError(429, "too_many_codes") from None
        return _ACCEPTED

    def _check(self, body: bytes) -> bytes:
        wish = _read(body, CodeCheck)
        return _confirmed(self.register.check(wish.request, wish.code))

    def _guardian(self, body: bytes) -> bytes:
        wish = _read(body, Family)
        guardian, child = wish.guardian, wish.child
        return _confirmed(
            self.register.child((guardian.name, guardian.id_number), (child.name, child.id_number))
        )


async def _bounded(stream: StreamReader) -> bytes:
    """The body, or a little of one that is too long."""
    held = bytearray()
    while len(held) <= MOST_BYTES and (more := await stream.readany()):
        held += more
    return bytes(held)


def _read(body: bytes, kind: type[Wish]) -> Wish:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _NoError(400, "bad_request") from None  # which field, stands in no answer and no log


def _confirmed(patient: str) -> bytes:
    return msgspec.json.encode({"confirmed": True, "patient": patient}) if patient else _NOT_CONFIRMED
