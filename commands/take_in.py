"""`transit take-in NUMBER`: a tap that was kept aside counts, because an operator says so."""

import asyncio
from pathlib import Path

from commands import places, terminal
from commands.database import migrated
from commands.decided import Decided
from core.clock import SystemClock
from core.errors import BootError
from services.transit import taps_store
from services.transit.model import Reason
from services.transit.taps import Taps
from services.transit.tariffs import read
from settings import Settings


def take_in(settings: Settings, number: int, by: str, reason: str) -> int:
    """Count it, or say why it cannot be; `settle` prices it within seconds."""
    who, why = Decided(f"{number}", by, reason).who_and_why()
    try:
        wrong = asyncio.run(_taken(settings, number, who, why))
    except LookupError:
        raise BootError(f"{number}: nothing is kept aside under it; `transit quarantine` lists it") from None
    if wrong is not None:
        terminal.complain(f"{number} cannot be taken in: {wrong}; docs/transit-code.md says what that means")
        return 1
    terminal.say(f"{number} counts now, by {who}")
    return 0


async def _taken(settings: Settings, number: int, who: str, why: str) -> Reason | None:
    network = read(Path(settings.transit.folder or places.DEMO_TRANSIT)).network
    now = SystemClock().now()
    async with migrated(places.database(settings.stores)) as db:
        return await Taps(db, network).take_in(number, taps_store.Decided(who, why, now))
