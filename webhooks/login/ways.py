"""Where citizens' logins lead: to a page of ours, by way of WeChat."""

from urllib.parse import quote

from services.citizens.pages import PAGE
from webhooks import ways
from webhooks.routes import Request

HOME = PAGE
LOGIN = "/login"


def own_way(given: str) -> str:
    """The address if it is a page of ours; else the citizen's own."""
    return ways.own_way(given, HOME, LOGIN)


def here(request: Request) -> str:
    """The address of a page that was asked for."""
    return own_way(request.raw_path) if request.method == "GET" else HOME


def through_login(way: str, account: str = "") -> str:
    """The address that leads to a page by way of the login."""
    named = f"&account={quote(account, safe='')}" if account else ""
    return f"{LOGIN}?next={quote(way, safe='')}{named}"
