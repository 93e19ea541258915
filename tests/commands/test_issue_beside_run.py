"""`run` starts the issuer, shows it, starts it again when it ends, and leaves none behind."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clients.issuer import SocketIssuer
from commands import places
from gate.code import Kind, read
from settings import Settings, Stores
from tests.support.program import Place, Program, answers
from tests.support.ride_codes import PICTURE
from tests.support.stores import run_apart
from tests.support.waiting import wait_until


def issuers(program: Program) -> list[int]:
    """The processes it started to sign."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if b"issue" in command and parent == program.process.pid:
                found.append(int(entry.name))
    return found


def shown(place: Place) -> Any:
    """What the health page says of the issuer."""
    told = answers(f"{place.admin_url}/readyz")
    found = {each["name"]: each for each in told["beside"]} if told else {}
    return found.get("乘车码签发", {"ok": False})


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    started = Program(Place(tmp_path_factory.mktemp("run"))).ready()
    yield started
    started.stop()


def test_the_health_page_says_that_it_signs(program: Program) -> None:
    wait_until(lambda: shown(program.place)["ok"], "it signs", 30)
    assert shown(program.place)["detail"].startswith("密钥 ")
    assert (program.place.data / "issuer").stat().st_mode & 0o777 == 0o600


def test_the_gateway_is_served_while_the_key_file_is_out_of_its_reach(program: Program) -> None:
    wait_until(lambda: shown(program.place)["ok"], "it signs")
    key = program.place.data / "issuer"
    aside = key.rename(key.with_name("issuer.aside"))
    try:
        signed: list[bytes] = []

        async def sign() -> None:
            where = places.issuer_socket(Settings(stores=Stores(data_dir=str(program.place.data))))
            issuer = SocketIssuer(where)
            signed.append(await issuer.code(replace(PICTURE, gen_time=int(time.time()))))
            await issuer.close()

        run_apart(sign())
        assert read(signed[0]).kind is Kind.SERVER
        assert shown(program.place)["ok"]
    finally:
        aside.rename(key)


def test_killed_it_is_started_again_and_the_city_stays_open(program: Program) -> None:
    wait_until(lambda: issuers(program), "it is there")
    (before,) = issuers(program)
    os.kill(before, signal.SIGKILL)
    assert answers(f"{program.place.url}/readyz") == "ready\n"
    wait_until(lambda: issuers(program) not in ([], [before]), "another one is there", 30)
    wait_until(lambda: shown(program.place)["ok"], "it signs", 30)


def test_none_is_left_behind(tmp_path: Path) -> None:
    place = Place(tmp_path)
    program = Program(place).ready()
    wait_until(lambda: issuers(program), "it is there")
    (issuer,) = issuers(program)
    program.kill()
    wait_until(lambda: not Path(f"/proc/{issuer}/cmdline").exists(), "it ended with who started it")
