"""A town with two phones and nothing due, on each kind of store."""

import pytest

from core.chat.durations import Durations
from core.chat.inbox import Inbox
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.sheet import Sheet
from tests.core.delivery.town import HERE, THERE, Phone, Post, Town


@pytest.fixture
async def town(any_redis: Redis, any_db: Database, seal: Seal) -> Town:
    phones = {HERE: Phone("city", "o-here"), THERE: Phone("city", "o-there")}
    return Town(any_redis, any_db, seal, Post(phones), Inbox(any_redis, Durations(flood=0)))


@pytest.fixture
async def bureau(town: Town) -> Bureau:
    return Bureau(town.redis, town.db, town.seal, town.post, town.inbox)


@pytest.fixture
async def sheet(any_db: Database) -> Sheet:
    return Sheet(any_db)
