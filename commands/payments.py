"""`payments`: what is owed and open, what was given up, and what a person has to look into or begins anew."""

import asyncio

from commands import places, terminal
from commands.database import migrated
from commands.decided import Decided
from core.clock import CITY_ZONE, SystemClock
from services.payments.again import again as begin
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


def again(settings: Settings, decided: Decided) -> int:
    """Have a debt that was given up, or a refund that failed, asked for anew."""
    by, reason = decided.who_and_why()
    if not asyncio.run(_again(settings, decided.name, by, reason)):
        terminal.complain(f"{decided.name}: neither a payment that is stopped nor a refund that failed")
        return 1
    terminal.say(f"{decided.name} is asked for anew, by {by}; see `payments open` and `payments refunds`")
    return 0


async def _again(settings: Settings, name: str, by: str, reason: str) -> bool:
    async with migrated(places.database(settings.stores)) as db:
        return await begin(db, SystemClock(), name, by, reason)


async def _page(settings: Settings, which: Which, after: str, limit: int) -> list[Line]:
    async with migrated(places.database(settings.stores)) as db:
        return await page(db, which, after, limit)


def _shown(line: Line) -> str:
    at = line.at.astimezone(CITY_ZONE)
    yuan = f"{line.amount_fen // 100}.{line.amount_fen % 100:02}"
    return f"{line.id}  {at:%Y-%m-%d %H:%M}  {line.state}  {yuan}  {line.about}  {line.note}".rstrip()
