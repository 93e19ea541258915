"""`transit repeated`: accounts whose code let several people in, for an operator to look at."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from commands import places, terminal
from commands.database import migrated
from core.clock import SystemClock
from services.transit.pairing import service_day
from services.transit.repeated import Repeated, repeated
from settings import Settings

_CALL = ".venv/bin/python main.py transit repeated"


def listing(settings: Settings, days: int, before: int | None, limit: int) -> int:
    """List those of so many days, the latest first."""
    found = asyncio.run(_found(settings, days, before, terminal.page(limit) + 1))
    for each in found[:limit]:
        terminal.say(f"{each.account}  {each.day}  {each.place}: {each.count} ways in with one grant")
    if not found:
        terminal.say("nothing earlier" if before is not None else f"none in {terminal.count(days, 'day')}")
    if len(found) > limit:
        terminal.say(f"\nearlier: {_CALL} --days {days} --before {found[limit - 1].id}")
    return 0


async def _found(settings: Settings, days: int, before: int | None, limit: int) -> Sequence[Repeated]:
    since = service_day(SystemClock().now()) - timedelta(days=days)
    async with migrated(places.database(settings.stores)) as db:
        return await repeated(db, since, before, limit)
