"""Reading an answer without letting it grow beyond what it may be."""

import aiohttp


async def bounded(stream: aiohttp.StreamReader, most: int) -> bytes:
    """The whole stream, or a little more than `most` bytes of one that is longer."""
    content = await stream.readany()
    if not (more := await stream.readany()):  # most answers come in one piece
        return content
    held = bytearray(content)
    while more and len(held) <= most:
        held += more
        more = await stream.readany()
    return bytes(held + more)
