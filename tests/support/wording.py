"""The house's words and kinds of notices as tests read them: once in a process, for reading takes a while."""

from functools import cache
from pathlib import Path

from core.chat.words import Words
from core.delivery.kinds import Kinds

TEMPLATES = Path(__file__).parents[2] / "templates"


@cache
def house_words() -> Words:
    """Every word of the house."""
    return Words(TEMPLATES)


@cache
def kinds_in(folder: Path = TEMPLATES / "notices") -> Kinds:
    """The kinds of a folder, said in the words of the house; usually the city's own."""
    return Kinds(folder, house_words())
