"""The page behind 导出: what is stored of a citizen, to read or to take along, each once."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from core.chat import words as said
from core.errors import StoreGoneError
from services.citizens.exports import JSON, PAGE, Export, ExportOver, Exports
from webhooks.forms import FormRefusedError, form_of
from webhooks.pages import guarded, pages
from webhooks.routes import Request, Route

Who = Callable[[Request], Awaitable[str | None]]
Login = Callable[[Request], Awaitable[web.StreamResponse]]
_FORM_MOST = 500  # bytes: a token and a word


class ExportPages:
    """Shows a citizen their data.

    A link is not enough: `who` has to say, from a login in this browser, that the same citizen opens it;
    `login` answers for who is not logged in. Looking at the link uses nothing up: WeChat looks at each, too.
    The form carries the link's own secret, which no other site knows.
    """

    def __init__(self, exports: Exports, templates: Path, who: Who, login: Login | None = None) -> None:
        self._exports = exports
        self._who = who
        self._login = login
        self._pages = pages(templates)
        self._pages.filters |= {each.__name__: each for each in (said.day, said.clock, said.yuan, said.stamp)}

    def routes(self) -> list[Route]:
        """Only whose data it is gets any further than the door."""
        return [
            Route("GET", PAGE, self._open, "citizen"),
            Route("POST", PAGE, self._take, "citizen"),
        ]

    async def _open(self, request: Request) -> web.StreamResponse:
        return await self._guarded(request, request.query.get("k", ""), "")

    async def _take(self, request: Request) -> web.StreamResponse:
        try:
            form = await form_of(request, _FORM_MOST)
        except FormRefusedError as refused:
            return web.Response(status=refused.status)
        return await self._guarded(request, form.get("k", ""), form.get("as", "?"))

    async def _guarded(self, request: Request, token: str, form: str) -> web.StreamResponse:
        try:
            owner = await self._exports.owner(token)
            asking = await self._who(request)
            if asking is None and self._login is not None:
                return await self._login(request)
            if asking != owner:
                return self._shown("export_login", 403)
            if not form:
                return self._shown("export", token=token)
            return self._given(await self._exports.take(token, owner, form), form)
        except ExportOver:
            return self._shown("export_over", 404)
        except StoreGoneError:
            return self._shown("visit_later", 503)

    def _given(self, export: Export, form: str) -> web.Response:
        if form == JSON:
            kept = {**guarded(), "Content-Disposition": 'attachment; filename="data.json"'}
            return web.Response(body=export.json(), content_type="application/json", headers=kept)
        parts = {each.portion.name: each.portion for each in export.categories}
        return self._shown("export_data", it=export, parts=parts, titles=export.titles)

    def _shown(self, page: str, status: int = 200, **facts: object) -> web.Response:
        text = self._pages.get_template(f"{page}.html").render(facts)
        return web.Response(status=status, text=text, content_type="text/html", headers=guarded())
