"""The city's services, built once on one database."""

from dataclasses import dataclass

from commands import rides
from commands.naming import by_type
from commands.neighbourhood import Community, Residents, community
from commands.outside import Outside
from commands.post import Post
from commands.reception import Means
from commands.rides import Riders
from commands.rights import DataRights, data_rights
from commands.surroundings import Surroundings
from core.chat.desk import Desk, DeskHours
from core.stores.database import Database
from core.stores.redis import Redis
from services.citizens.pages import OwnPages
from services.citizens.papers import Papers
from services.citizens.proving import Proving
from services.citizens.service import Citizens, Families
from services.hospital.links import Links
from services.hospital.service import Hospital, People
from services.payments.service import Payments
from services.transit.service import Transit


@dataclass(frozen=True, slots=True)
class Services:
    """The city's services, built once."""

    citizens: Citizens
    families: Families
    proving: Proving
    papers: Papers
    pages: OwnPages
    data: DataRights
    hospital: Hospital
    payments: Payments
    transit: Transit
    community: Community
    desk: Desk

    def by_type(self) -> dict[type, object]:
        """Each of them, for the handlers that name it."""
        return by_type(self) | by_type(self.data) | by_type(self.community)


def for_handlers(means: Means, services: Services) -> dict[type, object]:
    """Every service by its type, and what chat needs besides."""
    return services.by_type() | rides.chat(means, services.transit)


def city_services(around: Surroundings, db: Database, redis: Redis, sent: Post, outside: Outside) -> Services:
    """Build every service of the city on one pair of stores."""
    citizens = Citizens(db, around.seal)
    families = Families(db, around.seal, around.clock, sent.notices)
    links = Links(around.seal, around.settings.server.url)
    people = People(citizens, families)
    payments = Payments(db, outside.paying.bank, citizens, around.clock)
    data = data_rights(around, db, redis, sent, families)
    return Services(
        citizens=citizens,
        families=families,
        proving=Proving(db, around.seal, around.clock, outside.institutions, sent.notices),
        papers=Papers(around.clock),
        pages=OwnPages(around.settings.server.url),
        data=data,
        hospital=Hospital(db, people, around.clock, links, sent.reminders),
        payments=payments,
        transit=rides.transit(around, db, outside, Riders(citizens, data.consents, payments, sent)),
        community=community(around, db, Residents(citizens, data.consents, sent.notices)),
        desk=Desk(db, around.seal, around.clock, DeskHours(*around.settings.chat.desk_span)),
    )
