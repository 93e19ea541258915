"""`staff add|list|work|password|disable|enable|audit`: who may come into the console, and what was done."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence

from commands import places, terminal
from commands.database import migrated
from core.clock import SystemClock
from core.errors import BootError, DomainError
from core.stores import keys
from services.staff.errors import (
    NoSuchStaff,
    PasswordWeak,
    StaffNameStrange,
    StaffNameTaken,
    StaffRoleUnknown,
    StaffScopeStrange,
)
from services.staff.model import Role
from services.staff.service import Staff
from settings import Settings

USUAL = 20
_CALL = ".venv/bin/python main.py staff"
_WIDTHS = (20, 24, 20, 12)  # of a member's id, name, roles and state
_DEED_WIDTHS = (8, 22, 22, 18)  # of a deed's number, time, who and what
_WRONG: dict[type[DomainError], str] = {
    NoSuchStaff: f"nobody is called {{name!r}}; `{_CALL} list` lists them",
    StaffNameTaken: "{name!r} is somebody's name already",
    StaffNameStrange: "{name!r}: a name has 2 to 32 letters, digits, dots, hyphens or underscores",
    StaffScopeStrange: "--scope {scope!r}: give a word such as hospital:zhongnan",
    StaffRoleUnknown: "--role {role!r}: there are {roles}",
    PasswordWeak: "a password has {least} to {most} characters, is not too plain, and does not hold the name",
}
Work = Callable[[Staff], Awaitable[int]]


def add(settings: Settings, name: str, roles: Sequence[str], scopes: Sequence[str], *, generate: bool) -> int:
    """Take somebody on."""

    async def work(staff: Staff) -> int:
        password = await _password(generate=generate)
        member = await staff.add(name, password, roles, scopes)
        terminal.say(f"{member.name} ({member.id}) may come in as {_listed(member.roles)}")
        _say_once(password, generate=generate)
        return 0

    return _with_staff(settings, work)


def listing(settings: Settings, after: str, limit: int) -> int:
    """List members by their names, one line each."""

    async def work(staff: Staff) -> int:
        found = await staff.page(after, terminal.page(limit) + 1)
        for member in found[:limit]:
            state = f"shut out {terminal.when(member.disabled_at)}" if member.disabled_at else "may come"
            facts = (member.id, member.name, _listed(member.roles), state)
            columns = (terminal.padded(fact, width) for fact, width in zip(facts, _WIDTHS, strict=True))
            terminal.say("".join((*columns, _listed(member.scopes))).rstrip())
        if not found:
            terminal.say(
                "nobody else" if after else f"nobody yet; `{_CALL} add NAME --role ROLE` takes somebody on"
            )
        if len(found) > limit:
            terminal.say(f"\nmore: {_CALL} list --after {found[limit - 1].name}")
        return 0

    return _with_staff(settings, work)


def work_of(settings: Settings, name: str, roles: Sequence[str], scopes: Sequence[str]) -> int:
    """Give somebody other roles and scopes in place of those they had."""

    async def work(staff: Staff) -> int:
        member = await staff.set_work(name, roles, scopes)
        scoped = f" for {_listed(member.scopes)}" if member.scopes else ""
        terminal.say(f"{member.name} is {_listed(member.roles)}{scoped} from the next click on")
        return 0

    return _with_staff(settings, work)


def password(settings: Settings, name: str, *, generate: bool) -> int:
    """Give somebody another password; whoever is logged in under their name is out."""

    async def work(staff: Staff) -> int:
        await staff.member(name)
        new = await _password(generate=generate)
        member = await staff.set_password(name, new)
        terminal.say(f"{member.name} has another password, and is logged out everywhere")
        _say_once(new, generate=generate)
        return 0

    return _with_staff(settings, work)


def disable(settings: Settings, name: str) -> int:
    """Shut somebody out."""

    async def work(staff: Staff) -> int:
        member = await staff.disable(name)
        terminal.say(f"{member.name} is shut out, and logged out everywhere")
        return 0

    return _with_staff(settings, work)


def enable(settings: Settings, name: str) -> int:
    """Let somebody in again."""

    async def work(staff: Staff) -> int:
        member = await staff.enable(name)
        terminal.say(f"{member.name} may come in again, with the password of before")
        return 0

    return _with_staff(settings, work)


def audit(settings: Settings, who: str, before: int | None, limit: int) -> int:
    """What was done, the latest first; ids only, which `list` explains."""

    async def work(staff: Staff) -> int:
        member = (await staff.member(who)).id if who else ""
        found = await staff.trail(member, before, terminal.page(limit) + 1)
        for deed in found[:limit]:
            facts = (f"{deed.id}", terminal.when(deed.at), deed.who or "nobody known", deed.what)
            columns = (terminal.padded(fact, width) for fact, width in zip(facts, _DEED_WIDTHS, strict=True))
            terminal.say("".join((*columns, " ".join(filter(None, (deed.outcome, deed.object))))))
        if not found:
            terminal.say("nothing" if before is None else "nothing earlier")
        if len(found) > limit:
            named = f" --who {who}" if who else ""
            terminal.say(f"\nearlier: {_CALL} audit --before {found[limit - 1].id}{named}")
        return 0

    return _with_staff(settings, work)


def invented() -> str:
    """Draw a password: about 95 bits, easily read out over the telephone."""
    return "-".join(
        "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(5)) for _ in range(4)
    )


async def _password(*, generate: bool) -> str:
    if generate:
        return invented()
    typed = await asyncio.to_thread(terminal.secret, "password: ")
    if await asyncio.to_thread(terminal.secret, "once more: ") != typed:
        raise BootError("the two are not the same; nothing was changed")
    return typed


def _say_once(password: str, *, generate: bool) -> None:
    if generate:
        terminal.say(f"password, shown this once: {password}")


def _with_staff(settings: Settings, work: Work) -> int:
    async def run() -> int:
        seal = keys.load(places.key_ring(settings.stores))
        async with migrated(places.database(settings.stores)) as db:
            return await work(Staff(db, seal, SystemClock()))

    try:
        return asyncio.run(run())
    except DomainError as refused:
        facts = refused.facts | {"roles": ", ".join(Role)}
        raise BootError(_WRONG[type(refused)].format(**facts)) from refused


def _listed(words: Sequence[str] | frozenset[str]) -> str:
    return ", ".join(sorted(words))
