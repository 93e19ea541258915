"""What doors are tried on: a hospital's, with one booking behind it, and the console."""

from collections.abc import AsyncIterator

import pytest

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from services.citizens.service import Citizens
from tests.services.ward import Ward
from tests.support.city_hospital import hospital_of
from tests.webhooks.at_console import Console
from tests.webhooks.visiting import House


@pytest.fixture
async def console(db: Database, seal: Seal, clock: ManualClock) -> AsyncIterator[Console]:
    console = Console(db, seal, clock)
    async with console.client:
        yield console


@pytest.fixture
async def house(db: Database, seal: Seal, clock: ManualClock) -> AsyncIterator[House]:
    ward = Ward(db, Citizens(db, seal), clock)
    await ward.build()
    house = House(ward, hospital_of(db, seal, clock), clock)
    await house.books()
    async with house.client:
        yield house
