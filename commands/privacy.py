"""`privacy show|requests|close|receipt`: what is kept and how long, and what citizens asked for."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from datetime import date, datetime

from commands import parts, places, terminal
from commands.database import migrated
from commands.post import post
from commands.rights import DataRights, data_rights
from commands.surroundings import Surroundings
from core.clock import CITY_ZONE
from core.errors import BootError
from core.privacy.holdings import Kept
from core.privacy.retention import Report
from core.stores.database import Database
from services.citizens.deadlines import WARNED, Waiting
from services.citizens.erasure import NoSuchReceipt
from services.citizens.rights import NoSuchRequest
from services.citizens.service import Families
from settings import Settings

_CALL = ".venv/bin/python main.py privacy"
_WIDTHS = (20, 10)  # of a rule's table, and of what becomes of it with its citizen
_KINDS = {"name": "the name", "id_number": "the ID number", "other": "something"}
_ERASURE = "wants to be erased, when nothing is promised any more"
_REQUEST_WIDTHS = (14, 20)  # of a number, and of its day
_MOST = 500  # requests at once
_SHORT = 40


def show(settings: Settings) -> int:
    """List the rule of every table, and what the last nightly purge did."""

    async def work(data: DataRights) -> int:
        last = await data.retention.last()
        reports = {each.table: each for each in last[1]} if last else {}
        for rule in sorted(data.retention.rules, key=lambda each: each.table):
            _say_rule(rule, reports.get(rule.table))
        terminal.say()
        if last is None:
            terminal.say("nothing was purged yet: `run`, `serve` or `schedule` does it at 03:37")
            return 0
        removed = sum(each.removed for each in last[1])
        terminal.say(f"last purge {_when(last[0])}: {removed:,} rows went; times are city time")
        late = [each.table for each in last[1] if each.overdue]
        if late:
            terminal.complain(f"older than their period, and still there: {', '.join(late)}")
        return 1 if late else 0

    return _with_rights(settings, work)


def requests(settings: Settings) -> int:
    """List what citizens asked for and wait for, the most urgent first; 1 if something is late or soon is."""

    async def work(data: DataRights) -> int:
        words = {each.id: each for each in await data.rights.requests(_MOST)}
        found = await data.deadlines.waiting()
        for each in found:
            said = words.get(each.number)
            what = f"{_KINDS[said.kind]} should be: {_short(said.words)}" if said else _ERASURE
            columns = zip((each.number, _due(each)), _REQUEST_WIDTHS, strict=True)
            terminal.say("".join(terminal.padded(fact, width) for fact, width in columns) + what)
        if words:
            terminal.say(f"\nanswered: {_CALL} close {next(iter(words))} --by NAME [--refused REASON]")
        if not found:
            terminal.say("no requests wait")
        near = [each.number for each in found if each.is_near]
        if near:
            terminal.complain(f"late, or due within {WARNED} working days: {', '.join(near)}")
        return 1 if near else 0

    return _with_rights(settings, work)


def close(settings: Settings, number: str, by: str, refused: str) -> int:
    """Close a request: it was done, or refused for a reason, which its citizen is told."""
    name = " ".join(by.split()) or _login()

    async def work(data: DataRights) -> int:
        try:
            await data.rights.answer(number, name, " ".join(refused.split()))
        except NoSuchRequest:
            terminal.complain(f"there is no open request {number}; `{_CALL} requests` lists them")
            return 1
        terminal.say(f"{number} {'refused' if refused else 'done'} by {name}; the citizen is told")
        return 0

    return _with_rights(settings, work)


def receipt(settings: Settings, number: str) -> int:
    """Say what a deletion receipt says, and what its hash was made over."""

    async def work(data: DataRights) -> int:
        try:
            found = await data.erasing.receipt(number)
        except NoSuchReceipt:
            terminal.complain(f"there is no receipt {number}")
            return 1
        terminal.say(f"{found.spaced}  {found.state}{f' {_when(found.at)}' if found.at else ''}")
        if found.state == "done":
            terminal.say(f"sha256 {found.hash}\nof     {found.told.decode()}")
        else:
            terminal.say(f"at the latest {_when(found.due_at)}")
        return 0

    return _with_rights(settings, work)


def _due(each: Waiting) -> str:
    return f"by {each.due_on}{' LATE' if each.left < 0 else ' SOON' if each.is_near else ''}"


def _say_rule(rule: Kept, report: Report | None) -> None:
    columns = zip((rule.table, rule.end.value), _WIDTHS, strict=True)
    head = "".join(terminal.padded(fact, width) for fact, width in columns)
    terminal.say(f"{head}{rule.purpose}")
    indent = " " * sum(_WIDTHS)
    went = ""
    if report is not None:
        oldest = f", the oldest left from {_day(report.oldest)}" if report.oldest else ""
        went = f"; last night {report.removed:,} went{oldest}"
    terminal.say(f"{indent}kept {rule.lasting}{went}")


def _with_rights(settings: Settings, work: Callable[[DataRights], Awaitable[int]]) -> int:
    found = places.find(settings.stores)
    around = parts.surroundings(parts.beside(settings, found), found)

    async def opened() -> int:
        async with migrated(around.database_url) as db:
            return await work(_rights(around, db))

    return asyncio.run(opened())


def _rights(around: Surroundings, db: Database) -> DataRights:
    sent = post(around, db)
    families = Families(db, around.seal, around.clock, sent.notices)
    return data_rights(around, db, None, sent, families)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as nobody:  # in a container the user may have no name
        raise BootError("your login has no name here: say who answered it, --by NAME") from nobody


def _when(moment: datetime) -> str:
    return moment.astimezone(CITY_ZONE).strftime("%Y-%m-%d %H:%M")


def _day(moment: datetime | date) -> str:
    return moment.strftime("%Y-%m-%d")


def _short(words: str) -> str:
    line = "".join(each if each.isprintable() else " " for each in words)
    return line if len(line) <= _SHORT else line[:_SHORT] + "…"
