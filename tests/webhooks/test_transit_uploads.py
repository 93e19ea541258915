"""The gate's own program at the city's door, over HTTP: whatever happens on the way, each tap counts once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.clock import ManualClock
from core.stores.database import Database
from core.stores.redis import Redis
from gate.clock import Clock
from gate.code import Reason, Refused
from gate.gate import Gate
from gate.settings import Settings, Way
from gate.signing import Device
from gate.upload import TAPS, TRUST, NoServer, Uploader
from tests.services.transit.line import MORNING, Line
from tests.support.ride_codes import KID, sent
from tests.webhooks.gating import KEY, Platform
from webhooks.routes import Doors, Request

STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))


@dataclass
class Wire:
    """What lies between gate and city: `cut` drops that many answers of uploads, after they were made."""

    platform: Platform
    cut: int = 0
    after_trust: Callable[[], None] = field(default=lambda: None)
    answers: list[int] = field(default_factory=list)

    async def answer(self, request: Request) -> web.StreamResponse:
        answer = await Doors(self.platform.routes).answer(request)
        self.answers.append(answer.status)
        path = request.raw_path.partition("?")[0]
        if path == TAPS and self.cut and request.transport is not None:
            self.cut -= 1
            request.transport.abort()
        if path == TRUST:
            self.after_trust()
        return answer


@dataclass
class Rides:
    """A city, and gates that people pass."""

    line: Line
    wire: Wire
    url: str
    folder: Path
    http: aiohttp.ClientSession
    ahead_s: float = 0.0  # of the gates' machines
    riders: int = 0

    async def gate(self, station: str, way: Way, key: Ed25519PrivateKey = KEY) -> Uploader:
        """A gate that is registered with `KEY`, and signs with this one."""
        name = f"g-{station}-{way}"
        line = (await self.line.gate(station)).device.line
        device = replace((await self.line.gate(station)).device, id=name)
        await self.wire.platform.registers(device)
        settings = Settings(
            device=name, way=way, station=station, line=line, folder=str(self.folder / name), server=self.url
        )
        gate = Gate(settings, Clock(lambda: self.line.clock.timestamp() + self.ahead_s))
        uploader = Uploader(gate, Device(name, key), self.http)
        if key is KEY:
            await uploader.refresh()
        return uploader

    async def passes(self, uploader: Uploader, account: str) -> int:
        """Somebody holds a new code against a gate; the number of the tap."""
        self.riders += 1
        now = self.line.clock.now()
        ref = await self.line.grant(account, now)
        return uploader.gate.show(self.code(ref)).seq

    def code(self, ref: bytes) -> bytes:
        """A code of what was granted."""
        at = int(self.line.clock.now().timestamp())
        return sent(acct_ref=ref, gen_time=at, nonce=self.riders.to_bytes(8), cap_fen=600)


@pytest.fixture
async def rides(db: Database, redis: Redis, tmp_path: Path) -> AsyncIterator[Rides]:
    line = Line(db, ManualClock(MORNING))
    wire = Wire(Platform(db, redis, line.clock))
    server = RawTestServer(wire.answer)
    async with wire.platform.client, server, aiohttp.ClientSession() as http:
        yield Rides(line, wire, str(server.make_url("")).rstrip("/"), tmp_path, http)


Counted = Callable[[], Awaitable[list[int]]]


@pytest.fixture
def counted(db: Database) -> Counted:
    """The numbers of the taps that count."""

    async def ask() -> list[int]:
        return [row[0] for row in await db.fetch("SELECT seq FROM transit_taps WHERE counted ORDER BY seq")]

    return ask


async def aside(db: Database) -> list[tuple[int, str]]:
    rows = await db.fetch("SELECT seq, reason FROM transit_quarantine ORDER BY seq")
    return [(row[0], row[1]) for row in rows]


async def test_taps_are_taken_and_forgotten_by_the_gate(rides: Rides, counted: Counted) -> None:
    uploader = await rides.gate("zhongnan", "in")
    with closing(uploader.gate):
        seqs = [await rides.passes(uploader, await rides.line.rider()) for _ in range(3)]
        assert await uploader.once() == 3
        assert uploader.gate.pending() == []
    assert await counted() == seqs


async def test_an_answer_that_was_cut_off_costs_nothing_and_counts_nothing_twice(
    rides: Rides, counted: Counted
) -> None:
    uploader = await rides.gate("zhongnan", "in")
    with closing(uploader.gate):
        seqs = [await rides.passes(uploader, await rides.line.rider()) for _ in range(2)]
        rides.wire.cut = 1
        with pytest.raises(NoServer):
            await uploader.once()
        assert await counted() == seqs, "the city has them, and the gate does not know"
        assert [tap.seq for tap in uploader.gate.pending()] == seqs
        seqs.append(await rides.passes(uploader, await rides.line.rider()))
        assert await uploader.once() == 3, "two are known, one is new"
        assert uploader.gate.pending() == []
    assert await counted() == seqs


async def test_the_way_out_arrives_before_the_way_in(rides: Rides) -> None:
    rider = await rides.line.rider()
    entry, leave = await rides.gate("zhongnan", "in"), await rides.gate("jiedaokou", "out")
    with closing(entry.gate), closing(leave.gate):
        await rides.passes(entry, rider)
        rides.line.clock.move(timedelta(minutes=12))
        await rides.passes(leave, rider)
        assert await leave.once() == 1
        await rides.line.settles()
        assert [trip[0] for trip in await rides.line.trips(rider)] == ["orphan_exit"]
        assert await entry.once() == 1
    await rides.line.settles()
    ((state, _, fare),) = await rides.line.trips(rider)
    assert (state, fare > 0) == ("closed", True)


async def test_a_clock_that_jumps_between_two_questions_loses_no_tap(
    rides: Rides, counted: Counted, db: Database
) -> None:
    """The trust list puts clocks right before each upload; this one goes wrong just after it."""
    uploader = await rides.gate("zhongnan", "in")

    def jump() -> None:
        rides.ahead_s = 200.0

    with closing(uploader.gate):
        seq = await rides.passes(uploader, await rides.line.rider())
        rides.wire.after_trust = jump
        assert await uploader.once() == 1
        assert uploader.gate.pending() == [], "the city has it now, in quarantine"
    assert await counted() == []
    assert await aside(db) == [(seq, "clock")]


async def test_a_clock_that_is_hours_off_is_put_right_before_anything_is_sent(
    rides: Rides, counted: Counted
) -> None:
    rides.ahead_s = -7200.0
    uploader = await rides.gate("zhongnan", "in")
    with closing(uploader.gate):
        seq = await rides.passes(uploader, await rides.line.rider())
        assert await uploader.once() == 1
    assert await counted() == [seq]
    assert set(rides.wire.answers) == {200}


async def test_another_key_is_not_heard_and_its_taps_wait(rides: Rides, counted: Counted) -> None:
    uploader = await rides.gate("zhongnan", "in", STRANGER)
    with closing(uploader.gate), pytest.raises(NoServer, match="401"):
        await uploader.once()
    assert await counted() == []


async def test_a_gate_is_revoked_with_taps_in_its_journal(
    rides: Rides, counted: Counted, db: Database
) -> None:
    uploader = await rides.gate("zhongnan", "in")
    with closing(uploader.gate):
        seq = await rides.passes(uploader, await rides.line.rider())
        assert await rides.wire.platform.front.devices.revoke("g-zhongnan-in")
        with pytest.raises(NoServer, match="401"):
            await uploader.once()
        assert [tap.seq for tap in uploader.gate.pending()] == [seq], "for whoever opens the gate"
        assert await counted() == []
        await db.execute("UPDATE transit_devices SET revoked_at = NULL")
        assert await uploader.once() == 1, "the control"
    assert await counted() == [seq]


async def test_a_key_is_revoked_and_the_gate_obeys_at_its_next_refresh(rides: Rides) -> None:
    uploader = await rides.gate("zhongnan", "in")
    with closing(uploader.gate):
        seq = await rides.passes(uploader, await rides.line.rider())
        rides.wire.platform.issuer.revoked.add(KID)
        assert await rides.passes(uploader, await rides.line.rider()), "control: it has not heard yet"
        rides.line.clock.move(timedelta(seconds=1))
        assert await uploader.once() == 2, "who was let through before pays"
        with pytest.raises(Refused) as told:
            await rides.passes(uploader, await rides.line.rider())
        assert told.value.reason == Reason.REVOKED_ISSUER
    assert seq
