"""A template that a handler names and that is not there is told before a citizen comes upon it."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from bots import city
from commands import wording
from commands.places import TEMPLATES
from core.chat.router import Router
from core.chat.words import Words
from core.errors import BootError

_HANDLERS = """
from core.chat.dialogue import Ask
from core.chat.replies import Reply, Text
from core.chat.router import Router

router = Router("loans")

@router.dialogue("借书")
async def borrow(ask: Ask) -> Reply:
    await ask.text("title")
    return Text("loans/done", title="…")
"""


@pytest.fixture
def handlers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Router:
    """The router of a module that names two templates."""
    (tmp_path / "loans_handlers.py").write_text(_HANDLERS, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "loans_handlers", raising=False)
    module: ModuleType = __import__("loans_handlers")
    router: Router = module.router
    return router


def templates(folder: Path, **told: str) -> Words:
    place = folder / "templates" / "loans"
    place.mkdir(parents=True)
    for name, text in told.items():
        (place / f"{name}.txt").write_text(text, "utf-8")
    return Words(place.parent)


def test_the_city_names_no_template_that_is_missing() -> None:
    wording.require(city.router, Words(TEMPLATES))


def test_a_question_without_its_template_was_found_by_a_citizen(handlers: Router, tmp_path: Path) -> None:
    words = templates(tmp_path, done="借好了：{{ title }}")
    with pytest.raises(BootError, match=r"templates/loans/title\.txt is not there; \w+\.py line 10"):
        wording.require(handlers, words)


def test_a_fact_nobody_says_was_found_by_a_citizen(handlers: Router, tmp_path: Path) -> None:
    words = templates(tmp_path, title="书名？", done="{{ title }} {{ shelf }}")
    with pytest.raises(BootError, match=r"templates/loans/done\.txt wants shelf; \w+\.py line 11"):
        wording.require(handlers, words)


def test_control_both_are_there(handlers: Router, tmp_path: Path) -> None:
    wording.require(handlers, templates(tmp_path, title="书名？", done="{{ title }} {{ city.name }}"))
