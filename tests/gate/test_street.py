"""Several virtual gates in one program: each with a folder, a key and an address of its own."""

import base64
import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from playwright.async_api import BrowserContext, expect

from gate import street
from gate.code import armour
from gate.faults import GateError
from gate.street import Stand
from tests.support.ride_codes import NOW, picture, shown, trust_list

TOML = (
    'device = "{0}"\nway = "{1}"\nstation = "zhongnan"\nline = "m2"\ntitle = "中南路 <{1}>"\nfolder = "{0}"\n'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, way in ((1, "in"), (2, "out")):
        (tmp_path / f"{number}.toml").write_text(TOML.format(f"g{number}", way), "utf-8")
    return tmp_path


@pytest.fixture
async def stands(folder: Path) -> AsyncIterator[list[Stand]]:
    with street.opened(folder) as stands:
        for screen, _, _ in stands:
            assert screen.gate.take_trust(msgspec.json.encode(trust_list()))
            screen.gate.clock._machine = lambda: float(NOW)
        yield stands


@pytest.fixture
async def url(stands: list[Stand]) -> AsyncIterator[str]:
    async with TestServer(street.application(stands)) as server:
        yield str(server.make_url("/"))


async def test_a_page_leads_to_each_gate_and_back(url: str) -> None:
    async with ClientSession() as http:
        index = await (await http.get(url)).text()
        assert '<a href="g1/" data-way="in">中南路 &lt;in></a>' in index
        assert '<a href="g2/" data-way="out">中南路 &lt;out></a>' in index
        page = await (await http.get(f"{url}g1/")).text()
        assert '<a href="../">换一台闸机</a>' in page
        assert (await http.get(f"{url}g3/")).status == 404
        assert (await http.get(url, headers={"Host": "city.example"})).status == 403


async def test_each_has_its_own_way_and_its_own_taps(url: str, stands: list[Stand]) -> None:
    async with ClientSession() as http:
        for name, words in (("g1", "请进"), ("g2", "请出站")):
            answer = await http.post(f"{url}{name}/check", json={"code": armour(shown())})
            assert (await answer.json())["words"] == words
    assert [len(screen.gate.pending()) for screen, _, _ in stands] == [1, 1]


async def test_a_picture_of_a_whole_screen_is_not_too_large(url: str) -> None:
    large, kind = b"x" * (2 * 1024 * 1024), {"Content-Type": "image/png"}
    async with ClientSession() as http:
        answer = await http.post(f"{url}g1/check", data=large, headers=kind)
        assert (await answer.json())["reason"] == "unreadable"
        assert (await http.post(f"{url}g1/look", data=large, headers=kind)).status == 204
        assert (await http.post(f"{url}g1/look", data=b"x")).status == 415


def test_a_folder_without_gates_is_told(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="no gate"), street.opened(tmp_path):
        pass


def test_who_started_it_is_told_that_it_answers() -> None:
    reading, writing = os.pipe()
    street.tell(f"1:{writing}")
    assert os.read(reading, 20) == b"ready\n"
    for nobody in ("", "1:", "1:x"):
        street.tell(nobody)
    os.close(reading)
    os.close(writing)


@pytest.mark.browser
async def test_the_gate_watches_a_screen_and_says_where_it_cannot(
    url: str, stands: list[Stand], phone: BrowserContext, album: Path
) -> None:
    page = await phone.new_page()
    await page.goto(f"{url}g1/")
    await page.screenshot(path=album / "gate-idle.png")
    seen = base64.b64encode(picture(shown())).decode()
    await page.evaluate(_SEES, f"data:image/png;base64,{seen}")
    await page.get_by_role("button", name="看着屏幕").click()
    await expect(page.locator("#words")).to_have_text("请进")
    await expect(page.get_by_role("button", name="不看了")).to_be_visible()
    await page.get_by_role("button", name="不看了").click()
    await expect(page.get_by_role("button", name="看着屏幕")).to_be_visible()
    assert len(stands[0][0].gate.pending()) == 1
    await page.evaluate(
        "() => { navigator.mediaDevices.getDisplayMedia = async () => { throw new Error(); }; }"
    )
    await page.get_by_role("button", name="看着屏幕").click()
    await expect(page.get_by_text("这个浏览器看不到屏幕")).to_be_visible()


_SEES = """async (address) => {
    const seen = new Image();
    seen.src = address;
    await seen.decode();
    const screen = document.createElement("canvas");
    screen.width = seen.width;
    screen.height = seen.height;
    const ink = screen.getContext("2d");
    setInterval(() => ink.drawImage(seen, 0, 0), 100);
    navigator.mediaDevices.getDisplayMedia = async () => screen.captureStream(5);
}"""
