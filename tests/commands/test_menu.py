"""`menu sync` shows what changes, changes it, and hands on in one line what WeChat says against it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

import bots
import simulator.app
from commands.bots import menu_of, router_of
from commands.menu import difference
from core.chat.router import Router
from core.errors import BootError
from settings import Account, Settings
from simulator.accounts import Account as Known
from tests.commands.conftest import Own, Tell, Told
from tests.support.program import free_port

ACCOUNTS = [
    Known(key, "城", f"gh_{key}", appid, "right", "t", "", "plain", "http://127.0.0.1:1/")
    for key, appid in (("city", "wx1"), ("school", "wx2"))
]
OURS = """\
  看病挂号
    预约挂号  HOSPITAL_BOOK
    我的预约  HOSPITAL_MINE
    改期  HOSPITAL_MOVE
    取消预约  HOSPITAL_CANCEL
    看科室  HOSPITAL_DEPARTMENTS
  乘车出行
    乘车码  TRANSIT_CODE
    我的行程  TRANSIT_RIDES
    查票价  TRANSIT_FARE
    付车费  TRANSIT_DEBTS
    图片码  TRANSIT_PICTURE
  我的
    我的家人  FAMILY_MINE
    绑定  FAMILY_BIND
    我的数据  DATA_MINE
    帮助  HELP
    人工  DESK
"""


@pytest.fixture
async def platform() -> AsyncIterator[str]:
    async with TestServer(simulator.app.build(ACCOUNTS)) as server:
        yield str(server.make_url("")).rstrip("/")


def ports() -> str:
    """Where nobody else answers: somebody may have a `run` of their own."""
    return f"[server]\nport = {free_port()}\nadmin_port = {free_port()}\n[simulator]\nport = {free_port()}\n"


def settings(folder: Path, api_base: str, secret: str = "right", more: str = "") -> Path:
    (folder / "bianmin.toml").write_text(
        f'{ports()}[wechat]\napi_base = "{api_base}"\n[accounts.city]\nmode = "plain"\n{more}'
        f'original_id = "gh_1"\nappid = "wx1"\nsecret = "{secret}"\ntoken = "t"\n',
        "utf-8",
    )
    return folder


SCHOOL = """\
[accounts.school]
mode = "plain"
original_id = "gh_2"
appid = "wx2"
secret = "right"
token = "t"
bot = "bots.bare"
"""


async def token_at(platform: str) -> str:
    async with aiohttp.ClientSession() as http:
        wish = {"grant_type": "client_credential", "appid": "wx1", "secret": "right"}
        async with http.post(f"{platform}/cgi-bin/stable_token", json=wish) as answer:
            return str((await answer.json(content_type=None))["access_token"])


async def menu_at(platform: str) -> str:
    """The menu phones would show, or WeChat's refusal to name one."""
    query = {"access_token": await token_at(platform)}
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{platform}/cgi-bin/menu/get", params=query) as answer,
    ):
        return await answer.text()


async def set_at(platform: str, *buttons: Mapping[str, object]) -> None:
    """Set a menu that is not the bot's."""
    url = f"{platform}/cgi-bin/menu/create?access_token={await token_at(platform)}"
    body = json.dumps({"button": buttons}, ensure_ascii=False).encode()
    async with aiohttp.ClientSession() as http, http.post(url, data=body) as answer:
        assert (await answer.json(content_type=None))["errcode"] == 0


def shown(told: Told) -> str:
    """The menu as it was shown, with what is said of each line; indented as the first line is."""
    return "".join(f"{line[4:]}\n" for line in told.out.splitlines() if line.startswith("    "))


def marked(mark: str, lines: str) -> str:
    return "".join(f"{mark} {line[2:]}\n" for line in lines.splitlines())


async def test_where_there_is_no_menu_all_of_it_comes(platform: str, tmp_path: Path, tell: Tell) -> None:
    told = await asyncio.to_thread(tell, settings(tmp_path, platform), "menu", "sync")
    assert (told.code, told.err) == (0, "")
    assert shown(told) == marked("+", OURS)
    assert "menu set" in told.out
    assert "HOSPITAL_BOOK" in await menu_at(platform)


async def test_what_is_there_already_is_not_set_again(platform: str, tmp_path: Path, tell: Tell) -> None:
    folder = settings(tmp_path, platform)
    await asyncio.to_thread(tell, folder, "menu", "sync")
    again = await asyncio.to_thread(tell, folder, "menu", "sync")
    assert again.code == 0
    assert shown(again) == OURS
    assert "nothing to change" in again.out
    assert "menu set" not in again.out


async def test_only_what_differs_is_marked(platform: str, tmp_path: Path, tell: Tell) -> None:
    kept = {
        "name": "我的",
        "sub_button": [
            {"name": "我的家人", "type": "click", "key": "FAMILY_MINE"},
            {"name": "绑定", "type": "click", "key": "FAMILY_BIND"},
            {"name": "我的数据", "type": "click", "key": "DATA_MINE"},
            {"name": "帮助", "type": "click", "key": "HELP"},
            {"name": "人工", "type": "click", "key": "DESK"},
        ],
    }
    goes = {"name": "扫码", "type": "scancode_push", "key": "SCAN"}
    await set_at(platform, kept, goes)
    told = await asyncio.to_thread(tell, settings(tmp_path, platform), "menu", "sync")
    before, ours, after = OURS.partition(OURS[OURS.index("  我的\n") :])
    assert shown(told) == marked("+", before) + ours + "- 扫码  scancode_push SCAN\n" + marked("+", after)
    now = await menu_at(platform)
    assert "HOSPITAL_BOOK" in now
    assert "SCAN" not in now


async def test_dry_only_shows_what_would_change(platform: str, tmp_path: Path, tell: Tell) -> None:
    told = await asyncio.to_thread(tell, settings(tmp_path, platform), "menu", "sync", "--dry")
    assert told.code == 0
    assert marked("+", OURS) in shown(told)
    assert "menu set" not in told.out
    assert "46003" in await menu_at(platform)


async def test_an_account_that_fails_does_not_keep_the_others_from_their_menu(
    platform: str, tmp_path: Path, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bots.bare", ModuleType("bots.bare"))
    folder = settings(tmp_path, platform)
    file = folder / "bianmin.toml"
    file.write_text(file.read_text("utf-8").replace("[accounts.city]", f"{SCHOOL}[accounts.city]"), "utf-8")
    told = await asyncio.to_thread(tell, folder, "menu", "sync")
    assert told.code == 2
    assert "accounts.school.bot = 'bots.bare': the module has no `MENU" in told.line
    assert "HOSPITAL_BOOK" in await menu_at(platform)


def test_a_menu_wechat_would_refuse_is_told_before_anybody_is_asked(
    tmp_path: Path, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "long.py").write_text(
        "from core.chat.menus import Button, Menu\nMENU = Menu((Button('预约挂号看病', click='A'),))\n",
        "utf-8",
    )
    monkeypatch.setattr(bots, "__path__", [*bots.__path__, str(tmp_path)])
    told = tell(settings(tmp_path, "http://127.0.0.1:1", more='bot = "bots.long"\n'), "menu", "sync")
    assert told.code == 2
    assert "accounts.city.bot = 'bots.long': menu button 预约挂号看病: longer than 16 bytes" in told.line


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([], [], []),
        (["一"], ["一"], ["  一"]),
        (["一", "二"], ["二", "一"], ["+ 二", "  一", "- 二"]),
        (["一", "旧", "三"], ["一", "新", "三"], ["  一", "- 旧", "+ 新", "  三"]),
    ],
)
def test_how_a_difference_reads(before: list[str], after: list[str], told: list[str]) -> None:
    assert list(difference(before, after)) == told


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
        file.write(f'bot = "bots.nope"\n{ports()}')
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


def test_a_menu_wechat_would_not_take_was_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wide_bot.py").write_text(
        "from core.chat.menus import Button, Menu\nMENU = Menu(buttons=(Button(name='预约挂号缴费'),))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BootError, match=r"accounts\.city\.bot = 'wide_bot': .*预约挂号缴费"):
        menu_of(with_bot("wide_bot"), "city")
