"""The gates' doors in front of a line that runs, and a gate that signs by itself or by the gate's program."""

import itertools
from datetime import datetime
from typing import Any

import msgspec
from aiohttp.test_utils import RawTestServer, TestClient
from aiohttp.web import BaseRequest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.clock import ManualClock
from core.nonces import Nonces
from core.stores.database import Database
from core.stores.redis import Redis
from gate.code import Grant, ServerCode
from gate.signing import signed_lines
from services.transit.devices import Devices, Registered
from services.transit.issuer import IssuerGone
from services.transit.model import Batch, Device, Ingested, Sent
from services.transit.taps import Taps
from services.transit.trust import Trusting, TrustList
from tests.support.ride_codes import ISSUER, KID
from webhooks.api.signed import encoded
from webhooks.api.transit import TransitDoor
from webhooks.routes import Doors

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
Client = TestClient[BaseRequest, None]


class TestedIssuer:
    """Knows one key; the gates' doors ask for no more."""

    __test__ = False

    def __init__(self) -> None:
        self.is_gone = False
        self.revoked: set[int] = set()

    async def public_keys(self) -> dict[int, bytes]:
        if self.is_gone:
            raise IssuerGone(why="gone")
        return {kid: key for kid, key in self._keys.items() if kid not in self.revoked}

    async def revoked_keys(self) -> dict[int, bytes]:
        return {kid: key for kid, key in self._keys.items() if kid in self.revoked}

    @property
    def _keys(self) -> dict[int, bytes]:
        return {KID: ISSUER.public_key().public_bytes_raw()}

    async def grant(self, content: Grant) -> bytes:
        raise NotImplementedError

    async def code(self, content: ServerCode) -> bytes:
        raise NotImplementedError


class Front:
    """What the transit's front answers gates."""

    def __init__(self, db: Database, clock: ManualClock, issuer: TestedIssuer) -> None:
        self.devices = Devices(db, clock)
        self._taps = Taps(db)
        self._trusting = Trusting(db, issuer)

    async def device(self, name: str) -> Registered | None:
        return await self.devices.find(name)

    async def ingest(self, device: Device, batch: Batch, now: datetime) -> Ingested:
        return await self._taps.ingest(device, batch, now)

    async def trust(self, device: Device, since: int, now: datetime) -> TrustList:
        del device, since
        return await self._trusting.trust(now)


class Platform:
    """The city's side, and the hands of a gate."""

    def __init__(self, db: Database, redis: Redis, clock: ManualClock) -> None:
        self.clock = clock
        self.issuer = TestedIssuer()
        self.front = Front(db, clock, self.issuer)
        self.is_ready = True
        self.nonces = Nonces(redis, "gates")
        self._numbers = itertools.count(1)
        door = TransitDoor(self.front, self.nonces, clock, lambda: self.is_ready)
        self.routes = door.routes()
        self.client: Client = TestClient(RawTestServer(Doors(self.routes).answer))

    async def registers(self, device: Device, key: Ed25519PrivateKey = KEY) -> None:
        assert await self.front.devices.add(device, key.public_key().public_bytes_raw())

    def headers(
        self, name: str, asked: str, body: bytes = b"", key: Ed25519PrivateKey = KEY, off_s: int = 0
    ) -> dict[str, str]:
        """The four headers of a request such as `GET /path`."""
        moment = str(int(self.clock.now().timestamp()) + off_s), f"nonce-{next(self._numbers):012d}"
        method, path = asked.split(" ")
        signature = key.sign(signed_lines(method, path, moment, body))
        named = {"Bianmin-Name": name, "Bianmin-Signature": encoded(signature)}
        return named | {"Bianmin-Time": moment[0], "Bianmin-Nonce": moment[1]}

    async def asks(self, asked: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, Any]:
        method, path = asked.split(" ")
        async with self.client.request(method, path, data=body or None, headers=headers) as response:
            return response.status, await response.json()

    def body(self, gate: Device, *taps: Sent, **changes: object) -> bytes:
        """A batch as gates write it."""
        sent_at = int(self.clock.now().timestamp() * 1000)
        batch = {"device": gate.id, "batch": "b-1", "sent_at": sent_at, "taps": [said(tap) for tap in taps]}
        return msgspec.json.encode(batch | changes)

    async def uploads(self, device: Device, *taps: Sent) -> tuple[int, Any]:
        body = self.body(device, *taps)
        return await self.asks(UPLOAD, self.headers(device.id, UPLOAD, body), body)


def said(tap: Sent) -> dict[str, object]:
    """A tap as gates write it."""
    return {
        "seq": tap.seq,
        "at": tap.at,
        "way": tap.way.value,
        "line": tap.line,
        "station": tap.station or None,
        "vehicle": tap.vehicle or None,
        "code": encoded(tap.code),
    }


UPLOAD, FETCH = "POST /api/transit/taps", "GET /api/transit/trust?since=0"
