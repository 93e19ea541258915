"""The gateway as one thing: what the commands get from `main.assemble`, start, and stop."""

import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from commands.reception import Reception
from commands.services import Services
from commands.surroundings import Surroundings
from core.chat.dispatcher import Dispatcher
from core.schedule.reminders import Reminders
from core.stores.database import Database
from core.stores.redis import Redis
from services.citizens.unionids import Unionids
from webhooks.health import Health
from webhooks.routes import Doors
from webhooks.serving import serve

ADMIN_HOST = "127.0.0.1"
SCHEMA = "数据结构"


@dataclass(frozen=True, slots=True)
class Gateway:
    """The doors of one gateway, those for everybody and those for operators, and what is behind them."""

    app: Doors
    admin: Doors
    health: Health
    redis: Redis
    db: Database
    services: Services
    reception: Reception
    reminders: Reminders
    unionids: Unionids
    _open: AsyncExitStack

    @property
    def dispatchers(self) -> Mapping[str, Dispatcher]:
        """Who answers the events of each account."""
        return self.reception.dispatchers

    async def serve(self, public: socket.socket, admin: socket.socket, *, drain_s: float) -> None:
        """Answer on both sockets until `close`; the door says 503 until `health` is ready."""
        for dispatcher in self.dispatchers.values():
            self._open.push_async_callback(dispatcher.drain)
        for app, opened in ((self.admin, admin), (self.app, public)):
            runner = await serve(app, opened, drain_s=drain_s)
            self._open.push_async_callback(runner.cleanup)

    async def close(self) -> None:
        """Stop answering, let runs under way finish, give the stores back."""
        await self._open.aclose()


Assemble = Callable[[Surroundings], Awaitable[Gateway]]
