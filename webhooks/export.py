"""The page behind 导出: what is stored of a citizen, to read or to take along, each once."""

from aiohttp import web

from services.citizens.exports import JSON, PAGE, Export, ExportOver, Exports
from webhooks.forms import Form
from webhooks.login.guard import LoggedIn
from webhooks.login.sessions import H5Session
from webhooks.login.ways import HOME
from webhooks.routes import Request, Route

_FORM_MOST = 500  # bytes: two tokens and a word


class ExportPages:
    """Shows a citizen their data.

    A link is not enough: the same citizen has to be logged in in this browser. Looking at the link uses
    nothing up: WeChat looks at each, too.
    """

    def __init__(self, logged_in: LoggedIn, exports: Exports) -> None:
        self._logged_in = logged_in
        self._exports = exports

    def routes(self) -> list[Route]:
        """Who is logged in may call them; others are led to the login."""
        page, form = self._logged_in.page, self._logged_in.form
        return [
            Route("GET", PAGE, page(self._open), "citizen"),
            Route("POST", PAGE, form(self._take, _FORM_MOST), "citizen"),
        ]

    async def _open(self, request: Request, session: H5Session) -> web.Response:
        token = request.query.get("k", "")
        refused = await self._refused(request, session, token)
        if refused is not None:
            return refused
        csrf = self._logged_in.sessions.csrf(session)
        return self._shown(request, "export", path=PAGE, token=token, csrf=csrf)

    async def _take(self, request: Request, session: H5Session, form: Form) -> web.Response:
        token, wanted = form.get("k", ""), form.get("as", "")
        refused = await self._refused(request, session, token)
        if refused is not None:
            return refused
        try:
            export = await self._exports.take(token, session.citizen, wanted)
        except ExportOver:
            return self._shown(request, "export_over", 404)
        if wanted == JSON:
            return self._logged_in.pages.file(export.json(), "data.json", "application/json")
        return self._read(request, export)

    async def _refused(self, request: Request, session: H5Session, token: str) -> web.Response | None:
        """Say so to whom a link does not show anything: it is over, or somebody else's."""
        try:
            owner = await self._exports.owner(token)
        except ExportOver:
            return self._shown(request, "export_over", 404)
        return None if owner == session.citizen else self._shown(request, "export_login", 403)

    def _read(self, request: Request, export: Export) -> web.Response:
        parts = {each.portion.name: each.portion for each in export.categories}
        return self._shown(request, "export_data", it=export, parts=parts, titles=export.titles)

    def _shown(self, request: Request, page: str, status: int = 200, **facts: object) -> web.Response:
        return self._logged_in.pages.shown(request, page, status, home=HOME, **facts)
