"""Uploads: every tap arrives, however often the network fails and whatever the server says meanwhile."""

import asyncio
import base64
import hashlib
import random
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gate import upload
from gate.code import Reason, Refused
from gate.faults import GateError
from gate.gate import Gate
from gate.signing import Device, signed_lines
from gate.trust import TrustList
from gate.upload import TAPS, TRUST, Batch, NoServer, Uploader
from tests.gate.conftest import Hands
from tests.support.ride_codes import ACCT_REF, NOW, shown, trust_list
from tests.support.waiting import until

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
Reply = Callable[[Batch], Any]


class City:
    """A server as docs/transit-code.md describes it; `reply` is how it takes a batch."""

    def __init__(self) -> None:
        self.taps: dict[int, str] = {}
        self.batches: list[int] = []
        self.trust = trust_list()
        self.reply: Reply = self.take
        self.forged = 0
        self.lists = 0
        self.no_list: dict[str, Any] = {}
        self.sent_at: list[int] = []

    def take(self, batch: Batch) -> dict[str, Any]:
        known = [tap.seq for tap in batch.taps if tap.seq in self.taps]
        self.taps |= {tap.seq: tap.code for tap in batch.taps}
        new = [tap.seq for tap in batch.taps if tap.seq not in known]
        return {"accepted": new, "known": known, "quarantined": [], "now": NOW * 1000}

    def app(self) -> web.Application:
        app = web.Application(client_max_size=256 * 1024)
        app.add_routes([web.post(TAPS, self._taps), web.get(TRUST, self._list)])
        return app

    async def _taps(self, request: web.Request) -> web.Response:
        body = await request.read()
        self._look_at(request, body)
        batch = msgspec.json.decode(body, type=Batch)
        self.batches.append(len(batch.taps))
        self.sent_at.append(batch.sent_at)
        answer = self.reply(batch)
        if isinstance(answer, int):
            return web.Response(status=answer)
        return web.json_response(answer)

    async def _list(self, request: web.Request) -> web.Response:
        self._look_at(request, b"")
        self.lists += 1
        if self.no_list:
            return web.json_response(self.no_list, status=503)
        return web.Response(body=msgspec.json.encode(self.trust), content_type="application/json")

    def _look_at(self, request: web.Request, body: bytes) -> None:
        given = request.headers
        assert given["Bianmin-Name"] == "g-zn-1"
        moment = given["Bianmin-Time"], given["Bianmin-Nonce"]
        signature = base64.urlsafe_b64decode(given["Bianmin-Signature"] + "==")
        try:
            KEY.public_key().verify(signature, signed_lines(request.method, request.path_qs, moment, body))
        except InvalidSignature:
            self.forged += 1


@pytest.fixture
def city() -> City:
    return City()


@pytest.fixture
async def server(city: City) -> AsyncIterator[TestServer]:
    running = TestServer(city.app())
    async with running:
        yield running


@pytest.fixture
async def uploader(opened: Callable[..., Gate], server: TestServer) -> AsyncIterator[Uploader]:
    gate = opened(server=str(server.make_url("")).rstrip("/"), every_s=0.01)
    gate.take_trust(msgspec.json.encode(trust_list()))
    async with aiohttp.ClientSession() as http:
        yield Uploader(gate, Device("g-zn-1", KEY), http)


def ride(uploader: Uploader, riders: int) -> list[int]:
    """So many let through; their numbers."""
    gate = uploader.gate
    nonces = [hashlib.sha256(b"%d %d" % (riders, number)).digest()[:8] for number in range(riders)]
    return [gate.show(shown(nonce=nonce)).seq for nonce in nonces]


async def test_taps_arrive_signed_and_are_dropped_then(uploader: Uploader, city: City) -> None:
    seqs = ride(uploader, 3)
    assert await uploader.once() == 3
    assert sorted(city.taps) == seqs
    assert uploader.gate.pending() == []
    assert city.forged == 0
    assert await uploader.once() == 0
    assert city.batches == [3], "nothing is sent for nothing"


async def test_what_has_no_answer_is_sent_again_and_is_known_then(uploader: Uploader, city: City) -> None:
    seqs = ride(uploader, 3)
    city.reply = lambda batch: [city.take(batch), 502][1]
    with pytest.raises(NoServer, match="502"):
        await uploader.once()
    assert len(uploader.gate.pending()) == 3
    city.reply = city.take
    assert await uploader.once() == 3
    assert sorted(city.taps) == seqs


async def test_a_tap_that_stands_in_no_list_is_not_dropped(uploader: Uploader, city: City) -> None:
    ride(uploader, 3)
    city.reply = lambda batch: city.take(batch) | {"accepted": [tap.seq for tap in batch.taps[1:]]}
    with pytest.raises(NoServer, match="1 of 3 taps"):
        await uploader.once()
    assert len(uploader.gate.pending()) == 3


async def test_quarantined_taps_are_the_servers_now(uploader: Uploader, city: City) -> None:
    seqs = ride(uploader, 2)
    wonder = [{"seq": seq, "reason": "clock"} for seq in seqs]
    city.reply = lambda _batch: {"accepted": [], "known": [], "quarantined": wonder}
    assert await uploader.once() == 2
    assert uploader.gate.pending() == []


async def test_numbers_that_were_not_sent_acknowledge_nothing(uploader: Uploader, city: City) -> None:
    (first,) = ride(uploader, 1)

    def while_another_rides(batch: Batch) -> dict[str, Any]:
        uploader.gate.show(shown(nonce=b"meantime"))
        return city.take(batch) | {"known": [first + 1]}

    city.reply = while_another_rides
    await uploader._send(uploader.gate.pending())
    assert [tap.seq for tap in uploader.gate.pending()] == [first + 1], "it came while the batch was away"


async def test_one_tap_the_server_cannot_take_holds_up_no_other(uploader: Uploader, city: City) -> None:
    seqs = ride(uploader, 9)
    bad = seqs[4]
    city.reply = lambda batch: 422 if bad in {tap.seq for tap in batch.taps} else city.take(batch)
    assert await uploader.once() == 8
    assert [tap.seq for tap in uploader.gate.pending()] == [bad], "it is kept"
    asked = len(city.batches)
    assert await uploader.once() == 0
    assert len(city.batches) == asked, "and not sent again and again"


async def test_a_batch_is_no_larger_than_the_server_takes(
    uploader: Uploader, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    ride(uploader, 7)
    monkeypatch.setattr(upload, "MOST_TAPS", 3)
    assert await uploader.once() == 7
    assert city.batches == [3, 3, 1]
    ride(uploader, 4)
    monkeypatch.setattr(upload, "_MOST_BODY", 1300)
    assert await uploader.once() == 4
    assert city.batches[3:] == [2, 2]


async def test_a_network_that_fails_half_the_time_loses_nothing(uploader: Uploader, city: City) -> None:
    chance = random.Random(7)

    def sometimes(batch: Batch) -> Any:
        answer = city.take(batch) if chance.random() < 0.5 else 503
        return answer if chance.random() < 0.5 else 500

    city.reply = sometimes
    seqs = ride(uploader, 20)
    for _ in range(60):
        try:
            await uploader.once()
        except NoServer:
            continue
    assert sorted(city.taps) == seqs
    assert uploader.gate.pending() == []


async def test_it_keeps_on_until_there_is_a_server(
    uploader: Uploader, city: City, server: TestServer
) -> None:
    ride(uploader, 2)
    city.reply = lambda _batch: 500
    working = asyncio.create_task(uploader.keep_on())
    await until(lambda: len(city.batches) >= 2, "tried twice")
    city.reply = city.take
    await until(lambda: len(city.taps) == 2, "arrived")
    working.cancel()


async def test_a_gate_that_waits_sends_at_once_when_somebody_is_let_through(
    uploader: Uploader, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        uploader.gate, "settings", msgspec.structs.replace(uploader.gate.settings, every_s=3600)
    )
    opened = asyncio.Event()
    working = asyncio.create_task(uploader.keep_on(opened))
    await until(lambda: city.lists == 1, "it waits for an hour")
    ride(uploader, 1)
    opened.set()
    await until(lambda: len(city.taps) == 1, "arrived")
    working.cancel()


async def test_the_trust_list_comes_with_the_deny_list_and_the_time(
    uploader: Uploader, city: City, hands: Hands
) -> None:
    gate = uploader.gate
    hands.at -= 100
    city.trust = trust_list(NOW * 1000 + 1, denied=(ACCT_REF,))
    assert await uploader.refresh()
    with pytest.raises(Refused) as told:
        gate.show(shown())
    assert told.value.reason == Reason.DENIED, "not `future`: the clock is right, too"
    city.trust = TrustList(1, ())
    assert not await uploader.refresh(), "an older list changes nothing"


async def test_a_server_whose_clock_was_ahead_for_a_while_shut_the_gates(
    uploader: Uploader, city: City, hands: Hands
) -> None:
    """Ten minutes ahead, and put right again (domain-rules 9, 14): the gate goes by it both times."""
    for machine, server in ((0, 600), (30, 30)):
        hands.at = NOW + machine
        city.trust = trust_list((NOW + server) * 1000)
        await uploader.once()
        assert uploader.gate.clock.now_ms() == pytest.approx((NOW + server) * 1000, abs=5000)
    assert uploader.gate.show(shown(at=NOW + 30)).seq


async def test_without_the_issuer_no_tap_was_uploaded(uploader: Uploader, city: City) -> None:
    seqs = ride(uploader, 2)
    city.no_list = {"error": "unavailable", "now": NOW * 1000}
    with pytest.raises(NoServer, match="503"):
        await uploader.once()
    assert sorted(city.taps) == seqs
    assert uploader.gate.pending() == []


async def test_a_gate_without_a_list_sent_its_taps_with_a_wrong_clock(
    uploader: Uploader, city: City, hands: Hands
) -> None:
    """They would be kept aside for it, each for a person to look at."""
    ride(uploader, 1)
    hands.at -= 600
    city.no_list = {"error": "unavailable", "now": NOW * 1000}
    with pytest.raises(NoServer, match="503"):
        await uploader.once()
    (sent_at,) = city.sent_at
    assert sent_at == pytest.approx(NOW * 1000, abs=5000)


def _says(answer: Any, _batch: Batch) -> Any:
    return answer


async def test_answers_that_are_none_change_nothing(uploader: Uploader, city: City) -> None:
    ride(uploader, 1)
    answers: list[Any] = [{}, {"accepted": "all"}, [1, 2]]
    for answer in answers:
        city.reply = partial(_says, answer)
        with pytest.raises(NoServer, match="not as agreed"):
            await uploader.once()
    assert len(uploader.gate.pending()) == 1


def test_without_a_server_there_is_no_upload(gate: Gate) -> None:
    with pytest.raises(GateError, match="no server"):
        Uploader(gate, Device("g-zn-1", KEY), None)  # type: ignore[arg-type]
