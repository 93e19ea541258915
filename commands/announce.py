"""`outbox announce`: one notice to many, shown before it is made."""

import asyncio
import getpass
import tomllib
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

from commands import parts, places, terminal
from commands.database import require_schema
from commands.post import post
from commands.reception import limits
from core.clock import CITY_ZONE
from core.delivery.announcing import Announcer, Outlook, Wish
from core.delivery.notices import NoticeRefused
from core.delivery.rates import Rates
from core.errors import BootError
from core.stores.boot import open_database, open_redis
from services.citizens.service import FOLLOWERS, Citizens
from settings import Settings

_SHOWN_DAYS = 10


def announce(settings: Settings, kind: str, account: str, facts: str, *, sure: bool, dry: bool) -> int:
    """Show what will be said, to how many and over how many days; make it after a yes."""
    wish = Wish(kind, account, FOLLOWERS, _read(Path(facts)))
    return asyncio.run(_announced(settings, wish, sure=sure, dry=dry))


async def _announced(settings: Settings, wish: Wish, *, sure: bool, dry: bool) -> int:
    found = places.find(settings.stores)
    around = parts.surroundings(parts.beside(settings, found), found)
    if wish.account not in around.settings.accounts:
        raise BootError(f"--account {wish.account}: there are {', '.join(around.settings.accounts)}")
    async with AsyncExitStack() as stack:
        db = await open_database(around.database_url)
        stack.push_async_callback(db.close)
        redis = await open_redis(around.redis_url)
        stack.push_async_callback(redis.close)
        await require_schema(db)
        citizens = Citizens(db, around.seal)
        rates = Rates(redis, limits(around.settings), around.clock)
        announcer = Announcer(db, around.seal, post(around, db).notices, rates, citizens, around.clock)
        try:
            outlook = await announcer.look(wish)
        except NoticeRefused as refused:
            facts = refused.facts
            raise BootError(f"{facts['kind']}: {facts['field']}: {facts['why']}") from refused
        _say(outlook)
        if dry:
            return 0
        if not outlook.recipients:
            raise BootError(f"{wish.account} has no followers yet that the gateway knows: nothing was made")
        if not sure and not await asyncio.to_thread(terminal.agrees, "send it? type yes: ", "yes"):
            terminal.say("nothing was made")
            return 1
        number = await announcer.make(outlook, getpass.getuser())
        terminal.say(f"job {number}; `.venv/bin/python main.py outbox status` shows how far it is")
    return 0


def _read(path: Path) -> Mapping[str, object]:
    """The facts of a notice out of a TOML file; a time without a zone is city time."""
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as unreadable:
        raise BootError(f"--facts {path} cannot be read: {unreadable}") from unreadable
    except tomllib.TOMLDecodeError as broken:
        raise BootError(f"--facts {path} is not TOML: {broken}") from broken
    return {key: _in_city(value) for key, value in given.items()}


def _in_city(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=CITY_ZONE)
    return value


def _say(outlook: Outlook) -> None:
    terminal.say(outlook.letter.text)
    terminal.say()
    for key, value in outlook.letter.fields:
        terminal.say(f"  {terminal.padded(key, 16)}{value}")
    days = outlook.days
    terminal.say(
        f"\n{terminal.count(outlook.recipients, 'recipient')} of {outlook.wish.account}, by {outlook.api}"
    )
    for day in days[:_SHOWN_DAYS]:
        terminal.say(f"  {day.date:%Y-%m-%d}  at most {day.count:,}")
    if len(days) > _SHOWN_DAYS:
        terminal.say(f"  … {len(days)} days in all, the last {days[-1].date:%Y-%m-%d}")
    begins = f"{outlook.not_before.astimezone(CITY_ZONE):%Y-%m-%d %H:%M}"
    ends = f"{outlook.valid_until.astimezone(CITY_ZONE):%Y-%m-%d %H:%M}"
    terminal.say(f"not before {begins}, worth sending until {ends} city time\n")
