"""Composition root: settings → stores → services → bots → doors; hands over to `commands/`."""

import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from commands import line, places
from commands.bots import router_of
from commands.gateway import Gateway, Surroundings
from commands.terminal import complain
from core.chat.desk import Desk, DeskHours
from core.chat.digests import Digests
from core.chat.dispatcher import Dispatcher
from core.chat.events import Event
from core.chat.inbox import Durations, Inbox
from core.chat.redflags import RedFlags
from core.chat.routes import Routes
from core.chat.turns import House, Turns
from core.chat.words import CityFacts, Words
from core.errors import BootError, StoreGoneError
from core.metrics import Metrics
from core.stores.boot import open_database, open_redis, postgres_version, redis_version
from core.stores.database import Database
from core.stores.redis import Redis
from services.citizens.service import Citizens
from services.hospital.service import Hospital
from settings import Account, Settings, load
from webhooks.health import Health
from webhooks.routes import Doors
from webhooks.wechat import AccountKeys, Porch, door


@dataclass(frozen=True, slots=True)
class Services:
    """The city's services, built once."""

    citizens: Citizens
    hospital: Hospital
    desk: Desk


async def assemble(around: Surroundings) -> Gateway:
    """Open the stores and put the gateway together; nothing answers before its `serve`."""
    async with AsyncExitStack() as stack:
        redis = await open_redis(around.redis_url)
        stack.push_async_callback(redis.close)
        db = await open_database(around.database_url)
        stack.push_async_callback(db.close)
        services = city_services(around, db)
        metrics = Metrics()
        health = Health(
            {"缓存": lambda: redis_version(redis), "数据库": lambda: postgres_version(db)},
            services.desk.waiting,
            metrics,
            around.clock,
            around.templates,
        )
        dispatchers = reception(around, redis, services)
        accounts = [(account_keys(around.settings, key), each) for key, each in dispatchers.items()]
        porch = Porch(around.seal, around.clock, metrics, lambda: health.ready, Digests(redis).bind)
        app = Doors([*door(accounts, porch), *health.public_routes()])
        admin = Doors(health.admin_routes())
        return Gateway(
            app, admin, health, redis, db, services.citizens, services.hospital, dispatchers, stack.pop_all()
        )


def city_services(around: Surroundings, db: Database) -> Services:
    """Build every service of the city on one database."""
    citizens = Citizens(db, around.seal)
    return Services(
        citizens=citizens,
        hospital=Hospital(db, citizens, around.clock),
        desk=Desk(db, around.seal, around.clock, DeskHours(*around.settings.chat.desk_span)),
    )


def reception(around: Surroundings, redis: Redis, services: Services) -> dict[str, Dispatcher]:
    """Put router, words, inbox and dispatcher together, for each account its own bot."""
    chat = around.settings.chat
    inbox = Inbox(redis, Durations(session=chat.session_hours * 3600.0))
    red_flags = RedFlags(around.templates / "chat" / "red_flags.toml")
    by_type = {Hospital: services.hospital, Desk: services.desk, Citizens: services.citizens}

    async def identify(event: Event) -> str:
        return await services.citizens.arrive(event.conversation, event.account, event.openid)

    def dispatcher(account: Account) -> Dispatcher:
        routes = Routes(router_of(account.bot), by_type)
        named = {"name": account.name} if account.name else {}
        facts = CityFacts(
            desk_phone=chat.desk_phone, desk_hours=chat.desk_hours, hotline=chat.hotline, **named
        )
        words = Words(around.templates, facts)
        house = House(routes, words, red_flags, identify, around.clock, timedelta(minutes=chat.idle_minutes))
        return Dispatcher(inbox, Turns(house), words, around.seal, around.clock)

    return {key: dispatcher(account) for key, account in around.settings.accounts.items()}


def account_keys(settings: Settings, key: str) -> AccountKeys:
    """What the WeChat door needs of one account."""
    account = settings.accounts[key]
    return AccountKeys(
        key=key,
        original_id=account.original_id,
        appid=account.appid,
        token=account.token,
        aes_key=account.aes_key,
        previous_token=account.previous_token,
        previous_aes_key=account.previous_aes_key,
        mode=account.mode,
    )


def main(arguments: Sequence[str]) -> int:
    """Run one command and return the program's exit code."""
    command = line.parse(arguments)
    try:
        settings = load(os.environ, Path.cwd())
        try:
            return command(settings, assemble)
        except StoreGoneError as gone:
            raise places.unreachable(settings.stores, gone) from gone
    except BootError as wrong:
        complain(wrong)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
