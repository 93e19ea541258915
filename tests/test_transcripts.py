"""Conversations that run: every `tests/transcripts/*.chat`, each with the bot its first line names."""

from pathlib import Path

import pytest

import tests.core.chat.teahouse  # noqa: F401 - registers a bot
from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from tests.support import city_bot as _city  # noqa: F401 - registers its bot
from tests.support.talk import Ground, Transcript

FILES = sorted((Path(__file__).parent / "transcripts").glob("*.chat"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_the_conversation_goes_as_written(
    path: Path, redis: Redis, db: Database, seal: Seal, clock: ManualClock
) -> None:
    await Transcript.read(path).run(Ground(redis, db, seal, clock))
