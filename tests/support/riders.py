"""The transit as main.py builds it for a bot: the demo city's lines, real payments, a bank that is played."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from services.citizens.service import Citizens
from services.payments.service import Payments
from services.transit import tariffs
from services.transit.errors import PictureAway
from services.transit.model import PURPOSE
from services.transit.notices import RideNotices
from services.transit.pages import RideLinks
from services.transit.pictures import Pictures
from services.transit.service import Parts, Transit
from tests.services.payments.till import PlayedBank
from tests.services.payments.till import Till as Says
from tests.services.transit.line import Line
from tests.services.transit.riding import BACK, Issuing
from tests.support.city_hospital import ADDRESS, notices_of
from tests.support.program import ROOT
from tests.support.rights import data_rights_of
from tests.support.talk import Ground

LINES: Path = ROOT / "demo" / "transit"


@dataclass
class Uploads:
    """WeChat's files: what was brought there, by its id."""

    files: list[bytes] = field(default_factory=list)
    away: bool = False

    async def picture(self, account: str, png: bytes) -> str:
        assert account == "city"
        if self.away:
            raise PictureAway
        self.files.append(png)
        return f"media-{len(self.files)}"


class Riders:
    """The counter and its bank."""

    def __init__(self, ground: Ground, *, lines: bool = True) -> None:
        db, seal, clock = ground.db, ground.seal, ground.clock
        self.ground, self.bank, self.uploads = ground, PlayedBank(), Uploads()
        citizens, notices, links = Citizens(db, seal), notices_of(seal, clock), RideLinks(ADDRESS)
        self.notices = RideNotices(notices, citizens, links, clock)
        self.payments = Payments(db, self.bank, citizens, clock)
        self.transit = Transit(
            Parts(
                db=db,
                payments=self.payments,
                issuer=Issuing(),
                timetable=tariffs.read(LINES) if lines else tariffs.NOTHING,
                clock=clock,
                consents=data_rights_of(ground).consents,
                tells=self.notices,
            )
        )
        self.payments.report_to(PURPOSE, self.transit)
        self.pictures = Pictures(db, self.transit, self.uploads, notices, clock)
        self.services: dict[type, object] = {
            Transit: self.transit,
            Pictures: self.pictures,
            RideLinks: links,
        }
        self._says = Says(db, clock, citizens, self.bank, None, self.payments)  # type: ignore[arg-type]
        self._line = Line(db, clock)
        self._notices = 0

    async def signs(self, citizen: str) -> None:
        """Somebody who has agreed signs at WeChat Pay."""
        page = await self.transit.open(citizen, BACK)
        await self.payments.heard(self._says.says_signed(page.rpartition("/")[2], notice=self._notice()))

    async def rides(self, citizen: str, start: str, end: str = "") -> None:
        """In at one station, out at another 25 minutes later, if at all; it is priced."""
        clock = self.ground.clock
        account = (await self.transit.account(citizen)).id
        for place, way in ((start, "in"), *([(end, "out")] if end else [])):
            await self._line.uploads(*await self._line.tap(account, place, way, clock.now()))
            clock.move(timedelta(minutes=25))
        await self.transit.settle_all()

    async def debits(self, mind: str = "done") -> None:
        """What is due is debited, and the bank does this with it."""
        self.bank.mind.debit = mind
        await self.payments.debit_due()
        self.ground.clock.move(timedelta(minutes=1))
        await self.payments.ask_open()

    def _notice(self) -> str:
        self._notices += 1
        return f"w-{self._notices}"
