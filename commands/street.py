"""The demo city's virtual gates: made once in the data folder, registered, answered for by one program."""

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from commands.fleet import Companion
from commands.places import ROOT
from core.clock import Clock
from core.stores.database import Database
from gate import signing
from services.transit.devices import Devices
from services.transit.model import Device
from services.transit.network import Network
from settings import Settings, address

HOST = "127.0.0.1"
_EVERY_S = 30  # they tell at once whom they let through; this is for the trust list
_STATIONS = (("m2", "hanyang"), ("m2", "hongshan"), ("m2", "zhongnan"), ("m2", "guanggu"), ("m4", "wuchang"))
_BUSES = (("bus-15", "B1501"),)
_SAID = {"in": "进站", "out": "出站", "board": "上车"}


@dataclass(frozen=True, slots=True)
class Stand:
    """One gate; `file` sorts it among the others."""

    file: str
    line: str
    way: str
    title: str
    operator: str
    station: str = ""
    vehicle: str = ""


def address_of(settings: Settings) -> str:
    """Where people choose among the gates; "" where there are none."""
    port = settings.simulator.gates_port
    return f"{address(HOST, port)}/" if port and settings.transit.folder else ""


async def stand(settings: Settings, network: Network, db: Database, clock: Clock) -> Companion | None:
    """Make the gates' folders and register them; the program that answers for them, None for no gates."""
    gates = list(_gates(network))
    if not address_of(settings) or not gates:
        return None
    folder = settings.stores.folder / "gates"
    folder.mkdir(mode=0o700, exist_ok=True)
    devices = Devices(db, clock)
    for each in gates:
        await _register(folder, each, devices, settings)
    port = str(settings.simulator.gates_port)
    return Companion([sys.executable, "-m", "gate", "street", str(folder), "--port", port], ROOT)


def _gates(network: Network) -> Iterator[Stand]:
    """Those of the demo city that stand at lines there are."""
    for number, (line, station) in enumerate(_STATIONS, 1):
        if line in network.metro and network.stops(line, station):
            place = f"{network.metro[line].name} {network.stations[station].name}"
            for way in ("in", "out"):
                title = f"{place} {_SAID[way]}"
                yield Stand(f"{number}-{station}-{way}", line, way, title, network.operator, station)
    for line, vehicle in _BUSES:
        if line in network.buses:
            title = f"{network.buses[line].name} {_SAID['board']}"
            file = f"{len(_STATIONS) + 1}-{line}"
            yield Stand(file, line, "board", title, network.operator, vehicle=vehicle)


async def _register(folder: Path, gate: Stand, devices: Devices, settings: Settings) -> None:
    """Its name is of its key: a new key is another gate, whose numbers begin anew."""
    key = folder / f"{gate.file}.key"
    known = signing.load(gate.file, key) if key.exists() else signing.create(gate.file, key)
    public = known.public_key
    name = f"{gate.file}-{hashlib.sha256(public).hexdigest()[:6]}"
    await devices.add(Device(name, gate.line, gate.station, gate.vehicle), public)
    (folder / f"{gate.file}.toml").write_text(_toml(gate, name, settings), "utf-8")


def _toml(gate: Stand, name: str, settings: Settings) -> str:
    place = ("vehicle", gate.vehicle) if gate.vehicle else ("station", gate.station)
    types = ["self", "companion"] if gate.vehicle else ["self"]
    said = {
        "device": name,
        "way": gate.way,
        place[0]: place[1],
        "line": gate.line,
        "title": gate.title,
        "types": types,
        "operator": gate.operator,
        "server": settings.server.local_url,
        "key": f"{gate.file}.key",
        "folder": name,
        "every_s": _EVERY_S,
    }
    return "".join(f"{key} = {msgspec.json.encode(value).decode()}\n" for key, value in said.items())
