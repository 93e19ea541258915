"""`transit tariff check`, and what `check` says of metro and buses: their data files, read as at the boot."""

from datetime import date
from pathlib import Path

from commands import terminal
from core.errors import BootError
from services.transit.fares import Tariff
from services.transit.tariffs import Timetable, read


def check(folder: str) -> int:
    """Read a folder; a mistake is told with its file, line and field."""
    path = Path(folder).resolve()
    found = read(path)
    terminal.done("Transit", f"{path}: {_counted(found)}, tariffs {_listed(found.tariffs)}")
    return 0


def told(folder: Path, today: date, cap_fen: int) -> str:
    """What runs in a folder, and what it costs today; `BootError` if nobody could ride today, or one day.

    `cap_fen`: the most that the issuer lets a code be good for.
    """
    found = signable(folder, cap_fen)
    begun = [each for each in found.tariffs if each.begins <= today]
    if not begun:
        raise BootError(f"{folder}: no tariff has begun yet ({_listed(found.tariffs)})")
    later = [each for each in found.tariffs if each.begins > today]
    soon = f", then {_listed(later)}" if later else ""
    return f"{_counted(found)}, tariff {_listed(begun[-1:])}{soon}"


def signable(folder: Path, cap_fen: int) -> Timetable:
    """Read a folder; `BootError` also where riders would find out that no code can be signed for a ride."""
    found = read(folder)
    for tariff in found.tariffs:
        if (dearest := found.dearest(tariff.begins)) > cap_fen:
            raise BootError(
                f"{folder}: the dearest ride of tariff {tariff.version} is {dearest} fen, and no code is "
                f"good for more than {cap_fen} (issuer.cap_fen): raise that, or look the fares over"
            )
    return found


def _counted(found: Timetable) -> str:
    network = found.network
    lines = terminal.count(len(network.metro) + len(network.buses), "line")
    return f"{lines}, {terminal.count(len(network.stations), 'station')}"


def _listed(tariffs: tuple[Tariff, ...] | list[Tariff]) -> str:
    return ", ".join(f"{each.version} from {each.begins} on" for each in tariffs)
