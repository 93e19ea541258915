"""Opens the JSON of a call to the API as the platform does."""

import re
from typing import Any

import msgspec

from simulator.refusals import ApiError

Body = dict[str, Any]

# An odd number of backslashes before u, and a character that JSON need not escape.
_ESCAPED = re.compile(rb"(?<!\\)(?:\\\\)*\\u(?!00[0-7])[0-9a-fA-F]{4}")


def read_object(body: bytes) -> Body:
    """The JSON object in a request; raises 47001, or 40033 for escapes of what should be plain UTF-8."""
    if _ESCAPED.search(body):
        raise ApiError(40033)
    try:
        plain = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise ApiError(47001, str(wrong)) from wrong
    if not isinstance(plain, dict):
        raise ApiError(47001, "an object is expected")
    return plain
