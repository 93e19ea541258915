"""The demo's invented neighbours: they book some doctors up, by the same rules as everybody."""

from pathlib import Path

from core.effects import Effect
from services.citizens.service import Citizens
from services.hospital.catalogue import catalogue_files, read_catalogue
from services.hospital.errors import ClaimRefused
from services.hospital.service import Hospital


async def book_up(hospital: Hospital, citizens: Citizens, folder: Path) -> int:
    """Take what is left of the doctors the data files call `booked_up`; return how many numbers that was.

    For a demo city only, at start and after each opening of days. Where nothing is left it does nothing.
    """
    taken = 0
    for doctor in read_catalogue(catalogue_files(folder)).booked_up:
        for session in await hospital.sessions(doctor):
            for period in await hospital.periods(session.id):
                for place in range(period.left):
                    taken += await _take(hospital, citizens, period.id, f"demo:{period.id}:{place}")
    return taken


async def _take(hospital: Hospital, citizens: Citizens, period: str, neighbour: str) -> bool:
    citizen = await citizens.arrive(neighbour, "demo", neighbour)
    await citizens.leave(neighbour)  # nobody is there to read what the city sends
    try:
        await hospital.hold(period, citizen, Effect(neighbour, "hold", b""))
    except ClaimRefused:
        return False  # a real citizen was faster, or the period closed meanwhile: just as full
    return True
