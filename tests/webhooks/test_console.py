"""The console's door: who is let in, who sees which page, and whose forms are taken."""

import pytest

from tests.webhooks.at_console import PASSWORD, Console
from tests.webhooks.logging_in import Browser, Page

COOKIE = "__Host-staff"
WRONG = "名字或密码不对，请再试一次。"


async def is_in(browser: Browser) -> bool:
    return (await browser.gets("/console")).status == 200


async def test_a_clerk_logs_in_sees_the_desk_and_leaves(console: Console) -> None:
    await console.employs()
    browser = console.browser()
    assert (await browser.gets("/console")).to == "/console/login"
    assert (await console.tries(browser, "LiShan")).to == "/console"
    home = await browser.gets("/console")
    assert home.title == "您好，lishan"
    for word in ("窗口", "审核", "hospital:zhongnan", "核对身份", "最晚 21:00"):
        assert word in home.text
    assert (await browser.gets("/console/login")).to == "/console", "there already"
    left = await browser.sends("/console/logout", csrf=home.field("csrf"))
    assert (left.to, COOKIE in browser.cookies) == ("/console/login", False)


async def test_where_one_wanted_to_go_is_remembered(console: Console) -> None:
    await console.employs()
    browser = console.browser()
    way = await browser.gets("/console/desk?page=2")
    assert way.to == "/console/login?next=%2Fconsole%2Fdesk%3Fpage%3D2"
    form = await browser.gets(way.to)
    assert (await console.tries(browser, "lishan", way=form.field("next"))).to == "/console/desk?page=2"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/console",
        "/\\evil.example",
        "/me",
        "/consoles",
        "/console/login",
        "",
        "/console\t/x",
    ],
)
async def test_the_login_leads_into_the_console_only(console: Console, elsewhere: str) -> None:
    await console.employs()
    assert (await console.tries(console.browser(), "lishan", way=elsewhere)).to == "/console"


async def test_the_cookie_is_closed_to_scripts_and_ends_with_the_browser(console: Console) -> None:
    await console.employs()
    came = await console.tries(console.browser(), "lishan")
    cookie = came.given[COOKIE]
    assert (cookie["path"], cookie["samesite"], cookie["max-age"]) == ("/", "Lax", "")
    assert cookie["httponly"]
    assert cookie["secure"]
    assert came.given["__Host-console-login"]["max-age"] == "0"


async def test_what_is_wrong_is_told_to_nobody(console: Console) -> None:
    await console.employs()
    await console.employs("away")
    await console.staff.disable("away")
    pages = []
    for name, password in (("lishan", "wrong"), ("nobody", PASSWORD), ("away", PASSWORD), ("lishan", "")):
        page = await console.tries(console.browser(), name, password)
        assert page.field("name") == name, "it need not be typed again"
        pages.append((page.status, said(page)))
    assert set(pages) == {(401, WRONG)}
    assert console.passwords.times == 4, "as much work for each"


async def test_an_unknown_name_shown_again_is_escaped(console: Console) -> None:
    page = await console.tries(console.browser(), '"><script>alert(1)</script>', "wrong")
    assert page.field("name") == '"><script>alert(1)</script>'
    assert "<script" not in page.text


@pytest.mark.parametrize("name", ["lishan", "nobody"])
async def test_after_five_guesses_the_sixth_is_not_looked_at(console: Console, name: str) -> None:
    await console.employs()
    browser = console.browser()
    for _ in range(5):
        assert (await console.tries(browser, name, "wrong")).status == 401
    page = await console.tries(browser, name)
    assert (page.status, said(page)) == (429, "试的次数太多了，请过 15 分钟再试。")
    assert console.passwords.times == 5
    console.passes(minutes=15)
    assert (await console.tries(browser, name)).status == (303 if name == "lishan" else 401)


async def test_a_browser_elsewhere_behind_the_same_web_server_is_not_locked_out(console: Console) -> None:
    await console.employs()
    for number in range(30):
        await logs_in_from(console, "203.0.113.7", f"guess{number}")
    assert (await logs_in_from(console, "1.1.1.1, 203.0.113.7", "lishan")).status == 429, (
        "the last one counts"
    )
    assert (await logs_in_from(console, "203.0.113.8", "lishan")).status == 303


async def test_a_login_form_of_another_page_logs_nobody_in(console: Console) -> None:
    """Else somebody could log a clerk in as themselves, and read what the clerk then writes."""
    await console.employs()
    hers, his = console.browser(), console.browser()
    foreign = (await his.gets("/console/login")).field("csrf")
    await hers.gets("/console/login")
    for csrf in (foreign, "", "x"):
        page = await hers.sends("/console/login", csrf=csrf, name="lishan", password=PASSWORD)
        assert (page.status, COOKIE in hers.cookies) == (403, False)
        assert "这一页放得太久了" in page.text
    assert console.passwords.times == 0
    assert (await console.tries(hers, "lishan")).status == 303


async def test_a_login_that_is_no_form_is_refused(console: Console) -> None:
    browser = console.browser()
    page = await browser.sends_raw("/console/login", b"name=%ff", "application/x-www-form-urlencoded")
    assert page.status == 400
    assert (await browser.sends_raw("/console/login", b"{}", "application/json")).status == 415


async def test_who_has_not_the_role_sees_neither_page_nor_form_and_it_is_written_down(
    console: Console,
) -> None:
    operator = await console.employs("ops", "operator")
    await console.employs()
    browser = await console.logged_in("ops")
    barred = await browser.gets("/console/desk")
    assert (barred.status, barred.title) == (403, "这一页您不能打开")
    csrf = (await browser.gets("/console")).field("csrf")
    assert (await browser.sends("/console/approve", csrf=csrf)).status == 403
    assert console.taken == []
    deeds = [(each.what, each.object, each.outcome) for each in await console.staff.trail(operator, limit=2)]
    assert deeds == [("barred", "/console/approve", "refused"), ("barred", "/console/desk", "refused")]
    assert (await (await console.logged_in()).gets("/console/desk")).title == "lishan"


async def test_a_form_of_ones_own_page_is_taken_and_no_other(console: Console) -> None:
    await console.employs()
    browser, again = await console.logged_in(), await console.logged_in()
    own, other = [(await each.gets("/console/desk")).field("csrf") for each in (browser, again)]
    for csrf in ("", other, own[:-1], "é" * 22):
        page = await browser.sends("/console/approve", csrf=csrf)
        assert (page.status, page.title) == (403, "没有办成")
    assert (await browser.sends("/console/logout", csrf=other)).status == 403
    assert console.taken == []
    assert (await browser.sends("/console/approve", csrf=own, words="同意")).status == 200
    assert console.taken == [{"csrf": own, "words": "同意"}]
    assert (await browser.sends("/console/approve", csrf=own, words="长" * 4_000)).status == 413


@pytest.mark.parametrize("change", ["password", "disable", "logout", "idle", "old"])
async def test_a_session_ends_at_once(console: Console, change: str) -> None:
    await console.employs()
    browser = await console.logged_in()
    csrf = (await browser.gets("/console")).field("csrf")
    kept = dict(browser.cookies)
    if change == "password":
        await console.staff.set_password("lishan", "another horse battery")
    elif change == "disable":
        await console.staff.disable("lishan")
    elif change == "logout":
        await browser.sends("/console/logout", csrf=csrf)
    elif change == "idle":
        console.passes(minutes=30)
    else:
        for _ in range(36):
            console.passes(minutes=20)
            await browser.gets("/console")
    thief = console.browser()
    thief.cookies = kept
    assert not await is_in(thief)
    page = await thief.sends("/console/approve", csrf=csrf)
    assert (page.status, page.title) == (401, "登录已经结束")


async def test_control_an_open_session_stays_open(console: Console) -> None:
    await console.employs()
    browser = await console.logged_in()
    thief = console.browser()
    thief.cookies = dict(browser.cookies)
    assert await is_in(thief)


async def test_the_next_who_logs_in_here_ends_the_session_before(console: Console) -> None:
    await console.employs()
    await console.employs("zhao", "admin")
    browser = await console.logged_in()
    old = console.browser()
    old.cookies = dict(browser.cookies)
    del browser.cookies[COOKIE]  # the login page is shown to who is not logged in
    form = await browser.gets("/console/login")
    browser.cookies[COOKIE] = old.cookies[COOKIE]
    came = await browser.sends("/console/login", csrf=form.field("csrf"), name="zhao", password=PASSWORD)
    assert came.to == "/console"
    assert [await is_in(browser), await is_in(old)] == [True, False]


async def test_pages_are_told_to_nobody_and_framed_by_nobody(console: Console) -> None:
    await console.employs()
    browser = await console.logged_in()
    console_pages = [
        await console.browser().gets("/console/login"),
        await browser.gets("/console"),
        await browser.sends("/console/approve", csrf=""),
        await console.browser().sends("/console/approve"),
    ]
    for page in console_pages:
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "<script" not in page.text


async def test_until_all_is_in_place_the_console_says_so(console: Console) -> None:
    console.is_ready = False
    page = await console.browser().gets("/console")
    assert (page.status, page.title, page.headers["Retry-After"]) == (503, "系统正在抢修", "5")


def said(page: Page) -> str:
    """What stands in the red box."""
    return page.text.partition('role="alert"')[2].partition(">")[2].partition("<")[0].strip()


async def logs_in_from(console: Console, address: str, name: str) -> Page:
    browser = console.browser()
    form = await browser.gets("/console/login")
    return await browser.sends_from(
        address, "/console/login", csrf=form.field("csrf"), name=name, password=PASSWORD
    )
