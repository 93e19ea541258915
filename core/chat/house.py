"""What every turn of a bot's conversations needs and no turn changes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from core.chat.events import Event
from core.chat.redflags import RedFlags
from core.chat.routes import Routes
from core.chat.words import Words
from core.clock import Clock

Identify = Callable[[Event], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class House:
    """One bot's routes and words, and how it knows citizens and time."""

    routes: Routes
    words: Words
    red_flags: RedFlags
    identify: Identify
    clock: Clock
    idle: timedelta = timedelta(minutes=15)
