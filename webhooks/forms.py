"""A form that a browser sends: read within bounds, or refused with the status that says why."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from webhooks.routes import Request

TYPE = "application/x-www-form-urlencoded"
MOST = 4_000  # bytes: words, ids, a token
_MOST_FIELDS = 50
_IN_TIME_S = 10.0
Form = Mapping[str, str]


class FormRefusedError(Exception):
    """Nothing a browser would send from a page of ours."""

    def __init__(self, status: int) -> None:
        super().__init__(f"a form that is refused with {status}")
        self.status = status


async def form_of(request: Request, most: int = MOST) -> Form:
    """Read the fields of a form; raises `FormRefusedError` for what is none.

    415 for another type, 413 beyond `most` bytes, 408 for who takes too long, 400 for what is no UTF-8, has
    a NUL (which no text of ours may hold) or a field twice (which of the two would count?).
    """
    if request.content_type != TYPE:
        raise FormRefusedError(415)
    try:
        async with asyncio.timeout(_IN_TIME_S):
            body = await _bounded(request, most)
    except TimeoutError as slow:
        raise FormRefusedError(408) from slow
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError as unreadable:  # Unicode's errors are such
        raise FormRefusedError(400) from unreadable
    fields = dict(pairs)
    if len(fields) < len(pairs) or any("\0" in part for pair in pairs for part in pair):
        raise FormRefusedError(400)
    return fields


async def _bounded(request: Request, most: int) -> bytes:
    """The body, of which no more is read than is wanted."""
    if (request.content_length or 0) > most:
        raise FormRefusedError(413)
    body = b""
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > most:
            raise FormRefusedError(413)
    return body
