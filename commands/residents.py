"""`community residents load`: a community's own list of who lives where, of which little is kept."""

import asyncio
from collections.abc import Sequence

from commands import places, terminal
from commands.community import sheet, tell_bad, tell_unknown
from commands.database import migrated
from core.clock import SystemClock
from core.sheets.reading import Good
from core.stores import keys
from services.community.door_sheet import DoorRow, read_doors
from services.community.doors import DoorPlan, Doors
from settings import Settings


def load(settings: Settings, file: str, *, dry_run: bool) -> int:
    """Put a list in the place of the last one of its communities; 1 where a row is wrong."""
    found = sheet(file, read_doors)
    plan = asyncio.run(_load(settings, found.good, dry_run=dry_run or bool(found.bad)))
    if tell_bad(file, found, plan.bad):
        return 1
    tell_unknown(found.unknown)
    terminal.say(f"new      {terminal.count(plan.new, 'door')}")
    terminal.say(f"known    {terminal.count(plan.known, 'door')}")
    terminal.say(f"gone     {terminal.count(plan.gone, 'door')} that this list does not name any more")
    terminal.say("a dry run: nothing was changed" if dry_run else "loaded")
    return 0


async def _load(settings: Settings, rows: Sequence[Good[DoorRow]], *, dry_run: bool) -> DoorPlan:
    seal = keys.load(places.key_ring(settings.stores))
    async with migrated(places.database(settings.stores)) as db:
        return await Doors(db, seal, SystemClock()).load(rows, dry_run=dry_run)
