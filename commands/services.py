"""The city's services, built once on one database."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from commands.post import Post
from commands.surroundings import Surroundings
from core.chat.desk import Desk, DeskHours
from core.stores.database import Database
from services.citizens.accesses import Accesses
from services.citizens.consent_texts import Texts
from services.citizens.consents import Consents
from services.citizens.institutions import Institution
from services.citizens.pages import OwnPages
from services.citizens.papers import Papers
from services.citizens.proving import Proving
from services.citizens.service import Citizens, Families
from services.hospital.links import Links
from services.hospital.service import Hospital, People


@dataclass(frozen=True, slots=True)
class Services:
    """The city's services, built once."""

    citizens: Citizens
    families: Families
    proving: Proving
    papers: Papers
    pages: OwnPages
    consents: Consents
    accesses: Accesses
    hospital: Hospital
    desk: Desk

    def by_type(self) -> dict[type, object]:
        """Each of them, for the handlers that name it."""
        every = (getattr(self, each.name) for each in fields(self))
        return {type(each): each for each in every}


def city_services(
    around: Surroundings, db: Database, sent: Post, institutions: Mapping[str, Institution]
) -> Services:
    """Build every service of the city on one database."""
    citizens = Citizens(db, around.seal)
    families = Families(db, around.seal, around.clock, sent.notices)
    links = Links(around.seal, around.settings.server.url)
    people = People(citizens, families)
    return Services(
        citizens=citizens,
        families=families,
        proving=Proving(db, around.seal, around.clock, institutions, sent.notices),
        papers=Papers(around.clock),
        pages=OwnPages(around.settings.server.url),
        consents=Consents(db, around.clock, Texts(around.templates / "consent")),
        accesses=Accesses(db, around.seal, around.clock, sent.notices),
        hospital=Hospital(db, people, around.clock, links, sent.reminders),
        desk=Desk(db, around.seal, around.clock, DeskHours(*around.settings.chat.desk_span)),
    )
