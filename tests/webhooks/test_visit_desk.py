"""会到, 改期, 取消 on the page a reminder leads to: for that browser, and for the booking as it was seen."""

import re
from html import unescape

import pytest
from playwright.async_api import BrowserContext, expect

from core.seal import Seal
from services.hospital.links import Links
from services.hospital.model import BookingState
from tests.services.ward import at, effect
from tests.webhooks.visiting import TUESDAY, WEDNESDAY, House

BUTTONS = ("会到", "改期", "取消这个号")


async def test_the_address_that_people_show_to_others_gives_no_buttons(house: House) -> None:
    shown, kept = await house.opens()
    assert shown == await house.link(), "the right is not in it"
    _, page = await house.gets(shown, **kept)
    assert all(f">{each}<" in page for each in BUTTONS)
    _, page = await house.gets(shown)
    assert not any(f">{each}<" in page for each in BUTTONS)
    assert "说“改期”或“取消预约”" in page


async def test_the_browser_keeps_the_right_to_itself(house: House) -> None:
    own = (await house.hospital.booking(house.booking)).own_link.partition("example")[2]
    async with house.client.get(own, allow_redirects=False) as response:
        attributes = set(response.headers["Set-Cookie"].split("; ")[1:])
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/visit"} <= attributes


async def test_coming_is_noted_and_no_digit_is_waited_for(house: House) -> None:
    await house.is_asked()
    status, to = await house.sends("come", a=await house.right())
    assert (status, to) == (303, f"{await house.link()}&did=come")
    assert await house.message() == ("read", 0)
    _, kept = await house.opens()
    _, page = await house.gets(to, **kept)
    assert "好的，到时见" in page
    assert ">会到<" not in page


async def test_who_opens_the_page_has_read_the_reminder_and_may_still_answer_it(house: House) -> None:
    await house.is_asked()
    shown, kept = await house.opens()
    assert await house.message() == ("accepted", 1), "whoever looks into links for them has read nothing"
    await house.gets(shown)
    assert await house.message() == ("accepted", 1), "nor has somebody it was shown to"
    await house.gets(shown, **kept)
    assert await house.message() == ("read", 1)


async def test_cancelling_asks_first_and_then_frees_the_number(house: House) -> None:
    _, kept = await house.opens()
    right = await house.right()
    _, page = await house.gets((await house.link()).replace("/visit?", "/visit/cancel?"), **kept)
    assert "要取消这个号吗" in page
    assert await house.state() == BookingState.BOOKED
    status, to = await house.sends("cancel", a=right)
    assert (status, await house.state()) == (303, BookingState.CANCELLED)
    _, page = await house.gets(to, **kept)
    assert "已经取消了" in page
    assert await house.hospital.audit() == []


async def test_a_button_that_is_pressed_twice_does_it_once(house: House) -> None:
    right = await house.right()
    first = await house.sends("cancel", a=right)
    assert await house.sends("cancel", a=right) == first
    (done,) = await house.ward.db.fetch("SELECT FROM unit_events WHERE key LIKE 'page/%'")
    assert not done


async def test_another_day_and_time_are_chosen_seen_and_taken(house: House) -> None:
    _, kept = await house.opens()
    link = (await house.link()).replace("/visit?", "/visit/move?")
    _, days = await house.gets(link, **kept)
    assert "后天 11月25日 周三 下午" in days
    assert "11月24日 周二 上午" not in days.partition("原来")[2].partition("</p>")[2], "there it is already"
    _, times = await house.gets(line(days, "周三 下午"), **kept)
    assert "14:00~14:30" in times
    _, asked = await house.gets(line(times, "14:00"), **kept)
    assert "要改成这个号吗" in asked
    assert (await house.hospital.booking(house.booking)).version == 0, "nothing has happened"
    status, to = await house.sends("move", a=await house.right(), p=field(asked, "p"))
    assert status == 303
    assert (await house.hospital.booking(house.booking)).starts_at == at("14:00", WEDNESDAY)
    _, page = await house.gets(to, **kept)
    assert "已经改好了" in page
    assert not any(f">{each}<" in page for each in BUTTONS), "the right was to the booking as it was"


async def test_of_what_changed_since_it_was_seen_nothing_is_cancelled(house: House) -> None:
    seen = await house.right()
    await house.moves()
    status, page = await house.sends("cancel", a=seen)
    assert (status, await house.state()) == (409, BookingState.BOOKED)
    assert "这个预约刚刚变过，现在是 11月25日 周三 14:00" in page


async def test_of_what_changed_since_it_was_seen_nothing_is_moved(house: House) -> None:
    seen = await house.right()
    (third,) = await house.ward.session("heart-2", starts=at("15:00", WEDNESDAY), half="PM")
    await house.moves()
    status, page = await house.sends("move", a=seen, p=third)
    assert (status, (await house.hospital.booking(house.booking)).version) == (409, 1)
    assert "刚刚变过" in page
    assert await house.hospital.audit() == []


async def test_control_without_the_version_that_was_seen_it_is_cancelled(house: House) -> None:
    await house.moves()
    await house.hospital.cancel(house.booking, house.citizen, effect())
    assert await house.state() == BookingState.CANCELLED


async def test_after_the_deadline_the_page_says_whom_to_phone(house: House) -> None:
    shown, kept = await house.opens()
    house.clock.set(at("09:30", TUESDAY))
    _, page = await house.gets(shown, **kept)
    assert ">会到<" in page
    assert ">改期<" not in page
    assert "0199-5550000" in page
    for step in ("cancel", "move"):
        status, page = await house.gets(shown.replace("/visit?", f"/visit/{step}?"), **kept)
        assert (status, "现在已过时间" in page) == (409, True)
    status, page = await house.sends("cancel", a=await house.right())
    assert (status, "现在已过时间" in page, await house.state()) == (409, True, BookingState.BOOKED)


async def test_a_time_that_somebody_else_took_leads_to_the_others(house: House) -> None:
    await house.hospital.hold(house.new, await house.ward.citizen(), effect())
    status, page = await house.sends("move", a=await house.right(), p=house.new)
    assert (status, "已约满" in page, "看看别的时间" in page) == (409, True, True)
    assert (await house.hospital.booking(house.booking)).version == 0


async def test_where_nothing_else_is_left_the_pages_say_so(house: House) -> None:
    _, kept = await house.opens()
    await house.hospital.hold(house.new, await house.ward.citizen(), effect())
    link = (await house.link()).replace("/visit?", "/visit/move?")
    _, page = await house.gets(f"{link}&s=nowhere", **kept)
    assert "这半天没有别的号了" in page
    _, page = await house.gets(f"{link}&p=never", **kept)
    assert "没有找到这个时段" in page


@pytest.mark.parametrize("step", ["cancel", "move"])
async def test_without_the_right_no_step_is_shown(house: House, step: str) -> None:
    link = (await house.link()).replace("/visit?", f"/visit/{step}?")
    async with house.client.get(link, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, await house.link())


@pytest.mark.parametrize("step", ["come", "cancel", "move"])
async def test_no_other_right_changes_anything(house: House, seal: Seal, step: str) -> None:
    await house.is_asked()
    version, _, right = (await house.right()).partition(".")
    other = Links(Seal({1: b"x" * 32}, current=1, index_key=b"y" * 32), "").own_address(house.booking, 0)
    wrong = [
        "",
        version,
        f"1.{right}",
        f"{version}.{right[:-1]}",
        f"{version}.{right.swapcase()}",
        f"{version}.{right}\n",
        (await house.link()).partition("k=")[2].replace(".", "0.", 1),
        other.partition("a=")[2],
        Links(seal, "").own_address("b_0000000000000000", 0).partition("a=")[2],
    ]
    for each in wrong:
        assert await house.sends(step, a=each, p=house.new) == (303, await house.link())
    assert (await house.state(), (await house.hospital.booking(house.booking)).version) == ("booked", 0)
    assert await house.message() == ("accepted", 1)


async def test_only_a_short_form_is_read(house: House) -> None:
    link, right = (await house.link()).replace("/visit?", "/visit/cancel?"), await house.right()
    async with house.client.post(link, json={"a": right}) as response:
        assert response.status == 415
    async with house.client.post(link, data={"a": right, "x": "x" * 3000}) as response:
        assert response.status == 413
    assert await house.state() == BookingState.BOOKED


async def test_a_form_that_is_no_utf_8_was_an_error_of_ours(house: House) -> None:
    link = (await house.link()).replace("/visit?", "/visit/cancel?")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"a=\xff\xfe", b"a=%ff%fe", b"a=%00"):
        async with house.client.post(link, data=body, headers=headers) as response:
            assert response.status == 400


async def test_on_a_phone_a_visit_is_moved_and_then_cancelled_by_tapping(
    house: House, phone: BrowserContext
) -> None:
    page = await phone.new_page()

    async def follows() -> None:
        own = (await house.hospital.booking(house.booking)).own_link.partition("example")[2]
        await page.goto(str(house.client.make_url(own)))

    await follows()
    for each in BUTTONS:
        box = await page.get_by_text(each, exact=True).bounding_box()
        assert box is not None
        assert box["height"] >= 44
    await page.get_by_role("button", name="会到").click()
    await expect(page.get_by_role("status")).to_have_text("好的，到时见。")
    await page.get_by_role("link", name="改期").click()
    await page.get_by_role("link", name="周三 下午").click()
    await page.get_by_role("link", name="14:00").click()
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await page.get_by_role("button", name="改成这个号").click()
    await expect(page.get_by_role("status")).to_contain_text("已经改好了")
    await expect(page.locator(".when")).to_contain_text("14:00")
    await follows()
    await page.get_by_role("link", name="取消这个号").click()
    await page.get_by_role("button", name="取消这个号").click()
    await expect(page.get_by_role("status")).to_contain_text("已经取消了")
    assert await house.state() == BookingState.CANCELLED


def line(page: str, label: str) -> str:
    """Where the line of a page with this label leads."""
    (found,) = [
        href for href, said in re.findall(r'<a class="line" href="([^"]*)">(.*)</a>', page) if label in said
    ]
    return unescape(found)


def field(page: str, name: str) -> str:
    """What a form of a page carries under a name."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return unescape(found[1])
