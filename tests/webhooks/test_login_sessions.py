"""A session on pages: whose it is, when it ends, and which forms are its own."""

import asyncio
from datetime import timedelta

import pytest

from tests.webhooks.logging_in import GRANDPA, Browser, House, house

__all__ = ["house"]

COOKIE = "__Host-session"


async def is_in(browser: Browser) -> bool:
    return (await browser.gets("/who")).status == 200


async def test_who_does_nothing_for_two_hours_is_logged_out(house: House) -> None:
    browser = await house.logged_in()
    for _ in range(3):
        house.passes(minutes=119)
        assert await is_in(browser), "every page begins the two hours anew"
    house.passes(hours=2)
    assert not await is_in(browser)


async def test_after_twelve_hours_everybody_is_logged_out(house: House) -> None:
    browser = await house.logged_in()
    for _ in range(11):
        house.passes(hours=1)
        assert await is_in(browser)
    house.passes(hours=1)
    assert not await is_in(browser)


async def test_a_cookie_that_was_renewed_does_not_make_the_day_longer(house: House) -> None:
    browser = await house.logged_in()
    house.passes(hours=1)
    assert COOKIE in (await browser.gets("/who")).given
    assert COOKIE not in (await browser.gets("/who")).given, "not with every page"


async def test_who_logs_out_is_out_at_once_also_with_the_old_cookie(house: House) -> None:
    browser = await house.logged_in()
    kept = dict(browser.cookies)
    page = await browser.sends("/logout", csrf=(await browser.gets("/me")).field("csrf"))
    assert (page.title, COOKIE in browser.cookies) == ("已退出登录", False)
    thief = house.browser()
    thief.cookies = kept
    assert not await is_in(thief)


async def test_control_without_the_row_the_old_cookie_would_still_open(house: House) -> None:
    browser = await house.logged_in()
    kept = dict(browser.cookies)
    await browser.sends("/logout", csrf=(await browser.gets("/me")).field("csrf"))
    await house.db.execute("UPDATE logins SET closed_at = NULL")
    thief = house.browser()
    thief.cookies = kept
    assert await is_in(thief)


async def test_logging_out_everywhere_holds_for_every_device_and_nobody_else(house: House) -> None:
    phone, tablet, other = await house.logged_in(), await house.logged_in(), await house.logged_in(GRANDPA)
    page = await phone.sends("/logout/all", csrf=(await phone.gets("/me")).field("csrf"))
    assert page.title == "所有设备都已退出"
    assert [await is_in(each) for each in (phone, tablet, other)] == [False, False, True]
    assert await is_in(await house.logged_in()), "who comes anew is let in"


async def test_a_change_elsewhere_logs_out_in_its_own_transaction(house: House) -> None:
    browser = await house.logged_in()
    citizen = (await browser.gets("/public")).title

    async def change_that_fails() -> None:
        async with house.db.transaction() as tx:
            await house.logins.close_all(citizen, tx)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await change_that_fails()
    assert await is_in(browser)
    async with house.db.transaction() as tx:
        await house.logins.close_all(citizen, tx)
    assert not await is_in(browser)


async def test_who_was_erased_is_logged_in_no_more(house: House) -> None:
    browser = await house.logged_in()
    await house.db.execute("UPDATE logins SET conversation = 'city:0'")
    assert not await is_in(browser)


async def test_the_next_who_logs_in_here_ends_the_session_before(house: House) -> None:
    browser = await house.logged_in()
    kept = dict(browser.cookies)
    await browser.comes_back(await browser.gets("/login?next=/who"), house.wechat.knows(GRANDPA))
    old = house.browser()
    old.cookies = kept
    assert [await is_in(browser), await is_in(old)] == [True, False]


@pytest.mark.parametrize("broken", ["", "x", "AAAA", "=", "é", "A" * 5_000, "..", "AQ" * 40])
async def test_a_cookie_that_is_not_ours_is_none(house: House, broken: str) -> None:
    browser = await house.logged_in()
    good = browser.cookies[COOKIE]
    for value in (broken, good[:-2], good[:-1] + ("A" if good[-1] != "A" else "B") + broken):
        browser.cookies[COOKIE] = value
        assert not await is_in(browser)
    browser.cookies[COOKIE] = good
    assert await is_in(browser), "control"


async def test_what_was_sealed_for_another_place_is_no_session(house: House) -> None:
    browser = await house.logged_in()
    way = await house.browser().gets("/who")
    browser.cookies[COOKIE] = way.given[f"__Host-login_{way.state[:8]}"].value
    assert not await is_in(browser)


async def test_a_form_of_ones_own_page_is_taken(house: House) -> None:
    browser = await house.logged_in()
    csrf = (await browser.gets("/who")).field("csrf")
    page = await browser.sends("/note", csrf=csrf, words="您好 & 再见")
    assert page.status == 200
    assert house.taken == [{"csrf": csrf, "words": "您好 & 再见"}]


async def test_a_form_without_its_token_or_with_anothers_is_not_taken(house: House) -> None:
    browser, other = await house.logged_in(), await house.logged_in(GRANDPA)
    own = (await browser.gets("/who")).field("csrf")
    again = await house.logged_in()
    foreign = [
        "",
        own[:-1],
        own + "A",
        own.swapcase(),
        "é" * 22,
        (await other.gets("/who")).field("csrf"),
        (await again.gets("/who")).field("csrf"),  # the same citizen's, in another browser
    ]
    for each in foreign:
        page = await browser.sends("/note", csrf=each)
        assert (page.status, page.title) == (403, "没有办成")
    assert (await browser.sends("/note")).status == 403
    assert (await browser.sends("/logout", csrf="")).status == 403
    assert house.taken == []
    assert await is_in(browser)


async def test_a_form_after_the_session_has_ended_leads_back_to_the_login(house: House) -> None:
    browser = await house.logged_in()
    csrf = (await browser.gets("/who")).field("csrf")
    house.passes(hours=3)
    page = await browser.sends("/note", csrf=csrf)
    assert (page.status, page.title) == (401, "登录时间到了")
    assert 'href="/login?next=%2Fme"' in page.text


async def test_only_a_short_form_is_read(house: House) -> None:
    browser = await house.logged_in()
    csrf = (await browser.gets("/who")).field("csrf")
    assert (await browser.sends("/note", csrf=csrf, words="长" * 4_000)).status == 413
    assert (await browser.sends_raw("/note", b"{}", "application/json")).status == 415
    assert (await browser.gets("/note")).status == 405
    assert house.taken == []


async def test_control_the_token_of_a_session_is_the_same_on_every_page(house: House) -> None:
    browser = await house.logged_in()
    first, second = [(await browser.gets("/who")).field("csrf") for _ in range(2)]
    assert first == second


async def test_a_page_begun_before_the_logout_is_the_last(house: House) -> None:
    browser = await house.logged_in()
    csrf = (await browser.gets("/who")).field("csrf")
    statuses = await asyncio.gather(*(browser.sends("/logout", csrf=csrf) for _ in range(5)))
    assert {page.status for page in statuses} <= {200, 401}
    house.clock.move(timedelta(seconds=1))
    assert not await is_in(browser)
