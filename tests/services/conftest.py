"""Fixtures of the city's services."""

import pytest

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from services.citizens.service import Citizens
from services.hospital.service import Hospital
from tests.services.ward import Ward
from tests.support.city_hospital import hospital_of


@pytest.fixture
def citizens(db: Database, seal: Seal) -> Citizens:
    return Citizens(db, seal)


@pytest.fixture
def hospital(db: Database, seal: Seal, clock: ManualClock) -> Hospital:
    return hospital_of(db, seal, clock)


@pytest.fixture
async def ward(db: Database, citizens: Citizens, clock: ManualClock) -> Ward:
    """A hospital with five departments of two doctors each, and no sessions yet."""
    ward = Ward(db, citizens, clock)
    await ward.build()
    return ward
