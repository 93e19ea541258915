"""Gates at the door: who they are is signed, what they send is taken once, and they learn whom to trust."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.clock import ManualClock
from core.errors import StoreGoneError
from core.stores.database import Database
from core.stores.redis import Redis
from gate.clock import Clock
from gate.gate import Gate
from gate.settings import Settings
from gate.signing import create
from gate.trust import parse
from gate.upload import Uploader
from services.transit.model import Batch, Device, Ingested, Reason, Sent
from tests.services.transit.line import MORNING, Line, after
from tests.support.program import ROOT
from tests.support.ride_codes import KID, sent
from tests.webhooks.gating import FETCH, UPLOAD, Platform
from webhooks.api import wire
from webhooks.api.document import document
from webhooks.api.signed import encoded, unpadded

STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture
def line(db: Database) -> Line:
    return Line(db, ManualClock(MORNING + timedelta(hours=4)))


@pytest.fixture
async def platform(line: Line, db: Database, redis: Redis) -> AsyncIterator[Platform]:
    found = Platform(db, redis, line.clock)
    async with found.client:
        yield found


@pytest.fixture
async def entry(line: Line, platform: Platform) -> tuple[Device, Sent]:
    """A tap, of a gate that the city knows."""
    device, tap = await line.tap(await line.rider(), "zhongnan", "in", after(0))
    mine = replace(device, id="g-zn-1")
    await platform.registers(mine)
    return mine, tap


Entry = tuple[Device, Sent]


async def test_a_batch_is_taken_and_is_known_when_it_comes_again(platform: Platform, entry: Entry) -> None:
    now = wire.millis(platform.clock.now())
    taken = {"accepted": [1], "known": [], "quarantined": [], "now": now}
    assert await platform.uploads(*entry) == (200, taken)
    assert await platform.uploads(*entry) == (200, taken | {"accepted": [], "known": [1]})


async def test_a_code_that_is_none_is_kept_and_the_others_are_taken(
    platform: Platform, entry: Entry, db: Database
) -> None:
    device, tap = entry
    body = json.loads(platform.body(device, tap, replace(tap, seq=2)))
    body["taps"][1]["code"] = "A"  # no base64url has one character
    raw = json.dumps(body).encode()
    status, told = await platform.asks(UPLOAD, platform.headers(device.id, UPLOAD, raw), raw)
    assert (status, told["accepted"]) == (200, [1])
    assert told["quarantined"] == [{"seq": 2, "reason": "unreadable"}]
    assert await db.fetchval("SELECT count(*) FROM transit_quarantine") == 1


async def test_a_gate_whose_clock_is_wrong_loses_nothing(platform: Platform, entry: Entry) -> None:
    device, tap = entry
    off = platform.body(device, tap, sent_at=wire.millis(platform.clock.now()) - 121_000)
    status, told = await platform.asks(UPLOAD, platform.headers(device.id, UPLOAD, off, off_s=-121), off)
    assert (status, told["quarantined"]) == (200, [{"seq": 1, "reason": "clock"}])
    assert told["now"] == wire.millis(platform.clock.now()), "by which it sees how much"


async def test_a_gate_that_is_hours_off_is_told_the_time(platform: Platform, entry: Entry) -> None:
    device, tap = entry
    body = platform.body(device, tap)
    status, told = await platform.asks(UPLOAD, platform.headers(device.id, UPLOAD, body, off_s=-301), body)
    assert (status, told) == (401, {"error": "stale", "now": wire.millis(platform.clock.now())})
    status, told = await platform.asks(FETCH, platform.headers(device.id, FETCH, off_s=-9000))
    assert (status, told["now"]) == (200, wire.millis(platform.clock.now()))
    assert (await platform.uploads(device, tap))[1]["accepted"] == [1]


async def test_what_was_heard_is_not_heard_twice(platform: Platform, entry: Entry) -> None:
    body = platform.body(*entry)
    headers = platform.headers("g-zn-1", UPLOAD, body)
    assert (await platform.asks(UPLOAD, headers, body))[0] == 200
    status, told = await platform.asks(UPLOAD, headers, body)
    assert (status, told["error"]) == (401, "repeated")


Forge = Callable[[Platform, bytes], tuple[dict[str, str], bytes]]
FORGED: dict[str, Forge] = {
    "another key": lambda it, body: (it.headers("g-zn-1", UPLOAD, body, key=STRANGER), body),
    "another gate's name": lambda it, body: (it.headers("g-other", UPLOAD, body), body),
    "another body": lambda it, body: (it.headers("g-zn-1", UPLOAD, body), body + b" "),
    "another path": lambda it, body: (it.headers("g-zn-1", FETCH, body), body),
    "another time": lambda it, body: (it.headers("g-zn-1", UPLOAD, body) | {"Bianmin-Time": "1"}, body),
    "another nonce": lambda it, body: (
        it.headers("g-zn-1", UPLOAD, body) | {"Bianmin-Nonce": "n" * 16},
        body,
    ),
    "no signature": lambda it, body: (it.headers("g-zn-1", UPLOAD, body) | {"Bianmin-Signature": ""}, body),
    "no base64url": lambda it, body: (
        it.headers("g-zn-1", UPLOAD, body) | {"Bianmin-Signature": "é" * 86},
        body,
    ),
    "a short nonce": lambda it, body: (it.headers("g-zn-1", UPLOAD, body) | {"Bianmin-Nonce": "n"}, body),
}


@pytest.mark.parametrize("how", FORGED)
async def test_what_a_gate_has_not_said_is_not_heard(
    how: str, platform: Platform, entry: Entry, db: Database
) -> None:
    await platform.registers(Device("g-other", "m2", "zhongnan"), STRANGER)
    headers, body = FORGED[how](platform, platform.body(*entry))
    status, told = await platform.asks(UPLOAD, headers, body)
    assert (status, told["error"]) == (401, "bad_signature")
    assert await db.fetchval("SELECT count(*) FROM transit_taps") == 0
    assert (await platform.uploads(*entry))[1]["accepted"] == [1], "the control: its own word is"


async def test_a_gate_that_was_revoked_is_not_heard(platform: Platform, entry: Entry) -> None:
    assert await platform.front.devices.revoke("g-zn-1")
    status, told = await platform.uploads(*entry)
    assert (status, told["error"]) == (401, "bad_signature")
    assert (await platform.asks(FETCH, platform.headers("g-zn-1", FETCH)))[0] == 401


Mangle = dict[str, Any]


@pytest.mark.parametrize(
    "wrong",
    [
        {"taps": "no list"},
        {"device": "g-zn-2"},
        {"sent_at": -1},
        {"sent_at": 10**20},
        {"batch": "\x00"},
        {"taps": [{"seq": 1}]},
        {"taps": [{"seq": 2**53, "at": 1, "way": "in", "line": "m2", "code": "AA"}]},
        {"taps": [{"seq": 1, "at": 1, "way": "sideways", "line": "m2", "code": "AA"}]},
        {"taps": [{"seq": 1, "at": 1, "way": "in", "line": "m\x002", "code": "AA"}]},
        {"taps": [{"seq": n, "at": 1, "way": "in", "line": "m2", "code": "AA"} for n in range(501)]},
    ],
)
async def test_a_body_of_another_form(wrong: Mangle, platform: Platform, entry: Entry, db: Database) -> None:
    body = platform.body(*entry, **wrong)
    status, told = await platform.asks(UPLOAD, platform.headers("g-zn-1", UPLOAD, body), body)
    assert (status, told["error"]) == (400, "bad_request")
    assert await db.fetchval("SELECT count(*) FROM transit_quarantine") == 0


@pytest.mark.parametrize("body", [b"", b"null", b"\xff", b"[" * 100_000, b'{"device":"\\ud800"}'])
async def test_bytes_that_are_no_batch(body: bytes, platform: Platform, entry: Entry) -> None:
    del entry
    status, told = await platform.asks(UPLOAD, platform.headers("g-zn-1", UPLOAD, body), body)
    assert (status, told["error"]) == (400, "bad_request")


async def test_what_is_too_long_is_not_read_to_its_end(platform: Platform, entry: Entry) -> None:
    del entry
    body = b" " * (wire.MOST_BYTES + 1)
    status, told = await platform.asks(UPLOAD, platform.headers("g-zn-1", UPLOAD, body), body)
    assert (status, told["error"]) == (413, "too_long")


async def test_strange_places_are_kept_aside_for_the_operator(platform: Platform, entry: Entry) -> None:
    device, tap = entry
    status, told = await platform.uploads(device, replace(tap, line="九号线"))
    assert (status, told["quarantined"]) == (200, [{"seq": 1, "reason": "wrong_place"}])


async def test_a_store_that_is_gone_is_no_answer_and_the_same_request_may_come_again(
    platform: Platform, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(device: Device, batch: Batch, now: object) -> Ingested:
        raise StoreGoneError("PostgreSQL")

    body = platform.body(*entry)
    headers = platform.headers("g-zn-1", UPLOAD, body)
    with monkeypatch.context() as broken:
        broken.setattr(platform.front, "ingest", gone)
        status, told = await platform.asks(UPLOAD, headers, body)
        assert (status, told["error"]) == (503, "unavailable")
    assert (await platform.asks(UPLOAD, headers, body))[1]["accepted"] == [1]


async def test_before_the_city_is_open(platform: Platform, entry: Entry) -> None:
    platform.is_ready = False
    assert (await platform.uploads(*entry))[0] == 503


async def test_a_gate_learns_whom_to_trust(line: Line, platform: Platform, entry: Entry) -> None:
    now = platform.clock.now()
    denied = [await _granted(line, state) for state in ("suspended", "")]
    status, told = await platform.asks(FETCH, platform.headers("g-zn-1", FETCH))
    found = parse(msgspec.json.encode(told))
    assert (status, found.now, [each.kid for each in found.issuers]) == (200, wire.millis(now), [KID])
    assert found.issuers[0].key == "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"
    assert [(each.acct_ref, each.until) for each in found.denied] == [
        (denied[0], int(now.timestamp()) + 14 * 60 + 20)
    ]


async def _granted(line: Line, step: str) -> str:
    account = await line.rider()
    ref = await line.grant(account, line.clock.now())
    if step:
        await line.db.execute(
            "UPDATE transit_accounts SET state = $2, what = $2, step = step + 1 WHERE id = $1", account, step
        )
    return encoded(ref)


async def test_a_revoked_key_is_in_the_list_as_revoked(platform: Platform, entry: Entry) -> None:
    del entry
    platform.issuer.revoked.add(KID)
    status, told = await platform.asks(FETCH, platform.headers("g-zn-1", FETCH))
    (key,) = parse(msgspec.json.encode(told)).issuers
    assert (status, key.kid, key.revoked) == (200, KID, True)


async def test_without_an_issuer_a_gate_keeps_its_list(platform: Platform, entry: Entry) -> None:
    del entry
    platform.issuer.is_gone = True
    assert (await platform.asks(FETCH, platform.headers("g-zn-1", FETCH)))[0] == 503


@pytest.mark.parametrize("since", ["-1", "x", "9" * 17])
async def test_a_strange_since(since: str, platform: Platform, entry: Entry) -> None:
    del entry
    asked = f"GET /api/transit/trust?since={since}"
    assert (await platform.asks(asked, platform.headers("g-zn-1", asked)))[0] == 400


async def test_our_own_gate_is_understood(
    line: Line, platform: Platform, tmp_path: Path, db: Database
) -> None:
    """The gate's program, its clock hours off, on a real connection: it learns the time and sends its tap."""
    key = create("g-zn-1", tmp_path / "gate.key")
    device = replace((await line.gate("zhongnan")).device, id="g-zn-1")
    await platform.front.devices.add(device, unpadded(key.public))
    settings = Settings(
        device="g-zn-1",
        way="in",
        station="zhongnan",
        line=device.line,
        folder=str(tmp_path / "data"),
        key=str(tmp_path / "gate.key"),
        server=str(platform.client.make_url("/")).rstrip("/"),
    )
    now = platform.clock.now()
    ref = await line.grant(await line.rider(), now)
    with closing(Gate(settings, Clock(lambda: now.timestamp() - 7200))) as gate:
        async with ClientSession() as http:
            uploader = Uploader(gate, key, http)
            assert await uploader.once() == 0, "it only learns whom to trust, and the time"
            gate.show(sent(acct_ref=ref, gen_time=int(now.timestamp()), cap_fen=600))
            assert await uploader.once() == 1
        assert gate.pending() == []
    assert [tuple(row) for row in await db.fetch("SELECT device, counted FROM transit_taps")] == [
        ("g-zn-1", True)
    ]


def test_gate_makers_read_of_every_reason() -> None:
    told = (ROOT / "docs" / "transit-code.md").read_text("utf-8").split("| Reason | What is the case |")[1]
    assert re.findall(r"^\| `(\w+)` \|", told.split("\n\n")[0], re.MULTILINE) == [
        each.value for each in Reason
    ]


def test_the_document_is_what_the_doors_do(platform: Platform) -> None:
    shown = json.loads((ROOT / "docs" / "transit-api.json").read_text("utf-8"))
    assert shown == json.loads(json.dumps(document())), "write it anew: webhooks/api/document.py"
    doors = {f"{method.upper()} {path}" for path, methods in shown["paths"].items() for method in methods}
    assert doors == {f"{each.method} {each.path}" for each in platform.routes}
    assert {each.who for each in platform.routes} == {"device"}
