"""我的: so far only that one is logged in, and the ways out."""

from aiohttp import web

from webhooks.login.guard import LoggedIn
from webhooks.login.sessions import H5Session
from webhooks.login.ways import HOME
from webhooks.routes import Request, Route


class Me:
    """A citizen's own page."""

    def __init__(self, logged_in: LoggedIn) -> None:
        self._logged_in = logged_in

    def routes(self) -> list[Route]:
        """Who is logged in may call it; others are led to the login."""
        return [Route("GET", HOME, self._logged_in.page(self._page), "citizen")]

    async def _page(self, request: Request, session: H5Session) -> web.Response:
        return self._logged_in.pages.shown(
            request,
            "me",
            since=session.opened_at,
            until=session.until,
            csrf=self._logged_in.sessions.csrf(session),
        )
