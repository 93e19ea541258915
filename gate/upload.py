"""Taps to the server and trust from it, whenever there is a network; no tap goes before its answer."""

import asyncio
import random
import uuid
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

import aiohttp
import msgspec
import structlog

from gate.faults import GateError
from gate.gate import Gate
from gate.journal import Tap
from gate.signing import Device
from gate.trust import MOST_BYTES

TAPS = "/api/transit/taps"
TRUST = "/api/transit/trust"
MOST_TAPS = 500
_MOST_BODY = 250_000  # the server takes 256 KB
_LONGEST_PAUSE_S = 300.0
_DOUBLINGS = 9
_OK = 200
_NOT_THIS_BATCH = frozenset({400, 413, 422})
_TIMEOUT = aiohttp.ClientTimeout(total=20, connect=5)
_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger("upload")
Shape = TypeVar("Shape")


class Batch(msgspec.Struct, frozen=True):
    """What is posted."""

    device: str
    batch: str
    sent_at: int
    taps: tuple[Tap, ...]


class Quarantined(msgspec.Struct, frozen=True):
    """A tap the server has, and wonders about."""

    seq: int
    reason: str


class Answer(msgspec.Struct, frozen=True):
    """What the server did with each tap of a batch; `now` is its clock in Unix milliseconds."""

    accepted: tuple[int, ...]
    known: tuple[int, ...]
    quarantined: tuple[Quarantined, ...]
    now: int = 0


class Refusal(msgspec.Struct, frozen=True):
    """What the server answers where it does not do what was asked."""

    now: int = 0


class NoServer(Exception):  # noqa: N818 - named by what is the case
    """Nothing is known to have arrived: no network, no server, or one that does not want this.

    `status` and `now_ms`, its clock, are the server's where it answered; 0 where it did not.
    """

    def __init__(self, why: str, status: int = 0, now_ms: int = 0) -> None:
        super().__init__(why)
        self.status = status
        self.now_ms = now_ms


class Uploader:
    """One gate's way to its server."""

    def __init__(self, gate: Gate, device: Device, http: aiohttp.ClientSession) -> None:
        if not gate.settings.server:
            raise GateError("no server is named in gate.toml")
        self.gate = gate
        self._device = device
        self._http = http
        self._refused: set[int] = (
            set()
        )  # taps of which the server takes not even the form; kept, not sent again

    async def once(self) -> int:
        """Fetch the trust list, put the clock right, send all that waits; how many taps the server took.

        Where the server answers and has no list for us, what waits is sent all the same.
        """
        no_list: NoServer | GateError | None = None
        try:
            await self.refresh()
        except (NoServer, GateError) as failed:
            if isinstance(failed, NoServer) and not failed.status:
                raise
            _log.warning("no_trust_list", why=str(failed))
            no_list = failed
        sent = 0
        while batch := self._next(await asyncio.to_thread(self.gate.pending)):
            sent += await self._send(batch)
        if no_list is not None:
            raise no_list
        return sent

    async def keep_on(self, opened: asyncio.Event | None = None) -> None:
        """For ever, and at once when somebody is let through (`opened`).

        After a failure wait a second, and longer and longer, up to five minutes.
        """
        opened = opened or asyncio.Event()
        every, failures = self.gate.settings.every_s, 0
        while True:
            opened.clear()
            try:
                await self.once()
                pause, failures = every, 0
            except (NoServer, GateError) as failed:
                _log.warning("no_server", why=str(failed), waiting=len(self.gate.pending()))
                pause = min(2.0 ** min(failures, _DOUBLINGS), max(_LONGEST_PAUSE_S, every))
                failures += 1
            except Exception:  # noqa: BLE001 - a gate that uploads no more would be noticed too late
                _log.exception("upload_failed")
                pause = _LONGEST_PAUSE_S
            with suppress(TimeoutError):
                async with asyncio.timeout(pause * random.uniform(0.8, 1.2)):
                    await opened.wait()

    async def refresh(self) -> bool:
        """Ask for the trust list, and put the clock right by the answer; whether the list was taken."""
        asked = self.gate.clock.machine()
        try:
            raw = await self._ask("GET", f"{TRUST}?since={self.gate.trust.as_of_ms}")
        except NoServer as no:
            self._put_right(no.now_ms, asked, self.gate.clock.machine())
            raise
        answered = self.gate.clock.machine()
        taken = await asyncio.to_thread(partial(self.gate.take_trust, raw, just_told=True))
        if taken:
            self._put_right(self.gate.trust.as_of_ms, asked, answered)
        return taken

    def _put_right(self, now_ms: int, asked: float, answered: float) -> None:
        clock = self.gate.clock
        if now_ms and clock.told(now_ms, asked, answered):
            _log.warning("clock_put_right", by_s=round(clock.offset_s, 1))

    def _next(self, waiting: Sequence[Tap]) -> list[Tap]:
        """The oldest that wait, as many as a body holds."""
        room = _MOST_BODY - 200
        batch: list[Tap] = []
        for tap in waiting:
            if tap.seq in self._refused:
                continue
            room -= len(_encode(tap)) + 1
            if room < 0 or len(batch) == MOST_TAPS:
                break
            batch.append(tap)
        return batch

    async def _send(self, taps: Sequence[Tap]) -> int:
        """Send these, and halves of them where the server takes no such batch."""
        body = _encode(
            Batch(self._device.name, str(uuid.uuid4()), self.gate.clock.unchecked_ms(), tuple(taps))
        )
        try:
            answer = _read(await self._ask("POST", TAPS, body), Answer)
        except NoServer as no:
            if no.status not in _NOT_THIS_BATCH:
                raise
            if len(taps) > 1:
                half = len(taps) // 2
                return await self._send(taps[:half]) + await self._send(taps[half:])
            _log.error("tap_refused", seq=taps[0].seq, why=str(no))
            self._refused.add(taps[0].seq)
            return 0
        sent = {tap.seq for tap in taps}
        known = sent & {*answer.accepted, *answer.known, *(each.seq for each in answer.quarantined)}
        if known != sent:
            raise NoServer(f"{len(sent) - len(known)} of {len(sent)} taps are not in the answer")
        for each in answer.quarantined:
            _log.warning("tap_quarantined", seq=each.seq, reason=each.reason)
        await asyncio.to_thread(self.gate.done, sorted(known))
        return len(known)

    async def _ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        settings = self.gate.settings
        now_s = self.gate.clock.unchecked_ms() // 1000
        headers = self._device.headers(method, path, now_s, body) | {"Content-Type": "application/json"}
        try:
            async with self._http.request(
                method,
                settings.server + path,
                data=body or None,
                headers=headers,
                timeout=_TIMEOUT,
                allow_redirects=False,
            ) as response:
                answer = await _bounded(response)
                if response.status != _OK:
                    why = f"{method} {path.partition('?')[0]}: {response.status}"
                    raise NoServer(why, response.status, _clock_in(answer))
                return answer
        except (aiohttp.ClientError, TimeoutError) as failed:
            raise NoServer(str(failed) or type(failed).__name__) from failed


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """The body, unless it is longer than any answer of the server's."""
    read = bytearray()
    async for piece in response.content.iter_any():
        read += piece
        if len(read) > MOST_BYTES:
            raise NoServer("an answer without an end")
    return bytes(read)


def _clock_in(refusal: bytes) -> int:
    """The server's clock; 0 where something on the way answered in its place."""
    try:
        return msgspec.json.decode(refusal, type=Refusal).now
    except msgspec.DecodeError:
        return 0


def _read(raw: bytes, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.DecodeError as wrong:
        raise NoServer(f"an answer that is not as agreed: {wrong}") from wrong
