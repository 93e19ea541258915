"""`run` with a bot whose handlers hang, for tests of the way out; a program in place of main.py."""

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
HANGS = Path("hangs")  # in the folder the program runs in: written when a handler begins to hang


@router.on("等")
async def wait() -> Reply:
    """等: never comes to an end."""
    HANGS.touch()
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue  # as bad as a handler can be


@router.on("卡")
async def block() -> Reply:
    """卡: holds up the whole program."""
    HANGS.touch()
    time.sleep(3600)
    return Text("chat/yes")


if __name__ == "__main__":
    bot = ModuleType("bots.slow")
    bot.router, bot.MENU = router, city.MENU  # type: ignore[attr-defined]
    sys.modules["bots.slow"] = bot
    sys.exit(main.main(["run"]))
