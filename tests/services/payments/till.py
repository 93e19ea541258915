"""A bank and an owner for tests: the bank does what it is told to, and both remember everything."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from core.clock import ManualClock
from core.stores.database import Database, Transaction
from services.citizens.service import Citizens
from services.payments.bank import Agreement, BankGone, BankRefused, Debit, Fate, Policy, Refund, Signing
from services.payments.model import Contract, ContractNotice, DebitNotice, Debt, Payment, RefundNotice, Told
from services.payments.service import Payments

APPID, PLAN, PLAN_ID = "wx-city", "transit", 12535


@dataclass
class Mind:
    """What the bank does with a debit: `lost` = done, but nobody hears; `never` = it did not arrive."""

    debit: str = "done"  # done, open, poor, lost, never, ended, later, ours, broken


@dataclass
class PlayedBank:
    """One bank for all processes of a test. A debit of a known out_trade_no changes nothing."""

    mind: Mind = field(default_factory=Mind)
    contracts: dict[str, bool] = field(default_factory=dict)
    orders: dict[str, Fate] = field(default_factory=dict)
    amounts: dict[str, int] = field(default_factory=dict)
    backs: dict[str, Fate] = field(default_factory=dict)
    refunded: Counter[str] = field(default_factory=Counter)
    asked: list[str] = field(default_factory=list)
    away: bool = False

    def appid(self, account: str) -> str:
        return APPID

    def plan_id(self, plan: str) -> int:
        return PLAN_ID

    async def presign(self, signing: Signing) -> str:
        self._here()
        assert not signing.openid.startswith("c_"), "WeChat Pay knows openids"
        if signing.code in self.contracts:
            raise BankRefused("OUT_CONTRACT_CODE_USED", Policy.KNOWN)
        return f"https://pay.test/sign/{signing.code}"

    async def agreement(self, plan: str, code: str) -> Agreement | None:
        self._here()
        return Agreement(self.contracts[code], f"C{code[:20]}") if code in self.contracts else None

    async def terminate(self, plan: str, code: str, why: str) -> None:
        self._here()
        self.contracts[code] = False

    async def debit(self, debit: Debit) -> None:
        self.asked.append(debit.out_trade_no)
        self._here()
        await self._hook(debit)
        name = debit.out_trade_no
        if name in self.orders:
            return
        match self.mind.debit:
            case "never":
                raise BankGone("timed out")
            case "broken":
                raise ValueError("something nobody thought of")
            case "later":
                raise BankRefused("FREQUENCY_LIMITED", Policy.LATER)
            case "ours":
                raise BankRefused("RULE_LIMIT", Policy.CONFIGURATION)
            case "ended":
                raise BankRefused("CONTRACT_NOT_EXIST", Policy.CONTRACT)
            case "poor":
                raise BankRefused("NOT_ENOUGH", Policy.PAYER)
        told = Told.OPEN if self.mind.debit == "open" else Told.DONE
        self.amounts[name] = debit.amount_fen
        self.orders[name] = Fate(told, debit.amount_fen, APPID, f"4200{name[:8]}")
        if self.mind.debit == "lost":
            raise BankGone("timed out")

    async def _hook(self, debit: Debit) -> None:
        """For tests that look at what is under way."""

    async def fate(self, out_trade_no: str) -> Fate | None:
        self._here()
        return self.orders.get(out_trade_no)

    async def refund(self, refund: Refund) -> Fate:
        self._here()
        if refund.out_refund_no not in self.backs:
            self.backs[refund.out_refund_no] = Fate(Told.DONE, refund.amount_fen)
            self.refunded[refund.out_trade_no] += refund.amount_fen
        return self.backs[refund.out_refund_no]

    def finish(self, out_trade_no: str, told: Told = Told.DONE) -> None:
        """An order that was open comes to its end."""
        self.orders[out_trade_no] = Fate(told, self.amounts[out_trade_no], APPID, f"4200{out_trade_no[:8]}")

    @property
    def taken_fen(self) -> int:
        """What the citizens' wallets have lost so far."""
        done = sum(self.amounts[name] for name, fate in self.orders.items() if fate.told is Told.DONE)
        return done - self.refunded.total()

    def _here(self) -> None:
        if self.away:
            raise BankGone("timed out")


@dataclass
class PlayedOwner:
    """Remembers what it was told, in the order in which it was."""

    told: list[tuple[str, str, object]] = field(default_factory=list)
    fails: bool = False

    async def lock(self, tx: Transaction, citizen: str) -> None: ...

    async def contract_signed(self, tx: Transaction, contract: Contract) -> None:
        self._note("signed", contract.citizen, contract.state)

    async def contract_ended(self, tx: Transaction, contract: Contract) -> None:
        self._note("ended", contract.citizen, contract.state)

    async def paid(self, tx: Transaction, payment: Payment) -> None:
        await tx.execute("SELECT 1")
        self._note("paid", payment.object, payment.amount_fen)

    async def failed(self, tx: Transaction, payment: Payment, reason: str) -> None:
        self._note("failed", payment.object, reason)

    async def refunded(self, tx: Transaction, payment: Payment, amount: int) -> None:
        self._note("refunded", payment.object, amount)

    async def taken_twice(self, tx: Transaction, payment: Payment, amount: int) -> None:
        self._note("twice", payment.object, amount)

    def _note(self, *what: object) -> None:
        if self.fails:
            raise ValueError("the owner stumbles")
        self.told.append(what)  # type: ignore[arg-type]

    def words(self) -> list[str]:
        return [each[0] for each in self.told]


@dataclass
class Till:
    """Payments on a database, with a bank and an owner one can look at."""

    db: Database
    clock: ManualClock
    citizens: Citizens
    bank: PlayedBank
    owner: PlayedOwner
    payments: Payments
    number: int = 0

    @classmethod
    def on(
        cls, db: Database, clock: ManualClock, citizens: Citizens, bank: PlayedBank | None = None
    ) -> "Till":
        bank, owner = bank or PlayedBank(), PlayedOwner()
        payments = Payments(db, bank, citizens, clock)
        payments.report_to(PLAN, owner)
        return cls(db, clock, citizens, bank, owner, payments)

    async def citizen(self) -> str:
        self.number += 1
        return await self.citizens.arrive(f"city:{self.number:032x}", "city", f"openid-{self.number}")

    async def asked(self, citizen: str) -> str:
        """She has WeChat Pay's page before her; the code of her contract."""
        page = await self.payments.sign(citizen, PLAN, "https://city.test/transit", self.clock.now())
        return page.rpartition("/")[2]

    def says_signed(self, code: str, *, signed: bool = True, notice: str = "n-1") -> ContractNotice:
        self.bank.contracts[code] = signed
        return ContractNotice(notice, PLAN_ID, code, f"C{code[:20]}", signed)

    async def signed(self) -> str:
        """A citizen with a contract."""
        citizen = await self.citizen()
        code = await self.asked(citizen)
        await self.payments.heard(self.says_signed(code, notice=f"sign-{code[:20]}"))
        return citizen

    async def owes(self, citizen: str, fen: int = 300, trip: str = "trip-1", version: int = 0) -> str:
        async with self.db.transaction() as tx:
            return await self.payments.owe(tx, self.debt(citizen, fen, trip, version))

    def debt(self, citizen: str, fen: int = 300, trip: str = "trip-1", version: int = 0) -> Debt:
        return Debt(citizen, PLAN, fen, PLAN, trip, "2号线 中南路→光谷广场", self.clock.now(), version)

    async def state(self, payment: str) -> str:
        return str((await self.payments.payment(payment)).state)

    async def goes_back(self, payment: str, fen: int, why: str = "repriced") -> str:
        async with self.db.transaction() as tx:
            return await self.payments.refund(tx, payment, fen, why)

    def says_paid(self, out_trade_no: str, fen: int = 300, notice: str = "n-2") -> DebitNotice:
        return DebitNotice(notice, out_trade_no, Told.DONE, fen, APPID, f"4200{out_trade_no[:8]}")

    def says_failed(self, out_trade_no: str, notice: str = "n-3") -> DebitNotice:
        return DebitNotice(notice, out_trade_no, Told.FAILED, 0, "", reason="余额不足")

    def says_back(self, out_refund_no: str, fen: int, notice: str = "n-4") -> RefundNotice:
        return RefundNotice(notice, out_refund_no, Told.DONE, fen)

    def later(self, **by: float) -> None:
        self.clock.move(timedelta(**by))
