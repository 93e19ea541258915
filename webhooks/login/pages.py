"""How citizens' pages look: one frame, large type for who wants it, and what every page knows."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import msgspec
from aiohttp import web

from core.chat import words as said
from webhooks.cookies import Jar
from webhooks.login.ways import HOME, here, own_way
from webhooks.pages import Kind, guarded, pages
from webhooks.routes import Request

_SIZE = "type"
_LARGE = "large"
_SIZE_LASTS = timedelta(days=365)
_AGAIN_S = "5"


class H5Pages:
    """The pages of citizens, out of `templates/pages`."""

    def __init__(self, templates: Path, jar: Jar, framed_by: str = "") -> None:
        self._jar = jar
        kinds: tuple[Kind, ...] = ("plain", "scripted", "leading")
        self._headers_of = {kind: guarded(framed_by, kind) for kind in kinds}
        self._headers = self._headers_of["plain"]
        self._pages = pages(templates)
        filters = (said.day, said.clock, said.clock_s, said.part_of_day, said.stamp, said.yuan)
        self._pages.filters |= {each.__name__: each for each in filters}

    def shown(self, request: Request, page: str, status: int = 200, **facts: object) -> web.Response:
        """A page without scripts; each has `large` and `here` beside its facts."""
        return self.of_kind("plain", request, page, facts, status)

    def of_kind(
        self, kind: Kind, request: Request, page: str, facts: Mapping[str, object], status: int = 200
    ) -> web.Response:
        """A page of any kind."""
        headers = self._headers_of[kind] | ({"Retry-After": _AGAIN_S} if status == 503 else {})  # noqa: PLR2004 - HTTP's own
        common = {"large": self._jar.get(request, _SIZE) == _LARGE, "here": here(request)}
        text = self._pages.get_template(f"{page}.html").render({**common, **facts})
        return web.Response(status=status, text=text, content_type="text/html", headers=headers)

    def told(self, content: object, status: int = 200) -> web.Response:
        """What a script of such a page asked for."""
        body = msgspec.json.encode(content)
        return web.Response(body=body, status=status, content_type="application/json", headers=self._headers)

    def file(self, content: bytes, name: str, content_type: str) -> web.Response:
        """Something to keep on one's own machine."""
        headers = {**self._headers, "Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=content, content_type=content_type, headers=headers)

    def led(self, way: str) -> web.Response:
        """Lead elsewhere; what led there is told to nobody."""
        return web.Response(status=303, headers={**self._headers, "Location": way})

    async def size(self, request: Request) -> web.Response:
        """Keep in this browser how large its reader wants the type."""
        answer = self.led(own_way(request.query.get("next", HOME)))
        if request.query.get("size") == _LARGE:
            self._jar.put(answer, _SIZE, _LARGE, _SIZE_LASTS)
        else:
            self._jar.drop(answer, _SIZE)
        return answer
