"""The transit with the real payments behind it, and a bank that does what a test says."""

from datetime import timedelta

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from services.citizens.service import Citizens
from services.payments.bank import Fate
from services.payments.model import RefundNotice, Told
from services.payments.service import Payments
from services.transit.dues import DEBIT_AFTER
from services.transit.model import PURPOSE
from services.transit.service import Parts, Transit
from tests.services.payments.till import PlayedBank
from tests.services.payments.till import Till as Says
from tests.services.transit.line import TIMETABLE, Ears, Line, after
from tests.services.transit.riding import BACK, Agreed, Issuing

WAITING = """
SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE NOT l.granted AND a.datname = current_database()
"""


class Paying:
    """Riders with contracts, their rides, and what becomes of the money."""

    def __init__(self, db: Database, clock: ManualClock, seal: Seal) -> None:
        clock.set(after(240))
        self.db, self.clock, self.bank, self.ears = db, clock, PlayedBank(), Ears()
        self.agreed = Agreed()
        self.citizens = Citizens(db, seal)
        self.payments = Payments(db, self.bank, self.citizens, clock)
        self.transit = Transit(Parts(db, self.payments, Issuing(), TIMETABLE, clock, self.agreed, self.ears))
        self.payments.report_to(PURPOSE, self.transit)
        self.line = Line(db, clock)
        self.says = Says(db, clock, self.citizens, self.bank, None, self.payments)  # type: ignore[arg-type]
        self._notices = 0

    async def rider(self) -> tuple[str, str]:
        """A citizen who has signed, and the account."""
        citizen = await self.says.citizen()
        await self.signs(citizen)
        return citizen, (await self.transit.account(citizen)).id

    async def signs(self, citizen: str) -> None:
        """She opens, or signs anew."""
        page = await self.transit.open(citizen, BACK)
        code = page.rpartition("/")[2]
        await self.payments.heard(self.says.says_signed(code, notice=self.notice()))

    async def lets_go(self, citizen: str) -> None:
        """She ends the contract in WeChat."""
        code = await self.db.fetchval(
            "SELECT id FROM pay_contracts WHERE citizen = $1 AND state = 'signed'", citizen
        )
        if code:
            await self.payments.heard(self.says.says_signed(code, signed=False, notice=self.notice()))

    async def rides(self, account: str, start: str = "hanyang", end: str = "guanggu", at: float = 0) -> None:
        """Somebody goes in and out; it is priced."""
        for place, way, minutes in ((start, "in", at), (end, "out", at + 25)):
            await self.line.uploads(*await self.line.tap(account, place, way, after(minutes)))
        await self.transit.settle_all()

    async def left_at(self, account: str, place: str, minutes: float) -> None:
        """A gate is heard late."""
        await self.line.uploads(*await self.line.tap(account, place, "out", after(minutes)))

    async def tried(self, mind: str) -> str:
        """What is due is debited, and the bank does this with it; the name of the last try."""
        self.bank.mind.debit = mind
        self.clock.move(DEBIT_AFTER)
        await self.payments.debit_due()
        return self.bank.asked[-1]

    async def tried_in_vain(self) -> None:
        """What is due is to be debited, and there is no contract to do it by."""
        self.clock.move(DEBIT_AFTER)
        asked = list(self.bank.asked)
        await self.payments.debit_due()
        assert self.bank.asked == asked

    async def arrives(self, name: str) -> None:
        """WeChat Pay tells that a try is paid."""
        self.bank.finish(name)
        await self.payments.heard(self.says.says_paid(name, self.bank.amounts[name], self.notice()))

    async def fails(self, name: str) -> None:
        """WeChat Pay tells that a try has failed."""
        self.bank.finish(name, Told.FAILED)
        await self.payments.heard(self.says.says_failed(name, self.notice()))

    async def goes_back(self) -> RefundNotice:
        """The bank sends back the last that was asked back; what it will tell of it."""
        sql = """
            SELECT r.id, r.amount_fen, r.try FROM pay_refunds r JOIN payment_events e ON e.subject = r.id
            WHERE r.state = 'due' ORDER BY e.id DESC LIMIT 1
        """
        row = await self.db.fetchrow(sql)
        assert row is not None
        self.bank.backs[row["id"]] = Fate(Told.DONE, row["amount_fen"])
        self.bank.refunded[row["try"]] += row["amount_fen"]
        return self.says.says_back(row["id"], row["amount_fen"], self.notice())

    async def finds_out(self) -> None:
        """Whatever is not known is asked for until it is."""
        for _ in range(4):
            self.clock.move(timedelta(hours=2))
            await self.payments.ask_open()

    def notice(self) -> str:
        """The name of something that WeChat Pay tells."""
        self._notices += 1
        return f"w-{self._notices}"

    async def balances(self) -> None:
        """What holds at every moment (invariant 6 as far as money has moved)."""
        for name, sql in _BALANCES.items():
            assert await self.db.fetch(sql) == [], name

    async def settled(self) -> None:
        """What holds once nothing is under way: what wallets lost is what rides cost, less what is unpaid."""
        await self.balances()
        assert not await self.db.fetchval("SELECT count(*) FROM payments WHERE state = 'asked'")
        fares = await self.db.fetchval("SELECT coalesce(sum(fare_fen), 0) FROM transit_trips")
        unpaid = await self.db.fetchval(
            "SELECT coalesce(sum(fen), 0) FROM transit_charges WHERE NOT paid AND NOT cancelled"
        )
        assert self.bank.taken_fen == fares - unpaid == await self.line.balance("bank")


_BALANCES = {
    "the books hold what a trip costs": """
        SELECT t.id FROM transit_trips t LEFT JOIN transit_ledger l ON l.trip = t.id
        GROUP BY t.id HAVING t.fare_fen <> coalesce(sum(
            CASE WHEN l.credit = 'fares' THEN l.fen WHEN l.debit = 'fares' THEN -l.fen END), 0)
    """,
    "what is advanced is what is behind": """
        SELECT t.id FROM transit_trips t LEFT JOIN transit_ledger l ON l.trip = t.id
        GROUP BY t.id HAVING coalesce(sum(
            CASE WHEN l.debit = 'advance' THEN l.fen WHEN l.credit = 'advance' THEN -l.fen END), 0)
            <> (SELECT coalesce(sum(c.fen), 0) FROM transit_charges c WHERE c.trip = t.id AND c.behind)
    """,
    "what has arrived is what payments say": """
        SELECT t.id FROM transit_trips t LEFT JOIN transit_ledger l ON l.trip = t.id
        GROUP BY t.id HAVING coalesce(sum(
            CASE WHEN l.debit = 'bank' THEN l.fen WHEN l.credit = 'bank' THEN -l.fen END), 0)
            <> (SELECT coalesce(sum(p.amount_fen - y.refunded_fen), 0) FROM transit_charges c
                JOIN payments p ON p.id = c.payment JOIN pay_tries y ON y.id = p.paid_by WHERE c.trip = t.id)
    """,
    "charges and payments tell the same": """
        SELECT c.payment FROM transit_charges c JOIN payments p ON p.id = c.payment
        WHERE (c.paid, c.cancelled, c.fen) <> (p.state = 'paid', p.state = 'cancelled', p.amount_fen)
    """,
    "what is asked for is what it costs, but for what is being tried": """
        SELECT t.id FROM transit_trips t LEFT JOIN transit_charges c ON c.trip = t.id AND NOT c.cancelled
        LEFT JOIN payments p ON p.id = c.payment
        GROUP BY t.id HAVING t.charged_fen <> coalesce(sum(c.fen - c.refunding_fen), 0)
        OR t.charged_fen < t.fare_fen
        OR (t.charged_fen > t.fare_fen AND NOT bool_or(p.state = 'asked'))
    """,
    "in arrears is who is behind": """
        SELECT a.id FROM transit_accounts a WHERE a.state NOT IN ('closed', 'suspended')
        AND (a.state = 'arrears') <> EXISTS (
            SELECT FROM transit_accounts x JOIN transit_trips t ON t.account = x.id
            WHERE x.citizen = a.citizen AND t.money = 'arrears')
    """,
    "in use is who can be debited": """
        SELECT a.id FROM transit_accounts a WHERE a.state IN ('active', 'consent')
        AND (a.state = 'active') <> EXISTS (
            SELECT FROM pay_contracts c WHERE c.citizen = a.citizen AND c.state = 'signed')
    """,
}
