"""导出 as a browser meets it: a link is not enough, each form is given once, and looking uses nothing up."""

import json
from collections.abc import AsyncIterator
from datetime import time, timedelta
from urllib.parse import urlsplit

import pytest

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
from tests.webhooks.logging_in import House, Page
from webhooks.export import ExportPages

__all__ = ["citizens", "ward"]


class Reader:
    """Whoever is logged in in a browser, or nobody; a link is opened there, and its forms are sent."""

    def __init__(self, data: DataRights, home: Household, house: House) -> None:
        self.data, self.home, self.house = data, home, house
        self.browser = house.browser()

    async def logs_in(self, name: str) -> None:
        self.browser = await self.house.logged_in(f"o-{name}")

    async def link(self, name: str) -> str:
        parts = urlsplit(await self.data.exports.link(self.home.citizens[name], self.home.effect()))
        return f"{parts.path}?{parts.query}"

    async def opens(self, link: str) -> tuple[int, str]:
        page = await self.browser.gets(link)
        assert page.headers["Cache-Control"] == "no-store"
        return page.status, page.text

    async def takes(self, link: str, form: str) -> tuple[int, str]:
        page = await self.sends(k=link.partition("?k=")[2], **{"as": form})
        return page.status, page.text

    async def sends(self, **fields: str) -> Page:
        """Send the form with the token of this browser's login."""
        mine = await self.browser.gets("/me")
        return await self.browser.sends("/export", csrf=mine.field("csrf"), **fields)


@pytest.fixture
async def reader(redis: Redis, db: Database, seal: Seal, clock: ManualClock) -> AsyncIterator[Reader]:
    home = Household(db, seal, clock)
    await home.proven("mother", "王秀英", MOTHER)
    await home.bound("daughter", "mother", "王秀英", MOTHER, asker="女儿小芳", scopes=("book", "report"))
    data = data_rights_of(Ground(redis, db, seal, clock))
    house = House(db, seal, clock, further=lambda inside: ExportPages(inside, data.exports).routes())
    async with house.client:
        yield Reader(data, home, house)


async def test_a_link_alone_shows_nothing(reader: Reader) -> None:
    link = await reader.link("mother")
    led = await reader.browser.gets(link)
    assert (led.status, led.text) == (303, ""), "who is not logged in is led to WeChat's login"
    back = await reader.browser.comes_back(led, reader.house.wechat.knows("o-mother"))
    assert back.to == link, "and from there to where they wanted to go"
    nobody = await reader.house.browser().sends("/export", k=link.partition("?k=")[2], **{"as": "html"})
    assert nobody.status == 401
    await reader.logs_in("daughter")
    for status, page in (await reader.opens(link), await reader.takes(link, "html")):
        assert status == 403
        assert "请用您本人的微信打开" in page
        assert "王" not in page
    await reader.logs_in("mother")
    assert (await reader.takes(link, "html"))[0] == 200, "and nothing was used up by it"


async def test_a_form_of_another_site_takes_nothing(reader: Reader) -> None:
    await reader.logs_in("mother")
    link = await reader.link("mother")
    forged = await reader.browser.sends("/export", k=link.partition("?k=")[2], **{"as": "html"})
    assert forged.status == 403
    assert MOTHER not in forged.text
    assert (await reader.takes(link, "html"))[0] == 200


async def test_it_looks_like_the_other_pages_and_waits_for_the_stores_as_they_do(reader: Reader) -> None:
    await reader.logs_in("mother")
    link = await reader.link("mother")
    shown = await reader.browser.gets(link)
    mine = await reader.browser.gets("/me")
    policy = "Content-Security-Policy"
    assert shown.headers[policy] == mine.headers[policy]
    assert "字太小？换大字" in shown.text
    assert "<script" not in shown.text
    reader.house.is_ready = False
    assert (await reader.browser.gets(link)).status == 503


async def test_looking_at_the_link_uses_nothing_up_and_each_form_is_given_once(reader: Reader) -> None:
    await reader.logs_in("mother")
    link = await reader.link("mother")
    for _ in range(3):
        status, page = await reader.opens(link)
        assert status == 200
        assert MOTHER not in page
    for form in ("html", "json"):
        assert (await reader.takes(link, form))[0] == 200
        assert (await reader.takes(link, form))[0] == 404, "it is given once"


async def test_it_holds_for_a_day(reader: Reader, clock: ManualClock) -> None:
    await reader.logs_in("mother")
    link = await reader.link("mother")
    clock.move(timedelta(hours=24) - timedelta(seconds=1))
    await reader.logs_in("mother")
    assert (await reader.opens(link))[0] == 200
    clock.move(timedelta(seconds=1))
    assert (await reader.opens(link))[0] == 404
    assert (await reader.takes(link, "html"))[0] == 404


async def test_a_new_link_ends_the_one_before(reader: Reader) -> None:
    await reader.logs_in("mother")
    old, new = await reader.link("mother"), await reader.link("mother")
    assert (await reader.opens(old))[0] == 404
    assert (await reader.opens(new))[0] == 200


@pytest.mark.parametrize(
    "changed", ["", "x", "AAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBB", "é.ü"]
)
async def test_a_made_up_link_shows_nothing(reader: Reader, changed: str) -> None:
    await reader.logs_in("mother")
    assert (await reader.opens(f"/export?k={changed}"))[0] == 404
    assert (await reader.takes(f"/export?k={changed}", "html"))[0] == 404


@pytest.mark.parametrize("form", ["pdf", ""])
async def test_another_form_is_none(reader: Reader, form: str) -> None:
    await reader.logs_in("mother")
    assert (await reader.takes(await reader.link("mother"), form))[0] == 404


async def test_too_much_or_something_else_is_no_form(reader: Reader) -> None:
    await reader.logs_in("mother")
    assert (await reader.sends(k="x" * 600)).status == 413
    assert (await reader.browser.sends_raw("/export", b"{}", "application/json")).status == 415


async def test_all_that_is_stored_is_there_to_read_and_to_take_along(
    reader: Reader, ward: Ward, seal: Seal, clock: ManualClock
) -> None:
    home, data = reader.home, reader.data
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
    await reader.logs_in("mother")
    link = await reader.link("mother")
    _, page = await reader.takes(link, "html")
    for told in ("王秀英", MOTHER, "heart", "同意：替家人办事", "女儿小芳", "&lt;b&gt;医保", "我的地址错了"):
        assert told in page
    assert "<b>" not in page
    _, text = await reader.takes(link, "json")
    parts = {each["name"]: each for each in json.loads(text)["categories"]}
    assert parts["citizens"]["entries"][0]["oneself"] == {"name": "王秀英", "id_number": MOTHER}
    assert [len(parts[name]["entries"]) for name in ("bookings", "desk", "rights", "accesses")] == [
        1,
        1,
        1,
        1,
    ]
    assert all(rule["purpose"] and rule["kept"] for each in parts.values() for rule in each["tables"])


async def test_of_others_no_more_is_told_than_in_the_chat(reader: Reader) -> None:
    await reader.logs_in("daughter")
    link = await reader.link("daughter")
    for form in ("html", "json"):
        _, text = await reader.takes(link, form)
        assert "王*英" in text
        assert "王秀英" not in text
        assert MOTHER not in text
