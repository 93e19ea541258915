"""The city's own bot for transcripts (`# bot: city`): real services, the demo city, a Monday morning."""

from datetime import time

from bots import city
from commands import demo
from commands.naming import by_type
from core.chat.desk import Desk, DeskHours
from core.chat.events import Event
from core.delivery.kept import Kept
from services.citizens.pages import OwnPages
from services.citizens.papers import Papers
from services.citizens.proving import Proving
from services.citizens.service import Citizens, Families
from services.hospital.service import Hospital
from tests.support.city_hospital import hospital_of, notices_of
from tests.support.neighbourhood import community_of
from tests.support.riders import Riders
from tests.support.rights import rights_of
from tests.support.talk import Bot, Ground, bot, words_of


@bot("city")
async def city_bot(ground: Ground) -> Bot:
    """Build the bot as main.py does, on a demo city that was loaded at the test's own time."""
    citizens = Citizens(ground.db, ground.seal)
    hospital = hospital_of(ground.db, ground.seal, ground.clock)
    await demo.load(demo.Stage(ground.db, citizens, hospital, ground.clock))
    desk = Desk(ground.db, ground.seal, ground.clock, DeskHours(time(8, 30), time(17, 30)))
    kept = Kept(ground.db, ground.seal, words_of(), ground.clock)
    stores = (ground.db, ground.seal, ground.clock)
    notices = notices_of(ground.seal, ground.clock)
    services: dict[type, object] = {
        **rights_of(ground),
        **Riders(ground).services,
        **by_type(community_of(*stores)),
        Citizens: citizens,
        Families: Families(*stores, notices),
        Proving: Proving(*stores, {}, notices),
        Papers: Papers(ground.clock),
        OwnPages: OwnPages("https://city.example"),
        Hospital: hospital,
        Desk: desk,
        Kept: kept,
    }

    async def identify(event: Event) -> str:
        return await citizens.arrive(event.conversation, event.account, event.openid)

    return Bot(city.router, services, words_of(), identify)
