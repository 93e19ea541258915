"""The public door of a hospital with one booking, as a browser that got a link meets it."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from aiohttp.test_utils import RawTestServer, TestClient
from aiohttp.web import BaseRequest

from core.clock import ManualClock
from core.delivery import prompts
from core.delivery.letters import Letter
from core.delivery.prompts import Prompting
from services.hospital import ladder
from services.hospital.service import Hospital
from tests.services.ward import MONDAY, Ward, at, effect
from tests.support.talk import words_of
from tests.support.wording import TEMPLATES
from webhooks.routes import Doors
from webhooks.visit_desk import VisitDesk
from webhooks.visit_pages import VisitPages
from webhooks.visits import Visits

Client = TestClient[BaseRequest, None]
TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)


class House:
    """The public door of a hospital with one booking."""

    def __init__(self, ward: Ward, hospital: Hospital, clock: ManualClock) -> None:
        self.ward = ward
        self.hospital = hospital
        self.clock = clock
        self.is_ready = True
        pages = VisitPages(hospital, words_of(), clock, TEMPLATES, lambda: self.is_ready)
        visits, desk = Visits(pages, Prompting(ward.db)), VisitDesk(pages, Prompting(ward.db))
        self.client: Client = TestClient(RawTestServer(Doors([*visits.routes(), *desk.routes()]).answer))

    async def books(self) -> None:
        (self.old,) = await self.ward.session(starts=at("10:00", TUESDAY))
        (self.new,) = await self.ward.session(starts=at("14:00", WEDNESDAY), half="PM")
        self.citizen = await self.ward.citizen()
        self.booking = await self.hospital.hold(self.old, self.citizen, effect())

    async def link(self) -> str:
        """What stands behind the address of the city."""
        parts = urlsplit((await self.hospital.booking(self.booking)).link)
        return f"{parts.path}?{parts.query}"

    async def gets(self, link: str, **headers: str) -> tuple[int, str]:
        async with self.client.get(link, headers=headers) as response:
            return response.status, (await response.read()).decode()

    async def opens(self) -> tuple[str, dict[str, str]]:
        """The page a reminder's link leads to now, and what a browser that followed it keeps."""
        parts = urlsplit((await self.hospital.booking(self.booking)).own_link)
        async with self.client.get(f"{parts.path}?{parts.query}", allow_redirects=False) as response:
            assert response.status == 303
            given = response.headers["Set-Cookie"]
            return response.headers["Location"], {"Cookie": given.partition(";")[0]}

    async def sends(self, what: str, **form: str) -> tuple[int, str]:
        """A button is pressed; where that leads."""
        link = (await self.link()).replace("/visit?", f"/visit/{what}?")
        async with self.client.post(link, data=form, allow_redirects=False) as response:
            return response.status, response.headers.get("Location", "") or await response.text()

    async def right(self) -> str:
        """What the forms of the page carry now."""
        return urlsplit((await self.hospital.booking(self.booking)).own_link).query.partition("a=")[2]

    async def state(self) -> str:
        return (await self.hospital.booking(self.booking)).state

    async def is_asked(self) -> None:
        """A reminder of the booking is on a phone, and waits for a digit."""
        known = await self.hospital.booking(self.booking)
        number = await self.ward.db.fetchval(
            "INSERT INTO outbox (key, conversation, kind, lane, state, settled_at, not_before, valid_until)"
            " VALUES ('r', 'city:o', $1, 2, 'accepted', now(), now(), now() + interval '1 day') RETURNING id",
            ladder.KIND,
        )
        letter = Letter(
            title="就诊提醒",
            text="",
            about=known.id,
            options=(("come", "会到"), ("move", "改期"), ("cancel", "取消")),
            expires=int(datetime.now(UTC).timestamp()) + 86_400,
        )
        guards = {ladder.guard(known.id): known.version}
        async with self.ward.db.transaction() as tx:
            await prompts.leave(tx, number, "city:o", ladder.KIND, letter, guards)

    async def message(self) -> tuple[str, int]:
        """How the reminder stands, and how many digits are waited for."""
        state = await self.ward.db.fetchval("SELECT state FROM outbox WHERE key = 'r'")
        return str(state), int(await self.ward.db.fetchval("SELECT count(*) FROM prompts"))

    async def calendar(self) -> dict[str, list[str]]:
        status, file = await self.gets((await self.link()).replace("?", ".ics?"))
        assert status == 200
        return read(file)

    async def moves(self) -> None:
        await self.hospital.move(self.booking, self.new, self.citizen, effect())


def read(file: str) -> dict[str, list[str]]:
    """The properties of a calendar file, each with all its values; what RFC 5545 asks of lines is checked."""
    assert file.endswith("\r\n")
    assert "\n" not in file.replace("\r\n", "")
    assert all(len(line.encode()) <= 75 for line in file.split("\r\n"))
    found: dict[str, list[str]] = {}
    for line in file.replace("\r\n ", "").rstrip("\r\n").split("\r\n"):
        name, _, value = line.partition(":")
        found.setdefault(name, []).append(value)
    assert sorted(found["BEGIN"]) == sorted(found["END"])
    return found
