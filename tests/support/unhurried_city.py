"""Bianmin with a hospital that says late what it did at once, a program in place of main.py."""

import asyncio
import random
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import main
from commands.outside import Outside
from commands.post import Post
from commands.services import Services
from commands.surroundings import Surroundings
from core.effects import Effect
from core.stores.database import Database
from core.stores.redis import Redis
from services.hospital.links import Links
from services.hospital.service import Hospital, People

_LONGEST_S = 10.0  # two attempts of WeChat's; a run that begins again at the third comes too late for it


class Unhurried(Hospital):
    """Who is killed before it says so leaves an effect that no dialogue has noted."""

    async def hold(self, period: str, citizen: str, effect: Effect, person: str = "") -> str:
        booking = await super().hold(period, citizen, effect, person)
        await _ponder()
        return booking

    async def cancel(self, booking: str, citizen: str, effect: Effect, version: int | None = None) -> str:
        cancelled = await super().cancel(booking, citizen, effect, version)
        await _ponder()
        return cancelled


async def _ponder() -> None:
    await asyncio.sleep(random.uniform(0, _LONGEST_S))


_services_of_main = main.__dict__["city_services"]


def city_services(around: Surroundings, db: Database, redis: Redis, sent: Post, outside: Outside) -> Services:
    """The same services, but for the hospital."""
    services: Services = _services_of_main(around, db, redis, sent, outside)
    people = People(services.citizens, services.families)
    links = Links(around.seal, around.settings.server.url)
    hospital = Unhurried(db, people, around.clock, links, sent.reminders)
    return replace(services, hospital=hospital)


if __name__ == "__main__":
    main.__dict__["city_services"] = city_services
    sys.exit(main.main(sys.argv[1:]))
