"""What every turn of a bot's conversations needs and no turn changes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from core.chat.answers import fold
from core.chat.events import Event, Kind
from core.chat.prompts import NoPrompts, Prompts
from core.chat.redflags import RedFlags
from core.chat.replies import Said, Text
from core.chat.routes import Routes
from core.chat.speech import say
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
    prompts: Prompts = field(default_factory=NoPrompts)

    def alarm(self, event: Event) -> Said | None:
        """What danger to life in a message is answered with; None if there is none (domain-rules R7).

        It asks no store and no clock: every attempt gets the same answer, whatever else is out of order.
        """
        if event.kind not in (Kind.TEXT, Kind.VOICE):
            return None
        flag = self.red_flags.raised_by(fold(event.text))
        return say(Text(flag), self.words, int(event.at.timestamp())) if flag is not None else None
