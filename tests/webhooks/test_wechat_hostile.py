"""Strangers at the door: whatever they send, no work, no traceback, nothing but a 4xx."""

import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from yarl import URL

from tests.webhooks.samples import SAMPLES
from tests.webhooks.wire import TEXT, TOKEN, Desk, application, client_of, keys, plain_query, seal_push
from webhooks.access import SERVER_LOGGER, quiet_server_logger

VALID = seal_push()
FROM_SAMPLES = sorted({name for sample in SAMPLES for name in sample.fields})
Client = TestClient[web.BaseRequest, None]
Attack = Callable[[str, str, bytes, dict[str, str]], Awaitable[int]]

# The application outlives the examples of one test: each of them leaves nothing behind but its log lines.
HOSTILE = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@asynccontextmanager
async def _door(desk: Desk) -> AsyncIterator[Client]:
    """A door with an account of each mode, and the server's own logger as the gateway has it."""
    logger = logging.getLogger(SERVER_LOGGER)
    before = list(logger.filters)
    quiet_server_logger()
    accounts = (keys(), keys(key="open", mode="plain"), keys(key="both", mode="compatible"))
    async with client_of(application(desk, *accounts)) as client:
        yield client
    logger.filters[:] = before


def _no_traceback(lines: Sequence[Mapping[str, object]], caplog: pytest.LogCaptureFixture) -> bool:
    return not any("exc_info" in line for line in lines) and not any(each.exc_info for each in caplog.records)


@pytest.fixture
async def attack(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Attack]:
    """Send one request and check what must hold for every stranger's request."""
    desk = Desk()
    async with _door(desk) as client:
        yield lambda method, path, body, headers: _attack(client, desk, caplog, (method, path, body, headers))


@pytest.fixture
async def odd_push(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Callable[[bytes], Awaitable[int]]]:
    """Send a signed body of any shape: it may be a message, but it breaks nothing."""
    desk = Desk()
    async with _door(desk) as client:

        async def send(body: bytes) -> int:
            caplog.clear()
            desk.events.clear()
            with capture_logs() as lines:
                answer = await client.post(plain_url(), data=body)
            assert answer.status < 500
            assert len(desk.events) <= (answer.status == 200)
            assert _no_traceback(lines, caplog)
            return answer.status

        yield send


async def _attack(
    client: Client,
    desk: Desk,
    caplog: pytest.LogCaptureFixture,
    request: tuple[str, str, bytes, dict[str, str]],
) -> int:
    method, path, body, headers = request
    caplog.clear()
    with capture_logs() as lines:
        url = URL(str(client.make_url("/")).rstrip("/") + path, encoded=True)
        async with client.session.request(method, url, data=body, headers=headers) as response:
            answer = await response.read()
    assert 400 <= response.status < 500, (response.status, lines)
    assert desk.events == []
    assert len(lines) + len(caplog.records) <= 1
    assert _no_traceback(lines, caplog)
    assert answer == b"" or response.status in {400, 404, 405, 417}  # aiohttp's own words, none of ours
    return response.status


_nonces = itertools.count()


def url_of(query: dict[str, str], account: str = "city") -> str:
    return f"/wechat/{account}?{urlencode(query)}"


def plain_url() -> str:
    """A signature nobody has used yet: it would be bound to another body."""
    return url_of(plain_query(nonce=f"{next(_nonces)}"), "open")


@HOSTILE
@given(st.sampled_from(["city", "both"]), st.binary(max_size=2_000))
async def test_random_bytes_with_a_valid_query(attack: Attack, account: str, body: bytes) -> None:
    await attack("POST", url_of(VALID.query, account), body, {})


@HOSTILE
@given(st.binary(max_size=2_000))
async def test_random_bytes_that_are_signed_in_plain_mode(attack: Attack, body: bytes) -> None:
    assert await attack("POST", plain_url(), body, {}) == 400


@HOSTILE
@given(st.integers(0, len(VALID.body) - 1))
async def test_a_truncated_push(attack: Attack, size: int) -> None:
    await attack("POST", url_of(VALID.query), VALID.body[:size].encode(), {})


@HOSTILE
@given(st.integers(0, len(TEXT.encode()) - 8))
async def test_a_truncated_push_in_plain_mode(attack: Attack, size: int) -> None:
    assert await attack("POST", plain_url(), TEXT.encode()[:size], {}) == 400


WORDS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<&\ufffe\uffff"), max_size=40),
    st.integers(-(10**40), 10**40).map(str),
    st.sampled_from(["", "9" * 5_000, "-1", "NaN", "1e999", "event", "text", "LOCATION", "o-somebody"]),
)
FIELDS = st.sampled_from(
    [*FROM_SAMPLES, "xml", "item", "List", "SendPicsInfo", "PicList", "SubscribeMsgSentEvent", "x" * 300]
)
TREES = st.recursive(
    WORDS,
    lambda inner: st.lists(st.tuples(FIELDS, inner), max_size=5).map(
        lambda pairs: "".join(f"<{name}>{value}</{name}>" for name, value in pairs)
    ),
    max_leaves=25,
)
DOCTYPES = st.sampled_from(
    ["", "", "", "<!DOCTYPE xml>", '<!DOCTYPE x [<!ENTITY a "b">]>', "<?xml version='1.0'?>"]
)


@HOSTILE
@given(DOCTYPES, st.lists(st.tuples(FIELDS, TREES), max_size=12), st.sampled_from([0, 0, 0, 40, 1_000]))
async def test_a_signed_body_of_any_shape(
    odd_push: Callable[[bytes], Awaitable[int]], doctype: str, fields: list[tuple[str, str]], depth: int
) -> None:
    """Wrong types, huge numbers, repeated and nested fields, beside or in place of those of a message."""
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in fields)
    nested = f"<a>{'<a>' * depth}{'</a>' * depth}</a>"
    whole = TEXT.replace("</xml>", f"{inside}{nested}</xml>")
    bare = f"<xml>{inside}{nested}</xml>"
    for body in (f"{doctype}{whole}", f"{doctype}{bare}"):
        status = await odd_push(body.encode())
        if doctype.startswith("<!DOCTYPE") or depth > 100:
            assert 400 <= status < 500


ENCRYPTED_AT = VALID.body.index("<Encrypt>")


@HOSTILE
@given(st.integers(ENCRYPTED_AT, len(VALID.body) - 1), st.integers(0, 7))
async def test_a_flipped_bit(attack: Attack, at: int, bit: int) -> None:
    body = bytearray(VALID.body.encode())
    body[at] ^= 1 << bit
    if bytes(body).split() == VALID.body.encode().split():
        return  # a line break for a blank: the same push
    await attack("POST", url_of(VALID.query), bytes(body), {})


@HOSTILE
@given(st.dictionaries(st.sampled_from([*VALID.query, "echostr"]), st.text(max_size=60)))
async def test_a_query_with_odd_values(attack: Attack, odd: dict[str, str]) -> None:
    wrong = VALID.query | odd | {"msg_signature": odd.get("msg_signature", "0" * 40)}
    wrong["signature"] = odd.get("signature", "0" * 40)
    query = urlencode(wrong, errors="surrogatepass")
    await attack("POST", f"/wechat/city?{query}", VALID.body.encode(), {})
    await attack("GET", f"/wechat/city?{query}", b"", {})


@HOSTILE
@given(st.text("%&=+;?/ABCf0123456789éÿ\u4e2d", max_size=200))
async def test_a_query_that_is_hardly_one(attack: Attack, query: str) -> None:
    raw = query.encode().decode("latin-1").translate({code: f"%{code:02X}" for code in range(128, 256)})
    await attack("POST", f"/wechat/open?{raw}", TEXT.encode(), {})
    await attack("GET", f"/wechat/open?{raw}", b"", {})


@HOSTILE
@given(st.sampled_from(["signature", "timestamp", "nonce", "echostr", "x"]), st.integers(7_000, 20_000))
async def test_a_very_long_query(attack: Attack, name: str, size: int) -> None:
    query = urlencode(VALID.query | {"msg_signature": "0" * 40} | {name: "9" * size})
    await attack("POST", f"/wechat/city?{query}", VALID.body.encode(), {})
    await attack("GET", f"/wechat/city?{query}&signature=", b"", {})


NASTY = {
    "laughs": b'<!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>',
    "a file": b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><Encrypt>&f;</Encrypt></xml>',
    "depth": b"<xml>" + b"<a>" * 9_000 + b"</a>" * 9_000 + b"</xml>",
    "breadth": b"<xml>" + b"<a/>" * 16_000 + b"</xml>",
    "attributes": b"<xml " + b" ".join(b'a%d=""' % number for number in range(5_000)) + b"/>",
    "one attribute": b'<xml a="' + b"x" * 60_000 + b'"/>',
    "one name": b"<" + b"x" * 60_000 + b"/>",
    "namespaces": b"<xml xmlns='a'><b:Encrypt xmlns:b='c'>x</b:Encrypt></xml>",
    "Encrypt many times": b"<xml>" + b"<Encrypt>x</Encrypt>" * 900 + b"</xml>",
    "Encrypt inside Encrypt": b"<xml><Encrypt><Encrypt>x</Encrypt></Encrypt></xml>",
    "UTF-16": "<xml><Encrypt>x</Encrypt></xml>".encode("utf-16"),
    "zeros": b"\0" * 60_000,
    "64 KB and more": b"<xml>" + b"x" * 200_000,
}


@pytest.mark.parametrize("account", ["city", "open", "both"])
@pytest.mark.parametrize("name", NASTY)
async def test_nasty_documents(attack: Attack, account: str, name: str) -> None:
    await attack("POST", url_of(VALID.query, account), NASTY[name], {})


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "deflate"},
        {"Content-Encoding": "br"},
        {"Expect": "a miracle"},
    ],
    ids=str,
)
async def test_headers_that_do_not_fit_the_body(attack: Attack, headers: dict[str, str]) -> None:
    await attack("POST", url_of(plain_query(), "open"), b"<xml>not compressed</xml>", headers)


async def test_control_a_valid_push_would_have_reached_the_desk() -> None:
    desk = Desk()
    async with client_of(application(desk)) as client:
        response = await client.post(url_of(VALID.query), data=VALID.body.encode())
        assert response.status == 200
    assert len(desk.events) == 1
    assert TOKEN not in VALID.body
