"""The door with one mistake put into it: its modules made anew from their sources, one of them edited."""

import asyncio
import importlib
import inspect
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from structlog.testing import capture_logs

from core.chat.digests import Digests
from core.stores.redis import Redis, Script
from tests.webhooks.wire import (
    KEY,
    NONCE,
    NOW,
    OLD_KEY,
    SEAL,
    TOKEN,
    Desk,
    Sealed,
    Wire,
    client_of,
    clock_at,
    keys,
    plain_query,
)
from webhooks.routes import Doors
from webhooks.wechat import Porch
from webhooks.wechat_envelope import Envelope
from webhooks.wechat_refusals import PushRefusedError
from webhooks.wechat_xml import parse, word

OLD_TOKEN = "BBBBB"
TAKEN = "200 请选择科室"  # what a push is answered that the door lets in
DOOR = "webhooks.wechat"
DIGESTS = "core.chat.digests"
BIND = "bind.lua"
# Each after those it imports from.
_MODULES = (
    "core.chat.cutting",
    DIGESTS,
    "webhooks.wechat_refusals",
    "webhooks.wechat_xml",
    "webhooks.wechat_envelope",
    "webhooks.wechat_events",
    "webhooks.wechat_replies",
    "webhooks.whole_answer",
    DOOR,
)


@dataclass(frozen=True)
class Edit:
    """One place in one module, or in the script, that says something else."""

    where: str
    old: str
    new: str

    def of(self, source: str) -> str:
        """Return the edited source; the place is there, and only once."""
        assert source.count(self.old) == 1, f"{self.where} has {source.count(self.old)} times {self.old!r}"
        return source.replace(self.old, self.new)


def made(edit: Edit | None) -> dict[str, ModuleType]:
    """Make the door's modules anew; the program's own stay what they are."""
    known = {name: importlib.import_module(name) for name in _MODULES}
    fresh: dict[str, ModuleType] = {}
    try:
        for name, module in known.items():
            source = inspect.getsource(module)
            if edit is not None and edit.where == name:
                source = edit.of(source)
            fresh[name] = sys.modules[name] = ModuleType(name)
            fresh[name].__file__ = module.__file__
            exec(compile(source, f"{name} (edited)", "exec"), vars(fresh[name]))  # noqa: S102 - our own source
    finally:
        sys.modules.update(known)
    return fresh


class House:
    """One city's doors, with what stands behind them, and WeChat in front of them.

    The accounts: `city` in safe mode, `moving` the same while it changes token and key, `both` in compatible
    and `open` and `wide` in plain mode.
    """

    def __init__(self, edit: Edit | None, redis: Redis) -> None:
        modules = made(edit)
        self.desk = Desk()
        self.ready = True
        self.door: Any = modules[DOOR]
        self.redis = redis
        self.digests: Digests = modules[DIGESTS].Digests(redis)
        if edit is not None and edit.where == BIND:
            self.digests._bind = Script(edit.of(self.digests._bind.source))
        self.wire: Wire
        self.lines: list[Any] = []

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["House"]:
        """Open the doors."""
        accounts = (
            keys(),
            keys(key="moving", previous_token=OLD_TOKEN, previous_aes_key=OLD_KEY),
            keys(key="both", mode="compatible"),
            keys(key="open", mode="plain"),
            keys(key="wide", mode="plain"),
        )
        porch = Porch(SEAL, clock_at(), self.desk.metrics, lambda: self.ready, self._bind)
        doors = Doors(self.door.door([(account, self.desk) for account in accounts], porch))
        with capture_logs() as self.lines:
            async with client_of(doors) as client:
                self.wire = Wire(client)
                yield self

    async def _bind(self, *signed: Any) -> bool:
        return await self.digests.bind(*signed)

    async def hear(self, push: Sealed, account: str = "city", key: str = KEY, token: str = TOKEN) -> str:
        """Send a push, and tell what comes back, opened as WeChat does it."""
        status, answer = await self.wire.post(push.query, push.body, account)
        return f"{status} {_said(answer, key, token)}".strip()

    async def hear_raw(self, request: bytes, patience: float = 5.0) -> str:
        """Send bytes over a connection of its own, which stays open, and tell the status that comes back."""
        client = self.wire.client
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(request)
        try:
            line = await asyncio.wait_for(reader.readline(), patience)
        except TimeoutError:
            return "no answer"
        finally:
            writer.close()
        return line.split()[1].decode()


def _said(answer: str, key: str, token: str) -> str:
    if not answer.startswith("<xml>"):
        return answer
    try:
        fields = parse(answer.encode())
        if "Encrypt" in fields:
            query = {"timestamp": word(fields, "TimeStamp"), "nonce": word(fields, "Nonce")}
            query["msg_signature"] = word(fields, "MsgSignature")
            envelope = Envelope(keys(token=token, aes_key=key))
            fields = parse(envelope.open(query, answer.encode(), NOW).message)
    except PushRefusedError:
        return "unreadable"
    return word(fields, "Content")


def plain(xml: str, *, nonce: str = NONCE, at: int = NOW, token: str = TOKEN) -> Sealed:
    """A push as WeChat sends it in plain mode."""
    return Sealed(plain_query(at=at, nonce=nonce, token=token), xml)


Talk = Callable[[House], Awaitable[str]]


@dataclass(frozen=True)
class Mutant:
    """A rule, the mistake in it, the talk that notices, what it says of the rule and what of the mistake."""

    rule: str
    edit: Edit
    talk: Talk
    right: str
    wrong: str
