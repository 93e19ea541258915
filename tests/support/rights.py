"""What citizens agreed to and may ask of their data, as main.py builds it for a bot."""

from commands.naming import by_type
from commands.post import Post
from commands.rights import DataRights, data_rights
from commands.surroundings import Surroundings
from core.schedule.reminders import Reminders
from services.citizens.consent_texts import Texts
from services.citizens.service import Families
from settings import Server, Settings
from tests.support.city_hospital import ADDRESS, notices_of
from tests.support.talk import Ground
from tests.support.wording import TEMPLATES, house_words, kinds_in

TEXTS = Texts(TEMPLATES / "consent")


def data_rights_of(ground: Ground) -> DataRights:
    """These services on the stores of one test."""
    settings = Settings(server=Server(base_url=ADDRESS))
    around = Surroundings(settings, "", "", ground.seal, ground.clock)
    notices = notices_of(ground.seal, ground.clock)
    sent = Post(house_words(), kinds_in(), notices, Reminders(ground.db, notices, ground.clock))
    families = Families(ground.db, ground.seal, ground.clock, notices)
    return data_rights(around, ground.db, ground.redis, sent, families)


def rights_of(ground: Ground) -> dict[type, object]:
    """The same, by type, for the handlers that name them."""
    return by_type(data_rights_of(ground))
