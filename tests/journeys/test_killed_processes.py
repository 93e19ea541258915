"""Gateway processes are killed again and again, and no citizen loses an answer, a number, or the thread."""

import os
import random
import time
from pathlib import Path

import pytest

from core.stores.database import Database
from core.stores.redis import Redis
from tests.support.trial import Findings, running

CITIZENS, KILLS = 200, 20
LONG_TRIALS = 25  # of so many kills each
RARE = 50  # at most one message of so many may end with the platform's notice


def is_fine(found: Findings) -> None:
    assert not found.wrong, "\n".join(found.wrong[:20])
    assert found.messages >= CITIZENS * 10
    assert found.retried > KILLS, "the kills must hit messages, or this trial tests nothing"
    assert found.notices < found.messages / RARE


async def test_two_thousand_messages_while_processes_are_killed(
    tmp_path: Path, redis: Redis, redis_url: str, db: Database, db_url: str
) -> None:
    del redis  # empties it
    async with running(tmp_path, redis_url, db, db_url, CITIZENS) as trial:
        is_fine(await trial.run(CITIZENS, KILLS, random.Random(), lambda _: None))


@pytest.mark.soak
async def test_five_hundred_kills(
    tmp_path: Path, redis: Redis, redis_url: str, db: Database, db_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    del redis  # empties it
    began = time.monotonic()
    async with running(tmp_path, redis_url, db, db_url, CITIZENS * LONG_TRIALS) as trial:
        for number in range(1, LONG_TRIALS + 1):
            found = await trial.run(CITIZENS, KILLS, random.Random(), lambda _: None)
            with capsys.disabled():
                print(f"{number * KILLS} kills, {time.monotonic() - began:.0f} s: {found}", flush=True)
            is_fine(found)
