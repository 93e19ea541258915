"""The gateway as one thing: what the commands get from `main.assemble`, start, and stop."""

import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from commands.places import TEMPLATES
from core.chat.dispatcher import Dispatcher
from core.clock import Clock
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from services.citizens.service import Citizens
from services.hospital.service import Hospital
from settings import Settings
from webhooks.health import Health
from webhooks.routes import Doors
from webhooks.serving import serve

ADMIN_HOST = "127.0.0.1"
SCHEMA = "数据结构"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a gateway is given from outside: its settings, where the stores are, its keys, time and words."""

    settings: Settings
    redis_url: str
    database_url: str
    seal: Seal
    clock: Clock
    templates: Path = TEMPLATES


@dataclass(frozen=True, slots=True)
class Gateway:
    """The doors of one gateway, those for everybody and those for operators, and what is behind them."""

    app: Doors
    admin: Doors
    health: Health
    redis: Redis
    db: Database
    citizens: Citizens
    hospital: Hospital
    dispatchers: Mapping[str, Dispatcher]  # by account
    _open: AsyncExitStack

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
