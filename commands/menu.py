"""`menu sync`: the menu under the chat of each official account, as its bot module has it."""

import asyncio
from collections.abc import Iterator

import aiohttp

from clients.wechat import Credentials, Platform, WeChat, WeChatGoneError, WeChatRefusedError
from commands import terminal
from commands.bots import menu_of
from core.chat.menus import Button, Menu
from core.clock import SystemClock
from core.errors import BootError
from settings import Settings, require_credentials


def sync(settings: Settings, *, dry: bool) -> int:
    """Show each account's menu, then set it; `dry` only shows."""
    require_credentials(settings)
    menus = {key: menu_of(settings, key) for key in settings.accounts}
    for key, menu in menus.items():
        terminal.say(f"{key}, {settings.accounts[key].appid}:")
        for line in _lines(menu):
            terminal.say(f"    {line}")
    return 0 if dry else asyncio.run(_set_all(settings, menus))


async def _set_all(settings: Settings, menus: dict[str, Menu]) -> int:
    """Set them all; an account WeChat refuses does not keep the others from theirs."""
    fine = True
    async with aiohttp.ClientSession() as http:
        for key, menu in menus.items():
            try:
                await set_menu(http, settings, key, menu)
            except BootError as refused:
                terminal.complain(refused)
                fine = False
            else:
                terminal.done(key, "menu set; phones show it within a few minutes, or after 关注 anew")
    return 0 if fine else 2


async def set_menu(http: aiohttp.ClientSession, settings: Settings, key: str, menu: Menu) -> None:
    """Set the menu of one account; what WeChat says against it is one line."""
    account = settings.accounts[key]
    platform = Platform(http, settings.wechat.url, SystemClock())
    wechat = WeChat(platform, Credentials(key, account.appid, account.secret))
    try:
        await wechat.menus.create(menu)
    except (WeChatRefusedError, WeChatGoneError) as failed:
        raise BootError(f"menu of accounts.{key}: {failed} ({settings.wechat.url})") from failed


def _lines(menu: Menu) -> Iterator[str]:
    for button in menu.buttons:
        yield _line(button)
        yield from (f"  {_line(child)}" for child in button.children)


def _line(button: Button) -> str:
    return f"{button.name}  {button.click or button.url}".rstrip()
