"""A notice that can never be sent is left out, and the operator told: what it tells of stands."""

from collections.abc import Awaitable

import structlog

from core.delivery.notices import NoticeRefused

_log = structlog.get_logger("notices")


async def or_left_out(telling: Awaitable[bool], event: str, **about: object) -> bool:
    """Whether a notice is on its way; `event` and ids of what it is `about` are for the log."""
    try:
        return await telling
    except NoticeRefused as refused:
        _log.error(event, **about, **refused.facts)
        return False
