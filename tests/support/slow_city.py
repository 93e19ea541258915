"""Bianmin with a bot whose handlers hang, for tests of the way out; a program in place of main.py."""

import asyncio
import sys
import time
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).parents[2]))

import main
from bots import city
from core.chat.replies import Reply, Text
from core.chat.router import Router

router = Router("slow").include(city.router)
HANGS = Path("hangs")  # in the folder the program runs in: a line for each handler that began to hang
GO_ON = Path("go-on")  # ends the patient one's wait


def hang() -> None:
    """Tell the test."""
    with HANGS.open("a") as told:
        told.write("hangs\n")


@router.on("慢")
async def be_slow() -> Reply:
    """慢: answers when the test says so."""
    hang()
    while not GO_ON.exists():  # noqa: ASYNC110 - the file system tells nobody
        await asyncio.sleep(0.01)
    return Text("chat/yes")


@router.on("等")
async def wait() -> Reply:
    """等: never comes to an end."""
    hang()
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue  # as bad as a handler can be


@router.on("卡")
async def block() -> Reply:
    """卡: holds up the whole program."""
    hang()
    time.sleep(3600)
    return Text("chat/yes")


def live() -> int:
    """Be main.py, with `bots.slow` beside its own bots."""
    bot = ModuleType("bots.slow")
    bot.router, bot.MENU = router, city.MENU  # type: ignore[attr-defined]
    sys.modules["bots.slow"] = bot
    return main.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(live())
