"""The transcript runner itself: it must fail where a conversation goes another way."""

from pathlib import Path

import pytest

import tests.core.chat.teahouse  # noqa: F401 - registers a bot
from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from tests.support.talk import Ground, Transcript


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ("> 喝茶\n  请选座位", "has no '请选座位'"),
        ("> 喝茶\n  2、碧螺春\n  1、龙井", "has no '1、龙井'"),  # in another order
        ("> 喝茶\n  not: 龙井", "has '龙井'"),
    ],
)
async def test_a_conversation_that_goes_another_way_fails(  # noqa: PLR0917 - fixtures
    tmp_path: Path, redis: Redis, db: Database, seal: Seal, clock: ManualClock, lines: str, complaint: str
) -> None:
    path = tmp_path / "wrong.chat"
    path.write_text(f"# bot: teahouse\n{lines}\n")
    with pytest.raises(AssertionError) as failed:
        await Transcript.read(path).run(Ground(redis, db, seal, clock))
    assert complaint in str(failed.value)
    assert "wrong.chat:2: > 喝茶" in str(failed.value)


def test_a_transcript_names_its_bot(tmp_path: Path) -> None:
    path = tmp_path / "nobody.chat"
    path.write_text("> 喝茶\n")
    with pytest.raises(ValueError, match="must name a bot"):
        Transcript.read(path)
