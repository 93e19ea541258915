"""Whatever a gate may sign: the answer is as docs/transit-api.json says, and each number comes back once."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import ManualClock
from core.stores.database import Database
from core.stores.redis import Redis
from services.transit.model import Device, Sent
from tests.services.transit.line import MORNING, Line, after
from tests.support.program import ROOT
from tests.webhooks.gating import FETCH, UPLOAD, Platform, said
from webhooks.api import wire

SHOWN = json.loads((ROOT / "docs" / "transit-api.json").read_text("utf-8"))["paths"]
WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
WORDS = ["zhongnan", "m2", "in", "out", "board", "", "九号线", "x" * 64, "x" * 65, "\x00", "AQ", "A", "+/"]
VALUES = st.one_of(
    st.sampled_from([None, True, -1, 0, 1, 2**53 - 1, 2**53, 10**30, 1.5, *WORDS]), st.text(max_size=8), WILD
)
FIELDS = ("seq", "at", "way", "station", "line", "vehicle", "code", "more")
NEAR = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=2)
# Numbers in a narrow range meet one another, in one batch and in those before it.
TAPS = st.lists(st.tuples(st.integers(1, 4), NEAR), max_size=5)
OUTSIDE = st.dictionaries(st.sampled_from(["device", "batch", "sent_at", "taps", "more"]), VALUES, max_size=1)
MANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
async def platform(db: Database, redis: Redis) -> AsyncIterator[Platform]:
    found = Platform(db, redis, ManualClock(MORNING + timedelta(hours=4)))
    async with found.client:
        yield found


@pytest.fixture
async def entry(platform: Platform, db: Database) -> tuple[Device, Sent]:
    line = Line(db, platform.clock)
    device, sent = await line.tap(await line.rider(), "zhongnan", "in", after(0))
    mine = replace(device, id="g-zn-1")
    await platform.registers(mine)
    return mine, sent


async def answered(platform: Platform, asked: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    """What the door says to a signed request; it has to be what the document shows."""
    signed = platform.headers("g-zn-1", asked, body) | headers
    status, told = await platform.asks(asked, signed, body)
    method, path = asked.split(" ")
    assert str(status) in SHOWN[path.partition("?")[0]][method.lower()]["responses"]
    shape = wire.Refusal if status != 200 else wire.Taken if method == "POST" else wire.Trust
    assert json.loads(msgspec.json.encode(msgspec.convert(told, shape))) == told
    return status, told


@MANY
@given(taps=TAPS, outside=OUTSIDE)
async def test_each_number_of_a_batch_comes_back_once_or_the_batch_is_refused(
    platform: Platform, entry: tuple[Device, Sent], taps: list[tuple[int, dict[str, Any]]], outside: Any
) -> None:
    device, sent = entry
    told = json.loads(platform.body(device))
    told["taps"] = [said(replace(sent, seq=seq)) | strange for seq, strange in taps]
    try:
        body = json.dumps(told | outside, allow_nan=False).encode("utf-8", "surrogatepass")
    except ValueError:
        body = json.dumps(told | outside).encode("utf-8", "surrogatepass")
    status, answer = await answered(platform, UPLOAD, body)
    if status != 200:
        assert (status, answer["error"]) == (400, "bad_request")
        return
    sent_numbers = {tap["seq"] for tap in (told | outside)["taps"]}
    numbers = [*answer["accepted"], *answer["known"], *(each["seq"] for each in answer["quarantined"])]
    assert sorted(numbers) == sorted(sent_numbers)


@MANY
@given(body=st.binary(max_size=300) | WILD.map(lambda each: json.dumps(each).encode("utf-8", "replace")))
async def test_any_bytes_are_refused_as_no_batch(
    platform: Platform, entry: tuple[Device, Sent], body: bytes
) -> None:
    del entry
    status, told = await answered(platform, UPLOAD, body)
    assert (status, told["error"]) == (400, "bad_request")


HEADERS = ("Bianmin-Name", "Bianmin-Time", "Bianmin-Nonce", "Bianmin-Signature")
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=90).map(str.strip)


@MANY
@given(name=st.sampled_from(HEADERS), value=PRINTABLE, asked=st.sampled_from([UPLOAD, FETCH]))
async def test_any_other_header_is_a_signature_that_is_not_right(
    platform: Platform, entry: tuple[Device, Sent], name: str, value: str, asked: str
) -> None:
    body = platform.body(*entry) if asked == UPLOAD else b""
    status, told = await answered(platform, asked, body, **{name: value})
    assert (status, told["error"]) == (401, "bad_signature")


@MANY
@given(since=st.text("0123456789abcXYZ-._~!$'()*,:@/?", max_size=20))
async def test_any_since_is_answered(platform: Platform, entry: tuple[Device, Sent], since: str) -> None:
    del entry
    status, _ = await answered(platform, f"GET /api/transit/trust?since={since}")
    assert status == (200 if since.isdecimal() and len(since) <= 16 else 400)


@pytest.mark.parametrize("length", [2, wire.MOST_BYTES + 1])
async def test_a_long_body_told_which_gates_there_are(
    platform: Platform, entry: tuple[Device, Sent], length: int
) -> None:
    """The answers to a known, a revoked and an unknown name are the same bytes, whatever comes with them."""
    await platform.registers(replace(entry[0], id="g-gone"))
    assert await platform.front.devices.revoke("g-gone")
    body = b" " * length
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    names = ("g-zn-1", "g-gone", "g-nobody")
    told = [
        await platform.asks(UPLOAD, platform.headers(name, UPLOAD, body, stranger), body) for name in names
    ]
    assert told[0] == told[1] == told[2]
    assert told[0][1]["error"] in {"bad_signature", "too_long"}


@pytest.mark.parametrize(
    ("strange", "field"), [({"way": "sideways"}, "taps[0].way"), ({"seq": "1"}, "taps[0].seq")]
)
async def test_what_is_wrong_in_a_batch_is_named_and_not_repeated(
    platform: Platform, entry: tuple[Device, Sent], strange: dict[str, str], field: str
) -> None:
    body = json.dumps(json.loads(platform.body(entry[0])) | {"taps": [said(entry[1]) | strange]}).encode()
    assert (await answered(platform, UPLOAD, body))[1]["field"] == field
    assert (await answered(platform, FETCH.replace("=0", "=x")))[1]["field"] == "since"


async def test_our_own_mistake_is_one_word_and_the_gate_comes_again(
    platform: Platform, entry: tuple[Device, Sent], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def mistaken(*_asked: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as wrong:
        wrong.setattr(platform.front, "ingest", mistaken)
        status, told = await answered(platform, UPLOAD, platform.body(*entry))
        assert (status, set(told), told["error"]) == (500, {"error", "now"}, "failed")
    assert (await platform.uploads(*entry))[1]["accepted"] == [1]
