"""What citizens agreed to and may ask of their data, as main.py builds it for a bot."""

from core.stores.database import Database
from services.citizens.accesses import Accesses
from services.citizens.consent_texts import Texts
from services.citizens.consents import Consents
from tests.support.city_hospital import TEMPLATES, notices_of
from tests.support.talk import Ground

TEXTS = Texts(TEMPLATES / "consent")


def rights_of(ground: Ground) -> dict[type, object]:
    """These services, by type, for the handlers that name them."""
    db: Database = ground.db
    notices = notices_of(ground.seal, ground.clock)
    return {
        Consents: Consents(db, ground.clock, TEXTS),
        Accesses: Accesses(db, ground.seal, ground.clock, notices),
    }
