"""`messages list|show|close`: what citizens left for the human desk, for staff without a console."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from datetime import timedelta

from commands import places, terminal
from commands.database import migrated
from core.chat.desk import Desk, DeskHours, Message
from core.clock import CITY_ZONE, SystemClock
from core.errors import BootError
from core.stores import keys
from settings import Settings

_SHORT = 40
_OTHERS = 10  # of the same citizen, the latest
_MOST = 10_000
_ALL = "`.venv/bin/python main.py messages list --all` shows all"


def listing(settings: Settings, after: str, limit: int, closed: bool) -> int:  # noqa: FBT001 - an option of the command line
    """List messages, one line each."""
    if not 1 <= limit <= _MOST:
        raise BootError(f"--limit {limit}: give a whole number from 1 to {_MOST}")

    async def work(desk: Desk) -> int:
        if after and await desk.show(after) is None:
            raise BootError(f"--after {after}: there is no such message; {_ALL}")
        found = await desk.list(after, limit, closed=closed)
        for message in found:
            facts = (message.id, _when(message), _state(message), _writer(message), _short(message.text))
            terminal.say("  ".join(facts))
        if not found:
            terminal.say("no messages" if closed or after else "no messages wait")
        elif len(found) == limit:
            terminal.say(f"more: .venv/bin/python main.py messages list --after {found[-1].id}")
        return 0

    return _at_desk(settings, work)


def show(settings: Settings, message_id: str) -> int:
    """Show one message in full: since when it waits, where it came from, what else the same citizen left."""

    async def work(desk: Desk) -> int:
        message = await desk.show(message_id)
        if message is None:
            return _unknown(message_id)
        account = settings.accounts.get(message.account)
        named = f" ({account.name})" if account and account.name else ""
        others = [each for each in message.siblings if each != message.id]
        terminal.say(f"{message.id}  {_when(message)}  {_state(message)}")
        terminal.say(f"to account {message.account}{named}")
        terminal.say(f"by {_writer(message)}{', also ' + ', '.join(others[-_OTHERS:]) if others else ''}\n")
        terminal.say(_printable(message.text))
        return 0

    return _at_desk(settings, work)


def close(settings: Settings, message_id: str, by: str) -> int:
    """Mark one message as dealt with."""
    name = by or getpass.getuser()

    async def work(desk: Desk) -> int:
        if await desk.close(message_id, name):
            terminal.say(f"{message_id} closed by {name}")
            return 0
        message = await desk.show(message_id)
        if message is None:
            return _unknown(message_id)
        terminal.complain(f"{message_id} was closed already, by {message.closed_by}")
        return 1

    return _at_desk(settings, work)


def _at_desk(settings: Settings, work: Callable[[Desk], Awaitable[int]]) -> int:
    database_url = places.database(settings.stores)
    seal = keys.load(places.key_ring(settings.stores))

    async def opened() -> int:
        async with migrated(database_url) as db:
            return await work(Desk(db, seal, SystemClock(), DeskHours(*settings.chat.desk_span)))

    return asyncio.run(opened())


def _unknown(message_id: str) -> int:
    terminal.complain(f"there is no message {message_id}; {_ALL}")
    return 1


def _when(message: Message) -> str:
    return message.left_at.astimezone(CITY_ZONE).strftime("%Y-%m-%d %H:%M%z")


def _state(message: Message) -> str:
    if message.closed_at:
        return "closed by " + message.closed_by
    return "waits " + _duration(SystemClock().now() - message.left_at)


def _duration(waited: timedelta) -> str:
    """The two largest units: 3 d 4 h, 2 h 5 min, 0 min."""
    minutes = max(0, int(waited.total_seconds()) // 60)
    days, hours = minutes // (60 * 24), minutes // 60 % 24
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def _writer(message: Message) -> str:
    """Who wrote, under a name that tells no openid, and how often they did."""
    place, count = message.siblings.index(message.id) + 1, len(message.siblings)
    return f"citizen {message.writer}" + (f", message {place} of {count}" if count > 1 else "")


def _short(text: str) -> str:
    line = " ".join(_printable(text).split())
    return line if len(line) <= _SHORT else line[:_SHORT] + "…"


def _printable(text: str) -> str:
    """A citizen's words without what would steer the terminal."""
    return "".join(each if each.isprintable() or each == "\n" else "�" for each in text)
