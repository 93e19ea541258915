"""Composition root: settings → stores → services → bots → doors; hands over to `commands/`."""

import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from clients.issuer import SocketIssuer
from clients.wechat import open_http
from commands import line, places
from commands.doors import doors
from commands.gateway import Gateway
from commands.outside import Outside
from commands.paying import pay
from commands.post import post
from commands.reception import Means, reception
from commands.registers import institutions
from commands.services import city_services, for_handlers
from commands.surroundings import Surroundings
from commands.terminal import complain, unread
from commands.unionids import unionids
from core.chat.digests import Digests
from core.delivery.backlog import backlog
from core.errors import BootError, StoreGoneError
from core.metrics import Metrics
from core.stores.boot import open_database, open_redis, postgres_version, redis_version
from settings import Settings, load
from webhooks.health import Health
from webhooks.outbox import OutboxDoor
from webhooks.pay import PayDoor
from webhooks.routes import Doors
from webhooks.wechat import AccountKeys, Porch, door
from webhooks.wechat_envelope import require_own_tokens


async def assemble(around: Surroundings) -> Gateway:
    """Open the stores and put the gateway together; nothing answers before its `serve`."""
    known = {key: account_keys(around.settings, key) for key in around.settings.accounts}
    require_own_tokens(list(known.values()))
    async with AsyncExitStack() as stack:
        redis = await open_redis(around.redis_url)
        stack.push_async_callback(redis.close)
        db = await open_database(around.database_url)
        stack.push_async_callback(db.close)
        sent = post(around, db)
        http = await stack.enter_async_context(open_http())
        paying = pay(around.settings, http, redis, around.clock, sent.words)
        issuer = SocketIssuer(places.issuer_socket(around.settings))
        stack.push_async_callback(issuer.close)
        outside = Outside(institutions(around.settings, http, around.clock), paying, issuer)
        services = city_services(around, db, redis, sent, outside)
        metrics = Metrics()
        health = Health(
            {"缓存": lambda: redis_version(redis), "数据库": lambda: postgres_version(db)},
            services.desk.waiting,
            lambda: backlog(db),
            metrics,
            around.clock,
            around.templates,
        )
        health.beside({"乘车码签发": issuer.told})
        means = Means(around, redis, db, http, sent)
        received = reception(means, services.citizens, for_handlers(means, services))
        accounts = [(known[key], each) for key, each in received.dispatchers.items()]
        porch = Porch(around.seal, around.clock, metrics, lambda: health.ready, Digests(redis).bind)
        told = PayDoor(paying.opener, services.payments, lambda: health.ready).routes()
        inside = [*doors(means, services, lambda: health.ready), *told, *health.public_routes()]
        app = Doors([*door(accounts, porch), *inside])
        return Gateway(
            app=app,
            admin=Doors([*health.admin_routes(), *OutboxDoor(db).routes()]),
            health=health,
            redis=redis,
            db=db,
            services=services,
            reception=received,
            reminders=sent.reminders,
            unionids=unionids(means, services.citizens),
            _open=stack.pop_all(),
        )


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
    except BrokenPipeError:  # `check | head -3`: nobody reads on
        return unread()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
