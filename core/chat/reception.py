"""All official accounts of one process: each event goes to its own account's dispatcher."""

from collections.abc import Mapping

from core.chat.dispatcher import Dispatcher
from core.chat.events import Event
from core.chat.replies import Said


class Reception:
    """The dispatchers by account key; doors hand everything over here."""

    def __init__(self, dispatchers: Mapping[str, Dispatcher]) -> None:
        self._dispatchers = dict(dispatchers)

    async def receive(self, event: Event, arrived: float) -> Said | None:
        """Answer one attempt of one message, as `Dispatcher.receive` does."""
        return await self._dispatchers[event.account].receive(event, arrived)

    async def drain(self) -> None:
        """Wait until every run under way is finished."""
        for dispatcher in self._dispatchers.values():
            await dispatcher.drain()
