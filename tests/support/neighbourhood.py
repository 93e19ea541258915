"""The services of the communities, as main.py builds them."""

from commands.neighbourhood import Community, Residents, community
from commands.surroundings import Surroundings
from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from services.citizens.consents import Consents
from services.citizens.service import Citizens
from settings import Settings
from tests.support.city_hospital import notices_of
from tests.support.rights import TEXTS


def community_of(db: Database, seal: Seal, clock: ManualClock) -> Community:
    """The services as main.py builds them."""
    consents = Consents(db, clock, TEXTS)
    residents = Residents(Citizens(db, seal), consents, notices_of(seal, clock))
    return community(Surroundings(Settings(), "", "", seal, clock), db, residents)
