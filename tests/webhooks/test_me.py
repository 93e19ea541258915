"""我的 on a page: family, who may act for one, what was agreed to, who looked; each asked once more."""

import pytest

from core.effects import Effect
from services.citizens.consent_texts import FAMILY
from services.citizens.service import Citizens
from tests.services.ward import effect
from tests.support.people import MOTHER
from tests.webhooks.logging_in import GRANDMA, GRANDPA, Browser, House, house

__all__ = ["house"]

_LARGEST = 60 * 1024  # WeChat's users pay for each byte (issue: a page below 60 KB)


class Home:
    """Grandma, whose identity is proven, and a daughter who writes through the same account."""

    def __init__(self, house: House) -> None:
        self.house = house

    async def citizen(self, openid: str) -> str:
        conversation = self.house.seal.conversation("city", openid)
        return await Citizens(self.house.db, self.house.seal).arrive(conversation, "city", openid)

    async def proves(self, citizen: str, relation: str = "self") -> str:
        """By the code that the hospital sends to Grandma's phone."""
        house = self.house
        wish = house.families.wish(relation, "王秀英", MOTHER, "女儿小芳")
        binding = await house.families.request(wish, citizen, effect())
        await house.proving.send_code(binding, citizen, house.register.name, effect())
        await house.proving.check_code(binding, citizen, house.register.last("13800001111"), effect())
        return binding

    async def asks(self, citizen: str) -> str:
        wish = self.house.families.wish("mother", "王秀英", MOTHER, "女儿小芳")
        return await self.house.families.request(wish, citizen, effect())

    async def agrees(self, citizen: str) -> None:
        consents = self.house.consents
        await consents.ask(citizen, FAMILY, "", (), Effect("run", "ask", b"1"))
        await consents.grant(citizen, FAMILY, "", "message", Effect("run", "grant", b"1"))


@pytest.fixture
async def home(house: House) -> Home:
    return Home(house)


async def test_who_has_nobody_yet_reads_so_and_how_it_is_done(house: House) -> None:
    page = await (await house.logged_in()).gets("/me")
    assert page.status == 200
    for words in (
        "还没有核实身份",
        "您还没有添加家人",
        "没有别人能替您办事",
        "没有人看过",
        "您还没有同意过什么",
    ):
        assert words in page.text
    assert len(page.text.encode()) < _LARGEST
    assert "<script" not in page.text


async def test_grandma_reads_the_request_and_agrees(house: House, home: Home) -> None:
    grandma, daughter = await home.citizen(GRANDMA), await home.citizen(GRANDPA)
    await home.proves(grandma)
    asked = await home.asks(daughter)
    browser = await house.logged_in(GRANDMA)
    mine = await browser.gets("/me")
    assert "王*英，已核实身份" in mine.text
    assert "女儿小芳想替您办事" in mine.text
    shown = await browser.gets(f"/me/binding?b={asked}")
    assert "挂号、付款、看排队" in shown.text
    done = await browser.sends("/me/binding", b=asked, do="agree", csrf=shown.field("csrf"))
    assert (done.status, done.to) == (303, "/me?did=agree")
    again = await browser.sends("/me/binding", b=asked, do="agree", csrf=shown.field("csrf"))
    assert again.status == 404, "it waits no more"
    after = await browser.gets("/me?did=agree")
    assert "已经同意" in after.text
    assert "女儿小芳" in after.text
    assert "妈妈 王*英" in (await (await house.logged_in(GRANDPA)).gets("/me")).text


@pytest.mark.parametrize("openid", [GRANDMA, GRANDPA])
async def test_either_side_ends_it(house: House, home: Home, openid: str) -> None:
    grandma, daughter = await home.citizen(GRANDMA), await home.citizen(GRANDPA)
    await home.proves(grandma)
    binding = await home.proves(daughter, "mother")
    browser = await house.logged_in(openid)
    shown = await browser.gets(f"/me/binding?b={binding}")
    done = await browser.sends("/me/binding", b=binding, do="revoke", csrf=shown.field("csrf"))
    assert done.to == "/me?did=revoke"
    assert len(await house.families.people(daughter)) == 1


async def test_nobody_reads_or_changes_what_is_between_others(house: House, home: Home) -> None:
    grandma, daughter = await home.citizen(GRANDMA), await home.citizen(GRANDPA)
    await home.proves(grandma)
    asked = await home.asks(daughter)
    stranger: Browser = await house.logged_in("oABCD-stranger-000000000000")
    csrf = (await stranger.gets("/me")).field("csrf")
    assert (await stranger.gets(f"/me/binding?b={asked}")).status == 404
    for do in ("agree", "refuse", "withdraw", "revoke", "anything"):
        assert (await stranger.sends("/me/binding", b=asked, do=do, csrf=csrf)).status == 404
    her = await house.logged_in(GRANDPA)
    csrf = (await her.gets("/me")).field("csrf")
    assert (await her.sends("/me/binding", b=asked, do="agree", csrf=csrf)).status == 404, (
        "not her own request"
    )
    assert (await her.sends("/me/binding", b=asked, do="withdraw", csrf=csrf)).to == "/me?did=withdraw"


async def test_a_consent_is_read_whole_and_taken_back(house: House, home: Home) -> None:
    grandma = await home.citizen(GRANDMA)
    await home.agrees(grandma)
    browser = await house.logged_in(GRANDMA)
    text = house.consents.texts.current(FAMILY)
    assert text.title in (await browser.gets("/me")).text
    shown = await browser.gets(f"/me/consent?purpose={FAMILY}&person=")
    assert shown.title == text.title
    sent = {"purpose": FAMILY, "person": "", "csrf": shown.field("csrf")}
    assert (await browser.sends("/me/consent", **sent)).to == "/me?did=withdraw"
    assert not (await house.consents.state(grandma, FAMILY)).is_granted
    assert (await browser.sends("/me/consent", **sent)).status == 404


async def test_without_the_consent_nobody_is_bound_any_more(house: House, home: Home) -> None:
    daughter = await home.citizen(GRANDPA)
    await home.agrees(daughter)
    await home.proves(daughter, "mother")
    browser = await house.logged_in(GRANDPA)
    shown = await browser.gets(f"/me/consent?purpose={FAMILY}&person=")
    assert "绑定都解除" in shown.text
    sent = {"purpose": FAMILY, "person": "", "csrf": shown.field("csrf")}
    assert (await browser.sends("/me/consent", **sent)).to == "/me?did=withdraw"
    assert [each.title for each in await house.families.people(daughter)] == ["本人"]


async def test_looks_are_paged_and_odd_addresses_are_the_first_page(house: House) -> None:
    browser = await house.logged_in()
    for before in ("", "x", "9" * 40, "-1"):
        page = await browser.gets(f"/me/looks?before={before}")
        assert page.status == 200
        assert "没有更多记录了" in page.text


async def test_what_is_refused_is_said_in_the_words_of_the_chat(house: House, home: Home) -> None:
    grandma, daughter = await home.citizen(GRANDMA), await home.citizen(GRANDPA)
    await home.proves(grandma)
    asked = await home.asks(daughter)
    for openid in ("oABCD-a", "oABCD-b", "oABCD-c"):
        await home.proves(await home.citizen(openid), "mother")
    browser = await house.logged_in(GRANDMA)
    shown = await browser.gets(f"/me/binding?b={asked}")
    refused = await browser.sends("/me/binding", b=asked, do="agree", csrf=shown.field("csrf"))
    assert refused.status == 409
    assert refused.title == "没有办成"
