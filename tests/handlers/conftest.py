"""The city's bot on a small hospital of its own, and a citizen who talks with it."""

from collections.abc import AsyncIterator
from datetime import time

import pytest

from bots import city
from commands.naming import by_type
from core.chat.desk import Desk, DeskHours
from core.chat.events import Event
from core.clock import ManualClock
from core.delivery.kept import Kept
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from services.citizens.pages import OwnPages
from services.citizens.papers import Papers
from services.citizens.proving import Proving
from services.citizens.service import Citizens, Families
from services.hospital.service import Hospital
from tests.services.conftest import citizens, hospital, ward
from tests.support.city_hospital import hospital_of, notices_of
from tests.support.neighbourhood import community_of
from tests.support.people import CHILD, DAUGHTER, MOTHER
from tests.support.register import Register
from tests.support.riders import Riders
from tests.support.rights import rights_of
from tests.support.talk import Bot, Ground, Talk, words_of

__all__ = ["citizens", "hospital", "ward"]


def bot_of(ground: Ground, register: Register | None = None, riders: Riders | None = None) -> Bot:
    """The bot as a freshly started process has it: nothing is remembered outside the stores."""
    register = register or Register({})
    citizens = Citizens(ground.db, ground.seal)
    stores = (ground.db, ground.seal, ground.clock)
    notices = notices_of(ground.seal, ground.clock)
    services: dict[type, object] = {
        **rights_of(ground),
        **(riders or Riders(ground)).services,
        Families: Families(*stores, notices),
        Proving: Proving(*stores, {register.name: register}, notices),
        Papers: Papers(ground.clock),
        OwnPages: OwnPages("https://city.example"),
        Citizens: citizens,
        **by_type(community_of(*stores)),
        Hospital: hospital_of(ground.db, ground.seal, ground.clock),
        Desk: Desk(ground.db, ground.seal, ground.clock, DeskHours(time(8, 30), time(17, 30))),
        Kept: Kept(ground.db, ground.seal, words_of(), ground.clock),
    }

    async def identify(event: Event) -> str:
        return await citizens.arrive(event.conversation, event.account, event.openid)

    return Bot(city.router, services, words_of(), identify)


@pytest.fixture
def register() -> Register:
    """What the hospital knows of people."""
    return Register({MOTHER: "13800001111", CHILD: "13800001111", DAUGHTER: "13800002222"})


@pytest.fixture
async def talk(
    redis: Redis, db: Database, seal: Seal, clock: ManualClock, register: Register
) -> AsyncIterator[Talk]:
    """A citizen at the city's account."""
    ground = Ground(redis, db, seal, clock)
    talk = Talk(ground, bot_of(ground, register))
    yield talk
    await talk.dispatcher.drain()
