"""Work that several need at once is done once, and all of them wait for the same outcome."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")


class Joint(Generic[_T]):
    """One piece of work, begun by who needs it first, and anew once it has ended."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, _T]]) -> None:
        self._work = work
        self._under_way: asyncio.Task[_T] | None = None

    async def outcome(self) -> _T:
        """Wait for what it brings or raises; who gives up waiting stops it for nobody."""
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._work())
            self._under_way.add_done_callback(_seen)
        return await asyncio.shield(self._under_way)

    def cancel(self) -> None:
        """Stop it for everybody."""
        if self._under_way is not None:
            self._under_way.cancel()


def _seen(task: asyncio.Task[Any]) -> None:
    """Take note of a failure nobody waited for any more; the next who asks begins anew."""
    if not task.cancelled():
        task.exception()
