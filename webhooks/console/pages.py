"""How the console's pages look: one frame, and what every page of it knows."""

from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from core.chat import words as said
from core.chat.words import Words
from core.errors import DomainError
from services.staff.model import Member, Session
from webhooks.pages import guarded, pages

HOME = "/console"
LOGIN = f"{HOME}/login"
_AGAIN_S = "5"
_LONGEST_NUMBER = 18


@dataclass(frozen=True, slots=True)
class Inside:
    """Who is logged in, and what each form of theirs carries."""

    session: Session
    csrf: str

    @property
    def member(self) -> Member:
        """Who it is."""
        return self.session.member


class ConsolePages:
    """The pages of the console, out of `templates/console`."""

    def __init__(self, templates: Path, words: Words) -> None:
        self._words = words
        self._headers = guarded()
        self._pages = pages(templates, "console")
        filters = (said.day, said.clock)
        self._pages.filters |= {each.__name__: each for each in filters}

    def shown(
        self, page: str, inside: Inside | None = None, status: int = 200, **facts: object
    ) -> web.Response:
        """A page, with who is logged in at its head."""
        headers = self._headers | ({"Retry-After": _AGAIN_S} if status == 503 else {})  # noqa: PLR2004 - HTTP's own
        text = self._pages.get_template(f"{page}.html").render(inside=inside, **facts)
        return web.Response(status=status, text=text, content_type="text/html", headers=headers)

    def led(self, way: str) -> web.Response:
        """Lead to another page of ours."""
        return web.Response(status=303, headers={**self._headers, "Location": way})

    def words(self, refusal: DomainError) -> str:
        """Say why not."""
        return self._words.refusal(refusal)


def number_of(given: str) -> str:
    """A number as it stands in the citizen's message; "" for anything else."""
    bare = given.strip()
    return bare if bare.isascii() and bare.isdecimal() and len(bare) <= _LONGEST_NUMBER else ""
