"""The demo city's gates: made once, registered with their keys, and made anew where their folder is lost."""

import asyncio
import shutil
import sys
from pathlib import Path

import msgspec
import pytest

from commands import street
from commands.fleet import Companion
from commands.places import DEMO_TRANSIT
from core.clock import ManualClock
from core.stores.database import Database
from gate import settings as gates
from services.transit.devices import Devices
from services.transit.tariffs import read
from settings import Settings, Simulator, Stores, Transit
from tests.support.waiting import until

NETWORK = read(DEMO_TRANSIT).network


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(stores=Stores(data_dir=str(tmp_path)), transit=Transit(folder=str(DEMO_TRANSIT)))


async def stood(settings: Settings, db: Database, clock: ManualClock) -> dict[str, gates.Settings]:
    """The gates, by their names."""
    assert await street.stand(settings, NETWORK, db, clock)
    files = (settings.stores.folder / "gates").glob("*.toml")
    return {each.device: each for each in map(gates.load, files)}


async def test_each_gate_is_where_the_server_believes_it_to_be(
    settings: Settings, db: Database, clock: ManualClock
) -> None:
    made = await stood(settings, db, clock)
    known = {each.device.id: each.device for each in await Devices(db, clock).page("", 100)}
    assert known.keys() == made.keys()
    for name, gate in made.items():
        place = known[name]
        assert (gate.line, gate.station or "", gate.vehicle or "") == (
            place.line,
            place.station,
            place.vehicle,
        )
        assert gate.server == settings.server.local_url
    assert {gate.title for gate in made.values()} >= {"2号线 中南路 进站", "2号线 光谷广场 出站", "15路 上车"}
    assert [gate.types for gate in made.values() if gate.way == "board"] == [("self", "companion")]


async def test_a_gate_stays_who_it_is_unless_its_key_is_lost(
    settings: Settings, db: Database, clock: ManualClock
) -> None:
    first = await stood(settings, db, clock)
    assert (await stood(settings, db, clock)).keys() == first.keys()
    shutil.rmtree(settings.stores.folder / "gates")
    again = await stood(settings, db, clock)
    assert len(again) == len(first)
    assert not again.keys() & first.keys(), "the numbers of its taps begin anew"


async def test_there_are_none_without_a_port_or_lines(
    settings: Settings, db: Database, clock: ManualClock
) -> None:
    for changed in (
        msgspec.structs.replace(settings, simulator=Simulator(gates_port=0)),
        msgspec.structs.replace(settings, transit=Transit()),
    ):
        assert street.address_of(changed) == ""
        assert await street.stand(changed, NETWORK, db, clock) is None


async def test_one_program_waits_until_the_one_it_asks_is_ready(tmp_path: Path) -> None:
    first, second = (Companion([sys.executable, "-c", _SAYS, str(tmp_path), name]) for name in ("1", "2"))
    keeping = [asyncio.create_task(second.keep(first)), asyncio.create_task(first.keep())]
    await until((tmp_path / "1").exists, "the first is started")
    assert not (tmp_path / "2").exists()
    (tmp_path / "go").touch()
    await until((tmp_path / "2").exists, "the second follows")
    for each in keeping:
        each.cancel()
    await asyncio.wait(keeping)


# Says on the pipe that it is ready once it may.
_SAYS = """
import os, pathlib, sys, time
folder, name, member = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[-1]
(folder / name).touch()
while not (folder / "go").exists():
    time.sleep(0.02)
os.write(int(member.split(":")[1]), b"ready")
time.sleep(60)
"""
