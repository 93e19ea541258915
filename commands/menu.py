"""`menu sync`: the menu under the chat of each official account, made to be what its bot module has."""

import asyncio
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

import aiohttp

from clients.wechat import (
    Credentials,
    MenuButton,
    Platform,
    WeChat,
    WeChatGoneError,
    WeChatRefusedError,
    as_wechat,
    open_http,
)
from commands import terminal
from commands.bots import menu_of
from core.chat.menus import Menu
from core.clock import SystemClock
from core.errors import BootError
from settings import Settings, require_credentials


def sync(settings: Settings, *, dry: bool) -> int:
    """Show for each account what would change, then change it; `dry` only shows."""
    require_credentials(settings)
    return asyncio.run(_sync_all(settings, dry=dry))


async def _sync_all(settings: Settings, *, dry: bool) -> int:
    """An account that fails does not keep the others from their menu."""
    fine = True
    async with open_http() as http:
        for key in settings.accounts:
            try:
                await _sync(http, settings, key, dry=dry)
            except BootError as failed:
                terminal.complain(failed)
                fine = False
    return 0 if fine else 2


async def _sync(http: aiohttp.ClientSession, settings: Settings, key: str, *, dry: bool) -> None:
    menu = menu_of(settings, key)
    terminal.say(f"{key}, {settings.accounts[key].appid}:")
    try:
        present = await _wechat(http, settings, key).menus.present()
    except (WeChatRefusedError, WeChatGoneError) as failed:
        raise _named(settings, key, failed) from failed
    wanted = as_wechat(menu)
    for line in difference(list(_lines(present)), list(_lines(wanted))):
        terminal.say(f"    {line}")
    if present == wanted:
        terminal.done(key, "nothing to change")
    elif dry:
        terminal.say("    only shown; without --dry, + comes and - goes")
    else:
        await set_menu(http, settings, key, menu)
        terminal.done(key, "menu set; phones show it within a few minutes, or after 关注 anew")


async def set_menu(http: aiohttp.ClientSession, settings: Settings, key: str, menu: Menu) -> None:
    """Set the menu of one account; what WeChat says against it is one line."""
    try:
        await _wechat(http, settings, key).menus.create(menu)
    except (WeChatRefusedError, WeChatGoneError) as failed:
        raise _named(settings, key, failed) from failed


def difference(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """Every line once: `-` before one that goes, `+` before one that comes, blanks before one that stays."""
    for change, i, k, m, n in SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        if change == "equal":
            yield from (f"  {line}" for line in before[i:k])
        else:
            yield from (f"- {line}" for line in before[i:k])
            yield from (f"+ {line}" for line in after[m:n])


def _wechat(http: aiohttp.ClientSession, settings: Settings, key: str) -> WeChat:
    account = settings.accounts[key]
    platform = Platform(http, settings.wechat.url, SystemClock())
    return WeChat(platform, Credentials(key, account.appid, account.secret))


def _named(settings: Settings, key: str, failed: Exception) -> BootError:
    return BootError(f"menu of accounts.{key}: {failed} ({settings.wechat.url})")


def _lines(buttons: Sequence[MenuButton], indent: str = "") -> Iterator[str]:
    for button in buttons:
        yield indent + _line(button)
        yield from _lines(button.sub_button, f"{indent}  ")


def _line(button: MenuButton) -> str:
    """A button in words; one that was made elsewhere may hold anything, but moves no cursor here."""
    named = "" if button.type in {"", "click", "view"} else button.type
    does = (named, button.key, button.url, button.appid, button.pagepath, button.media_id, button.article_id)
    line = f"{button.name}  {' '.join(filter(None, does))}".rstrip()
    return "".join(each if each.isprintable() else "�" for each in line)
