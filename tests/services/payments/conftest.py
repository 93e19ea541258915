"""Fixtures of payments."""

import pytest

from core.clock import ManualClock
from core.stores.database import Database
from services.citizens.service import Citizens
from tests.services.payments.till import Till


@pytest.fixture
def till(db: Database, clock: ManualClock, citizens: Citizens) -> Till:
    return Till.on(db, clock, citizens)
