"""`menu sync` shows the menus, sets them at WeChat, and hands on in one line what WeChat says against it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

import simulator.app
from commands.bots import menu_of, router_of
from core.chat.router import Router
from core.errors import BootError
from settings import Account, Settings
from simulator.accounts import Account as Known
from tests.commands.conftest import Own, Tell
from tests.support.program import free_port

ACCOUNT = Known("city", "城", "gh_1", "wx1", "right", "t", "", "plain", "http://127.0.0.1:1/")


@pytest.fixture
async def platform() -> AsyncIterator[str]:
    async with TestServer(simulator.app.build([ACCOUNT])) as server:
        yield str(server.make_url("")).rstrip("/")


def settings(folder: Path, api_base: str, secret: str = "right", more: str = "") -> Path:
    (folder / "bianmin.toml").write_text(
        f"[server]\nport = {free_port()}\nadmin_port = {free_port()}\n[simulator]\nport = {free_port()}\n"
        f'[wechat]\napi_base = "{api_base}"\n[accounts.city]\nmode = "plain"\n{more}'
        f'original_id = "gh_1"\nappid = "wx1"\nsecret = "{secret}"\ntoken = "t"\n',
        "utf-8",
    )
    return folder


async def menu_at(platform: str) -> str:
    """The menu phones would show, or WeChat's refusal to name one."""
    async with aiohttp.ClientSession() as http:
        wish = {"grant_type": "client_credential", "appid": "wx1", "secret": "right"}
        async with http.post(f"{platform}/cgi-bin/stable_token", json=wish) as answer:
            token = (await answer.json(content_type=None))["access_token"]
        async with http.get(f"{platform}/cgi-bin/menu/get", params={"access_token": token}) as answer:
            return await answer.text()


async def test_the_menu_is_shown_and_set(platform: str, tmp_path: Path, tell: Tell) -> None:
    told = await asyncio.to_thread(tell, settings(tmp_path, platform), "menu", "sync")
    assert told.code == 0, told.err
    assert "预约挂号  HOSPITAL_BOOK" in told.out
    assert "HOSPITAL_BOOK" in await menu_at(platform)


async def test_dry_only_shows_it(platform: str, tmp_path: Path, tell: Tell) -> None:
    told = await asyncio.to_thread(tell, settings(tmp_path, platform), "menu", "sync", "--dry")
    assert told.code == 0
    assert "预约挂号  HOSPITAL_BOOK" in told.out
    assert "46003" in await menu_at(platform)


async def test_a_refusal_is_one_clear_line(platform: str, tmp_path: Path, tell: Tell) -> None:
    told = await asyncio.to_thread(tell, settings(tmp_path, platform, "wrong"), "menu", "sync")
    assert told.code == 2
    assert "menu of accounts.city: WeChat refused stable_token: 40125 invalid appsecret" in told.line


def test_nobody_there_is_one_clear_line(tmp_path: Path, tell: Tell) -> None:
    told = tell(settings(tmp_path, "http://127.0.0.1:1"), "menu", "sync")
    assert told.code == 2
    assert "WeChat did not answer stable_token (http://127.0.0.1:1)" in told.line


def test_missing_credentials_are_told_before_anything_is_sent(tmp_path: Path, tell: Tell) -> None:
    told = tell(settings(tmp_path, "http://127.0.0.1:1", secret=""), "menu", "sync")
    assert told.code == 2
    assert "accounts.city.secret is missing" in told.line
    assert not told.out


def test_a_bot_without_a_menu_is_told(tmp_path: Path, tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = ModuleType("bots.bare")
    bare.router = Router("bare")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bots.bare", bare)
    assert router_of(with_bot("bots.bare"), "city")
    folder = settings(tmp_path, "http://127.0.0.1:1", more='bot = "bots.bare"\n')
    for command in (("menu", "sync"), ("run",)):
        told = tell(folder, *command)
        assert told.code == 2
        assert "'bots.bare': the module has no `MENU" in told.line


def with_bot(name: str) -> Settings:
    return Settings(accounts={"school": Account(), "city": Account(bot=name)})


@pytest.mark.parametrize("name", ["bots.nobody", "bots.city.nobody"])
def test_a_bot_that_is_not_there_is_told_with_its_account(name: str) -> None:
    for wanted in (router_of, menu_of):
        with pytest.raises(
            BootError, match=rf"bianmin.toml: accounts\.city\.bot = '{name}': there is no such module"
        ):
            wanted(with_bot(name), "city")


@pytest.mark.parametrize("command", [("run",), ("serve",), ("menu", "sync"), ("check",)])
def test_every_command_tells_whose_bot_is_not_there(own: Own, tell: Tell, command: tuple[str, ...]) -> None:
    assert tell(own.folder, "keys", "create").code == 0
    with (own.folder / "bianmin.toml").open("a") as file:
        file.write(f'bot = "bots.nope"\n[server]\nport = {free_port()}\nadmin_port = {free_port()}\n')
    told = tell(own.folder, *command)
    assert told.code == (1 if command == ("check",) else 2)
    line = "bianmin.toml: accounts.city.bot = 'bots.nope': there is no such module in bots/"
    assert line in told.out + told.err


def test_what_a_bot_itself_fails_to_import_is_not_taken_for_the_bot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_bot.py").write_text("import no_such_module_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
        router_of(with_bot("broken_bot"), "city")
