"""A line that runs: gates, riders with grants, and a collector who pays, refuses or waits as a test says."""

import itertools
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from core.clock import CITY_ZONE, ManualClock
from core.stores.database import Database, Transaction
from gate.code import ServerCode, Type, server_code
from services.payments.model import Debt, Payment, PaymentState
from services.transit import accounts_store
from services.transit.accounts_store import Step
from services.transit.dues import Dues
from services.transit.model import Batch, Device, Ingested, Sent
from services.transit.money import Till
from services.transit.pairing import Way
from services.transit.settling import Settling
from services.transit.standing import Standing
from services.transit.taps import Taps
from services.transit.tariffs import read
from services.transit.telling import Missed, Moved

TIMETABLE = read(Path(__file__).parents[3] / "demo" / "transit")
MORNING = datetime(2026, 11, 23, 8, tzinfo=CITY_ZONE)
_REF, _NONCE = 16, 8


class Collector:
    """Collects what riders owe: nothing happens to a payment before the test says so."""

    def __init__(self) -> None:
        self.payments: dict[str, Payment] = {}
        self.asked_back: dict[str, int] = defaultdict(int)
        self.unsigned: set[str] = set()
        self._numbers = itertools.count(1)

    async def owe_all(self, tx: Transaction, debts: Sequence[Debt]) -> list[str]:
        del tx
        return [self._owe(debt) for debt in debts]

    def _owe(self, debt: Debt) -> str:
        number = f"p{next(self._numbers)}"
        self.payments[number] = Payment(
            id=number,
            citizen=debt.citizen,
            plan=debt.plan,
            purpose=debt.purpose,
            object=debt.object,
            version=debt.version,
            amount_fen=debt.amount_fen,
            text=debt.text,
            state=PaymentState.OWED,
            tries=0,
            refunded_fen=0,
            paid_at=None,
            next_try_at=None,
        )
        return number

    async def cancel_all(self, tx: Transaction, payments: Sequence[str], why: str) -> set[str]:
        del tx, why
        gone = {each for each in payments if self.payments[each].state is PaymentState.OWED}
        for each in gone:
            self.payments[each] = replace(self.payments[each], state=PaymentState.CANCELLED)
        return gone

    async def signed(self, tx: Transaction, citizens: Collection[str], plan: str) -> set[str]:
        del tx, plan
        return set(citizens) - self.unsigned

    async def refund(self, tx: Transaction, payment_id: str, amount_fen: int, why: str) -> str:
        del tx
        payment = self.payments[payment_id]
        assert payment.state is PaymentState.PAID, "only what was paid goes back"
        self.asked_back[payment_id] += amount_fen
        assert self.asked_back[payment_id] <= payment.amount_fen, "P6"
        return why


class Ears:
    """Remembers what riders were told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    async def paid(self, tx: Transaction, moved: Moved, *, late: bool) -> None:
        del tx
        self.told.append(("recovered" if late else "paid", moved.fen))

    async def behind(self, tx: Transaction, moved: Moved) -> None:
        del tx
        self.told.append(("behind", moved.fen))

    async def refunded(self, tx: Transaction, moved: Moved, *, twice: bool) -> None:
        del tx
        self.told.append(("twice" if twice else "refunded", moved.fen))

    async def missing_exit(self, tx: Transaction, rides: Sequence[Missed]) -> None:
        del tx
        self.told += [("missing_exit", each.ride.id) for each in rides]

    async def changed(self, tx: Transaction, rides: Sequence[int]) -> None:
        del tx
        self.told += [("changed", ride) for ride in rides]


@dataclass
class Gate:
    """A gate and the number of its next tap."""

    device: Device
    seq: int = 0


class Line:
    """Everything together, on one database."""

    def __init__(self, db: Database, clock: ManualClock) -> None:
        self.db, self.clock = db, clock
        self.collector = Collector()
        self.taps = Taps(db)
        dues, standing, self.ears = Dues(self.collector, clock), Standing(self.collector), Ears()
        self.settling = Settling(db, TIMETABLE, dues, standing, self.ears, clock)
        self.till = Till(dues, standing, self.ears, TIMETABLE.network, clock)
        self.gates: dict[str, Gate] = {}
        self._numbers = itertools.count(1)

    async def gate(self, place: str) -> Gate:
        """The gate of a station, or of a vehicle of bus 15."""
        if place not in self.gates:
            bus = place.startswith("E")
            line = (
                "bus-15"
                if bus
                else next(k for k, m in TIMETABLE.network.metro.items() if place in m.stations)
            )
            device = Device(f"g-{place.lower()}", line, *(("", place) if bus else (place, "")))
            await self.db.execute(
                """
                INSERT INTO transit_devices (id, public_key, line, station, vehicle, registered_at)
                VALUES ($1, $2, $3, $4, $5, $6)
                """,
                device.id,
                b"k" * 32,
                device.line,
                device.station,
                device.vehicle,
                self.clock.now(),
            )
            self.gates[place] = Gate(device)
        return self.gates[place]

    async def rider(self) -> str:
        """Somebody with an account in use."""
        citizen = f"c_{next(self._numbers):016d}"
        await self.db.execute("INSERT INTO citizens (id) VALUES ($1)", citizen)
        async with self.db.transaction() as tx:
            account = await accounts_store.add(tx, citizen, self._step())
            assert await accounts_store.step(tx, account, "signed", "active", self._step())
        return account

    async def grant(self, account: str, at: datetime, kind: Type = Type.SELF) -> bytes:
        """A grant that is good around a moment."""
        ref = next(self._numbers).to_bytes(_REF)
        await self.db.execute(
            """
            INSERT INTO transit_grants (acct_ref, account, kind, type, cap_fen, issued_at, expires_at)
            VALUES ($1, $2, 1, $3, 600, $4, $5)
            """,
            ref,
            account,
            kind,
            at - timedelta(minutes=1),
            at + timedelta(minutes=14),
        )
        return ref

    async def tap(
        self, account: str, place: str, way: str, at: datetime, kind: Type = Type.SELF
    ) -> tuple[Device, Sent]:
        """What a gate writes down when somebody is let through."""
        gate = await self.gate(place)
        gate.seq += 1
        ref = await self.grant(account, at, kind)
        nonce = next(self._numbers).to_bytes(_NONCE)
        code = server_code(ServerCode(1, ref, kind, 600, int(at.timestamp()), 30, nonce), lambda _: b"s" * 64)
        device = gate.device
        sent = Sent(
            gate.seq, int(at.timestamp() * 1000), Way(way), device.line, code, device.station, device.vehicle
        )
        return device, sent

    async def uploads(self, device: Device, *taps: Sent, off: timedelta = timedelta(0)) -> Ingested:
        """A gate sends what it has; its clock is off by so much."""
        now = self.clock.now()
        return await self.taps.ingest(device, Batch(now + off, taps), now)

    async def rides(self, account: str, start: str, end: str, minutes: float = 0) -> None:
        """From one station to another, in 25 minutes; it is priced."""
        for place, way, at in ((start, "in", minutes), (end, "out", minutes + 25)):
            await self.uploads(*await self.tap(account, place, way, after(at)))
        await self.settles()

    async def left_at(self, account: str, place: str, minutes: float) -> None:
        """A gate is heard late: she had left there before."""
        await self.uploads(*await self.tap(account, place, "out", after(minutes)))
        await self.settles()

    async def settles(self) -> None:
        """Everything that is due is paired."""
        while await self.settling.settle():
            pass

    async def pays(self, payment: str) -> None:
        """A payment arrives."""
        found = replace(self.collector.payments[payment], state=PaymentState.PAID)
        self.collector.payments[payment] = found
        async with self.db.transaction() as tx:
            await self.till.paid(tx, found)

    async def fails(self, payment: str) -> None:
        """A try to debit a payment fails."""
        found = replace(self.collector.payments[payment], state=PaymentState.OWED)
        self.collector.payments[payment] = found
        async with self.db.transaction() as tx:
            await self.till.failed(tx, found, "payer")

    async def goes_back(self, payment: str) -> None:
        """All that was asked back of a payment arrives."""
        found = self.collector.payments[payment]
        amount = self.collector.asked_back[payment] - found.refunded_fen
        if amount:
            found = replace(found, refunded_fen=self.collector.asked_back[payment])
            self.collector.payments[payment] = found
            async with self.db.transaction() as tx:
                await self.till.refunded(tx, found, amount)

    def asks(self, payment: str) -> None:
        """A try to debit a payment is under way."""
        self.collector.payments[payment] = replace(self.collector.payments[payment], state=PaymentState.ASKED)

    async def account(self, account: str) -> str:
        return str(await self.db.fetchval("SELECT state FROM transit_accounts WHERE id = $1", account))

    async def trips(self, account: str) -> list[tuple[str, str, int]]:
        """State, money and fare of each, in the order they began."""
        rows = await self.db.fetch(
            """
            SELECT t.state, t.money, t.fare_fen FROM transit_trips t JOIN transit_taps f ON f.id = t.first_tap
            WHERE t.account = $1 AND t.state <> 'void' ORDER BY f.at, f.id
            """,
            account,
        )
        return [tuple(row) for row in rows]

    async def balance(self, name: str) -> int:
        """What stands on one side of the books."""
        return int(
            await self.db.fetchval(
                """
                SELECT coalesce(sum(CASE WHEN debit = $1 THEN fen WHEN credit = $1 THEN -fen END), 0)
                FROM transit_ledger
                """,
                name,
            )
        )

    def _step(self) -> Step:
        return Step("test", f"k{next(self._numbers)}", self.clock.now())


def after(minutes: float) -> datetime:
    return MORNING + timedelta(minutes=minutes)
