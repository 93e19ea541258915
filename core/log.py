"""Logging: one line per happening on stderr, structured, without anything personal in it."""

import io
import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog


class _Stderr(io.TextIOBase):
    """The stderr of the moment; a terminal that went away must not stop a citizen's message."""

    def write(self, text: str, /) -> int:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


_STDERR = cast("TextIO", _Stderr())
_TIME = "%Y-%m-%dT%H:%M:%S%z"


def configure() -> None:
    """Send our own lines and those of libraries (warnings only) to stderr."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt=_TIME, utc=False, key="at"),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["at", "level", "event"], bool_as_flag=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(_STDERR),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        stream=_STDERR,
        level=logging.WARNING,
        datefmt=_TIME,
        format="at=%(asctime)s level=%(levelname)s %(name)s: %(message)s",
    )
