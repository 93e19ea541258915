"""`payments`: what is owed and open, what was given up, and what a person has to look into."""

import asyncio

from commands import places, terminal
from commands.database import migrated
from core.clock import CITY_ZONE
from services.payments.listing import Line, Which, page
from settings import Settings

USUAL = 20
MOST = 500


def listing(settings: Settings, which: str, after: str, limit: int) -> int:
    """Print one list, page by page; exit code 0 also when it is empty."""
    lines = asyncio.run(_page(settings, Which(which), after, max(1, min(limit, MOST))))
    for line in lines:
        terminal.say(_shown(line))
    if len(lines) == max(1, min(limit, MOST)):
        terminal.say(f"more: --after {lines[-1].id}")
    elif not lines:
        terminal.say("none")
    return 0


async def _page(settings: Settings, which: Which, after: str, limit: int) -> list[Line]:
    async with migrated(places.database(settings.stores)) as db:
        return await page(db, which, after, limit)


def _shown(line: Line) -> str:
    at = line.at.astimezone(CITY_ZONE)
    yuan = f"{line.amount_fen // 100}.{line.amount_fen % 100:02}"
    return f"{line.id}  {at:%Y-%m-%d %H:%M}  {line.state}  {yuan}  {line.about}  {line.note}".rstrip()
