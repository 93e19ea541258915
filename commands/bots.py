"""The bot modules that accounts name: each with its `router`, and the `MENU` to be set for it."""

import importlib
from types import ModuleType

from core.chat.menus import Menu
from core.chat.router import Router
from core.errors import BootError


def router_of(name: str) -> Router:
    """The router of a bot module, or one line that says which setting names it wrongly."""
    router = getattr(_module(name), "router", None)
    if not isinstance(router, Router):
        raise BootError(f"accounts.*.bot = {name!r}: the module has no `router = Router(…)`")
    return router


def menu_of(name: str) -> Menu:
    """The menu of a bot module, or one line that says what the module lacks."""
    menu = getattr(_module(name), "MENU", None)
    if not isinstance(menu, Menu):
        raise BootError(f"accounts.*.bot = {name!r}: the module has no `MENU = Menu(…)` as bots/city.py has")
    return menu


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if not f"{name}.".startswith(f"{missing.name}."):
            raise  # the module is there, something it imports is not
        raise BootError(f"accounts.*.bot = {name!r}: there is no such module in bots/") from missing
