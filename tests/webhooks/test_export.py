"""导出 as a browser meets it: a link is not enough, each form is given once, and looking uses nothing up."""

import json
from collections.abc import AsyncIterator
from datetime import time, timedelta
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer, TestClient
from aiohttp.web import BaseRequest

from commands.rights import DataRights
from core.chat.desk import Desk, DeskHours
from core.clock import ManualClock
from core.effects import Effect
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from services.citizens.consent_texts import FAMILY
from tests.services.conftest import citizens, ward
from tests.services.ward import Ward, at
from tests.support.city_hospital import hospital_of
from tests.support.household import Household
from tests.support.people import MOTHER
from tests.support.rights import data_rights_of
from tests.support.talk import Ground
from tests.support.wording import TEMPLATES
from webhooks.export import ExportPages
from webhooks.routes import Doors, Request

__all__ = ["citizens", "ward"]


class Browser:
    """A browser in which somebody is logged in, or nobody."""

    def __init__(self, data: DataRights, home: Household) -> None:
        self.data, self.home = data, home
        self.logged_in: str | None = None
        pages = ExportPages(data.exports, TEMPLATES, self._who)
        self.client: TestClient[BaseRequest, None] = TestClient(RawTestServer(Doors(pages.routes()).answer))

    async def _who(self, _request: Request) -> str | None:
        return self.logged_in

    async def link(self, name: str) -> str:
        parts = urlsplit(await self.data.exports.link(self.home.citizens[name], self.home.effect()))
        return f"{parts.path}?{parts.query}"

    async def opens(self, link: str) -> tuple[int, str]:
        async with self.client.get(link) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            return answer.status, await answer.text()

    async def takes(self, link: str, form: str) -> tuple[int, str]:
        given = {"k": link.partition("?k=")[2], "as": form}
        async with self.client.post("/export", data=given) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def browser(redis: Redis, db: Database, seal: Seal, clock: ManualClock) -> AsyncIterator[Browser]:
    home = Household(db, seal, clock)
    await home.proven("mother", "王秀英", MOTHER)
    await home.bound("daughter", "mother", "王秀英", MOTHER, asker="女儿小芳", scopes=("book", "report"))
    browser = Browser(data_rights_of(Ground(redis, db, seal, clock)), home)
    async with browser.client:
        yield browser


async def test_a_link_alone_shows_nothing(browser: Browser) -> None:
    link = await browser.link("mother")
    for somebody in (None, browser.home.citizens["daughter"]):
        browser.logged_in = somebody
        for status, page in (await browser.opens(link), await browser.takes(link, "html")):
            assert status == 403
            assert "请用您本人的微信打开" in page
            assert "王" not in page
    browser.logged_in = browser.home.citizens["mother"]
    assert (await browser.takes(link, "html"))[0] == 200, "and nothing was used up by it"


async def test_who_is_not_logged_in_is_sent_to_log_in_where_that_can_be(browser: Browser) -> None:
    async def login(_request: Request) -> web.StreamResponse:
        return web.Response(status=303, headers={"Location": "/login"})

    pages = ExportPages(browser.data.exports, TEMPLATES, browser._who, login)
    link = await browser.link("mother")
    browsing: TestClient[web.BaseRequest, None] = TestClient(RawTestServer(Doors(pages.routes()).answer))
    async with (
        browsing as client,
        client.get(link, allow_redirects=False) as answer,
    ):
        assert (answer.status, answer.headers["Location"]) == (303, "/login")


async def test_looking_at_the_link_uses_nothing_up_and_each_form_is_given_once(browser: Browser) -> None:
    browser.logged_in = browser.home.citizens["mother"]
    link = await browser.link("mother")
    for _ in range(3):
        status, page = await browser.opens(link)
        assert status == 200
        assert MOTHER not in page
    for form in ("html", "json"):
        assert (await browser.takes(link, form))[0] == 200
        assert (await browser.takes(link, form))[0] == 404, "it is given once"


async def test_it_holds_for_a_day(browser: Browser, clock: ManualClock) -> None:
    browser.logged_in = browser.home.citizens["mother"]
    link = await browser.link("mother")
    clock.move(timedelta(hours=24) - timedelta(seconds=1))
    assert (await browser.opens(link))[0] == 200
    clock.move(timedelta(seconds=1))
    assert (await browser.opens(link))[0] == 404
    assert (await browser.takes(link, "html"))[0] == 404


async def test_a_new_link_ends_the_one_before(browser: Browser) -> None:
    browser.logged_in = browser.home.citizens["mother"]
    old, new = await browser.link("mother"), await browser.link("mother")
    assert (await browser.opens(old))[0] == 404
    assert (await browser.opens(new))[0] == 200


@pytest.mark.parametrize(
    "changed", ["", "x", "AAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBB", "é.ü"]
)
async def test_a_made_up_link_shows_nothing(browser: Browser, changed: str) -> None:
    browser.logged_in = browser.home.citizens["mother"]
    assert (await browser.opens(f"/export?k={changed}"))[0] == 404
    assert (await browser.takes(f"/export?k={changed}", "html"))[0] == 404


@pytest.mark.parametrize(("form", "status"), [("pdf", 404), ("", 200)])
async def test_another_form_is_none(browser: Browser, form: str, status: int) -> None:
    browser.logged_in = browser.home.citizens["mother"]
    assert (await browser.takes(await browser.link("mother"), form))[0] == status


async def test_too_much_or_something_else_is_no_form(browser: Browser) -> None:
    async with browser.client.post("/export", data={"k": "x" * 600}) as answer:
        assert answer.status == 413
    async with browser.client.post("/export", json={"k": "x"}) as answer:
        assert answer.status == 415


async def test_all_that_is_stored_is_there_to_read_and_to_take_along(
    browser: Browser, ward: Ward, seal: Seal, clock: ManualClock
) -> None:
    home, data = browser.home, browser.data
    citizen = home.citizens["mother"]
    (period,) = await ward.session("heart-1", at("10:00"), units=(4,))
    await hospital_of(home.db, seal, clock).hold(period, citizen, home.effect())
    await data.consents.ask(citizen, FAMILY, "", (), home.effect())
    await data.consents.grant(citizen, FAMILY, "", "city:1", home.effect())
    desk = Desk(home.db, seal, clock, DeskHours(time(8, 30), time(17, 30)))
    await desk.leave(home.conversation("mother"), "请问 <b>医保</b> 怎么报", Effect("1", "leave", b""))
    await data.rights.correct(citizen, "other", "我的地址错了", home.effect())
    async with home.db.transaction() as tx:
        await data.accesses.note(tx, home.citizens["daughter"], home.persons["mother"], "report", "h")
    browser.logged_in = citizen
    link = await browser.link("mother")
    _, page = await browser.takes(link, "html")
    for told in ("王秀英", MOTHER, "heart", "同意：替家人办事", "女儿小芳", "&lt;b&gt;医保", "我的地址错了"):
        assert told in page
    assert "<b>" not in page
    _, text = await browser.takes(link, "json")
    parts = {each["name"]: each for each in json.loads(text)["categories"]}
    assert parts["citizens"]["entries"][0]["oneself"] == {"name": "王秀英", "id_number": MOTHER}
    assert [len(parts[name]["entries"]) for name in ("bookings", "desk", "rights", "accesses")] == [
        1,
        1,
        1,
        1,
    ]
    assert all(rule["purpose"] and rule["kept"] for each in parts.values() for rule in each["tables"])


async def test_of_others_no_more_is_told_than_in_the_chat(browser: Browser) -> None:
    browser.logged_in = browser.home.citizens["daughter"]
    link = await browser.link("daughter")
    for form in ("html", "json"):
        _, text = await browser.takes(link, form)
        assert "王*英" in text
        assert "王秀英" not in text
        assert MOTHER not in text
