"""The human desk in the console: listed, answered, closed by who works at it; the first page says so."""

from datetime import time

import pytest

from core.chat.desk import Desk, DeskHours
from core.clock import ManualClock
from core.effects import Effect
from core.seal import Seal
from core.stores.database import Database
from tests.webhooks.at_console import Console
from tests.webhooks.logging_in import Browser

AT = "/console/messages"
CITY, SCHOOL = "city:0123456789abcdef0123456789abcdef", "school:0123456789abcdef0123456789abcdef"


@pytest.fixture
def desk(db: Database, seal: Seal, clock: ManualClock) -> Desk:
    return Desk(db, seal, clock, DeskHours(time(8), time(18)))


async def left(desk: Desk, text: str, conversation: str = CITY) -> str:
    return await desk.leave(conversation, text, Effect(f"run-{text}", "leave", b""))


async def clerk(console: Console, scope: str = "desk:city") -> Browser:
    await console.employs("lishan", "clerk", scope=scope)
    return await console.logged_in()


async def deeds(console: Console) -> list[tuple[str, str, str]]:
    trail = await console.staff.trail()
    return [(each.what, each.object, each.outcome) for each in reversed(trail) if "message" in each.what]


async def kinds(console: Console) -> list[str]:
    return [row["kind"] for row in await console.db.fetch("SELECT kind FROM outbox")]


async def test_the_first_page_says_what_waits(console: Console, desk: Desk) -> None:
    await left(desk, "医保卡丢了")
    browser = await clerk(console)
    home = (await browser.gets("/console")).text
    assert home.index("答复留言") < home.index("1 件") < home.index("核对身份")
    assert "核对住址" not in home, "they work for no place"
    await console.staff.set_work("lishan", ["clerk"], ["420106001"])
    home = (await browser.gets("/console")).text
    assert home.index("核对住址") < home.index("没有等着的")
    assert "答复留言" not in home, "they work at no desk"


async def test_who_has_no_work_here_is_told_whom_to_ask(console: Console) -> None:
    await console.employs("lishan", "operator")
    assert "现在没有要办的事" in (await (await console.logged_in()).gets("/console")).text


async def test_answered_and_closed_in_one_go(console: Console, desk: Desk) -> None:
    number = await left(desk, "医保卡丢了<b>怎么办</b>")
    browser = await clerk(console)
    shown = await browser.gets(AT)
    assert "医保卡丢了&lt;b&gt;怎么办" in shown.text
    sent = {"no": number, "after": "", "once": "0", "csrf": shown.field("csrf")}
    done = await browser.sends(AT, what="both", answer="请带身份证到二楼。", **sent)
    assert (done.status, done.to) == (303, f"{AT}?did=both&after=")
    told = (await browser.gets(done.to)).text
    assert "已经答复并办结" in told
    assert "没有等着答复的留言" in told
    assert await kinds(console) == ["desk_answered"]
    assert ("message_answered", f"desk:{number}", "done") in await deeds(console)


async def test_only_answered_it_stays_with_its_answer(console: Console, desk: Desk) -> None:
    number = await left(desk, "医保卡丢了")
    browser = await clerk(console)
    csrf = (await browser.gets(AT)).field("csrf")
    for _ in range(2):
        await browser.sends(AT, no=number, what="answer", once="0", answer="我们问一下。", csrf=csrf)
    shown = (await browser.gets(f"{AT}?did=answer")).text
    assert "已经答复，" in shown
    assert shown.count("我们问一下。") == 1
    assert await kinds(console) == ["desk_answered"]
    await browser.sends(AT, no=number, what="close", csrf=csrf)
    assert "已经办结。" in (await browser.gets(f"{AT}?did=close")).text
    assert ("message_closed", f"desk:{number}", "done") in await deeds(console)
    late = await browser.sends(AT, no=number, what="both", once="1", answer="请带身份证。", csrf=csrf)
    assert late.status == 409
    assert "已经有人办结了" in late.text


async def test_a_script_in_an_answer_is_refused_and_the_words_stay(console: Console, desk: Desk) -> None:
    number = await left(desk, "医保卡丢了")
    browser = await clerk(console)
    csrf = (await browser.gets(AT)).field("csrf")
    typed = "<script>alert(1)</script>"
    refused = await browser.sends(AT, no=number, what="both", answer=typed, csrf=csrf)
    assert refused.status == 409
    assert "不能有尖括号" in refused.text
    assert "&lt;script&gt;alert(1)" in refused.text
    assert typed not in refused.text
    assert await kinds(console) == []


async def test_who_works_at_no_desk_sees_nothing_of_it(console: Console, desk: Desk) -> None:
    number = await left(desk, "医保卡丢了")
    browser = await clerk(console, "desk:school")
    shown = await browser.gets(AT)
    assert "医保卡" not in shown.text
    csrf = (await browser.gets("/console")).field("csrf")
    for what in ("answer", "close"):
        refused = await browser.sends(AT, no=number, what=what, answer="请带身份证。", csrf=csrf)
        assert refused.status == 409
        assert "没有找到这条留言" in refused.text
    assert [each.id for each in await desk.list()] == [number]
    await console.staff.set_work("lishan", ["clerk"], [])
    assert "您还没有分到人工台" in (await browser.gets(AT)).text


async def test_a_long_list_has_pages_and_tells_who_wrote_more_than_once(console: Console, desk: Desk) -> None:
    numbers = [await left(desk, f"第{number}次问") for number in range(21)]
    browser = await clerk(console)
    first = (await browser.gets(AT)).text
    assert first.count("<textarea") == 20
    assert "同一位市民的第 1 条，共 21 条" in first
    assert f'href="{AT}?after={numbers[19]}"' in first
    assert (await browser.gets(f"{AT}?after={numbers[19]}")).text.count("<textarea") == 1
    assert "后面没有了" in (await browser.gets(f"{AT}?after={numbers[20]}")).text
