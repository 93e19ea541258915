"""`schedule`: keeps the city's time: reminders, holds, new days, and what may be forgotten."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import structlog

from commands import days, parts
from commands.gateway import Assemble, Gateway
from commands.recurring import keeping_time
from commands.surroundings import Surroundings
from settings import Settings

_log = structlog.get_logger("schedule")


def schedule(settings: Settings, assemble: Assemble) -> int:
    """Do what recurs until asked to end. A second one stands by and takes over within seconds."""
    return parts.stand_alone(settings, assemble, parts.SCHEDULE, _keeping_time)


@asynccontextmanager
async def _keeping_time(gateway: Gateway, around: Surroundings) -> AsyncIterator[None]:
    open_days = partial(days.open_new_days, gateway.db, around.clock)
    _log.info("days_open", new_sessions=await open_days())
    async with keeping_time(gateway, open_days):
        yield
