"""Over a restart: citizens, chats, windows and menus are still there."""

import asyncio
import json
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from simulator import store as storing
from simulator.app import build
from simulator.people import Phone
from tests.simulator.conftest import MakeTown
from tests.simulator.town import CITIZEN, Town

MENU = {"button": [{"type": "click", "name": "挂号", "key": "BOOK"}]}


async def restarted(town: Town, store: Path) -> Town:
    await town.client.close()
    client = TestClient(TestServer(build([town.bot.account], clock=town.clock, store=store)))
    await client.start_server()
    town.client = client
    return town


async def test_a_restart_keeps_the_chat(make_town: MakeTown, tmp_path: Path) -> None:
    store = tmp_path / "var" / "phones.json"
    town = await make_town(store=store)
    town.bot.says("请选择科室")
    await town.post(
        "/sim/citizens", {"account": "city", "openid": CITIZEN, "nickname": "王秀英", "unionid": "u1"}
    )
    await town.say("挂号")
    assert [await town.send() for _ in range(3)] == [0] * 3
    await town.call("/cgi-bin/menu/create", MENU)
    before = await town.inbox()
    citizens = await town.get("/sim/citizens", account="city")

    await restarted(town, store)

    assert await town.inbox() == before
    assert await town.get("/sim/citizens", account="city") == citizens
    assert [await town.send() for _ in range(3)] == [0, 0, 45047]  # the window goes on where it was
    assert (await town.call("/cgi-bin/menu/get"))["menu"]["button"][0]["key"] == "BOOK"
    ids = [int(entry["id"]) for entry in await town.inbox()]
    assert ids == sorted(set(ids))
    assert stat.S_IMODE(store.stat().st_mode) == 0o600


async def test_a_restart_keeps_who_has_paid(make_town: MakeTown, tmp_path: Path) -> None:
    store = tmp_path / "phones.json"
    town = await make_town(store=store)
    await town.post("/sim/payments", {"account": "city", "openid": CITIZEN})
    await restarted(town, store)
    assert [await town.send() for _ in range(7)] == [0] * 7


async def test_control_without_a_store_all_is_gone(make_town: MakeTown, tmp_path: Path) -> None:
    town = await make_town()
    town.bot.says("请选择科室")
    await town.say("挂号")
    await restarted(town, tmp_path / "unused.json")
    assert await town.inbox() == []


async def test_it_saves_while_it_runs(make_town: MakeTown, tmp_path: Path) -> None:
    store = tmp_path / "phones.json"
    town = await make_town(store=store)
    town.bot.says("请选择科室")
    await town.say("挂号")
    async with asyncio.timeout(10):
        # A file has no event to wait for.
        while not (store.exists() and "请选择科室" in store.read_text()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert all(json.loads(line) for line in store.read_text().splitlines())
    assert not store.with_name("phones.json.new").exists()


async def test_saves_are_at_most_one_a_second(
    make_town: MakeTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    write = storing.Store._write

    def counted(store: storing.Store, head: storing.Head, phones: Sequence[Phone]) -> None:
        saved.append(len(phones))
        write(store, head, phones)

    monkeypatch.setattr(storing.Store, "_write", counted)
    town = await make_town(store=tmp_path / "phones.json")
    loop = asyncio.get_running_loop()
    started = loop.time()
    while loop.time() - started < 1.2:
        await town.say("在吗")
    assert 1 <= len(saved) <= 2


async def test_an_unreadable_file_is_put_aside(make_town: MakeTown, tmp_path: Path) -> None:
    store = tmp_path / "phones.json"
    store.write_text('{"version": 1, "menus": {}}\n{"half a li')
    town = await make_town(store=store)
    assert await town.get("/sim/citizens", account="city") == []
    assert (tmp_path / "phones.json.unreadable").read_text().endswith("half a li")


async def test_phones_of_an_account_that_is_gone_are_left_out(make_town: MakeTown, tmp_path: Path) -> None:
    store = tmp_path / "phones.json"
    store.write_text('{"version":1,"menus":{"old":{"button":[]}}}\n{"account":"old","openid":"o1"}\n')
    town = await make_town(store=store)
    assert await town.get("/sim/citizens", account="city") == []
