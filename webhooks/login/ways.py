"""Addresses of our own: where a login may lead, and nowhere else."""

import re
from urllib.parse import quote

from webhooks.routes import Request

HOME = "/me"
LOGIN = "/login"
# Browsers take a backslash for a slash and drop tabs and line breaks: neither may stand here.
_OWN = re.compile(r"/(?!/)[!-\[\]-~]{0,999}")


def own_way(given: str) -> str:
    """The address if it is a path of our own; else, and where it leads into a login again, the home page."""
    if not _OWN.fullmatch(given) or given.partition("?")[0].startswith(LOGIN):
        return HOME
    return given


def here(request: Request) -> str:
    """The address of a page that was asked for."""
    return own_way(request.raw_path) if request.method == "GET" else HOME


def through_login(way: str, account: str = "") -> str:
    """The address that leads to a page by way of the login."""
    named = f"&account={quote(account, safe='')}" if account else ""
    return f"{LOGIN}?next={quote(way, safe='')}{named}"
