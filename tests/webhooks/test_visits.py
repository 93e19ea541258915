"""The page of a booking and its calendar file: for who has the link, until a day after the visit."""

from datetime import UTC, datetime, timedelta

from playwright.async_api import BrowserContext

from core.seal import Seal
from services.hospital.links import Links
from tests.services.ward import at, effect
from tests.webhooks.visiting import TUESDAY, WEDNESDAY, House, read
from webhooks.icalendar import Appointment, written


async def test_the_page_shows_the_visit_and_offers_the_calendar(house: House) -> None:
    status, page = await house.gets(await house.link())
    assert status == 200
    for shown in ("明天 11月24日 周二", "10:00~10:30", "测试医院", "heart", "一楼1诊室", "加入日历"):
        assert shown in page
    assert "陈" not in page, "whose doctor it is says the page to nobody"
    assert "在浏览器打开" not in page
    _, page = await house.gets(await house.link(), **{"User-Agent": "Mozilla MicroMessenger/8.0"})
    assert "在浏览器打开" in page


async def test_its_calendar_link_leads_to_the_file(house: House) -> None:
    _, page = await house.gets(await house.link())
    href = page.partition('class="button" href="')[2].partition('"')[0]
    status, file = await house.gets(href)
    assert status == 200
    assert file.startswith("BEGIN:VCALENDAR\r\n")


async def test_nobody_keeps_it_and_no_other_site_learns_the_address(house: House) -> None:
    for link in (await house.link(), (await house.link()).replace("?", ".ics?"), "/visit"):
        async with house.client.get(link) as response:
            assert response.headers["Cache-Control"] == "no-store"
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert "script-src" not in response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]


async def test_the_file_has_one_event_with_an_alarm_for_each_reminder(house: House) -> None:
    house.clock.set(at("12:00"))
    file = await house.calendar()
    assert file["BEGIN"] == ["VCALENDAR", "VEVENT", "VALARM", "VALARM"]
    assert (file["DTSTART"], file["DTEND"]) == (["20261124T020000Z"], ["20261124T023000Z"])
    assert (file["STATUS"], file["SEQUENCE"]) == (["CONFIRMED"], ["0"])
    assert file["SUMMARY"] == ["测试医院 heart 就诊"]
    assert file["LOCATION"] == ["测试医院，一楼1诊室，一号街"]
    assert file["TRIGGER"] == ["-PT900M", "-PT120M"]
    assert file["METHOD"] == ["PUBLISH"]


async def test_moved_and_cancelled_it_is_the_same_event_of_a_later_number(house: House) -> None:
    first, link = await house.calendar(), await house.link()
    await house.moves()
    moved = await house.calendar()
    assert await house.link() == link
    assert moved["UID"] == first["UID"]
    assert (moved["SEQUENCE"], moved["DTSTART"]) == (["1"], ["20261125T060000Z"])
    await house.hospital.cancel(house.booking, house.citizen, effect())
    cancelled = await house.calendar()
    assert cancelled["UID"] == first["UID"]
    assert (cancelled["SEQUENCE"], cancelled["STATUS"]) == (["2"], ["CANCELLED"])
    assert "TRIGGER" not in cancelled
    status, page = await house.gets(link)
    assert status == 200
    assert "这个号已经取消" in page
    assert "从日历里划掉" in page


async def test_a_suspended_visit_is_told_as_one(house: House) -> None:
    await house.hospital.suspend_session(f"heart-1:{TUESDAY}:AM", "staff")
    _, page = await house.gets(await house.link())
    assert "医生停诊" in page
    assert (await house.calendar())["STATUS"] == ["CANCELLED"]


async def test_it_is_there_until_a_day_after_the_visit(house: House) -> None:
    link = await house.link()
    house.clock.set(at("10:30", WEDNESDAY) - timedelta(seconds=1))
    assert (await house.gets(link))[0] == 200
    house.clock.set(at("10:30", WEDNESDAY))
    assert (await house.gets(link))[0] == 404


async def test_whatever_is_wrong_with_a_link_the_answer_is_the_same(house: House, seal: Seal) -> None:
    link = await house.link()
    token = link.partition("k=")[2]
    nobodys = Links(seal, "").address("b_0000000000000000")
    other = Links(Seal({1: b"x" * 32}, current=1, index_key=b"y" * 32), "").address(house.booking)
    wrong = [
        "/visit",
        "/visit?k=",
        f"/visit?k={token[:-1]}",
        f"/visit?k={token}x",
        f"/visit?k={token.swapcase()}",
        f"/visit?k={token[:17]}{'A' * 22}",
        f"/visit?k=%00{token}",
        "/visit?k=" + "A" * 5000,
        "/visit?k=%FF%FE" + "%F0%9F%98%80" * 9,
        nobodys,
        other,
    ]
    answers = {await house.gets(each) for each in wrong}
    answers |= {await house.gets(each.replace("/visit", "/visit.ics")) for each in wrong}
    assert len(answers) == 1
    ((status, page),) = answers
    assert status == 404
    assert "链接已经失效" in page


async def test_before_all_is_in_place_it_says_later(house: House) -> None:
    house.is_ready = False
    status, page = await house.gets(await house.link())
    assert (status, "系统正在抢修" in page) == (503, True)


def test_words_are_escaped_and_long_lines_folded_between_characters() -> None:
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    file = written(
        Appointment(
            uid="u",
            sequence=0,
            status="CONFIRMED",
            starts_at=now,
            ends_at=now,
            made_at=now,
            summary="一\\二;三,四\n五\x07\r",
            location="门诊楼" * 40,
            note="BEGIN:VALARM\r\nEND:VEVENT",
        )
    ).decode()
    found = read(file)
    assert found["SUMMARY"] == [r"一\\二\;三\,四\n五"]
    assert found["LOCATION"] == ["门诊楼" * 40]
    assert found["DESCRIPTION"] == [r"BEGIN:VALARM\nEND:VEVENT"]
    assert found["BEGIN"] == ["VCALENDAR", "VEVENT"]


async def test_a_phone_shows_it_whole_and_the_button_can_be_hit(house: House, phone: BrowserContext) -> None:
    page = await phone.new_page()
    await page.goto(str(house.client.make_url(await house.link())))
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width == 390, "nothing stands beside the screen"
    button = await page.get_by_role("link", name="加入日历").bounding_box()
    assert button is not None
    assert button["height"] >= 44
    assert button["y"] + button["height"] <= 844, "it is seen without scrolling"
