"""The demo city: put in place at every start, with a new day opened after each midnight."""

from dataclasses import dataclass

from commands import days
from commands.places import DEMO
from core.clock import Clock
from core.stores.database import Database
from services.citizens.service import Citizens
from services.community.place_sheet import read_places
from services.community.service import Places
from services.hospital.catalogue import load_catalogue
from services.hospital.neighbours import book_up
from services.hospital.service import Hospital


@dataclass(frozen=True, slots=True)
class Stage:
    """What the demo city is put on."""

    db: Database
    citizens: Citizens
    hospital: Hospital
    clock: Clock


async def load(stage: Stage) -> None:
    """Put the city in place, with everything open that shall be open today; may be repeated at any time."""
    await load_catalogue(stage.db, DEMO)
    houses = read_places((DEMO / "places.csv").read_bytes())
    await Places(stage.db, stage.clock).load(houses.good, dry_run=False)
    await open_new_days(stage)


async def open_new_days(stage: Stage) -> int:
    """Open those days of the coming week that are not open yet; return how many sessions are new.

    The invented neighbours book some doctors up, so that 约满 can be seen.
    """
    opened = await days.open_new_days(stage.db, stage.clock)
    await book_up(stage.hospital, stage.citizens, DEMO)
    return opened
