"""What sets the reminders of the city's services: its kinds of notices, their words, and where they wait."""

from commands.surroundings import Surroundings
from core.chat.words import CityFacts, Words
from core.delivery.kinds import Kinds
from core.delivery.notices import Notices
from core.schedule.reminders import Reminders
from core.stores.database import Database


def reminders(around: Surroundings, db: Database) -> Reminders:
    """Put them together; a notice that cannot be read stops the boot."""
    chat = around.settings.chat
    words = Words(
        around.templates,
        CityFacts(desk_phone=chat.desk_phone, desk_hours=chat.desk_hours, hotline=chat.hotline),
    )
    kinds = Kinds(around.templates / "notices", words)
    notices = Notices(kinds, words, around.seal, around.clock, around.settings.server.url)
    return Reminders(db, notices, around.clock)
