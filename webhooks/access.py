"""What aiohttp writes into the log: nothing of a request, and no traceback for strangers' nonsense."""

import logging

from aiohttp.http import HttpProcessingError
from aiohttp.web import RequestPayloadError

SERVER_LOGGER = "aiohttp.server"
_AFTER_THE_ANSWER = "Unhandled exception"  # aiohttp could not read the rest of a body nobody wanted any more


class StrangersNonsense(logging.Filter):
    """Turns aiohttp's traceback for a request it could not read into one line that quotes nothing of it.

    A request line of 20 KB is enough for such a traceback, and its exception quotes the query. A real error,
    ours or aiohttp's, stays as it is.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError | RequestPayloadError):
            return True
        if record.msg == _AFTER_THE_ANSWER:
            return False  # the door that answered has written its own line
        record.msg, record.args = "request refused before it was read: %s", (type(error).__name__,)
        record.exc_info = record.exc_text = None
        record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
        return True


def quiet_server_logger() -> None:
    """Install the filter, once; run every application with `access_log=None`, which would log queries."""
    logger = logging.getLogger(SERVER_LOGGER)
    if not any(isinstance(known, StrangersNonsense) for known in logger.filters):
        logger.addFilter(StrangersNonsense())
