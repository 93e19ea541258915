"""Logging: one line per happening on stderr, structured, without anything personal in it."""

import io
import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, WrappedLogger


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


_logfmt = structlog.processors.LogfmtRenderer(key_order=["at", "level", "event"], bool_as_flag=False)


class _OnLines:
    """For people at a terminal: a traceback stands on lines of its own, below the line it belongs to."""

    def __call__(self, logger: WrappedLogger, method: str, happened: EventDict) -> str:
        traceback = str(happened.pop("exception", ""))
        line = _logfmt(logger, method, happened)
        return f"{line}\n{traceback}" if traceback else line


def _is_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False


def configure() -> None:
    """Send our own lines and those of libraries (warnings only) to stderr."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt=_TIME, utc=False, key="at"),
            structlog.processors.format_exc_info,
            _OnLines() if _is_terminal() else _logfmt,
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
