"""`community places load|list`: where people live, out of a sheet; every row that is wrong is named."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from commands import places as paths
from commands import terminal
from commands.database import migrated
from core.chat.words import Words
from core.clock import SystemClock
from core.errors import BootError, DomainError
from core.sheets.grid import MOST_BYTES
from core.sheets.reading import Bad, Good, Read
from services.community.model import Place, PlaceKind
from services.community.place_sheet import Row, read_places
from services.community.places import Places, Plan
from settings import Settings

T = TypeVar("T")
_CALL = ".venv/bin/python main.py community places"
_MOST_TOLD = 50


def load(settings: Settings, file: str, *, dry_run: bool) -> int:
    """Load a sheet, all of it or nothing; 1 where a row is wrong."""
    found = sheet(file, read_places)
    plan = asyncio.run(_load(settings, found.good, dry_run=dry_run or bool(found.bad)))
    if tell_bad(file, found, plan.bad):
        return 1
    _tell_plan(plan, found.unknown)
    terminal.say("a dry run: nothing was changed" if dry_run else "loaded")
    return 0


def listing(settings: Settings, parent: str, after: str, limit: int) -> int:
    """List what is right below a place, by name; the districts where none is named."""
    found = asyncio.run(_below(settings, parent, after, terminal.page(limit) + 1))
    for each in found[:limit]:
        households = "" if each.households is None else f", {terminal.count(each.households, 'household')}"
        terminal.say(f"{terminal.padded(each.id, 24)}{terminal.padded(each.kind, 12)}{each.name}{households}")
    if not found:
        terminal.say("nothing more" if after else f"no place here; `{_CALL} load` loads a sheet of them")
    if len(found) > limit:
        terminal.say(f"\nmore: {_CALL} list {parent} --after {found[limit - 1].name}".replace("  ", " "))
    return 0


def sheet(file: str, read: Callable[[bytes], Read[T]]) -> Read[T]:
    """Read a file, or say in one line what is wrong with the whole of it."""
    try:
        with Path(file).open("rb") as opened:
            return read(opened.read(MOST_BYTES + 1))
    except OSError as refused:
        raise BootError(f"{file} cannot be read: {refused.strerror}") from None
    except DomainError as refusal:
        raise BootError(f"{file}: {_told(Words(paths.TEMPLATES), refusal)}") from None


def tell_bad(file: str, found: Read[T], further: Sequence[Bad]) -> bool:
    """Name every row that is wrong, by itself or with what is known; False where none is."""
    bad = sorted([*found.bad, *further], key=lambda each: each.row)
    words = Words(paths.TEMPLATES)
    for column in found.shifted:
        terminal.say(f"column {column}: most rows are wrong in it, so perhaps the columns are shifted")
    for each in bad[:_MOST_TOLD]:
        where = f"row {each.row}, {each.column}" if each.column else f"row {each.row}"
        terminal.say(f"{where}: {_told(words, each.because)}")
    if len(bad) > _MOST_TOLD:
        terminal.say(f"… and {len(bad) - _MOST_TOLD:,} more")
    if bad:
        rows = terminal.count(len({each.row for each in bad}), "row")
        terminal.complain(f"{file}: {rows} of {found.total:,} wrong, so nothing was loaded")
    return bool(bad)


def tell_unknown(unknown: Sequence[str]) -> None:
    """Name the columns that nobody asked for."""
    for column in unknown:
        terminal.say(f"column {column}: not one of ours, left out")


def _told(words: Words, refusal: DomainError) -> str:
    return " ".join(words.refusal(refusal).split())


def _tell_plan(plan: Plan, unknown: Sequence[str]) -> None:
    tell_unknown(unknown)
    added = plan.added
    if added:
        terminal.say(f"new      {', '.join(f'{kind} {added[kind]:,}' for kind in PlaceKind if added[kind])}")
    if plan.counted:
        terminal.say(f"counted  {terminal.count(len(plan.counted), 'place')} anew")
    if plan.known:
        terminal.say(f"known    {terminal.count(plan.known, 'place')}")
    for each in plan.missing[:_MOST_TOLD]:
        terminal.say(f"kept     {each.kind} {each.name} ({each.id}), which this sheet does not name")
    if len(plan.missing) > _MOST_TOLD:
        terminal.say(f"kept     {len(plan.missing) - _MOST_TOLD:,} more")


async def _load(settings: Settings, rows: Sequence[Good[Row]], *, dry_run: bool) -> Plan:
    async with migrated(paths.database(settings.stores)) as db:
        return await Places(db, SystemClock()).load(rows, dry_run=dry_run)


async def _below(settings: Settings, parent: str, after: str, limit: int) -> list[Place]:
    async with migrated(paths.database(settings.stores)) as db:
        return await Places(db, SystemClock()).below(parent, after, limit)
