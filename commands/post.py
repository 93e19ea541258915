"""Our notices put together: their kinds, their words, and the reminders that bring them when it is time."""

from dataclasses import dataclass

from commands.cards import played
from commands.surroundings import Surroundings
from core.chat.words import CityFacts, Words
from core.delivery.kinds import Kinds
from core.delivery.notices import Notices
from core.schedule.reminders import Reminders
from core.stores.database import Database


@dataclass(frozen=True, slots=True)
class Post:
    """What the services hand their notices to, and how each kind goes out."""

    words: Words
    kinds: Kinds
    notices: Notices
    reminders: Reminders


def post(around: Surroundings, db: Database) -> Post:
    """Read the kinds, or say in one line which of their files is wrong."""
    words = words_of(around)
    kinds = kinds_of(around, words)
    notices = Notices(kinds, words, around.seal, around.clock, around.settings.server.url)
    return Post(words, kinds, notices, Reminders(db, notices, around.clock))


def kinds_of(around: Surroundings, words: Words) -> Kinds:
    """The kinds of notices; the simulator has a template for each, WeChat those that their files name."""
    settings = around.settings
    return Kinds(around.templates / "notices", words, played(settings), settings.wechat.quiet_hours)


def words_of(around: Surroundings, name: str = "") -> Words:
    """The words of the city, as an account of this name says them."""
    chat = around.settings.chat
    named = {"name": name} if name else {}
    facts = CityFacts(desk_phone=chat.desk_phone, desk_hours=chat.desk_hours, hotline=chat.hotline, **named)
    return Words(around.templates, facts)
