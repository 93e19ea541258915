"""Homes in the console: staff see those of their own communities, decide each, and it stands in the audit."""

import pytest

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from tests.services.community.estate import LAKE, SPRING, Estate
from tests.webhooks.at_console import Console
from tests.webhooks.logging_in import Browser

AT = "/console/homes"


@pytest.fixture
async def estate(db: Database, seal: Seal, clock: ManualClock) -> Estate:
    estate = Estate(db, seal, clock)
    await estate.build()
    return estate


async def clerk(console: Console, scope: str = SPRING, *roles: str) -> Browser:
    await console.employs("lishan", *(roles or ("clerk",)), scope=scope)
    return await console.logged_in()


async def deeds(console: Console) -> list[tuple[str, str, str]]:
    return [
        (each.what, each.object, each.outcome) for each in await console.staff.trail() if "home" in each.what
    ]


async def test_a_clerk_approves_who_lives_there(console: Console, estate: Estate) -> None:
    number = await estate.asks(await estate.citizen(), "春风小区", "1栋", "2单元", room="502", name="王秀英")
    browser = await clerk(console)
    shown = await browser.gets(AT)
    for word in ("有 1 户等着核对", "春风社区 春风小区 1栋 2单元 502", "王秀英", "业主", number):
        assert word in shown.text
    done = await browser.sends(AT, no=number, what="approve", after="", csrf=shown.field("csrf"))
    assert (done.status, done.to) == (303, f"{AT}?did=home_approved&after=")
    told = (await browser.gets(done.to)).text
    assert "已经通过" in told
    assert "没有等着核对的住址" in told
    assert await estate.events(number) == [("asked", ""), ("approved", await member(console))]
    assert await deeds(console) == [
        ("homes_shown", "", "done"), ("home_approved", f"home:{number}", "done"), ("homes_shown", "", "done"),
    ]  # fmt: skip


async def member(console: Console) -> str:
    return (await console.staff.member("lishan")).id


async def test_a_refusal_needs_a_reason_which_the_citizen_is_told(console: Console, estate: Estate) -> None:
    number = await estate.asks(await estate.citizen())
    browser = await clerk(console)
    csrf = (await browser.gets(AT)).field("csrf")
    bare = await browser.sends(AT, no=number, what="refuse", reason=" ", csrf=csrf)
    assert bare.status == 409
    assert "请写明原因" in bare.text
    done = await browser.sends(AT, no=number, what="refuse", reason="名册里没有<这户>", csrf=csrf)
    assert done.to == f"{AT}?did=home_refused&after="
    assert "已经回绝" in (await browser.gets(done.to)).text
    assert await estate.state(number) == "rejected"
    assert ("home_refused", f"home:{number}", "refused") in await deeds(console)


async def test_who_works_elsewhere_sees_nothing_and_decides_nothing(console: Console, estate: Estate) -> None:
    number = await estate.asks(await estate.citizen(), name="王秀英")
    browser = await clerk(console, LAKE)
    shown = await browser.gets(AT)
    assert "王秀英" not in shown.text
    assert "没有等着核对的住址" in shown.text
    csrf = (await browser.gets("/console")).field("csrf")
    for what in ("approve", "refuse"):
        refused = await browser.sends(AT, no=number, what=what, reason="不住这里", csrf=csrf)
        assert refused.status == 409
        assert "没有找到这个住址" in refused.text
        assert "王秀英" not in refused.text
    assert await estate.state(number) == "requested"


async def test_somebody_else_was_faster(console: Console, estate: Estate) -> None:
    number = await estate.asks(await estate.citizen())
    browser = await clerk(console)
    csrf = (await browser.gets(AT)).field("csrf")
    await estate.refuses(number)
    late = await browser.sends(AT, no=number, what="approve", csrf=csrf)
    assert late.status == 409
    assert "已经有人回绝了" in late.text


async def test_a_reviewer_is_no_clerk(console: Console, estate: Estate) -> None:
    browser = await clerk(console, SPRING, "reviewer")
    assert (await browser.gets(AT)).status == 403


async def test_a_long_list_has_pages(console: Console, estate: Estate) -> None:
    citizens = [await estate.citizen() for _ in range(21)]
    numbers = [await estate.asks(each, room=f"{no}01") for no, each in enumerate(citizens, 1)]
    browser = await clerk(console)
    first = (await browser.gets(AT)).text
    assert first.count('name="reason"') == 20
    assert f'href="{AT}?after={numbers[19]}"' in first
    second = (await browser.gets(f"{AT}?after={numbers[19]}")).text
    assert second.count('name="reason"') == 1
    assert "后面没有了" in (await browser.gets(f"{AT}?after={numbers[20]}")).text


async def test_who_has_no_community_is_told_whom_to_ask(console: Console, estate: Estate) -> None:
    browser = await clerk(console, "hospital:zhongnan")
    shown = (await browser.gets(AT)).text
    assert "没有等着核对的住址" in shown
    member = await console.staff.member("lishan")
    await console.staff.set_work(member.name, member.roles, [])
    assert "您还没有分到社区" in (await browser.gets(AT)).text
