"""`catalogue load FOLDER`: a city's hospitals out of data files as in demo/, and their days opened."""

import asyncio
from pathlib import Path

from commands import places, terminal
from commands.database import migrated
from commands.days import DAYS
from core.clock import SystemClock
from core.stores.boot import refusals_told
from services.hospital.catalogue import load_catalogue, open_days
from settings import Settings


def load(settings: Settings, folder: str) -> int:
    """Load the files of a folder; may be repeated whenever they change. What vanished from them stays."""
    return asyncio.run(_load(places.database(settings.stores), Path(folder).resolve()))


async def _load(database_url: str, folder: Path) -> int:
    async with migrated(database_url) as db:
        with refusals_told(str(folder)):
            new = await load_catalogue(db, folder)
            opened = await open_days(db, SystemClock().now().date(), DAYS)
    terminal.done("Catalogue", f"{folder} loaded" if new else f"{folder} is loaded already, nothing changed")
    terminal.done("Days", f"{opened} new sessions, from today to {DAYS} days ahead")
    return 0
