"""The slow city, but reception waits two fifths as long, for stores too; a program in place of main.py."""

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import commands.reception
from core.chat.durations import Durations
from core.stores.database import Database
from core.stores.redis import Redis
from tests.support import slow_city

FACTOR = 0.4


def hasty(**given: float) -> Durations:
    """Durations two fifths as long; only handlers may take long, so that one message is enough to be owed."""
    return replace(Durations(**given).scaled(FACTOR), run=60.0)


def shorten() -> None:
    """Let reception be made with these, and each store be given up as much sooner."""
    vars(commands.reception)["Durations"] = hasty
    for store in (Redis, Database):
        vars(store)["open"].__func__.__kwdefaults__["timeout_s"] *= FACTOR


if __name__ == "__main__":
    shorten()
    sys.exit(slow_city.live())
