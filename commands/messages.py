"""`messages list|show|close`: what citizens left for the human desk, for staff without a console."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from datetime import datetime

from commands import places, terminal
from commands.database import migrated
from core.chat.desk import Desk, DeskHours, Message, Waiting
from core.clock import CITY_ZONE, SystemClock
from core.errors import BootError
from core.seal import SealBrokenError
from core.stores import keys
from settings import Settings

USUAL = 20  # messages on a page
_SHORT = 40
_OTHERS = 10  # of the same citizen, the latest
_MOST = 10_000
_CALL = ".venv/bin/python main.py messages"
_ALL = f"`{_CALL} list --all` shows all"
_WIDTHS = (7, 23, 20, 36)  # of a line's number, time, state and writer


def listing(settings: Settings, after: str, limit: int, closed: bool) -> int:  # noqa: FBT001 - an option of the command line
    """List messages, one line each."""
    if not 1 <= limit <= _MOST:
        raise BootError(f"--limit {limit}: give a whole number from 1 to {_MOST}")

    async def work(desk: Desk) -> int:
        if after and await desk.show(after) is None:
            raise BootError(f"--after {after}: there is no such message; {_ALL}")
        found = await desk.list(after, limit + 1, closed=closed)
        for message in found[:limit]:
            _say_line(message)
        if found:
            terminal.say()  # the lines come first: whoever cuts them into columns finds them there
        if len(found) > limit:
            again = f" --limit {limit}" * (limit != USUAL) + " --all" * closed
            terminal.say(f"more: {_CALL} list --after {found[limit - 1].id}{again}")
        elif after:
            terminal.say("no more messages")
        _say_how_much(await desk.waiting())
        if found:
            terminal.say(f"one in full: {_CALL} show {found[0].id}")
        return 0

    return _at_desk(settings, work)


def _say_how_much(waiting: Waiting) -> None:
    if waiting.oldest is None:
        terminal.say("no messages wait")
    else:
        noun = "message waits" if waiting.count == 1 else "messages wait"
        terminal.say(
            f"{waiting.count} {noun}, the oldest for {_duration(waiting.oldest)}; times are city time"
        )


def _say_line(message: Message) -> None:
    state = _state(message) if message.closed_at is None else f"closed by {message.closed_by}"
    facts = (message.id, _when(message.left_at), state, _writer(message))
    columns = (terminal.padded(fact, width) for fact, width in zip(facts, _WIDTHS, strict=True))
    terminal.say("".join((*columns, _short(message.text))))


def show(settings: Settings, message_id: str) -> int:
    """Show one message in full: since when it waits, where it came from, what else the same citizen left."""

    async def work(desk: Desk) -> int:
        message = await desk.show(message_id)
        if message is None:
            return _unknown(message_id)
        account = settings.accounts.get(message.account)
        named = f" ({account.name})" if account and account.name else ""
        others = [each for each in message.siblings if each != message.id]
        terminal.say(f"{message.id}  {_when(message.left_at)}  {_state(message)}")
        terminal.say(f"to account {message.account}{named}")
        terminal.say(f"by {_writer(message)}{', also ' + ', '.join(others[-_OTHERS:]) if others else ''}\n")
        terminal.say(_printable(message.text))
        if message.closed_at is None:
            terminal.say("\nan answer cannot be sent from here; call back where the message says how")
            terminal.say(f"dealt with: {_CALL} close {message.id} --by NAME")
        return 0

    return _at_desk(settings, work)


def close(settings: Settings, message_id: str, by: str) -> int:
    """Mark one message as dealt with."""
    name = " ".join(_printable(by).split()) or _login()

    async def work(desk: Desk) -> int:
        if await desk.close(message_id, name):
            left = await desk.waiting()
            terminal.say(f"{message_id} closed by {name}; {left.count or 'none'} still waiting")
            return 0
        message = await desk.show(message_id)
        if message is None:
            return _unknown(message_id)
        terminal.complain(f"{message_id} was {_state(message)} already")
        return 1

    return _at_desk(settings, work)


def _at_desk(settings: Settings, work: Callable[[Desk], Awaitable[int]]) -> int:
    database_url = places.database(settings.stores)
    seal = keys.load(places.key_ring(settings.stores))

    async def opened() -> int:
        async with migrated(database_url) as db:
            try:
                return await work(Desk(db, seal, SystemClock(), DeskHours(*settings.chat.desk_span)))
            except SealBrokenError as other:
                ring = places.key_ring(settings.stores)
                raise BootError(
                    f"a message was sealed with a key that {ring} does not have: {other}"
                ) from other

    return asyncio.run(opened())


def _unknown(message_id: str) -> int:
    terminal.complain(f"there is no message {message_id}; {_ALL}")
    return 1


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as nobody:  # in a container the user may have no name
        raise BootError("your login has no name here: say who dealt with it, --by NAME") from nobody


def _when(moment: datetime) -> str:
    return moment.astimezone(CITY_ZONE).strftime("%Y-%m-%d %H:%M%z")


def _state(message: Message) -> str:
    if message.closed_at:
        return f"closed by {message.closed_by} {_when(message.closed_at)}"
    return f"waits {_duration(message.left_at)}"


def _duration(since: datetime) -> str:
    """How long ago that is."""
    return terminal.lasting(SystemClock().now() - since)


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
