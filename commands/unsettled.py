"""`transit unsettled`: days of riders that could not be paired and priced, and when they are tried again."""

import asyncio
import re
from datetime import date, datetime

from commands import places, terminal
from commands.database import migrated
from core.errors import BootError
from services.transit import trips_store
from services.transit.trips_store import Day
from settings import Settings

_CALL = ".venv/bin/python main.py transit unsettled"
_AFTER = re.compile(r"(t_[A-Za-z0-9_-]{16})/(\d{4}-\d\d-\d\d)", re.ASCII)


def listing(settings: Settings, after: str, limit: int) -> int:
    """List them by account and day; the log says what went wrong with each (`day_not_settled`)."""
    found = asyncio.run(_found(settings, _after(after), terminal.page(limit) + 1))
    for account, day, tries, at in found[:limit]:
        times = terminal.count(tries, "time")
        terminal.say(f"{account}/{day}  failed {times}, tried again {terminal.when(at)}")
    if not found:
        terminal.say("nothing more" if after else "every day is settled, or about to be")
    if len(found) > limit:
        account, day, *_ = found[limit - 1]
        terminal.say(f"\nmore: {_CALL} --after {account}/{day}")
    return 0


async def _found(settings: Settings, after: Day | None, limit: int) -> list[tuple[str, date, int, datetime]]:
    async with migrated(places.database(settings.stores)) as db:
        return await trips_store.unsettled(db, after, limit)


def _after(text: str) -> Day | None:
    if not text:
        return None
    given = _AFTER.fullmatch(text)
    try:
        return (given[1], date.fromisoformat(given[2])) if given else _no(text)
    except ValueError:
        return _no(text)


def _no(text: str) -> Day:
    raise BootError(f"--after {text!r}: give an account and a day as they are listed, t_…/2026-11-24")
