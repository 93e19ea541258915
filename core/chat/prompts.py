"""Digits we invited (design 8), as a conversation sees them; who keeps them is `core.delivery.prompts`."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from core.chat.events import Event
from core.effects import Effect
from core.errors import DomainError


class PromptOver(DomainError):  # noqa: N818 - a refusal is named by what is the case
    """It was answered by another message, or what it asked about has changed."""

    code = "prompt_over"


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """A message of ours that waits for a digit: `options` are id and label, in the order they were shown.

    `about` is the object the kind knows, `at` when the message was accepted. `late`: its time is over;
    `moved`: what it is about has changed since; `unsure`: nobody knows whether it arrived, and `at` is when
    it left. `chosen` is the option an answer means, and `event` the id
    of the message that brought it; both are "" before.
    """

    message: int
    kind: str
    title: str
    about: str
    options: tuple[tuple[str, str], ...]
    at: datetime
    expires_at: datetime
    late: bool = False
    moved: bool = False
    unsure: bool = False
    chosen: str = ""
    event: str = ""

    @property
    def counts(self) -> bool:
        """Tell whether an answer still means something."""
        return not (self.late or self.moved)

    @property
    def effect(self) -> Effect:
        """What an answer changes is done once for the message that brought it: `perform` it as this."""
        digest = hashlib.sha256(f"{self.message}:{self.chosen}".encode()).digest()
        return Effect(f"{self.event}/{self.kind}", self.chosen, digest)

    def option(self, number: int) -> str | None:
        """The id that a digit stands for."""
        return self.options[number - 1][0] if 1 <= number <= len(self.options) else None

    def label(self, option: str) -> str:
        """What the line of an option says; "" if there is none."""
        return dict(self.options).get(option, "")


class Prompts(Protocol):
    """Who keeps them. Each call is one question to a store, which may be gone (`StoreGoneError`)."""

    async def pending(self, event: Event) -> Sequence[Prompt]:
        """All that a conversation was asked and has not answered, the latest first.

        If this very event answered one before, that one alone, with what was `chosen`.
        """
        ...

    async def tapped(self, event: Event, message: int) -> Prompt | None:
        """What a message waits for that was perhaps not sent, and was: a line of it was tapped."""
        ...

    async def opened(self, prompt: Prompt) -> None:
        """A dialogue goes on from here: the message was read, and still waits for the dialogue's outcome."""
        ...

    async def answered(self, prompt: Prompt) -> None:
        """The `chosen` option was carried out; `PromptOver` if another event's was, or it counts no more."""
        ...

    async def over(self, message: int) -> None:
        """What a dialogue did from here is done: no further digit is for this message."""
        ...


class NoPrompts:
    """A house that sends nothing by itself."""

    async def pending(self, event: Event) -> Sequence[Prompt]:
        """Nothing was asked."""
        del event
        return ()

    async def tapped(self, event: Event, message: int) -> Prompt | None:
        """Nothing was asked."""
        del event, message
        return None

    async def opened(self, prompt: Prompt) -> None:
        """Nothing was asked."""

    async def answered(self, prompt: Prompt) -> None:
        """Nothing was asked."""

    async def over(self, message: int) -> None:
        """Nothing was asked."""
