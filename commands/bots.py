"""The bot modules that accounts name: each with its `router`, and the `MENU` to be set for it."""

import importlib
from types import ModuleType

from core.chat.menus import Menu, MenuError
from core.chat.router import Router
from core.errors import BootError
from settings import Settings


def router_of(settings: Settings, key: str) -> Router:
    """The router of an account's bot, or one line that says which setting names it wrongly."""
    router = getattr(_module(settings, key), "router", None)
    if not isinstance(router, Router):
        raise BootError(f"{_setting(settings, key)}: the module has no `router = Router(…)`")
    return router


def menu_of(settings: Settings, key: str) -> Menu:
    """The menu of an account's bot, or one line that says what the module lacks."""
    menu = getattr(_module(settings, key), "MENU", None)
    if not isinstance(menu, Menu):
        raise BootError(f"{_setting(settings, key)}: the module has no `MENU = Menu(…)` as bots/city.py has")
    return menu


def _module(settings: Settings, key: str) -> ModuleType:
    name = settings.accounts[key].bot
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if not f"{name}.".startswith(f"{missing.name}."):
            raise  # the module is there, something it imports is not
        raise BootError(f"{_setting(settings, key)}: there is no such module in bots/") from missing
    except MenuError as refused:
        raise BootError(f"{_setting(settings, key)}: {refused}") from refused


def _setting(settings: Settings, key: str) -> str:
    return f"{settings.source}: accounts.{key}.bot = {settings.accounts[key].bot!r}"
