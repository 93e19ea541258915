"""Staff change their own password: what is asked for, who is out afterwards, and what the audit says."""

import pytest

from services.staff.errors import OldPasswordWrong
from tests.webhooks.at_console import PASSWORD, Console
from tests.webhooks.logging_in import Browser, Page

NEW = "staple horse battery"
WAY = "/console/password"


async def changes(browser: Browser, old: str = PASSWORD, new: str = NEW, again: str | None = None) -> Page:
    form = await browser.gets(WAY)
    twice = new if again is None else again
    return await browser.sends(WAY, csrf=form.field("csrf"), old=old, new=new, again=twice)


async def deeds(console: Console) -> list[tuple[str, str, str]]:
    found = [each for each in await console.staff.trail(limit=100) if each.what == "own_password"]
    return [(each.who, each.object, each.outcome) for each in reversed(found)]


async def test_a_clerk_changes_it_stays_in_and_is_out_everywhere_else(console: Console) -> None:
    member = await console.employs()
    here, elsewhere = await console.logged_in(), await console.logged_in()
    assert WAY in (await here.gets("/console")).text
    assert (await changes(here)).to == f"{WAY}?did=changed"
    assert "密码已经改好" in (await here.gets(f"{WAY}?did=changed")).text
    assert (await elsewhere.gets("/console")).to == "/console/login"
    assert (await console.tries(console.browser(), "lishan")).status == 401, "the old one is nobody's"
    assert (await console.tries(console.browser(), "lishan", NEW)).status == 303
    assert await deeds(console) == [(member, "", "done")]


@pytest.mark.parametrize(
    ("old", "new", "again", "words"),
    [
        ("wrong horse battery", NEW, NEW, "原来的密码不对"),
        (PASSWORD, NEW, "staple horse batter", "两次输入的新密码不一样"),
        (PASSWORD, PASSWORD, PASSWORD, "新密码和原来的一样"),
        (PASSWORD, "lishan-lishan-lishan", "lishan-lishan-lishan", "密码要有"),
        (PASSWORD, "", "", "密码要有"),
    ],
)
async def test_what_cannot_be_is_said_and_changes_nothing(
    console: Console, old: str, new: str, again: str, words: str
) -> None:
    await console.employs()
    here = await console.logged_in()
    refused = await changes(here, old, new, again)
    assert (refused.status, words in refused.text) == (409, True)
    assert (await console.tries(console.browser(), "lishan")).status == 303


async def test_who_found_an_open_desk_has_five_guesses_and_the_name_is_locked(console: Console) -> None:
    member = await console.employs()
    here = await console.logged_in()
    statuses = [(await changes(here, f"guess number {guess}")).status for guess in range(6)]
    assert statuses == [409] * 5 + [429]
    assert (await changes(here)).status == 429, "not even the right one"
    assert await deeds(console) == [(member, "", "refused")] * 5
    console.passes(minutes=16)
    assert (await changes(here)).status == 303


async def test_it_is_asked_for_in_the_console_only(console: Console) -> None:
    await console.employs()
    browser = console.browser()
    assert (await browser.gets(WAY)).to.startswith("/console/login")
    assert (await browser.sends(WAY, old=PASSWORD, new=NEW, again=NEW)).status == 401
    here = await console.logged_in()
    assert (await here.sends(WAY, csrf="x", old=PASSWORD, new=NEW, again=NEW)).status == 403
    assert (await console.tries(console.browser(), "lishan")).status == 303


async def test_what_the_terminal_changed_meanwhile_stands(console: Console) -> None:
    await console.employs()
    member = await console.staff.member("lishan")
    compare = console.passwords.is_right

    async def slowly(kept: str | None, password: str) -> bool:
        right = await compare(kept, password)
        await console.staff.set_password("lishan", "another horse battery")
        return right

    console.passwords.is_right = slowly  # type: ignore[method-assign]
    with pytest.raises(OldPasswordWrong):
        await console.staff.change_password(member, PASSWORD, NEW, "203.0.113.7")
    console.passwords.is_right = compare  # type: ignore[method-assign]
    assert (await console.tries(console.browser(), "lishan", "another horse battery")).status == 303
