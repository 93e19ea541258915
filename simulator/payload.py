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
    if b"\\u" in body and _ESCAPED.search(body):
        raise ApiError(40033)
    try:
        plain = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise ApiError(47001, str(wrong)) from wrong
    if not isinstance(plain, dict):
        raise ApiError(47001, "an object is expected")
    return plain


def string(body: Body, name: str) -> str:
    """A text of the body, "" where it is missing; raises 40035."""
    value = body.get(name, "")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # the platform takes numbers for ids, too
    if not isinstance(value, str):
        raise ApiError(40035, f"{name} must be text")
    return value


def needed(body: Body, name: str) -> str:
    value = string(body, name)
    if not value:
        raise ApiError(40035, f"{name} is missing")
    return value


def inner(body: Body, name: str) -> Body:
    """An object of the body, empty where it is missing."""
    value = body.get(name, {})
    return value if isinstance(value, dict) else {}
