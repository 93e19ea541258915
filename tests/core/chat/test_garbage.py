"""A message leaves nothing to the garbage collector, which would stop everybody to look for it."""

import gc
from datetime import datetime
from pathlib import Path

from core.chat.events import Event, Kind
from core.chat.house import House
from core.chat.redflags import RedFlags
from core.chat.replies import Reply, Text
from core.chat.router import Router
from core.chat.routes import Notes, Routes
from core.chat.sessions import Session
from core.chat.turns import Turns
from core.chat.words import Words
from core.clock import CITY_ZONE, ManualClock

TEMPLATES = Path(__file__).parents[3] / "templates"
MESSAGES = 50


async def test_an_answered_message_leaves_no_circle_behind(clock: ManualClock) -> None:
    turns = Turns(_house(clock))
    await turns.take(_event(), Session())  # whatever is made once is made now
    gc.collect()
    gc.disable()
    try:
        for _ in range(MESSAGES):
            await turns.take(_event(), Session())
        assert gc.collect() < MESSAGES
    finally:
        gc.enable()


def _house(clock: ManualClock) -> House:
    router = Router("garbage")

    @router.on("计数")
    async def count(notes: Notes) -> Reply:
        notes["count"] = "1"
        return Text("chat/cancelled", title="计数")

    @router.fallback
    async def lost(event: Event) -> Reply:
        raise AssertionError(event.text)

    async def identify(event: Event) -> str:
        return event.openid

    flags = RedFlags(TEMPLATES / "chat" / "red_flags.toml")
    return House(Routes(router, {}), Words(TEMPLATES), flags, identify, clock)


def _event() -> Event:
    at = datetime(2026, 11, 23, 9, tzinfo=CITY_ZONE)
    return Event(id="city:1:m:1:1", account="city", openid="o", kind=Kind.TEXT, at=at, text="计数")
