"""A command called inside the test: as quick as it is, without a process of its own."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from main import main
from tests.support.program import Program


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


@pytest.fixture(scope="session", autouse=True)
def no_program_outlives_the_tests() -> Iterator[None]:
    yield
    Program.kill_leftovers()


@pytest.fixture
def tell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tell:
    """Call a command that ends by itself, in a folder: `tell(folder, "messages", "list")`."""
    for variable in list(os.environ):
        if variable.startswith("BIANMIN_"):
            monkeypatch.delenv(variable)

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
