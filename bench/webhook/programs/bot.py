"""The bot of program (c): the city's own handlers, and one that counts in the session."""

import asyncio

from core.chat.replies import Reply, Text
from core.chat.router import Router
from core.chat.routes import Notes, Rest
from handlers import common, hospital

router = Router("bench").include(common.router, hospital.router)


@router.on("慢")
async def slow(rest: Rest) -> Reply:
    """慢 300: an answer that takes so many milliseconds."""
    await asyncio.sleep(int(rest) / 1000)
    return Text("bench/counted", count=0)


@router.on("计数")
async def count(notes: Notes) -> Reply:
    """计数: the n-th message of this user."""
    n = int(notes.get("count", "0")) + 1
    notes["count"] = str(n)
    return Text("bench/counted", count=n)
