"""Staff: who is let in, who is not and learns nothing by it, and what of it is written down."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest
from argon2 import PasswordHasher

from core.clock import ManualClock
from core.errors import DomainError
from core.seal import Seal
from core.stores.database import Database
from services.staff.errors import (
    NoSuchStaff,
    PasswordWeak,
    StaffBusy,
    StaffLocked,
    StaffLoginRefused,
    StaffNameStrange,
    StaffNameTaken,
    StaffRoleUnknown,
    StaffScopeStrange,
)
from services.staff.model import MOST_PER_ADDRESS, MOST_PER_NAME, Member, Role
from services.staff.passwords import Passwords
from services.staff.service import Did, Staff
from tests.support.purging import purged
from tests.support.talk import words_of
from tests.support.waiting import until

GOOD, OTHER = "correct horse battery", "staple horse battery"
HERE = "203.0.113.7"


class Counted(Passwords):
    """Counts how often argon2 works."""

    def __init__(self) -> None:
        super().__init__()
        self.compared: list[bool] = []  # of whom there was something to compare with

    def compare(self, kept: str | None, password: str) -> bool:
        self.compared.append(kept is not None)
        return super().compare(kept, password)


@pytest.fixture
def passwords() -> Counted:
    return Counted()


@pytest.fixture
def staff(db: Database, seal: Seal, clock: ManualClock, passwords: Counted) -> Staff:
    return Staff(db, seal, clock, passwords)


@pytest.fixture
async def li(staff: Staff) -> Member:
    return await staff.add("LiShan", GOOD, ["clerk", "reviewer"], ["hospital:zhongnan"])


async def trail(staff: Staff) -> list[tuple[str, str, str]]:
    return [(each.who, each.what, each.outcome) for each in reversed(await staff.trail(limit=100))]


async def test_a_member_logs_in_and_out(staff: Staff, li: Member) -> None:
    came = await staff.login("lishan", GOOD, HERE)
    assert came.member == li
    session = await staff.of(came.token)
    assert session is not None
    assert session.member.roles == {Role.CLERK, Role.REVIEWER}
    assert session.member.scopes == {"hospital:zhongnan"}
    await staff.logout(came.token)
    assert await staff.of(came.token) is None
    assert await trail(staff) == [
        ("terminal", "staff_add", "done"),
        (li.id, "login", "done"),
        (li.id, "logout", "done"),
    ]


@pytest.mark.parametrize("typed", ["lishan", " LiShan ", "ＬＩＳＨＡＮ"])
async def test_a_name_is_the_same_however_it_is_typed(staff: Staff, li: Member, typed: str) -> None:
    assert (await staff.login(typed, GOOD, HERE)).member == li
    with pytest.raises(StaffNameTaken):
        await staff.add(typed, GOOD, ["clerk"])


async def test_a_password_may_be_typed_in_full_width(staff: Staff, li: Member) -> None:
    full_width = "".join(chr(ord(each) + 0xFEE0) if each != " " else "　" for each in GOOD)
    assert (await staff.login("lishan", full_width, HERE)).member == li


async def test_passwords_are_kept_as_argon2id_and_tokens_as_hashes(
    staff: Staff, db: Database, li: Member
) -> None:
    came = await staff.login("lishan", GOOD, HERE)
    (kept,) = await db.fetch("SELECT password FROM staff_members")
    assert kept["password"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    every = ""
    for table in ("staff_members", "staff_sessions", "staff_tries", "staff_audit"):
        every += str([dict(row) for row in await db.fetch(f"SELECT * FROM {table}")])  # noqa: S608 - names of ours
    assert GOOD not in every
    assert came.token not in every
    assert HERE not in every


async def test_who_is_refused_does_not_learn_whether_the_name_is_known(
    staff: Staff, li: Member, passwords: Counted
) -> None:
    await staff.add("away", GOOD, ["clerk"])
    await staff.disable("away")
    said = []
    for name, password in (
        ("lishan", OTHER),
        ("nobody", OTHER),
        ("away", GOOD),
        ("", ""),
        ("lishan", "x" * 9_000),
    ):
        with pytest.raises(StaffLoginRefused) as refused:
            await staff.login(name, password, HERE)
        said.append(words_of().render(f"errors/{refused.value.code}", **refused.value.facts))
    assert len(set(said)) == 1
    assert passwords.compared == [True, False, False, False, True], "one comparison each, with whatever"


@pytest.mark.parametrize("name", ["lishan", "nobody"])
async def test_after_five_tries_a_name_is_locked_whether_or_not_it_is_known(
    staff: Staff, li: Member, passwords: Counted, clock: ManualClock, name: str
) -> None:
    for _ in range(MOST_PER_NAME):
        with pytest.raises(StaffLoginRefused):
            await staff.login(name, OTHER, HERE)
    compared = len(passwords.compared)
    with pytest.raises(StaffLocked) as locked:
        await staff.login(name, GOOD, HERE)
    assert locked.value.facts == {"minutes": 15}
    assert "15 分钟" in words_of().render("errors/staff_locked", **locked.value.facts)
    assert len(passwords.compared) == compared, "nothing is compared, not even the right one"
    clock.move(timedelta(minutes=14, seconds=30))
    with pytest.raises(StaffLocked) as locked:
        await staff.login(name, GOOD, HERE)
    assert locked.value.facts == {"minutes": 1}, "trying on does not make it longer"
    clock.move(timedelta(seconds=30))
    if name == "lishan":
        assert await staff.login(name, GOOD, HERE)
    else:
        with pytest.raises(StaffLoginRefused):
            await staff.login(name, GOOD, HERE)


async def test_a_right_password_in_time_is_a_clean_slate(staff: Staff, li: Member) -> None:
    for _ in range(3):
        for _ in range(MOST_PER_NAME - 1):
            with pytest.raises(StaffLoginRefused):
                await staff.login("lishan", OTHER, HERE)
        assert await staff.login("lishan", GOOD, HERE)


async def test_fifty_guesses_at_once_are_five(staff: Staff, li: Member, passwords: Counted) -> None:
    guesses = (staff.login("lishan", OTHER, f"2001:db8:{number}::/64") for number in range(50))
    outcomes = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(each, StaffLocked) for each in outcomes) == 45
    assert len(passwords.compared) == MOST_PER_NAME
    assert [each for each in await trail(staff) if each[2] == "locked"] == [("", "login", "locked")], (
        "told once"
    )


async def test_who_tries_many_names_from_one_address_is_locked_out_alone(staff: Staff, li: Member) -> None:
    for number in range(MOST_PER_ADDRESS):
        with pytest.raises(StaffLoginRefused):
            await staff.login(f"guess{number}", GOOD, HERE)
    with pytest.raises(StaffLocked):
        await staff.login("lishan", GOOD, HERE)
    assert await staff.login("lishan", GOOD, "198.51.100.1"), "the name was not tried"


async def test_an_office_that_logs_in_rightly_is_never_locked(staff: Staff, li: Member) -> None:
    for _ in range(MOST_PER_ADDRESS + 5):
        assert await staff.login("lishan", GOOD, HERE)


async def test_thirty_minutes_of_nothing_or_twelve_hours_end_a_session(
    staff: Staff, li: Member, clock: ManualClock
) -> None:
    idle, busy = [(await staff.login("lishan", GOOD, HERE)).token for _ in range(2)]
    for _ in range(24):
        assert await staff.of(busy) is not None
        clock.move(timedelta(minutes=30) - timedelta(seconds=1))
    assert await staff.of(idle) is None
    clock.move(timedelta(seconds=30))
    assert await staff.of(busy) is None, "twelve hours"


Change = Callable[[Staff], Awaitable[object]]


@pytest.mark.parametrize(
    "change",
    [lambda staff: staff.set_password("lishan", OTHER), lambda staff: staff.disable("lishan")],
    ids=["password", "disabled"],
)
async def test_a_new_password_or_being_shut_out_ends_every_session_at_once(
    staff: Staff, li: Member, change: Change
) -> None:
    tokens = [(await staff.login("lishan", GOOD, HERE)).token for _ in range(2)]
    await staff.add("zhao", GOOD, ["admin"])
    other = (await staff.login("zhao", GOOD, HERE)).token
    await change(staff)
    assert [await staff.of(each) for each in tokens] == [None, None]
    assert await staff.of(other) is not None
    with pytest.raises(StaffLoginRefused):
        await staff.login("lishan", GOOD, HERE)


async def test_a_login_that_was_under_way_when_the_password_changed_is_refused(
    db: Database, seal: Seal, clock: ManualClock, li: Member
) -> None:
    """The old password was right when it was compared; its session would outlive the change."""

    class Slow(Passwords):
        async def is_right(self, kept: str | None, password: str) -> bool:
            right = await super().is_right(kept, password)
            await Staff(db, seal, clock).set_password("lishan", OTHER)
            return right

    with pytest.raises(StaffLoginRefused):
        await Staff(db, seal, clock, Slow()).login("lishan", GOOD, HERE)
    assert await db.fetchval("SELECT count(*) FROM staff_sessions") == 0


async def test_who_was_shut_out_comes_back_with_the_same_password(staff: Staff, li: Member) -> None:
    await staff.disable("lishan")
    await staff.disable("lishan")
    await staff.enable("lishan")
    assert await staff.login("lishan", GOOD, HERE)


async def test_other_roles_hold_with_the_next_click(staff: Staff, li: Member) -> None:
    token = (await staff.login("lishan", GOOD, HERE)).token
    await staff.set_work("lishan", ["operator"], [])
    session = await staff.of(token)
    assert session is not None
    assert session.member.roles == {Role.OPERATOR}
    assert not session.member.may([Role.CLERK, Role.ADMIN])
    assert session.member.may([])


async def test_a_hash_of_other_costs_is_made_anew_at_the_next_login(
    staff: Staff, db: Database, li: Member
) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(GOOD)
    await db.execute("UPDATE staff_members SET password = $1", cheap)
    assert await staff.login("lishan", GOOD, HERE)
    assert "m=19456,t=2" in await db.fetchval("SELECT password FROM staff_members")
    assert await staff.login("lishan", GOOD, HERE)


async def test_more_than_it_has_room_for_are_told_to_wait(staff: Staff, li: Member) -> None:
    tries = (staff.login("lishan", GOOD, f"10.0.0.{number}") for number in range(4))
    assert all([await each for each in tries])
    many = [staff.has_password("lishan", GOOD) for _ in range(40)]
    outcomes = await asyncio.gather(*many, return_exceptions=True)
    assert sum(isinstance(each, StaffBusy) for each in outcomes) == 24
    assert await staff.has_password("lishan", GOOD), "and then there is room again"


async def test_who_is_told_to_wait_has_not_tried(
    staff: Staff, db: Database, li: Member, passwords: Counted
) -> None:
    others = [asyncio.create_task(passwords.hash(GOOD)) for _ in range(16)]
    await asyncio.sleep(0)  # all of them have begun
    with pytest.raises(StaffBusy):
        await staff.login("lishan", GOOD, HERE)
    assert await db.fetchval("SELECT count(*) FROM staff_tries") == 0
    await asyncio.gather(*others)
    assert await staff.login("lishan", GOOD, HERE)


async def test_who_hangs_up_makes_no_room_before_the_work_is_done(passwords: Counted) -> None:
    kept = await passwords.hash(GOOD)
    for _ in range(16):
        task = asyncio.create_task(passwords.is_right(kept, GOOD))
        await asyncio.sleep(0)
        task.cancel()
    with pytest.raises(StaffBusy):
        await passwords.is_right(kept, GOOD)
    await until(lambda: not passwords._waiting, "the work is done")
    assert await passwords.is_right(kept, GOOD)


@pytest.mark.parametrize(
    ("name", "password", "roles", "scopes", "refusal"),
    [
        ("a", GOOD, ["clerk"], [], StaffNameStrange),
        ("a b", GOOD, ["clerk"], [], StaffNameStrange),
        ("x" * 33, GOOD, ["clerk"], [], StaffNameStrange),
        ("wang", "short", ["clerk"], [], PasswordWeak),
        ("wang", "a" * 20, ["clerk"], [], PasswordWeak),
        ("wang", "myNameIsWang!!", ["clerk"], [], PasswordWeak),
        ("wang", "ab" + "c" * 127, ["clerk"], [], PasswordWeak),
        ("wang", GOOD, ["king"], [], StaffRoleUnknown),
        ("wang", GOOD, ["it's"], [], StaffRoleUnknown),
        ("wang", GOOD, [], [], StaffRoleUnknown),
        ("wang", GOOD, ["clerk"], ["Zhongnan Hospital"], StaffScopeStrange),
    ],
)
async def test_what_cannot_be_is_refused_with_the_reason(  # noqa: PLR0917 - one column each
    staff: Staff,
    db: Database,
    name: str,
    password: str,
    roles: list[str],
    scopes: list[str],
    refusal: type[DomainError],
) -> None:
    with pytest.raises(refusal) as refused:
        await staff.add(name, password, roles, scopes)
    assert words_of().render(f"errors/{refused.value.code}", **refused.value.facts)
    assert await db.fetchval("SELECT count(*) FROM staff_members") == 0


async def test_whoever_is_not_there_cannot_be_changed(staff: Staff, li: Member) -> None:
    for change in (staff.disable("nobody"), staff.enable("nobody"), staff.set_password("nobody", GOOD)):
        with pytest.raises(NoSuchStaff) as refused:
            await change
    assert "nobody" in words_of().render("errors/no_such_staff", **refused.value.facts)
    with pytest.raises(StaffNameTaken) as taken:
        await staff.add("lishan", GOOD, ["clerk"])
    assert "lishan" in words_of().render("errors/staff_name_taken", **taken.value.facts)
    assert words_of().render("errors/staff_busy")


async def test_the_audit_is_only_added_to(staff: Staff, db: Database, li: Member) -> None:
    await staff.note(Did(li.id, "notice_approved", "n_1"))
    for statement in (
        "UPDATE staff_audit SET who = ''",
        "DELETE FROM staff_audit",
        "TRUNCATE staff_audit",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await db.execute(statement)
    (deed, *_) = await staff.trail(li.id)
    assert (deed.what, deed.object, deed.outcome) == ("notice_approved", "n_1", "done")
    assert [each.id for each in await staff.trail(before=deed.id)] == [deed.id - 1]


@pytest.mark.parametrize("who", ["王芳", "lishan", "s_short"])
async def test_a_name_in_the_audit_is_refused(staff: Staff, who: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await staff.note(Did(who, "login"))


async def test_what_is_over_is_forgotten(staff: Staff, db: Database, li: Member, clock: ManualClock) -> None:
    await staff.login("lishan", GOOD, HERE)
    with pytest.raises(StaffLoginRefused):
        await staff.login("nobody", GOOD, HERE)
    tables = ("staff_sessions", "staff_tries")
    assert [await purged(db, table, clock) for table in tables] == [0, 0]
    counts = "SELECT (SELECT count(*) FROM staff_sessions) + (SELECT count(*) FROM staff_tries)"
    assert await db.fetchval(counts) == 3
    clock.move(timedelta(days=1, seconds=1))
    assert [await purged(db, table, clock) for table in tables] == [1, 2]
    assert await db.fetchval(counts) == 0
