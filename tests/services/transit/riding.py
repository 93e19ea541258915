"""A rider's side: an account, a contract that is signed or not, and codes by a real issuer key."""

import itertools
from collections.abc import Collection, Mapping
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.clock import ManualClock
from core.errors import DomainError
from core.stores.database import Database, Transaction
from gate.code import Grant, ServerCode, grant, server_code
from services.payments.service import Contract, ContractState, Payment
from services.transit.model import Batch
from services.transit.service import Parts, Transit
from tests.services.transit.line import TIMETABLE, Collector, Ears, Line, after

BACK = "https://city.example/transit"
KEY = b"\x02" + b"k" * 32


class Bank(Collector):
    """The collector, and contracts that citizens sign when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.contracts: dict[str, Contract] = {}
        self.tried: list[str] = []

    async def sign(self, citizen: str, plan: str, back: str, now: datetime) -> str:
        assert back == BACK
        self.contracts[citizen] = Contract(f"k-{citizen}", citizen, plan, ContractState.ASKED, now)
        return f"https://pay.example/{citizen}"

    async def signed(self, tx: Transaction, citizens: Collection[str], plan: str) -> set[str]:
        del tx, plan
        signed = {name for name, found in self.contracts.items() if found.state is ContractState.SIGNED}
        return signed.intersection(citizens)

    async def let_go(self, tx: Transaction, citizen: str, plan: str, why: str) -> None:
        del tx
        before = self.contracts[citizen]
        assert plan == "transit"
        assert why in {"closed", "no account"}
        if before.state in {ContractState.ASKED, ContractState.SIGNED}:
            self.contracts[citizen] = Contract(before.id, citizen, plan, ContractState.ENDING, before.since)

    async def pay_now(self, payment_id: str, citizen: str) -> None:
        assert self.payments[payment_id].citizen == citizen
        self.tried.append(payment_id)

    async def payment(self, payment_id: str) -> Payment:
        return self.payments[payment_id]


class Issuing:
    """The issuer, with its key in the same process."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()

    async def grant(self, content: Grant) -> bytes:
        return grant(content, self.key.sign)

    async def code(self, content: ServerCode) -> bytes:
        return server_code(content, self.key.sign)

    async def public_keys(self) -> Mapping[int, bytes]:
        return {0: self.key.public_key().public_bytes_raw()}

    async def revoked_keys(self) -> Mapping[int, bytes]:
        return {}


class NotAgreed(DomainError):  # noqa: N818 - named by what is the case
    """As services/citizens refuses what nobody agreed to."""

    code = "consent_missing"


class Agreed:
    """Everybody agreed to ride codes, but for those who took it back."""

    def __init__(self) -> None:
        self.not_any_more: set[str] = set()

    async def require(self, tx: Transaction, citizen: str, purpose: str) -> None:
        del tx
        assert purpose == "transit"
        if citizen in self.not_any_more:
            raise NotAgreed


class Riding:
    """The counter, and citizens who come to it."""

    def __init__(self, db: Database, clock: ManualClock) -> None:
        self.db, self.clock, self.bank, self.issuer = db, clock, Bank(), Issuing()
        self.ears, self.agreed = Ears(), Agreed()
        self.transit = Transit(Parts(db, self.bank, self.issuer, TIMETABLE, clock, self.agreed, self.ears))
        self.line = Line(db, clock)
        self._numbers = itertools.count(1)

    async def citizen(self) -> str:
        name = f"c_r{next(self._numbers):015d}"
        await self.db.execute("INSERT INTO citizens (id) VALUES ($1)", name)
        return name

    async def opens(self) -> str:
        """Somebody opens an account and signs."""
        citizen = await self.citizen()
        await self.transit.open(citizen, BACK)
        await self.signs(citizen)
        return citizen

    async def rides(self, citizen: str, minutes: float = 0, account: str = "") -> str:
        """She rides from 中南路 to 光谷; the payment that is owed for it."""
        account = account or (await self.transit.account(citizen)).id
        before = set(self.bank.payments)
        for place, way, at in (("zhongnan", "in", minutes), ("guanggu", "out", minutes + 25)):
            device, sent = await self.line.tap(account, place, way, after(at))
            await self.transit.ingest(device, Batch(self.clock.now(), [sent]), self.clock.now())
        await self.transit.settle_all()
        (payment,) = set(self.bank.payments) - before
        return payment

    async def fails(self, payment: str) -> None:
        async with self.db.transaction() as tx:
            await self.transit.failed(tx, self.bank.payments[payment], "payer")

    async def pays(self, payment: str) -> None:
        async with self.db.transaction() as tx:
            await self.transit.paid(tx, self.bank.payments[payment])

    async def signs(self, citizen: str) -> None:
        asked = self.bank.contracts[citizen]
        signed = Contract(asked.id, citizen, asked.plan, ContractState.SIGNED, self.clock.now())
        self.bank.contracts[citizen] = signed
        async with self.db.transaction() as tx:
            await self.transit.contract_signed(tx, signed)

    async def lets_go(self, citizen: str) -> None:
        """WeChat Pay tells that a contract is over."""
        before = self.bank.contracts[citizen]
        ended = Contract(before.id, citizen, before.plan, ContractState.ENDED, self.clock.now())
        self.bank.contracts[citizen] = ended
        async with self.db.transaction() as tx:
            await self.transit.contract_ended(tx, ended)

    async def state(self, citizen: str) -> str:
        return (await self.transit.account(citizen)).state.value
