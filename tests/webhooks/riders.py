"""A line with riders, and the pages of ride codes in front of it."""

from dataclasses import replace
from datetime import datetime, timedelta

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from services.citizens.consent_texts import Texts
from services.citizens.consents import Consents
from services.citizens.service import Citizens
from services.payments.model import PaymentState
from services.payments.service import Contract, ContractState
from services.transit.service import Transit
from tests.services.transit.line import Line
from tests.services.transit.riding import Bank, Riding
from tests.support.talk import words_of
from tests.support.wording import TEMPLATES
from tests.webhooks.logging_in import CITY, GRANDMA, Browser, House, Page
from webhooks.assets import Assets
from webhooks.login.guard import LoggedIn
from webhooks.ride_account import RideAccount
from webhooks.rides import RidePages
from webhooks.rides import Riding as Pages
from webhooks.routes import Route

PAY_PAGE = "https://pay.example/sign?session=1"


class PageBank(Bank):
    """A bank whose signing leads to one page, and which knows how each payment stands."""

    async def sign(self, citizen: str, plan: str, back: str, now: datetime) -> str:
        assert back == f"{CITY}/transit/open"
        self.contracts[citizen] = Contract(f"k-{citizen}", citizen, plan, ContractState.ASKED, now)
        return PAY_PAGE

    async def pay_now(self, payment_id: str, citizen: str) -> None:
        await super().pay_now(payment_id, citizen)
        self.payments[payment_id] = replace(self.payments[payment_id], state=PaymentState.ASKED)


class Riders:
    """Citizens who ride, log in, and look at the pages."""

    def __init__(self, db: Database, seal: Seal, clock: ManualClock) -> None:
        self.db, self.clock = db, clock
        self.riding = Riding(db, clock)
        self.bank = self.riding.bank = PageBank()
        self.riding.transit = Transit(replace(self.riding.transit._means, payments=self.bank))
        self.line = Line(db, clock)
        self.consents = Consents(db, clock, Texts(TEMPLATES / "consent"))
        self.house = House(db, seal, clock, further=self._routes)

    @property
    def transit(self) -> Transit:
        return self.riding.transit

    def _routes(self, inside: LoggedIn) -> list[Route]:
        pages = Pages(self.transit, self.consents, words_of())
        account = RideAccount(inside, pages, CITY)
        return [*RidePages(inside, pages, Assets()).routes(), *account.routes()]

    async def citizen(self, openid: str = GRANDMA) -> str:
        conversation = self.house.seal.conversation("city", openid)
        return await Citizens(self.db, self.house.seal).arrive(conversation, "city", openid)

    async def opens(self, openid: str = GRANDMA) -> Browser:
        """Somebody agrees and signs; the browser in which it was done."""
        browser = await self.house.logged_in(openid)
        await self.agrees(browser)
        await self.riding.signs(await self.citizen(openid))
        return browser

    async def agrees(self, browser: Browser) -> Page:
        """To what is asked; the page that leads to WeChat Pay."""
        asked = await browser.gets("/transit/open")
        return await browser.sends("/transit/open", **fields(asked, "csrf", "version"), do="agree")

    async def rides(self, citizen: str, minutes_ago: float = 60) -> str:
        """From 中南路 to 光谷广场; the payment."""
        account = (await self.transit.account(citizen)).id
        began = self.clock.now() - timedelta(minutes=minutes_ago)
        for place, way, later in (("zhongnan", "in", 0), ("guanggu", "out", 25)):
            tapped = await self.line.tap(account, place, way, began + timedelta(minutes=later))
            await self.line.uploads(*tapped)
        before = set(self.bank.payments)
        await self.transit.settle_all()
        (payment,) = set(self.bank.payments) - before
        return payment

    async def goes_in(self, citizen: str) -> None:
        await self._taps(citizen, "zhongnan", "in", 20)

    async def leaves(self, citizen: str) -> None:
        await self._taps(citizen, "guanggu", "out", 1)

    async def _taps(self, citizen: str, place: str, way: str, minutes_ago: float) -> None:
        account = (await self.transit.account(citizen)).id
        at = self.clock.now() - timedelta(minutes=minutes_ago)
        await self.line.uploads(*await self.line.tap(account, place, way, at))
        await self.transit.settle_all()

    async def cannot_be_debited(self, payment: str) -> None:
        self.bank.payments[payment] = replace(self.bank.payments[payment], state=PaymentState.OWED)
        async with self.db.transaction() as tx:
            await self.transit.failed(tx, self.bank.payments[payment], "payer")

    async def is_debited(self, payment: str) -> None:
        self.bank.payments[payment] = replace(self.bank.payments[payment], state=PaymentState.PAID)
        async with self.db.transaction() as tx:
            await self.transit.paid(tx, self.bank.payments[payment])


def fields(page: Page, *names: str) -> dict[str, str]:
    """What the forms of a page carry."""
    return {name: page.field(name) for name in names}
