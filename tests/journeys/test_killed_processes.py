"""Gateway processes are killed again and again, and no citizen loses an answer, a number, or the thread."""

import random
import sys
import time
from pathlib import Path

import pytest

from core.stores.database import Database
from core.stores.redis import Redis
from tests.support.program import MAIN, ROOT
from tests.support.trial import Findings, Ground, running
from tests.support.walks import MESSAGES

CITIZENS, KILLS = 200, 20
FEW, FEW_KILLS = 40, 6
ROUNDS = 5  # one in a few dozen has no late answer
LONG_TRIALS = 25  # of so many kills each
UNHURRIED = ROOT / "tests" / "support" / "unhurried_city.py"


@pytest.fixture
def ground(tmp_path: Path, redis: Redis, redis_url: str, db: Database, db_url: str) -> Ground:
    del redis  # empties it
    return Ground(tmp_path, redis_url, db_url, db)


def is_fine(found: Findings, citizens: int) -> None:
    assert not found.wrong, "\n".join(found.wrong[:20])
    assert found.messages >= citizens * MESSAGES


async def test_two_thousand_messages_while_processes_are_killed(ground: Ground) -> None:
    async with running(ground, CITIZENS) as trial:
        found = await trial.run(CITIZENS, KILLS, random.Random())
        is_fine(found, CITIZENS)
        assert found.retried > KILLS, "the kills must hit messages, or this trial tests nothing"


async def test_kills_between_an_effect_and_its_answer(ground: Ground) -> None:
    """Kills meet slow effects by chance: the trial goes on until some answers were too late for WeChat."""
    async with running(ground, FEW * ROUNDS, UNHURRIED) as trial:
        for _ in range(ROUNDS):
            found = await trial.run(FEW, FEW_KILLS, random.Random())
            is_fine(found, FEW)
            if found.late:
                return
        pytest.fail("no answer ever came too late for WeChat: this trial tests nothing")


@pytest.mark.soak
@pytest.mark.parametrize("program", [MAIN, UNHURRIED], ids=["quick", "unhurried"])
async def test_five_hundred_kills(ground: Ground, program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    async with running(ground, CITIZENS * LONG_TRIALS, program) as trial:
        for number in range(1, LONG_TRIALS + 1):
            found = await trial.run(CITIZENS, KILLS, random.Random())
            with capsys.disabled():
                sys.stdout.write(f"{number * KILLS} kills, {time.monotonic() - began:.0f} s: {found}\n")
                sys.stdout.flush()
            is_fine(found, CITIZENS)
