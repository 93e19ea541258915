"""The hospital's counter as main.py builds it: with the links it hands out and the reminders it sets."""

from core.clock import Clock
from core.delivery.notices import Notices
from core.schedule.reminders import Reminders
from core.seal import Seal
from core.stores.database import Database
from services.citizens.service import Citizens, Families
from services.hospital.links import Links
from services.hospital.rules import Rules
from services.hospital.service import Hospital, People
from tests.support.wording import house_words, kinds_in

ADDRESS = "https://city.example"


def notices_of(seal: Seal, clock: Clock) -> Notices:
    """What these notices are handed to."""
    return Notices(kinds_in(), house_words(), seal, clock, ADDRESS)


def hospital_of(
    db: Database, seal: Seal, clock: Clock, rules: Rules | None = None, kind: type[Hospital] = Hospital
) -> Hospital:
    """A counter on this database, or one of another kind."""
    notices = notices_of(seal, clock)
    reminders = Reminders(db, notices, clock)
    people = People(Citizens(db, seal), Families(db, seal, clock, notices))
    return kind(db, people, clock, Links(seal, ADDRESS), reminders, rules)
