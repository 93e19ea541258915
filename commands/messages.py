"""`messages list|show|close`: what citizens left for the human desk, for staff without a console."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable

from commands import places, terminal
from commands.database import migrated
from core.chat.desk import Desk, DeskHours, Message
from core.clock import CITY_ZONE, SystemClock
from core.errors import BootError
from core.stores import keys
from settings import Settings

_SHORT = 40
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
            terminal.say(f"{message.id}  {_when(message)}  {_state(message)}  {_short(message.text)}")
        if not found:
            terminal.say("no messages" if closed or after else "no messages wait")
        elif len(found) == limit:
            terminal.say(f"more: .venv/bin/python main.py messages list --after {found[-1].id}")
        return 0

    return _at_desk(settings, work)


def show(settings: Settings, message_id: str) -> int:
    """Show one message in full."""

    async def work(desk: Desk) -> int:
        message = await desk.show(message_id)
        if message is None:
            return _unknown(message_id)
        terminal.say(f"{message.id}  {_when(message)}  {_state(message)}")
        terminal.say(f"from {message.conversation}\n")
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
    return "closed by " + message.closed_by if message.closed_at else "waits"


def _short(text: str) -> str:
    line = " ".join(_printable(text).split())
    return line if len(line) <= _SHORT else line[:_SHORT] + "…"


def _printable(text: str) -> str:
    """A citizen's words without what would steer the terminal."""
    return "".join(each if each.isprintable() or each == "\n" else "�" for each in text)
