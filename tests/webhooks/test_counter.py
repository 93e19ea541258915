"""The counter: a request is looked up by its number, and stamped by who has the papers before them."""

import pytest

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from tests.services.citizens.kin import Kin, once
from tests.support.people import FATHER, MOTHER
from tests.webhooks.at_console import Console
from tests.webhooks.logging_in import Browser

AT = "/console/bindings"


@pytest.fixture
def kin(db: Database, seal: Seal, clock: ManualClock) -> Kin:
    return Kin(db, seal, clock)


async def request(kin: Kin) -> tuple[str, str]:
    """A daughter who asks for her mother: herself, and the number of her request."""
    daughter = await kin.person("李小芳")
    wish = kin.families.wish("mother", "王秀英", MOTHER, "女儿小芳")
    return daughter.citizen, await kin.families.request(wish, daughter.citizen, once())


async def clerk(console: Console) -> Browser:
    await console.employs("lishan", "clerk")
    return await console.logged_in()


async def deeds(console: Console) -> list[tuple[str, str]]:
    trail = await console.staff.trail()
    return [(deed.what, deed.outcome) for deed in trail if deed.object.startswith("binding:")]


async def test_a_clerk_sees_no_more_than_is_needed_and_stamps(console: Console, kin: Kin) -> None:
    daughter, number = await request(kin)
    browser = await clerk(console)
    shown = await browser.gets(f"{AT}?no={number}")
    for word in ("替妈妈办事", "王*英", "女儿小芳", "挂号、付款、看排队"):
        assert word in shown.text
    assert MOTHER not in shown.text
    done = await browser.sends(AT, no=number, id_number="１１０１０５19491231002x", csrf=shown.field("csrf"))
    assert (done.status, done.to) == (303, f"{AT}?did=approved")
    assert "已经办好" in (await browser.gets(done.to)).text
    assert [each.title for each in await kin.families.people(daughter)] == ["本人", "妈妈"]
    assert await deeds(console) == [("binding_approved", "done"), ("binding_shown", "done")]


@pytest.mark.parametrize(("written", "said"), [(FATHER, "不一样"), ("110105194912310021", ""), ("", "")])
async def test_other_papers_stamp_nothing(console: Console, kin: Kin, written: str, said: str) -> None:
    daughter, number = await request(kin)
    browser = await clerk(console)
    csrf = (await browser.gets(f"{AT}?no={number}")).field("csrf")
    refused = await browser.sends(AT, no=number, id_number=written, csrf=csrf)
    assert refused.status == 409
    assert said in refused.text
    assert len(await kin.families.people(daughter)) == 1
    assert ("binding_approved", "refused") in await deeds(console)


@pytest.mark.parametrize("number", ["999999", "x", "9" * 40, "-1", "١"])
async def test_what_is_no_request_is_not_found(console: Console, number: str) -> None:
    browser = await clerk(console)
    csrf = (await browser.gets("/console")).field("csrf")
    assert (await browser.gets(f"{AT}?no={number}")).status in (200, 404)
    assert (await browser.sends(AT, no=number, id_number=MOTHER, csrf=csrf)).status == 409


async def test_who_is_no_clerk_is_barred(console: Console, kin: Kin) -> None:
    _, number = await request(kin)
    await console.employs("lishan", "reviewer")
    browser = await console.logged_in()
    assert (await browser.gets(f"{AT}?no={number}")).status == 403
    csrf = (await browser.gets("/console")).field("csrf")
    assert (await browser.sends(AT, no=number, id_number=MOTHER, csrf=csrf)).status == 403


async def test_a_phone_typed_where_a_number_belongs_stood_in_the_audit(console: Console) -> None:
    browser = await clerk(console)
    csrf = (await browser.gets(AT)).field("csrf")
    refused = await browser.sends(AT, no="13800001111", id_number=MOTHER, csrf=csrf)
    assert refused.status == 409
    assert [each.object for each in await console.staff.trail() if each.what == "binding_approved"] == [""]
