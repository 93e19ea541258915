"""Waiting for a condition instead of for a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable

_STEP_S = 0.01


def wait_until(condition: Callable[[], object], what: str, within_s: float = 15.0) -> None:
    """Wait until the condition holds; fail with `what` if it does not in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not in {within_s} s: {what}"
        time.sleep(_STEP_S)


async def until(
    condition: Callable[[], object] | Callable[[], Awaitable[object]], what: str, within_s: float = 15.0
) -> None:
    """The same for a test that shares its event loop with what it waits for, or asks it a question."""
    deadline = time.monotonic() + within_s
    while not await _answer(condition()):
        assert time.monotonic() < deadline, f"not in {within_s} s: {what}"
        await asyncio.sleep(_STEP_S)


async def _answer(found: object) -> object:
    return await found if isinstance(found, Awaitable) else found
