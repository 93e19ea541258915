"""The README keeps its word: its first handler runs as printed, and its commands and files exist."""

import importlib.util
import re
from pathlib import Path

import pytest

from core.chat.replies import Reply, Text
from core.chat.router import Router
from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from tests.support.talk import Bot, Ground, Talk, words_of

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
LONGEST = 40


def printed_files() -> dict[str, str]:
    """The files of "Your first handler": what follows a line with nothing but a path."""
    blocks = re.findall(r"^`([\w/]+\.(?:py|txt))`\n\n```\w+\n(.*?)```", README, re.MULTILINE | re.DOTALL)
    return dict(blocks)


async def test_the_first_handler_of_the_readme_talks(
    tmp_path: Path, redis: Redis, db: Database, seal: Seal, clock: ManualClock
) -> None:
    files = printed_files()
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    spec = importlib.util.spec_from_file_location("library", tmp_path / "handlers" / "library.py")
    assert spec is not None
    assert spec.loader is not None
    library = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(library)

    router = Router("city").include(library.router)

    @router.fallback
    async def lost() -> Reply:
        return Text("chat/need_words")

    talk = Talk(Ground(redis, db, seal, clock), Bot(router, {}, words_of(tmp_path / "templates")))
    assert "1 北馆" in await talk.says("图书馆")
    assert "哪一天去" in await talk.says("儿童馆")
    assert "11月25日 周三 南馆" in await talk.says("后天")


def test_the_first_handler_has_forty_lines() -> None:
    lines = [line for content in printed_files().values() for line in content.splitlines()]
    assert 20 < len(lines) <= LONGEST, len(lines)


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_what_a_readme_links_to_is_there(readme: str) -> None:
    links = re.findall(r"\]\(([^)#]+?)(?:#[\w-]+)?\)", (ROOT / readme).read_text("utf-8"))
    missing = [link for link in links if link and not (ROOT / link).exists()]
    assert links
    assert not missing
