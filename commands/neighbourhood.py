"""The communities put together: their places, and who lives there."""

from dataclasses import dataclass

from apscheduler.triggers.interval import IntervalTrigger

from commands.jobs import Jobs
from commands.surroundings import Surroundings
from core.clock import CITY_ZONE
from core.delivery.notices import Notice, Notices
from core.stores.database import Database, Transaction
from services.citizens.consent_texts import COMMUNITY
from services.citizens.consents import Consents
from services.citizens.service import Citizens
from services.community.service import Doors, Homes, Places


@dataclass(frozen=True, slots=True)
class Residents:
    """Who lives somewhere: what they agreed to, and how they are told."""

    citizens: Citizens
    consents: Consents
    notices: Notices

    async def require(self, tx: Transaction, citizen: str) -> None:
        """Refuse who has not agreed."""
        await self.consents.require(tx, citizen, COMMUNITY)

    async def conversation(self, tx: Transaction, citizen: str) -> str | None:
        """Where they wrote last."""
        return await self.citizens.conversation(tx, citizen)

    async def queue(self, tx: Transaction, notice: Notice) -> bool:
        """Tell them."""
        return await self.notices.queue(tx, notice)


@dataclass(frozen=True, slots=True)
class Community:
    """The services of the communities, built once."""

    places: Places
    doors: Doors
    homes: Homes


def community(around: Surroundings, db: Database, residents: Residents) -> Community:
    """Build them on one database."""
    stores = (db, around.seal, around.clock)
    return Community(Places(db, around.clock), Doors(*stores), Homes(*stores, residents))


def keep(jobs: Jobs, homes: Homes) -> None:
    """End the requests that nobody decided."""
    jobs.add("expire_homes", homes.expire, IntervalTrigger(minutes=1, timezone=CITY_ZONE))
