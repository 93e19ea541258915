"""Addresses of our own: where a login may lead, and nowhere else."""

import re

# Browsers take a backslash for a slash and drop tabs and line breaks: neither may stand here.
_OWN = re.compile(r"/(?!/)[!-\[\]-~]{0,999}")


def own_way(given: str, home: str, login: str) -> str:
    """The address if it is a path of our own; else, and where it leads into a login again, the home page."""
    path = given.partition("?")[0]
    if not _OWN.fullmatch(given) or path == login or path.startswith(f"{login}/"):
        return home
    return given
