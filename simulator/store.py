"""Keeps citizens, chats and menus over a restart, without making anyone wait for the disk."""

import asyncio
import logging
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from simulator.cards import Template
from simulator.menus import Menu
from simulator.people import Phone
from simulator.qrcodes import Code
from simulator.refusals import RefusedError
from simulator.wechat import WeChat

log = logging.getLogger(__name__)

REST_S = 1.0
REST_FACTOR = (
    10  # a save that takes long is followed by a longer rest: at most a tenth of the time goes into saving
)


class Head(msgspec.Struct, frozen=True):
    """The first line of the file; each further line is one phone."""

    version: Literal[1]
    menus: dict[str, Menu]
    templates: dict[str, list[Template]] = {}
    codes: list[Code] = []


class Store:
    """One file, rewritten as a whole under another name and then renamed."""

    def __init__(self, path: Path, wechat: WeChat) -> None:
        self._path = path
        self._wechat = wechat
        self._dirty = asyncio.Event()
        self._saver: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Load what was saved, then save what changes; raises OSError where nothing can be kept."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._load()
        self._wechat.changed = self._dirty.set
        self._saver = asyncio.create_task(self._keep_saving())

    async def close(self) -> None:
        if self._saver is not None:
            self._saver.cancel()
            with suppress(asyncio.CancelledError):
                await self._saver
        if self._dirty.is_set():
            await self._save()

    async def _keep_saving(self) -> None:
        while True:
            await self._dirty.wait()
            began = time.monotonic()
            # Shielded: a save that has begun ends before the last one starts.
            save = asyncio.ensure_future(self._save())
            try:
                await asyncio.shield(save)
            except asyncio.CancelledError:
                await save
                raise
            await asyncio.sleep(max(REST_S, REST_FACTOR * (time.monotonic() - began)))

    async def _save(self) -> None:
        self._dirty.clear()
        templates = {key: list(known.values()) for key, known in self._wechat.notifier.templates.items()}
        head = Head(1, dict(self._wechat.menus), templates, self._wechat.codes.everything())
        phones = self._wechat.people.everyone()
        try:
            await asyncio.to_thread(self._write, head, phones)
        except OSError as wrong:
            log.warning("the simulator could not save %s: %s", self._path, wrong)

    def _write(self, head: Head, phones: Sequence[Phone]) -> None:
        """Runs in a thread; each phone is encoded in one call, which no other thread can interrupt."""
        encoder = msgspec.json.Encoder()
        fresh = self._path.with_name(self._path.name + ".new")
        with open(fresh, "wb", opener=_private) as file:
            file.write(encoder.encode(head) + b"\n")
            file.writelines(encoder.encode(phone) + b"\n" for phone in phones)
        fresh.replace(self._path)

    def _load(self) -> None:
        if not self._path.exists():
            return
        try:
            with self._path.open("rb") as file:
                head = msgspec.json.decode(file.readline(), type=Head)
                phones = [msgspec.json.decode(line, type=Phone) for line in file]
        except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
            aside = self._path.with_name(self._path.name + ".unreadable")
            self._path.replace(aside)
            log.warning(
                "the simulator starts afresh: %s is unreadable (%s), kept as %s", self._path, wrong, aside
            )
            return
        self._restore(head, phones)

    def _restore(self, head: Head, phones: Sequence[Phone]) -> None:
        known = self._wechat.accounts
        self._wechat.menus.update({key: menu for key, menu in head.menus.items() if key in known})
        for key in head.templates.keys() & known.keys():
            self._wechat.notifier.restore(key, head.templates[key])
        for code in head.codes:
            if code.account in known:
                self._wechat.codes.settle(code)
        with suppress(RefusedError):  # more citizens than this start has room for
            for phone in phones:
                if phone.account in known:
                    self._wechat.people.settle(phone)
        numbers = (phone.entries[-1].number for phone in phones if phone.entries)
        self._wechat.people.number_from(max(numbers, default=0) + 1)


def _private(path: str, flags: int) -> int:
    """Chats are for their owner's eyes."""
    return os.open(path, flags, 0o600)
