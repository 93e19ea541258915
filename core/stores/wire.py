"""One Redis connection for the hot path: concurrent commands leave in one write, answers return in order."""

import asyncio
from collections import deque
from typing import Any

import hiredis

from core.errors import StoreGoneError


class AnsweredError(Exception):
    """Redis refused one command: its own words, such as `NOSCRIPT …` or `ERR …`."""


_NOTHING = object()
# So many commands do not wait for the turn of the loop to end: Redis works on them while we go on.
_ENOUGH = 6


class Wire(asyncio.Protocol):
    """Speaks RESP2 over a connected transport; every answer is a future's result, refusals included."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_s: float) -> None:
        self._loop = loop
        self._timeout_s = timeout_s
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader(replyError=AnsweredError, notEnoughData=_NOTHING)
        self._unsent: list[bytes] = []
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._watch: asyncio.TimerHandle | None = None
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport) and not hasattr(transport, "write"):
            raise TypeError("a stream transport is needed")
        self._transport = transport  # type: ignore[assignment] # uvloop's transports share no base class

    def data_received(self, data: bytes) -> None:
        reader, waiting = self._reader, self._waiting
        reader.feed(data)
        try:
            while (answer := reader.gets()) is not _NOTHING:
                _, future = waiting.popleft()
                if not future.done():  # its caller may have been cancelled
                    future.set_result(answer)
        except (hiredis.ProtocolError, IndexError):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._end()

    def send(self, command: bytes) -> asyncio.Future[Any]:
        """Queue one packed command; what is queued in one turn of the loop leaves in few writes."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self.closed:
            future.set_exception(StoreGoneError("Redis"))
            return future
        unsent = self._unsent
        if not unsent:
            self._loop.call_soon(self._flush)
        unsent.append(command)
        deadline = self._loop.time() + self._timeout_s
        self._waiting.append((deadline, future))
        if self._watch is None:
            self._watch = self._loop.call_at(deadline, self._look)
        if len(unsent) == _ENOUGH:
            self._flush()
        return future

    def abort(self) -> None:
        """Cut the connection; whoever waits learns that Redis is gone."""
        if self._transport is not None and not self.closed:  # a TLS transport bears no second end
            self._transport.abort()
        self._end()

    def _flush(self) -> None:
        if self._unsent and self._transport is not None and not self.closed:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def _look(self) -> None:
        """Cut a connection whose oldest command is overdue; one timer serves all commands."""
        self._watch = None
        if not self._waiting:
            return
        oldest = self._waiting[0][0]
        if oldest <= self._loop.time():
            self.abort()
        else:
            self._watch = self._loop.call_at(oldest, self._look)

    def _end(self) -> None:
        self.closed = True
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        waiting, self._waiting = self._waiting, deque()
        for _, future in waiting:
            if not future.done():
                future.set_exception(StoreGoneError("Redis"))
