"""Fixtures every test may ask for."""

import os
from datetime import datetime

import pytest
from hypothesis import settings

from core.clock import CITY_ZONE, ManualClock
from core.seal import Seal
from tests.support.browser import album, chromium, phone
from tests.support.rendered import Rendered
from tests.support.required import pytest_runtest_makereport
from tests.support.stores import (
    any_db,
    any_db_url,
    any_redis,
    any_redis_url,
    any_servers,
    by_turns,
    db,
    db_url,
    debian_servers,
    embedded_servers,
    redis,
    redis_url,
)

__all__ = [
    "album",
    "any_db",
    "any_db_url",
    "any_redis",
    "any_redis_url",
    "any_servers",
    "chromium",
    "db",
    "db_url",
    "debian_servers",
    "embedded_servers",
    "phone",
    "pytest_runtest_makereport",
    "redis",
    "redis_url",
]

# A slow machine is no counterexample; in CI the same examples are tried each time.
settings.register_profile("bianmin", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("bianmin")


def pytest_configure(config: pytest.Config) -> None:
    """A run of the whole suite tells which templates it never rendered."""
    config.pluginmanager.register(Rendered(config), "rendered-templates")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    by_turns(items)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands on a Monday morning, 2026-11-23 09:00 in the city."""
    return ManualClock(datetime(2026, 11, 23, 9, 0, tzinfo=CITY_ZONE))


@pytest.fixture
def seal() -> Seal:
    """A ring of two keys, the second one sealing."""
    return Seal({1: b"\x01" * 32, 2: b"\x02" * 32}, current=2, index_key=b"\x03" * 32)
