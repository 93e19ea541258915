"""Reception put together: each account's bot behind one inbox, and what sends replies that come late."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import aiohttp

from clients.wechat import Credentials, Platform, Shelf, WeChatSender
from commands import wording
from commands.bots import router_of
from commands.post import Post, words_of
from commands.surroundings import Surroundings
from core.chat.dispatcher import Dispatcher
from core.chat.durations import Durations
from core.chat.events import Event
from core.chat.house import House
from core.chat.inbox import Inbox
from core.chat.redflags import RedFlags
from core.chat.routes import Routes
from core.chat.turns import Turns
from core.delivery.kept import Kept
from core.delivery.outgoing import Office, Outgoing
from core.delivery.owed import Owed
from core.delivery.prompts import Prompting
from core.delivery.rates import SUBSCRIPTION, TEMPLATE, USER_INFO, WINDOW, Limits
from core.delivery.sweeper import Sweeper
from core.delivery.tidings import Tidings
from core.stores.database import Database
from core.stores.redis import Redis
from services.citizens.service import Citizens
from settings import Account, Settings


@dataclass(frozen=True, slots=True)
class Means:
    """What reception works with."""

    around: Surroundings
    redis: Redis
    db: Database
    http: aiohttp.ClientSession
    post: Post


@dataclass(frozen=True, slots=True)
class Reception:
    """The dispatchers by account, and who keeps what they promise."""

    dispatchers: Mapping[str, Dispatcher]
    sweeper: Sweeper
    outgoing: Outgoing


def reception(means: Means, citizens: Citizens, services: Mapping[type, object]) -> Reception:
    """Put router, words, inbox and dispatcher together, for each account its own bot."""
    around = means.around
    chat = around.settings.chat
    inbox = Inbox(
        means.redis,
        Durations(session=chat.session_hours * 3600.0),
        window_sends=around.settings.wechat.window_sends,
    )
    owed = Owed(means.db, around.seal)
    tidings = Tidings(means.db, means.post.kinds)
    kept = Kept(means.db, around.seal, means.post.words, around.clock)
    red_flags = RedFlags(around.templates / "chat" / "red_flags.toml")

    async def identify(event: Event) -> str:
        return await citizens.arrive(event.conversation, event.account, event.openid)

    def dispatcher(key: str, account: Account) -> Dispatcher:
        router = router_of(around.settings, key)
        routes = Routes(router, {**services, Kept: kept})
        words = words_of(around, account.name)
        wording.require(router, words)
        idle = timedelta(minutes=chat.idle_minutes)
        house = House(routes, words, red_flags, identify, around.clock, idle, Prompting(means.db))
        return Dispatcher(inbox, Turns(house), around.seal, around.clock, owed, ears=tidings)

    dispatchers = {key: dispatcher(key, account) for key, account in around.settings.accounts.items()}
    office = Office(
        db=means.db,
        redis=means.redis,
        seal=around.seal,
        clock=around.clock,
        kinds=means.post.kinds,
        words=means.post.words,
        inbox=inbox,
        city=citizens,
        sender=_sender(means),
        limits=limits(around.settings),
    )
    return Reception(dispatchers, Sweeper(owed, dispatchers), Outgoing(office))


def _sender(means: Means) -> WeChatSender:
    """What sends messages of ours, through each account with its own secret."""
    return WeChatSender(*at_wechat(means))


def at_wechat(means: Means) -> tuple[Platform, list[Credentials]]:
    """WeChat, and who we are there; all processes share the tokens of each account."""
    settings = means.around.settings
    shelf = Shelf(means.redis, means.around.seal)
    accounts = settings.accounts.items()
    return (
        Platform(means.http, settings.wechat.url, means.around.clock, shelf),
        [Credentials(key, account.appid, account.secret) for key, account in accounts],
    )


def limits(settings: Settings) -> Limits:
    """What each account may send."""
    quotas = {
        key: {
            WINDOW: account.daily_sends,
            TEMPLATE: account.daily_templates,
            SUBSCRIPTION: account.daily_subscriptions,
            USER_INFO: account.daily_user_infos,
        }
        for key, account in settings.accounts.items()
    }
    return Limits(settings.wechat.sends_per_second, quotas, settings.wechat.bulk_share)
