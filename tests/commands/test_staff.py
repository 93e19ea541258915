"""`staff`: who may come into the console, taken on and shut out at the terminal."""

import re

import pytest

from commands import terminal
from commands.demo_staff import Login, employed
from core.clock import SystemClock
from core.seal import Seal
from core.stores import keys
from core.stores.database import Database
from services.staff.service import Staff
from tests.commands.conftest import Own, Tell
from tests.support.stores import run_apart


@pytest.fixture
def ringed(own: Own, tell: Tell) -> Own:
    tell(own.folder, "keys", "create")
    return own


def shown_once(out: str) -> str:
    found = re.search(r"^password, shown this once: (\S+)$", out, re.MULTILINE)
    assert found is not None
    return found[1]


def may_come(own: Own, name: str, password: str) -> bool:
    """Whether somebody is let in with this password."""
    answers: list[bool] = []

    async def ask() -> None:
        db = await Database.open(own.database_url)
        try:
            staff = Staff(db, keys.load(own.folder / "var" / "keys"), SystemClock())
            answers.append(await staff.has_password(name, password))
        finally:
            await db.close()

    run_apart(ask())
    return answers[0]


def test_somebody_is_taken_on_with_a_password_that_is_shown_once(ringed: Own, tell: Tell) -> None:
    assert "nobody yet" in tell(ringed.folder, "staff", "list").out
    work = ("--role", "clerk", "--role", "reviewer", "--scope", "hospital:zhongnan")
    told = tell(ringed.folder, "staff", "add", "LiShan", *work, "--generate")
    assert told.code == 0
    password = shown_once(told.out)
    assert len(password) > 20
    assert may_come(ringed, "lishan", password)
    (line,) = tell(ringed.folder, "staff", "list").out.splitlines()
    assert line.split()[1:] == ["lishan", "clerk,", "reviewer", "may", "come", "hospital:zhongnan"]
    assert password not in line
    assert (
        shown_once(tell(ringed.folder, "staff", "add", "zhao", "--role", "admin", "--generate").out)
        != password
    )


def test_a_password_is_asked_for_twice(ringed: Own, tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["correct horse battery", "correct horse batery", *["correct horse battery"] * 2])
    monkeypatch.setattr(terminal, "secret", lambda _question: next(typed))
    refused = tell(ringed.folder, "staff", "add", "lishan", "--role", "clerk")
    assert (refused.code, "not the same" in refused.line) == (2, True)
    told = tell(ringed.folder, "staff", "add", "lishan", "--role", "clerk")
    assert (told.code, "password" in told.out) == (0, False)
    assert may_come(ringed, "lishan", "correct horse battery")


def test_with_nobody_at_the_terminal_a_password_is_made(ringed: Own, tell: Tell) -> None:
    refused = tell(ringed.folder, "staff", "add", "lishan", "--role", "clerk")
    assert (refused.code, "--generate" in refused.line) == (2, True)


def test_another_password_other_work_out_and_in_again(ringed: Own, tell: Tell) -> None:
    old = shown_once(tell(ringed.folder, "staff", "add", "lishan", "--role", "clerk", "--generate").out)
    told = tell(ringed.folder, "staff", "password", "lishan", "--generate")
    assert "logged out everywhere" in told.out
    assert not may_come(ringed, "lishan", old)
    assert may_come(ringed, "lishan", shown_once(told.out))
    assert (
        "operator for x:y"
        in tell(ringed.folder, "staff", "work", "lishan", "--role", "operator", "--scope", "x:y").out
    )
    assert "shut out" in tell(ringed.folder, "staff", "disable", "lishan").out
    assert "shut out" in tell(ringed.folder, "staff", "list").out
    assert "again" in tell(ringed.folder, "staff", "enable", "lishan").out
    said = tell(ringed.folder, "staff", "audit").out.splitlines()
    assert [line.split()[4] for line in said] == [
        "staff_enable",
        "staff_disable",
        "staff_work",
        "staff_password",
        "staff_add",
    ]
    assert all("lishan" not in line and "terminal" in line for line in said)
    assert "nothing" in tell(ringed.folder, "staff", "audit", "--who", "lishan").out


def test_lists_go_on_where_they_ended(ringed: Own, tell: Tell) -> None:
    for name in ("ann", "bob", "cho"):
        tell(ringed.folder, "staff", "add", name, "--role", "clerk", "--generate")
    first = tell(ringed.folder, "staff", "list", "--limit", "2").out
    assert "list --after bob" in first
    assert "cho" in tell(ringed.folder, "staff", "list", "--after", "bob").out
    assert "nobody else" in tell(ringed.folder, "staff", "list", "--after", "cho").out
    page = tell(ringed.folder, "staff", "audit", "--limit", "2").out
    before = re.search(r"--before (\d+)", page)
    assert before is not None
    assert len(tell(ringed.folder, "staff", "audit", "--before", before[1]).out.splitlines()) == 1
    assert "nothing earlier" in tell(ringed.folder, "staff", "audit", "--before", "1").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("disable", "nobody"), "nobody is called 'nobody'"),
        (("audit", "--who", "nobody"), "nobody is called 'nobody'"),
        (("add", "x", "--role", "clerk", "--generate"), "2 to 32 letters"),
        (("add", "ann", "--role", "king", "--generate"), "there are clerk, reviewer, operator, admin"),
        (("add", "ann", "--role", "clerk", "--scope", "A b", "--generate"), "hospital:zhongnan"),
        (("list", "--limit", "0"), "--limit 0"),
    ],
)
def test_what_cannot_be_is_one_clear_line(
    ringed: Own, tell: Tell, arguments: tuple[str, ...], says: str
) -> None:
    told = tell(ringed.folder, "staff", *arguments)
    assert (told.code, says in told.line) == (2, True)


def test_a_name_that_is_taken_and_a_password_that_is_weak_are_told(
    ringed: Own, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(ringed.folder, "staff", "add", "ann", "--role", "clerk", "--generate")
    assert (
        "somebody's name" in tell(ringed.folder, "staff", "add", "ANN", "--role", "clerk", "--generate").line
    )
    monkeypatch.setattr(terminal, "secret", lambda _question: "short")
    assert "12 to 128 characters" in tell(ringed.folder, "staff", "password", "ann").line


async def test_the_demo_city_employs_one_and_tells_their_password_until_it_is_changed(
    own: Own, db: Database, seal: Seal
) -> None:
    login = await employed(db, seal, SystemClock(), own.folder)
    assert isinstance(login, Login)
    assert await employed(db, seal, SystemClock(), own.folder) == login
    assert (own.folder / "staff.json").stat().st_mode & 0o777 == 0o600
    assert await db.fetchval("SELECT count(*) FROM staff_members") == 1
    await Staff(db, seal, SystemClock()).set_password(login.name, "correct horse battery")
    assert await employed(db, seal, SystemClock(), own.folder) is None
