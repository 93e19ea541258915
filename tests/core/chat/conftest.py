"""A tea house to talk with."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import structlog

from core.chat.durations import Durations
from core.chat.inbox import Inbox
from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from tests.core.chat.surgery import Visits, surgery_with
from tests.core.chat.teahouse import Kitchen, bot_with
from tests.support.talk import Ground, Talk


@pytest.fixture(autouse=True)
def _short_logs() -> Iterator[None]:
    """Print failures as plain lines: the pretty tracebacks of development take seconds to draw."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, plain])
    yield
    structlog.reset_defaults()


@pytest.fixture
def ground(redis: Redis, db: Database, seal: Seal, clock: ManualClock) -> Ground:
    """Stores, seal and clock of this test."""
    return Ground(redis, db, seal, clock)


@pytest.fixture
def kitchen(db: Database) -> Kitchen:
    """The kitchen of the tea house this test talks with."""
    return Kitchen(db)


@pytest.fixture
async def inbox(any_redis: Redis) -> Inbox:
    """Reception's claims, on each kind of Redis."""
    return Inbox(any_redis)


@pytest.fixture
async def quick(any_redis: Redis) -> Inbox:
    """The same with a lease of 0.15 s, attempts of 0.25 s, passing after 0.3 s, replies of 3 s."""
    return Inbox(any_redis, replace(Durations().scaled(0.05), flood=0))


@pytest.fixture
async def talk(ground: Ground, kitchen: Kitchen) -> AsyncIterator[Talk]:
    """A citizen at the tea house."""
    talk = Talk(ground, bot_with(kitchen))
    yield talk
    await talk.dispatcher.drain()


@pytest.fixture
def visits(db: Database) -> Visits:
    """The visits that the surgery reminds of."""
    return Visits(db)


@pytest.fixture
async def patient(ground: Ground, kitchen: Kitchen, visits: Visits) -> AsyncIterator[Talk]:
    """A citizen at the surgery, which is a tea house, too."""
    talk = Talk(ground, surgery_with(kitchen, visits))
    yield talk
    await talk.dispatcher.drain()
