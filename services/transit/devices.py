"""The register of gates: which key speaks for which place, until it is revoked for good."""

from dataclasses import dataclass
from datetime import datetime

from core.clock import Clock
from core.stores.database import Database
from services.transit.model import Device


@dataclass(frozen=True, slots=True)
class Registered:
    """A gate with its Ed25519 public key (32 bytes); `revoked_at` is None while it may speak."""

    device: Device
    public_key: bytes
    registered_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Aside:
    """A tap in quarantine; `said` is the tap as its gate sent it, in JSON."""

    id: int
    device: str
    seq: int
    reason: str
    said: str
    arrived_at: datetime


class Devices:
    """Gates as operators register them, and what they sent that nobody believes."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def add(self, device: Device, public_key: bytes) -> bool:
        """Register a gate; False where the name is taken, also by a revoked one (its numbers are its own)."""
        told = await self._db.execute(
            """
            INSERT INTO transit_devices (id, public_key, line, station, vehicle, registered_at)
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING
            """,
            device.id,
            public_key,
            device.line,
            device.station,
            device.vehicle,
            self._clock.now(),
        )
        return told == "INSERT 0 1"

    async def revoke(self, name: str) -> bool:
        """Hear nothing more of a gate, for good; False where there is none. Twice is once."""
        told = await self._db.execute(
            "UPDATE transit_devices SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1",
            name,
            self._clock.now(),
        )
        return told == "UPDATE 1"

    async def find(self, name: str) -> Registered | None:
        """A gate by its name."""
        found = await self._page("id = $1", name, 1)
        return found[0] if found else None

    async def page(self, after: str, limit: int) -> list[Registered]:
        """Gates by their names, from behind one on."""
        return await self._page("id > $1", after, limit)

    async def quarantine(self, before: int | None, limit: int, device: str = "") -> list[Aside]:
        """What was kept aside, the latest first, of one gate or of all."""
        rows = await self._db.fetch(
            """
            SELECT id, device, seq, reason, said, arrived_at FROM transit_quarantine
            WHERE taken_at IS NULL AND ($1::bigint IS NULL OR id < $1) AND ($3 = '' OR device = $3)
            ORDER BY id DESC LIMIT $2
            """,
            before,
            limit,
            device,
        )
        return [Aside(*row) for row in map(tuple, rows)]

    async def _page(self, where: str, name: str, limit: int) -> list[Registered]:
        rows = await self._db.fetch(
            f"""
            SELECT id, line, station, vehicle, public_key, registered_at, revoked_at FROM transit_devices
            WHERE {where} ORDER BY id LIMIT $2
            """,  # noqa: S608 - our own words
            name,
            limit,
        )
        return [Registered(Device(*row[:4]), *row[4:]) for row in map(tuple, rows)]
