"""Logging in on pages: who WeChat says came, in the browser that was sent, once."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from services.citizens.service import Citizens
from tests.support.purging import purged
from tests.webhooks.logging_in import CITY, GRANDMA, GRANDPA, House, house
from webhooks.login.ways import HOME, own_way

__all__ = ["house"]


async def test_who_is_not_logged_in_goes_to_wechat_and_comes_back_as_themselves(house: House) -> None:
    browser = house.browser()
    way = await browser.gets("/who?tab=2")
    assert way.status == 303
    assert way.back == f"{CITY}/login/city"
    assert 1 <= len(way.state) <= 128
    assert way.state.isalnum()
    came = await browser.comes_back(way, house.wechat.knows(GRANDMA))
    assert (came.status, came.to) == (303, "/who?tab=2")
    page = await browser.gets(came.to)
    assert page.title == f"{await citizen(house, GRANDMA)} city"


async def test_two_phones_log_in_each_as_itself(house: House) -> None:
    hers, his = await house.logged_in(GRANDMA), await house.logged_in(GRANDPA)
    titles = [(await browser.gets("/who")).title for browser in (hers, his)]
    assert titles == [f"{await citizen(house, each)} city" for each in (GRANDMA, GRANDPA)]
    assert titles[0] != titles[1]


async def test_who_only_came_to_a_page_does_not_follow(house: House) -> None:
    await house.logged_in()
    conversation = house.seal.conversation("city", GRANDMA)
    citizens = Citizens(house.db, house.seal)
    assert not (await citizens.resolve_all([conversation]))[conversation].following
    assert await citizens.count("city", "followers") == 0
    known = await citizen(house, GRANDMA)
    assert await citizens.arrive(conversation, "city", GRANDMA) == known, "and then they write to us"
    await house.logged_in()
    assert await citizens.count("city", "followers") == 1, "a page does not make them leave"


async def test_the_cookies_are_closed_to_scripts_and_to_other_hosts(house: House) -> None:
    browser = house.browser()
    way = await browser.gets("/who")
    came = await browser.comes_back(way, house.wechat.knows(GRANDMA))
    for name, morsel in [*way.given.items(), *came.given.items()]:
        assert name.startswith("__Host-")
        assert (morsel["path"], morsel["samesite"], morsel["domain"]) == ("/", "Lax", "")
        assert morsel["secure"]
        assert morsel["httponly"]
    session = came.given["__Host-session"].value
    for secret in (GRANDMA, house.seal.conversation("city", GRANDMA), await citizen(house, GRANDMA)):
        assert secret not in session


async def test_without_https_the_cookies_do_without_it(db: Database, seal: Seal, clock: ManualClock) -> None:
    house = House(db, seal, clock, "http://127.0.0.1:8080")
    async with house.client:
        way = await house.browser().gets("/who")
        ((name, morsel),) = way.given.items()
        assert name.startswith("login_")
        assert not morsel["secure"]


async def test_a_state_in_another_browser_opens_nothing(house: House) -> None:
    """A link with a stranger's code and state would log its reader in as that stranger."""
    strangers = house.browser()
    way = await strangers.gets("/who")
    hers = house.browser()
    await hers.gets("/who")
    refused = await hers.comes_back(way, house.wechat.knows(GRANDPA))
    assert (refused.status, refused.title) == (400, "没有登录成功")
    assert (await hers.gets("/who")).status == 303
    assert house.wechat.asked == [], "the code is not even looked at"
    assert (await strangers.comes_back(way, house.wechat.knows(GRANDPA))).to == "/who", "control: its own may"


async def test_the_cookie_of_one_state_is_no_good_for_another(house: House) -> None:
    browser = house.browser()
    one, other = await browser.gets("/who"), await browser.gets("/who")
    names = [f"__Host-login_{way.state[:8]}" for way in (one, other)]
    browser.cookies[names[0]] = browser.cookies[names[1]]
    assert (await browser.comes_back(one, house.wechat.knows(GRANDMA))).status == 400
    assert (await browser.comes_back(other, house.wechat.knows(GRANDMA))).status == 303


async def test_a_state_is_no_good_for_another_account(house: House) -> None:
    browser = house.browser()
    way = await browser.gets("/who")
    asked = f"/login/school?code={house.school.knows(GRANDMA)}&state={way.state}"
    assert (await browser.gets(asked)).status == 400
    assert house.school.asked == []


async def test_a_state_is_good_once(house: House) -> None:
    browser = house.browser()
    way = await browser.gets("/who")
    kept = dict(browser.cookies)
    await browser.comes_back(way, house.wechat.knows(GRANDMA))
    replaying = house.browser()
    replaying.cookies = kept
    again = await replaying.comes_back(way, house.wechat.knows(GRANDPA))
    assert again.to == "/who", "where it leads anew to WeChat"
    assert "__Host-session" not in replaying.cookies
    assert house.wechat.asked == ["code-0-0"]


async def test_a_code_is_good_once_also_with_another_state(house: House) -> None:
    browser = house.browser()
    code = house.wechat.knows(GRANDMA)
    await browser.comes_back(await browser.gets("/who"), code)
    other = house.browser()
    await other.comes_back(await other.gets("/who"), code)
    assert "__Host-session" not in other.cookies
    assert house.wechat.asked == [code]


async def test_ten_comings_back_at_once_log_in_once(house: House) -> None:
    browser = house.browser()
    way = await browser.gets("/who")
    kept = dict(browser.cookies)
    browsers = [house.browser() for _ in range(10)]
    for each in browsers:
        each.cookies = dict(kept)
    code = house.wechat.knows(GRANDMA)
    await asyncio.gather(*(each.comes_back(way, code) for each in browsers))
    assert sum("__Host-session" in each.cookies for each in browsers) == 1
    assert house.wechat.asked == [code]


async def test_a_state_is_good_for_ten_minutes(house: House) -> None:
    browser, slow = house.browser(), house.browser()
    way, late = await browser.gets("/who"), await slow.gets("/who")
    house.passes(seconds=599)
    assert (await browser.comes_back(way, house.wechat.knows(GRANDMA))).status == 303
    house.passes(seconds=1)
    assert (await slow.comes_back(late, house.wechat.knows(GRANDMA))).status == 400


@pytest.mark.parametrize("query", ["", "?state=", "?state=x&code=y", "?code=y", "?state=%00&code=%ff%fe"])
async def test_who_comes_back_with_nothing_of_ours_is_told_to_try_again(house: House, query: str) -> None:
    page = await house.browser().gets(f"/login/city{query}")
    assert (page.status, page.title) == (400, "没有登录成功")
    assert "再试一次" in page.text


@pytest.mark.parametrize("code", ["", "x" * 513, "guessed", "\udcff"])
async def test_what_is_no_code_of_wechats_logs_nobody_in(house: House, code: str) -> None:
    browser = house.browser()
    way = await browser.gets("/who")
    path = URL("/login/city").with_query({"state": way.state, "code": code.encode(errors="replace").decode()})
    page = await browser.gets(str(path))
    assert (page.status, "微信没有确认您的身份" in page.text) == (400, True)
    assert (await browser.gets("/who")).status == 303


async def test_while_wechat_is_away_nobody_logs_in_and_the_next_try_may(house: House) -> None:
    browser = house.browser()
    page = await browser.comes_back(await browser.gets("/who"), house.wechat.is_away())
    assert (page.status, page.title) == (503, "微信现在没有回应")
    again = await browser.gets("/login?next=%2Fwho&account=city")
    assert (await browser.comes_back(again, house.wechat.knows(GRANDMA))).to == "/who"


async def test_a_preview_shows_what_is_public_and_nothing_with_a_person_behind_it(house: House) -> None:
    browser = house.browser()
    page = await browser.comes_back(await browser.gets("/who"), house.wechat.sees_a_preview())
    assert (page.status, page.title) == (403, "您看到的是预览")
    assert "使用完整服务" in page.text
    assert (await browser.gets("/who")).status == 303
    assert (await browser.sends("/note", csrf="x")).status == 401
    assert (await browser.gets("/public")).title == "公开"
    assert await house.db.fetchval("SELECT count(*) FROM accounts") == 0


async def test_a_public_page_may_ask_who_looks(house: House) -> None:
    assert (await (await house.logged_in()).gets("/public")).title == await citizen(house, GRANDMA)


async def test_whoever_joins_accounts_hears_the_unionid_if_there_is_one(house: House) -> None:
    await house.logged_in()
    assert house.heard == []
    browser = house.browser()
    await browser.comes_back(await browser.gets("/who"), house.wechat.knows(GRANDPA, "u-grandpa"))
    assert house.heard == [(house.seal.conversation("city", GRANDPA), "u-grandpa")]


async def test_a_link_of_another_account_logs_in_through_that_one(house: House) -> None:
    browser = await house.logged_in()
    way = await browser.gets("/who?account=school")
    assert way.back == f"{CITY}/login/school"
    came = await browser.comes_back(way, house.school.knows("oSCHOOL-grandma"))
    assert (await browser.gets(came.to)).title.endswith(" school")
    assert (await browser.gets("/who?account=nobody")).status == 200, (
        "an account that is not ours changes nothing"
    )


async def test_six_tabs_that_wait_for_wechat_leave_no_heap_of_cookies(house: House) -> None:
    browser = house.browser()
    for _ in range(30):
        way = await browser.gets("/who")
    assert len(browser.cookies) <= 6
    assert (await browser.comes_back(way, house.wechat.knows(GRANDMA))).status == 303


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/ /evil.example",
        "javascript:alert(1)",
        "evil.example",
        "",
        "/" + "x" * 2_000,
        "/login?next=//evil.example",
        "/登录",
    ],
)
async def test_a_login_leads_nowhere_else(house: House, elsewhere: str) -> None:
    browser = house.browser()
    way = await browser.gets(str(URL("/login").with_query(next=elsewhere)))
    assert (await browser.comes_back(way, house.wechat.knows(GRANDMA))).to == HOME
    size = await browser.gets(str(URL("/type").with_query(next=elsewhere, size="large")))
    assert size.to == HOME


async def test_a_request_line_with_a_whole_address_leads_nowhere_else(house: House) -> None:
    reader, writer = await asyncio.open_connection(house.client.host, house.client.port)
    writer.write(b"GET http://evil.example/who HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    answer = (await reader.read()).decode()
    writer.close()
    kept = dict([answer.partition("Set-Cookie: ")[2].partition(";")[0].split("=", 1)])
    state = answer.partition("state=")[2].split()[0]
    browser = house.browser()
    browser.cookies = kept
    came = await browser.gets(f"/login/city?code={house.wechat.knows(GRANDMA)}&state={state}")
    assert came.to == HOME


@given(st.text(alphabet=st.sampled_from("/\\:@.?#&=%a\t\n\r \0é登")) | st.text())
def test_no_way_leaves_our_host(given_way: str) -> None:
    way = own_way(given_way)
    assert way.isascii()
    assert not set(way) & set("\\\t\r\n \0")
    found = URL(f"{CITY}/login").join(URL(way, encoded=True))
    assert (found.scheme, found.host, found.port) == ("https", "city.example", 443)
    assert way in (HOME, given_way)


def test_control_without_the_rule_a_way_leaves_our_host() -> None:
    assert URL(f"{CITY}/login").join(URL("//evil.example", encoded=True)).host == "evil.example"


async def test_large_type_is_kept_in_the_browser(house: House) -> None:
    browser = await house.logged_in()
    assert '<html lang="zh-CN">' in (page := await browser.gets("/me")).text
    assert "/type?size=large&amp;next=/me" in page.text
    assert (await browser.gets("/type?size=large&next=/me")).to == "/me"
    assert 'class="large"' in (page := await browser.gets("/me")).text
    assert "用标准字" in page.text
    await browser.gets("/type?size=usual&next=/me")
    assert '<html lang="zh-CN">' in (await browser.gets("/me")).text


async def test_every_page_of_the_login_is_small_and_told_to_nobody(house: House) -> None:
    browser = await house.logged_in()
    other = house.browser()
    pages = [
        await browser.gets("/me"),
        await other.comes_back(await other.gets("/who"), "guessed"),
        await other.comes_back(await other.gets("/who"), house.wechat.sees_a_preview()),
        await other.sends("/note"),
        await browser.sends("/logout", csrf=(await browser.gets("/who")).field("csrf")),
    ]
    for page in pages:
        assert len(page.text.encode()) < 60_000
        assert "<script" not in page.text
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


async def test_until_all_is_in_place_a_page_says_so(house: House) -> None:
    house.is_ready = False
    page = await house.browser().gets("/who")
    assert (page.status, page.title, page.headers["Retry-After"]) == (503, "系统正在抢修", "5")


async def test_states_and_codes_are_kept_as_hashes_and_forgotten(house: House) -> None:
    browser = house.browser()
    way = await browser.gets("/who")
    code = house.wechat.knows(GRANDMA)
    await browser.comes_back(way, code)
    rows = str([dict(row) for row in await house.db.fetch("SELECT * FROM logins")])
    assert way.state not in rows
    assert code not in rows
    house.clock.move(timedelta(hours=12, seconds=1))
    await purged(house.db, "logins", house.clock)
    assert await house.db.fetchval("SELECT count(*) FROM logins") == 0


async def citizen(house: House, openid: str) -> str:
    found = await house.db.fetchval(
        "SELECT citizen FROM accounts WHERE conversation = $1", house.seal.conversation("city", openid)
    )
    return str(found)
