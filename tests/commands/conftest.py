"""A command called inside the test: as quick as it is, without a process of its own."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from core import log
from main import main
from tests.support.program import Place, Program
from tests.support.stores import run_apart


@dataclass(frozen=True, slots=True)
class Told:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The one line in which it said what is wrong."""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("bianmin: ")
        return lines[0]


Tell = Callable[..., Told]


class Own:
    """A folder whose settings name stores of its owner's own, and an account WeChat would know."""

    def __init__(self, folder: Path, redis_url: str, database_url: str) -> None:
        self.folder = folder
        self.database_url = database_url
        (folder / "bianmin.toml").write_text(
            f'[stores]\nredis_url = "{redis_url}"\ndatabase_url = "{database_url}"\n'
            '[accounts.city]\noriginal_id = "gh_1"\nappid = "wx1"\n'
            'secret = "s"\ntoken = "t"\nmode = "plain"\n',
            "utf-8",
        )


def counted(database_url: str, sql: str) -> int:
    """What a `SELECT count(…)` says."""
    found: list[int] = []

    async def ask() -> None:
        connection = await asyncpg.connect(database_url)
        try:
            found.append(await connection.fetchval(sql))
        finally:
            await connection.close()

    run_apart(ask())
    return found[0]


@pytest.fixture(scope="session", autouse=True)
def no_program_outlives_the_tests() -> Iterator[None]:
    yield
    Program.kill_leftovers()


@pytest.fixture
def own(tmp_path: Path, redis_url: str, db_url: str) -> Own:
    """A migrated database of this test's own."""
    return Own(tmp_path, redis_url, db_url)


@pytest.fixture
def tell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tell:
    """Call a command that ends by itself, in a folder: `tell(folder, "messages", "list")`."""
    for variable in list(os.environ):
        if variable.startswith("BIANMIN_"):
            monkeypatch.delenv(variable)
    # A logger keeps what it was told at its first use; here the tests after this one are to hear it.
    monkeypatch.setattr(log, "configure", lambda: None)

    def call(folder: Path, *arguments: str) -> Told:
        monkeypatch.chdir(folder)
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return Told(code, said.out, said.err)

    return call


OWN_VALUES = """
[accounts.city]
original_id = "gh_1"
appid = "wx1"
secret = "s"
token = "t"
aes_key = "KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK"
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A `run` that stays for the whole module; notices leave at any hour."""
    place = Place(tmp_path_factory.mktemp("running"), '[wechat]\nquiet_hours = "00:00-00:00"\n')
    program = Program(place).ready()
    yield place
    program.stop()


def beside(running: Place, folder: Path, accounts: str = OWN_VALUES) -> Place:
    """Another place on the same data."""
    place = Place(folder, f'[stores]\ndata_dir = "{running.data}"\n{accounts}')
    place.data = running.data
    return place
