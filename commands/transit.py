"""`transit device add|list|revoke`, `transit quarantine`: the gates of the city, and what nobody believes."""

import asyncio
import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from commands import places, terminal
from commands.database import migrated
from core.clock import SystemClock
from core.errors import BootError
from services.transit.devices import Aside, Devices, Registered
from services.transit.model import Device
from services.transit.network import Network
from services.transit.tariffs import read
from settings import Settings

USUAL = 20
_KEY_BYTES = 32
_CALL = ".venv/bin/python main.py transit"
_WIDTHS = (24, 36, 26)  # of a gate's name, place and since when
_ASIDE_WIDTHS = (8, 22, 24, 16, 16)  # of a number, a time, a gate, the tap's number and the reason
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
Work = Callable[[Devices], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A gate as it is typed in; `network` is the folder of network.toml."""

    name: str
    key: str
    line: str
    station: str
    vehicle: str
    network: str


def add(settings: Settings, asked: Asked) -> int:
    """Register a gate with its key, in its place."""
    key = _key(asked.key)
    folder = asked.network or settings.transit.folder or places.DEMO_TRANSIT
    network = read(Path(folder)).network
    device = _device(asked, network)

    async def work(devices: Devices) -> int:
        if not await devices.add(device, key):
            raise BootError(f"there is, or was, a gate {device.id}: a name is never given twice")
        terminal.say(f"{device.id} is heard, from {_place(device)}; its gate.toml:\n")
        terminal.say(_gate_toml(device, network.operator, settings.server.url))
        return 0

    return _with_devices(settings, work)


def listing(settings: Settings, after: str, limit: int) -> int:
    """List gates by their names, one line each."""

    async def work(devices: Devices) -> int:
        found = await devices.page(after, terminal.page(limit) + 1)
        for each in found[:limit]:
            terminal.say(_line(each))
        if not found:
            terminal.say("no other gate" if after else f"no gate yet; `{_CALL} device add` registers one")
        if len(found) > limit:
            terminal.say(f"\nmore: {_CALL} device list --after {found[limit - 1].device.id}")
        return 0

    return _with_devices(settings, work)


def revoke(settings: Settings, name: str) -> int:
    """Hear nothing more of a gate, at once and for good."""

    async def work(devices: Devices) -> int:
        if not await devices.revoke(name):
            raise BootError(f"no gate is called {name!r}; `{_CALL} device list` lists them")
        terminal.say(f"{name} is not heard any more; what it sent before stays")
        return 0

    return _with_devices(settings, work)


def quarantine(settings: Settings, before: int | None, limit: int, device: str) -> int:
    """List what was kept aside, the latest first; who it was does not stand in it."""

    async def work(devices: Devices) -> int:
        found = await devices.quarantine(before, terminal.page(limit) + 1, device)
        for each in found[:limit]:
            facts = (f"{each.id}", terminal.when(each.arrived_at), each.device, f"{each.seq}", each.reason)
            columns = (terminal.padded(fact, width) for fact, width in zip(facts, _ASIDE_WIDTHS, strict=True))
            terminal.say("".join((*columns, _said(each))))
        if not found:
            terminal.say("nothing is in quarantine" if before is None else "nothing earlier")
        if len(found) > limit:
            named = f" --device {device}" if device else ""
            terminal.say(f"\nearlier: {_CALL} quarantine --before {found[limit - 1].id}{named}")
        return 0

    return _with_devices(settings, work)


def _device(asked: Asked, network: Network) -> Device:
    """It stands in a station where its metro line stops, or rides in a vehicle of its bus line."""
    if not _NAME.fullmatch(asked.name):
        raise BootError(f"{asked.name!r}: a gate's name has a to z, 0 to 9 and hyphens, 64 at most")
    if asked.line not in network.metro and asked.line not in network.buses:
        known = ", ".join((*network.metro, *network.buses))
        raise BootError(f"--line {asked.line!r}: there are {known}")
    if asked.station and not network.stops(asked.line, asked.station):
        raise BootError(f"--station {asked.station!r}: line {asked.line} does not stop there")
    if asked.vehicle and asked.line not in network.buses:
        raise BootError(
            f"--vehicle {asked.vehicle!r}: {asked.line} is no bus line, its gates have a --station"
        )
    return Device(asked.name, asked.line, asked.station, asked.vehicle)


def _gate_toml(device: Device, operator: str, server: str) -> str:
    """What its own settings have to say, so that both sides agree on where it is."""
    way = '"board"' if device.vehicle else '"in"  # or "out"'
    place = f'vehicle = "{device.vehicle}"' if device.vehicle else f'station = "{device.station}"'
    whose = f'operator = "{operator}"'
    return (
        f'device = "{device.id}"\nway = {way}\nline = "{device.line}"\n{place}\n{whose}\nserver = "{server}"'
    )


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise BootError("--key: give the line that `python -m gate key` printed (32 bytes in base64url)")
    return key


def _line(each: Registered) -> str:
    since = f"since {terminal.when(each.registered_at)}"
    facts = (each.device.id, _place(each.device), since)
    columns = (terminal.padded(fact, width) for fact, width in zip(facts, _WIDTHS, strict=True))
    return "".join((*columns, f"revoked {terminal.when(each.revoked_at)}" if each.revoked_at else "heard"))


def _place(device: Device) -> str:
    return f"line {device.line}, " + (device.station or f"vehicle {device.vehicle}")


def _said(each: Aside) -> str:
    """Where and when it says to have been; its code names an account and stays out of terminals."""
    said = msgspec.json.decode(each.said)
    told = (f"{said['way']} {said['line']}", said["station"] or said["vehicle"], f"at {said['at']}")
    return "".join(letter for letter in ", ".join(filter(None, told)) if letter.isprintable())


def _with_devices(settings: Settings, work: Work) -> int:
    async def run() -> int:
        async with migrated(places.database(settings.stores)) as db:
            return await work(Devices(db, SystemClock()))

    return asyncio.run(run())
