"""The institutions of the settings: the invented one answers at once, others are looked at by `check`."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
from structlog.testing import capture_logs

import simulator.app
from clients.wechat import open_http
from commands import invented, registers
from commands.cards import played_kinds
from commands.simulate import platform_accounts, played_institutions
from core.clock import SystemClock
from core.errors import BootError
from services.citizens.institutions import Identity, new_request
from settings import Institution, Settings, Simulator, Stores
from simulator.residents import residents
from tests.commands.conftest import OWN_VALUES, Tell
from tests.support.program import Place
from webhooks.serving import listen, serve

SECRET = "s" * 32


def asked(url: str, secret: str = SECRET, title: str = "第一医院") -> Settings:
    return Settings(institutions={"first": Institution(title=title, url=url, secret=secret)})


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings as `run` completes them, and the simulator that they point at."""
    opened = listen("127.0.0.1", 0, "simulator.port")
    given = Settings(stores=Stores(data_dir=str(tmp_path)), simulator=Simulator(port=opened.getsockname()[1]))
    settings = invented.pointed(given)
    app = simulator.app.build(platform_accounts(settings, played_kinds(settings)))
    for each in played_institutions(settings):
        app[simulator.app.INSTITUTIONS].add(each)
    runner = await serve(app, opened, drain_s=0.1)
    yield settings
    await runner.cleanup()


async def test_the_demo_hospital_answers_without_any_setting(town: Settings) -> None:
    async with open_http() as http:
        (hospital,) = registers.institutions(town, http, SystemClock()).values()
        assert (hospital.name, hospital.title) == ("renmin", "云汀市人民医院")
        everybody = {one.name: one for one in residents(SystemClock().now().date())}
        granny, request = everybody["王秀英"], new_request()
        await hospital.send_code(request, granny.name, granny.id_number)
        code = await last_code(http, town.simulator.url)
        assert (await hospital.check_code(request, code)).patient == granny.reference("renmin")
        elder, child = (
            Identity(everybody[name].name, everybody[name].id_number) for name in ("陈玉梅", "赵一诺")
        )
        assert hospital.knows_guardians
        assert await hospital.guardian(new_request(), elder, child)


async def last_code(http: aiohttp.ClientSession, url: str) -> str:
    async with http.get(f"{url}/sim/sms") as answer:
        words: str = (await answer.json())[-1]["content"]
    return next(word for word in words.replace("，", " ").split() if len(word) == 6 and word.isdecimal())


async def test_each_institution_is_greeted(town: Settings) -> None:
    assert await registers.require_answers(town) == ["云汀市人民医院"]


async def test_who_has_another_secret_is_named(town: Settings) -> None:
    hospital = msgspec.structs.replace(town.institutions["renmin"], secret="x" * 32)
    wrong = msgspec.structs.replace(town, institutions={"renmin": hospital})
    with capture_logs() as lines, pytest.raises(BootError) as refused:
        await registers.require_answers(wrong)
    assert str(refused.value) == "institutions.renmin does not answer (HTTP 401: bad_signature)"
    assert lines == [], "said once, by `check`"


async def test_who_is_not_there_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings = asked(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(BootError, match=r"institutions\.first does not answer \(ClientConnectorError\)"):
            await registers.require_answers(settings)


async def test_an_institution_nobody_could_ask_stops_the_boot() -> None:
    async with open_http() as http:
        with pytest.raises(BootError) as refused:
            registers.institutions(asked("", "", ""), http, SystemClock())
    for field in ("title", "url", "secret"):
        assert f"institutions.first.{field} is missing" in str(refused.value)


def test_check_greets_institutions(tmp_path: Path, tell: Tell) -> None:
    nowhere = "https://127.0.0.1:9/register"
    place = Place(
        tmp_path,
        f'{OWN_VALUES}[institutions.first]\ntitle = "第一医院"\nurl = "{nowhere}"\nsecret = "{SECRET}"\n',
    )
    out = tell(place.folder, "check").out
    assert "✗ Institutions              institutions.first does not answer (ClientConnectorError)" in out


def test_check_says_that_run_plays_one(tmp_path: Path, tell: Tell) -> None:
    assert "✓ Institutions              none given: `run` plays one" in tell(tmp_path, "check").out


class TestInvented:
    """What `run` makes of the institutions it is given."""

    def settings(self, folder: Path, **institutions: Institution) -> Settings:
        return invented.pointed(Settings(stores=Stores(data_dir=str(folder)), institutions=institutions))

    def test_without_any_there_is_the_demo_hospital(self, tmp_path: Path) -> None:
        settings = self.settings(tmp_path)
        (hospital,) = settings.institutions.values()
        assert hospital.url == "http://127.0.0.1:8081/institution/renmin"
        assert len(hospital.secret) == 64
        assert invented.played(settings) == settings.institutions
        assert self.settings(tmp_path) == settings, "the same from start to start"
        assert (tmp_path / "institutions" / "renmin.json").stat().st_mode & 0o077 == 0

    def test_two_have_secrets_of_their_own(self, tmp_path: Path) -> None:
        settings = self.settings(tmp_path, one=Institution(), two=Institution(title="第二医院"))
        first, second = settings.institutions.values()
        assert first.secret != second.secret
        assert second.title == "第二医院"
        assert not first.knows_guardians, "what is given stands"

    def test_a_real_one_is_left_as_it_is(self, tmp_path: Path) -> None:
        real = Institution(title="第一医院", url="https://register.example.cn", secret=SECRET)
        settings = self.settings(tmp_path, first=real)
        assert settings.institutions == {"first": real}
        assert invented.played(settings) == {}

    def test_a_real_one_without_its_secret_gets_none(self, tmp_path: Path) -> None:
        real = Institution(title="第一医院", url="https://register.example.cn")
        assert not self.settings(tmp_path, first=real).institutions["first"].secret
