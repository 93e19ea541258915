"""Asking an institution: what it confirms is believed, what anybody else says is not."""

import asyncio
import hashlib
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from clients import institution_signing as signing
from clients.institution import MOST_BYTES, Access, HttpInstitution
from clients.wechat import open_http
from core.clock import CITY_ZONE, ManualClock
from core.errors import BootError
from services.citizens.institutions import (
    NOT_CONFIRMED,
    Identity,
    Institution,
    InstitutionGone,
    TooManyCodes,
    new_request,
)
from simulator.register import Figures
from tests.clients.platform import resets, says
from tests.clients.register import SECRET, TITLE, Instead, Register, institution, signed

ROOT = Path(__file__).parents[2]
SOON = 0.5  # long enough for an answer, short enough to wait for none
CONFIRMED = b'{"confirmed":true,"patient":"P-1"}'


@pytest.fixture
async def register() -> AsyncIterator[Register]:
    found = Register()
    async with found.server(Figures(sends=2)) as server:
        found.url = str(server.make_url("")).rstrip("/")
        yield found


@pytest.fixture
def clock(register: Register) -> ManualClock:
    return ManualClock(register.clock.now.astimezone(CITY_ZONE))


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_http() as opened:
        yield opened


@pytest.fixture
def hospital(register: Register, http: aiohttp.ClientSession, clock: ManualClock) -> Institution:
    """The hospital as the city's services see it."""
    return institution(http, register.url, clock)


async def test_a_code_is_sent_typed_and_confirmed(hospital: Institution, register: Register) -> None:
    granny, request = register.somebody("王秀英"), new_request()
    await hospital.send_code(request, granny.name, granny.id_number)
    assert [text["number"] for text in await register.texts()] == [granny.phone]
    code = await register.code()
    assert await hospital.check_code(request, f"{(int(code) + 1) % 10**6:06}") == NOT_CONFIRMED
    checked = await hospital.check_code(request, code)
    assert checked
    assert checked.patient == granny.reference("renmin")
    assert await hospital.check_code(request, code) == checked, "asked again it says the same"


async def test_who_is_not_known_looks_like_who_is(hospital: Institution, register: Register) -> None:
    request = new_request()
    await hospital.send_code(request, "谁也不是", "11010519491231002X")
    assert await register.texts() == []
    assert await hospital.check_code(request, "123456") == NOT_CONFIRMED
    assert await hospital.check_code(new_request(), "123456") == NOT_CONFIRMED


async def test_children_and_their_guardians(hospital: Institution, register: Register) -> None:
    father, child = register.somebody("赵志强"), register.somebody("赵小雨")
    granny = register.somebody("王秀英")
    elder, younger, other = (Identity(one.name, one.id_number) for one in (father, child, granny))
    assert (await hospital.guardian(new_request(), elder, younger)).patient == child.reference("renmin")
    assert not await hospital.guardian(new_request(), other, younger)


async def test_who_knows_no_guardians_is_not_asked(
    register: Register, http: aiohttp.ClientSession, clock: ManualClock
) -> None:
    access = Access("renmin", TITLE, f"{register.url}/institution/renmin", SECRET)
    somebody = Identity("王秀英", "11010519491231002X")
    assert not await HttpInstitution(http, access, clock).guardian(new_request(), somebody, somebody)
    assert register.seen == []


async def test_too_many_codes_are_refused_for_anybody(hospital: Institution) -> None:
    for _ in range(2):
        await hospital.send_code(new_request(), "谁也不是", "11010519491231002X")
    with pytest.raises(TooManyCodes) as refused:
        await hospital.send_code(new_request(), "谁也不是", "11010519491231002X")
    assert refused.value.facts == {"institution": TITLE}


async def test_a_request_without_a_proper_name_is_a_mistake_of_ours(
    hospital: Institution, register: Register
) -> None:
    for name in ("short", "x" * 65, "a request of somebody", "１" * 20):
        with pytest.raises(ValueError, match="new_request"):
            await hospital.check_code(name, "123456")
    assert register.seen == []


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (resets, "ServerDisconnectedError"),
        (says(200, CONFIRMED.decode()), "not signed by them"),
        (says(429, "{}"), "not signed by them"),
        (signed(CONFIRMED, secret="another-secret-of-32-characters!"), "not signed by them"),
        (signed(CONFIRMED, nonce="of-another-question"), "not signed by them"),
        (signed(CONFIRMED, at=1), "not signed by them"),
        (signed(b'{"confirmed":true,"patient":""}'), "not as agreed"),
        (signed(b'{"confirmed":true,"patient":"P 1"}'), "not as agreed"),
        (signed(b'{"confirmed":true}'), "not as agreed"),
        (signed(b'{"confirmed":"true","patient":"P"}'), "not as agreed"),
        (signed(b"<html>"), "not as agreed"),
        (signed(b"\xff"), "not as agreed"),
        (signed(b" " * MOST_BYTES + CONFIRMED), "too long"),
        (signed(b'{"error":"unavailable"}', status=503), "HTTP 503: unavailable"),
        (says(502, "<html>Bad Gateway"), "HTTP 502"),
        (says(500, '{"error": "SELECT name FROM 王秀英"}'), "HTTP 500"),
    ],
)
async def test_what_is_not_a_clear_answer_of_theirs_confirms_nobody(
    hospital: Institution, register: Register, trouble: Instead, why: str
) -> None:
    register.instead = trouble
    with pytest.raises(InstitutionGone) as gone:
        await hospital.check_code(new_request(), "123456")
    assert gone.value.why.endswith(why)
    assert gone.value.facts == {"institution": TITLE}


async def test_control_the_same_answer_signed_well_confirms(
    hospital: Institution, register: Register
) -> None:
    register.instead = signed(CONFIRMED)
    assert (await hospital.check_code(new_request(), "123456")).patient == "P-1"


async def test_an_answer_to_a_question_is_no_question(hospital: Institution, register: Register) -> None:
    """The two sides share a secret, so what one of them signs must be of no use as the other's words."""

    async def mirror(request: web.Request) -> web.StreamResponse:
        headers = {name: request.headers[f"Bianmin-{name}"] for name in ("Time", "Signature")}
        return web.Response(
            body=await request.read(), headers={f"Bianmin-{name}": value for name, value in headers.items()}
        )

    register.instead = mirror
    with pytest.raises(InstitutionGone, match="institution_gone"):
        await hospital.check_code(new_request(), "123456")


async def test_who_is_sent_elsewhere_does_not_go(hospital: Institution, register: Register) -> None:
    followed = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        followed.append(request.path)
        raise web.HTTPTemporaryRedirect("/institution/renmin/v1/elsewhere")

    register.instead = elsewhere
    with pytest.raises(InstitutionGone):
        await hospital.check_code(new_request(), "123456")
    assert followed == ["/institution/renmin/v1/codes/check"]


async def test_no_answer_is_waited_for_in_vain(
    register: Register, http: aiohttp.ClientSession, clock: ManualClock
) -> None:
    async def hangs(_request: web.Request) -> web.StreamResponse | None:
        await asyncio.Event().wait()
        return None

    register.instead = hangs
    async with asyncio.timeout(SOON * 10):
        with pytest.raises(InstitutionGone) as gone:
            await institution(http, register.url, clock, timeout_s=SOON).check_code(new_request(), "123456")
    assert gone.value.why == "timed out"


async def test_an_endless_answer_is_not_read_to_its_end(hospital: Institution, register: Register) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 65536)

    register.instead = endless
    async with asyncio.timeout(4):
        with pytest.raises(InstitutionGone):
            await hospital.check_code(new_request(), "123456")


async def test_nobody_there(http: aiohttp.ClientSession, clock: ManualClock) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(InstitutionGone) as gone:
            await institution(http, url, clock).check_code(new_request(), "123456")
    assert gone.value.why == "ClientConnectorError"


@pytest.mark.parametrize("off", [-400, 400])
async def test_a_clock_that_is_off_is_told(
    hospital: HttpInstitution, clock: ManualClock, register: Register, off: int
) -> None:
    register.clock.passes(seconds=off)
    with pytest.raises(InstitutionGone) as gone:
        await hospital.hello()
    assert gone.value.why == "HTTP 401: stale"


async def test_another_secret_is_told(
    register: Register, http: aiohttp.ClientSession, clock: ManualClock
) -> None:
    with pytest.raises(InstitutionGone) as gone:
        await institution(http, register.url, clock, secret="x" * 32).hello()
    assert gone.value.why == "HTTP 401: bad_signature"


async def test_hello(hospital: HttpInstitution) -> None:
    await hospital.hello()


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://register.example.cn/bianmin", True),
        ("http://127.0.0.1:8081/x", True),
        ("http://[::1]:8081", True),
        ("http://localhost", True),
        ("http://register.example.cn", False),
        ("http://127.0.0.1.example.cn", False),
        ("ftp://127.0.0.1", False),
        ("http://[", False),
        ("", False),
    ],
)
async def test_names_and_numbers_go_over_https_only(
    http: aiohttp.ClientSession, clock: ManualClock, url: str, good: bool
) -> None:
    def connect() -> HttpInstitution:
        return HttpInstitution(http, Access("renmin", TITLE, url, SECRET), clock)

    if good:
        assert connect().title == TITLE
    else:
        with pytest.raises(BootError, match="https only"):
            connect()


async def test_nothing_personal_stands_in_addresses_headers_logs_or_errors(
    hospital: Institution, register: Register
) -> None:
    granny = register.somebody("王秀英")
    who = Identity(granny.name, granny.id_number)
    with capture_logs() as lines:
        await hospital.send_code(new_request(), who.name, who.id_number)
        await hospital.guardian(new_request(), who, who)
        register.instead = says(500, f'{{"error": "{granny.name}"}}')
        with pytest.raises(InstitutionGone) as gone:
            await hospital.send_code(new_request(), who.name, who.id_number)
    assert [line["why"] for line in lines] == ["HTTP 500"]
    told = [*map(str, lines), str(gone.value), repr(gone.value), repr(who), repr(gone.value.__cause__)]
    told += [f"{path} {headers}" for path, headers in register.seen]
    for canary in (granny.name, granny.id_number, granny.phone, SECRET):
        assert not [words for words in told if canary in words]
    assert SECRET not in repr(Access("renmin", TITLE, "https://x", SECRET))


@dataclass(frozen=True)
class Example:
    """What docs/institution.md shows to check one's own signatures against."""

    secret: str
    asked: dict[str, str]
    body: bytes
    lines: list[str]
    answered: dict[str, str]
    answer: bytes


@pytest.fixture
def example() -> Example:
    text = (ROOT / "docs" / "institution.md").read_text("utf-8")
    blocks = [block for kind, block in re.findall(r"```(\w*)\n(.*?)\n```", text, re.DOTALL) if not kind]
    (asked, body), (answered, answer) = (block.split("\n\n") for block in (blocks[0], blocks[2]))
    heads = [dict(line.split(": ") for line in head.splitlines()[1:]) for head in (asked, answered)]
    secret = re.findall(r"The secret is `(.+?)`", text)[0]
    assert asked.startswith("POST /bianmin/v1/codes/check\n")
    assert answered.startswith("200\n")
    return Example(secret, heads[0], body.encode(), blocks[1].splitlines(), heads[1], answer.encode())


def test_the_example_of_the_description_is_right(example: Example) -> None:
    moment = example.asked["Bianmin-Time"], example.asked["Bianmin-Nonce"]
    assert example.lines[:5] == ["bianmin-request-1", "POST", "/v1/codes/check", *moment]
    assert example.lines[5:] == [hashlib.sha256(example.body).hexdigest()]
    right = signing.of_request(example.secret, "/v1/codes/check", moment, example.body)
    assert example.asked["Bianmin-Signature"] == right
    moment = example.answered["Bianmin-Time"], example.asked["Bianmin-Nonce"]
    right = signing.of_answer(example.secret, 200, moment, example.answer)
    assert example.answered["Bianmin-Signature"] == right


async def test_the_simulator_takes_the_example_of_the_description(
    example: Example, http: aiohttp.ClientSession
) -> None:
    register = Register()
    assert register.clock().timestamp() == int(example.asked["Bianmin-Time"])
    async with register.server(Figures(), example.secret) as server:
        url = server.make_url("/institution/renmin/v1/codes/check")
        async with http.post(url, data=example.body, headers=example.asked) as answer:
            assert (answer.status, await answer.read()) == (200, b'{"confirmed":false,"patient":""}')
        altered = example.body.replace(b"060837", b"060838")
        async with http.post(url, data=altered, headers=example.asked) as answer:
            assert answer.status == 401
