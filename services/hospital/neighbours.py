"""The demo's invented neighbours: they take most numbers of some doctors, by the same rules as everybody."""

from pathlib import Path

from core.effects import Effect
from services.citizens.service import Citizens
from services.hospital.catalogue import catalogue_files, half_day_of, read_catalogue
from services.hospital.errors import ClaimRefused
from services.hospital.model import ClinicSession
from services.hospital.service import Hospital


async def book_up(hospital: Hospital, citizens: Citizens, folder: Path) -> int:
    """Take what the data files do not let the neighbours leave; return how many numbers that was.

    For a demo city only, at start and after each opening of days. Where no more than that is left it does
    nothing, so the last numbers stay for whoever is quickest.
    """
    taken = 0
    for doctor, leave in read_catalogue(catalogue_files(folder)).neighbours_leave.items():
        for session in await hospital.sessions(doctor):
            left = leave.get(half_day_of(session.date, session.half), session.left)
            for period in await _early(hospital, session, session.left - left):
                taken += await _take(hospital, citizens, *period)
    return taken


async def _early(hospital: Hospital, session: ClinicSession, wanted: int) -> list[tuple[str, str]]:
    """The first `wanted` numbers of a half-day: period and neighbour of each."""
    periods = await hospital.periods(session.id) if wanted > 0 else []
    places = [(period.id, f"demo:{period.id}:{place}") for period in periods for place in range(period.left)]
    return places[: max(0, wanted)]


async def _take(hospital: Hospital, citizens: Citizens, period: str, neighbour: str) -> bool:
    citizen = await citizens.arrive(neighbour, "demo", neighbour)
    await citizens.leave(neighbour)  # nobody is there to read what the city sends
    try:
        await hospital.hold(period, citizen, Effect(neighbour, "hold", b""))
    except ClaimRefused:
        return False  # a real citizen was faster, or the period closed meanwhile
    return True
