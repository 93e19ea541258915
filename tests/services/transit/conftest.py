"""A line of the invented city."""

from datetime import timedelta

import pytest

from core.clock import ManualClock
from core.stores.database import Database
from tests.services.transit.line import MORNING, Line


@pytest.fixture
def line(db: Database) -> Line:
    """It runs, and it is noon."""
    return Line(db, ManualClock(MORNING + timedelta(hours=4)))
