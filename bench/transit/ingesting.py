"""Taps uploaded, paired, priced, booked and asked for: how many in a second, and whether history slows it."""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import le

import msgspec

from bench import command
from bench.figures import Spread
from bench.webhook.load import LoadFailedError
from bench.webhook.report import Figure
from commands import places
from commands.paying import NoBank
from core.clock import CITY_ZONE, ManualClock
from core.seal import Seal
from core.stores.boot import open_database
from core.stores.database import Database
from gate.code import ServerCode, Type, server_code
from services.citizens.service import Citizens
from services.payments.service import Payments
from services.transit.dues import Dues
from services.transit.model import PURPOSE, Device
from services.transit.settling import Settling
from services.transit.standing import Standing
from services.transit.taps import Taps
from services.transit.tariffs import Timetable, read
from services.transit.telling import Silent
from webhooks.api.signed import encoded
from webhooks.api.transit import batch_of
from webhooks.api.wire import MOST_TAPS, millis

TENTHS = 10
_AT_ONCE = 4  # gates that are heard at the same time
_SETTLES_EVERY_S = 1.0  # as commands/rides.py: many a trip is seen open first, and paired again with its exit
_FIRST = datetime(2026, 11, 2, tzinfo=CITY_ZONE)
_RIDE = timedelta(minutes=25)
_SIGNED = bytes(64)  # the server does not look at signatures again: the gates have
# Not the empty ones: who has seen them empty reads them from end to end, until autovacuum looks again.
_FILLED = "citizens, transit_accounts, transit_devices, transit_grants"
Body = tuple[Device, bytes]


@dataclass(frozen=True, slots=True)
class Day:
    """A tenth of all taps: one day's, as gates upload them; and when they are all over."""

    bodies: Sequence[Body]
    taps: int
    ends: datetime


class Line:
    """The city's side, with everything on but the debits themselves."""

    def __init__(self, db: Database, seal: Seal, timetable: Timetable) -> None:
        self.db, self.timetable = db, timetable
        self.clock = ManualClock(_FIRST)
        payments = Payments(db, NoBank(), Citizens(db, seal), self.clock)
        payments.report_to(PURPOSE, _Nobody())
        self._taps = Taps(db)
        dues, standing = Dues(payments, self.clock), Standing(payments)
        self._settling = Settling(db, timetable, dues, standing, Silent(), self.clock)

    async def day(self, day: Day) -> float:
        """Take in a day's taps and settle them; the seconds it took."""
        self.clock.move(day.ends - self.clock.now())
        began = time.perf_counter()
        waiting, over = iter(day.bodies), asyncio.Event()
        settling = asyncio.create_task(self._settle_until(over))
        await asyncio.gather(*(self._hear(waiting) for _ in range(_AT_ONCE)))
        over.set()
        await settling
        return time.perf_counter() - began

    async def _hear(self, waiting: Iterator[Body]) -> None:
        for each in waiting:
            await self._upload(*each)

    async def _settle_until(self, over: asyncio.Event) -> None:
        """Settle each second while gates upload, and what is left when they are done."""
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), _SETTLES_EVERY_S)
            await self._settle()

    async def _upload(self, device: Device, body: bytes) -> None:
        batch = batch_of(body, device)
        taken = await self._taps.ingest(device, batch, self.clock.now())
        if len(taken.accepted) != len(batch.taps):
            raise LoadFailedError(f"{len(taken.accepted)} of {len(batch.taps)} taps were taken")

    async def _settle(self) -> None:
        while await self._settling.settle():
            pass


class _Nobody:
    """Debits are not measured: no payment is tried, and nobody is told."""

    async def lock(self, *_told: object) -> None: ...

    async def contract_signed(self, *_told: object) -> None: ...

    async def contract_ended(self, *_told: object) -> None: ...

    async def paid(self, *_told: object) -> None: ...

    async def failed(self, *_told: object) -> None: ...

    async def refunded(self, *_told: object) -> None: ...

    async def taken_twice(self, *_told: object) -> None: ...


class Riders:
    """Who rides once a day, and the gates they pass."""

    def __init__(self, db: Database, timetable: Timetable, count: int) -> None:
        self._db = db
        self._count = count
        self._chance = random.Random(6)
        self._devices = [
            Device(f"g-{line.id}-{station}", line.id, station)
            for line in timetable.network.metro.values()
            for station in line.stations
        ]
        self._seqs = dict.fromkeys((device.id for device in self._devices), 0)

    async def register(self) -> None:
        """Accounts in use, and gates."""
        await self._db.execute(
            """
            INSERT INTO citizens (id) SELECT 'c_' || lpad(n::text, 16, '0') FROM generate_series(1, $1) AS n
            """,
            self._count,
        )
        await self._db.execute(
            """
            INSERT INTO transit_accounts (id, citizen, state, since, what, who, key, changed_at)
            SELECT 't_' || lpad(n::text, 16, '0'), 'c_' || lpad(n::text, 16, '0'), 'consent', now(), 'asked',
                   'bench', '', now()
            FROM generate_series(1, $1) AS n
            """,
            self._count,
        )
        await self._db.execute("UPDATE transit_accounts SET state = 'active', what = 'signed', step = 1")
        await self._db.execute(
            """
            INSERT INTO transit_devices (id, public_key, line, station, registered_at)
            SELECT d, $4, l, s, now() FROM unnest($1::text[], $2::text[], $3::text[]) AS x (d, l, s)
            """,
            [device.id for device in self._devices],
            [device.line for device in self._devices],
            [device.station for device in self._devices],
            bytes(32),
        )

    async def days(self) -> Sequence[Day]:
        """Every day's rides, with their grants."""
        return [await self._day(_FIRST + timedelta(days=number)) for number in range(TENTHS)]

    async def _day(self, date: datetime) -> Day:
        written: dict[str, list[dict[str, object]]] = defaultdict(list)
        grants = []
        for at, account, device, way in sorted(self._taps(date), key=lambda tap: tap[0]):
            ref = self._chance.randbytes(16)
            grants.append((ref, account, at))
            written[device.id].append(self._tap(ref, at, device, way))
        await self._grant(grants)
        ends = date + timedelta(hours=23, minutes=30)
        return Day(list(self._bodies(written, ends)), len(grants), ends)

    def _taps(self, date: datetime) -> Iterator[tuple[datetime, str, Device, str]]:
        for number in range(1, self._count + 1):
            entry, way_out = self._chance.sample(self._devices, 2)
            at = date + timedelta(hours=6, seconds=self._chance.randrange(16 * 3600))
            account = f"t_{number:016d}"
            yield at, account, entry, "in"
            yield at + _RIDE, account, way_out, "out"

    def _tap(self, ref: bytes, at: datetime, device: Device, way: str) -> dict[str, object]:
        self._seqs[device.id] += 1
        content = ServerCode(1, ref, Type.SELF, 1200, int(at.timestamp()), 120, self._chance.randbytes(8))
        code = server_code(content, lambda _: _SIGNED)
        place = {"line": device.line, "station": device.station, "vehicle": None}
        return {"seq": self._seqs[device.id], "at": millis(at), "way": way, "code": encoded(code)} | place

    def _bodies(self, written: dict[str, list[dict[str, object]]], ends: datetime) -> Iterator[Body]:
        """Each gate uploads what it has, as full as it may be; gates take turns."""
        for start in range(0, max(map(len, written.values())), MOST_TAPS):
            for device in self._devices:
                if taps := written[device.id][start : start + MOST_TAPS]:
                    batch = {"device": device.id, "batch": "", "sent_at": millis(ends), "taps": taps}
                    yield device, msgspec.json.encode(batch)

    async def _grant(self, grants: Sequence[tuple[bytes, str, datetime]]) -> None:
        refs, accounts, times = zip(*grants, strict=True)
        await self._db.execute(
            """
            INSERT INTO transit_grants (acct_ref, account, kind, type, cap_fen, issued_at, expires_at)
            SELECT r, a, 2, 1, 1200, t, t + interval '2 minutes'
            FROM unnest($1::bytea[], $2::text[], $3::timestamptz[]) AS x (r, a, t)
            """,
            refs,
            accounts,
            times,
        )


async def measured(database_url: str, seal: Seal, taps: int) -> list[Figure]:
    """So many taps in ten days; the first of them beside the last."""
    timetable = read(places.DEMO / "transit")
    db = await open_database(database_url)
    try:
        riders = Riders(db, timetable, taps // (2 * TENTHS))
        await riders.register()
        line, rates = Line(db, seal, timetable), []
        days = await riders.days()
        await db.execute(f"ANALYZE {_FILLED}")
        for number, day in enumerate(days):
            rates.append(day.taps / await line.day(day))
            command.tell(f"tenth {number + 1}/{TENTHS}  {day.taps:,} taps, {rates[-1]:,.0f}/s")
        await _look_at_books(db, sum(day.taps for day in days))
    finally:
        await db.close()
    return _figures(rates)


def _figures(rates: Sequence[float]) -> list[Figure]:
    """The whole rate is that of all taps in all the time, not the median of the tenths."""
    whole = len(rates) / sum(1 / rate for rate in rates)
    slower = rates[0] / rates[-1]
    return [
        Figure(
            "ingest_rate",
            "taps taken in, paired, priced, booked and asked for",
            "1/s",
            Spread(whole, min(rates), max(rates)),
            3000,
        ),
        Figure(
            "ingest_growth",
            "the cost of a tap in the last tenth ÷ in the first",
            "×",
            Spread(slower, slower, slower),
            1.25,
            None,
            le,
        ),
    ]


async def _look_at_books(db: Database, taps: int) -> None:
    """Each ride is one closed trip, and the books, the trips and the debts say the same of them."""
    row = await db.fetchrow(
        """
        SELECT (SELECT count(*) FROM transit_taps WHERE counted) AS taps,
               (SELECT count(*) FROM transit_trips WHERE state = 'closed') AS trips,
               (SELECT count(*) FROM transit_quarantine) AS aside,
               (SELECT coalesce(sum(fare_fen), 0) FROM transit_trips) AS fares,
               (SELECT coalesce(sum(CASE credit WHEN 'fares' THEN fen ELSE -fen END), 0)
                FROM transit_ledger) AS booked,
               (SELECT coalesce(sum(amount_fen), 0) FROM payments) AS asked
        """
    )
    found = tuple(map(int, row or ()))
    fares = found[3] if found else 0
    if found != (taps, taps // 2, 0, fares, fares, fares) or not fares:
        raise LoadFailedError(f"{taps} taps became {dict(row or {})}")
