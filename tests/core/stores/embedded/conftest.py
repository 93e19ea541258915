"""Owners of embedded stores as processes of their own, so that they can be killed."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from core.stores.embedded import run_file
from core.stores.embedded.folder import DataFolder, remove_runtime, runtime_folder
from core.stores.embedded.stores import EmbeddedStores
from tests.support.stores import scratch_folder

ROOT = Path(__file__).parents[4]


class Up(msgspec.Struct, frozen=True):
    """What an owner says once its stores answer."""

    seconds: float
    redis_url: str
    database_url: str
    versions: dict[str, str]
    pids: dict[str, int]

    @property
    def postgres(self) -> int:
        return self.pids["PostgreSQL"]

    @property
    def valkey(self) -> int:
        return self.pids["Valkey"]


class Owner:
    """One process that owns the stores of a folder."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.owner", data, *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def up(self) -> Up:
        """Wait until its stores answer."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.refusal()
        return msgspec.convert(json.loads(line), Up)

    def refusal(self) -> str:
        """What it said when it gave up."""
        _, complaint = self.process.communicate(timeout=30)
        return str(complaint)

    def kill(self) -> None:
        """End it as a power cut would: it can do nothing about it."""
        self.process.kill()
        self.process.wait(10)

    def end(self) -> None:
        """End it as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(10) == 0


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder that was used before; tests share it, for setting PostgreSQL up takes a second."""
    with scratch_folder(tmp_path_factory.mktemp("used")) as data:
        EmbeddedStores.start(data, scratch=True).stop()
        yield data


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A data folder nobody has used."""
    return tmp_path / "var"


@pytest.fixture
def copy(data: Path, fresh: Path) -> Path:
    """A used data folder that may be spoilt."""
    return Path(shutil.copytree(data, fresh))


@pytest.fixture
def own(data: Path) -> Iterator[Callable[..., Owner]]:
    """Start an owner of a data folder; whatever lives at the end is ended."""
    owners: list[Owner] = []

    def start(folder: Path = data, *options: str) -> Owner:
        owners.append(Owner(folder, *options))
        return owners[-1]

    yield start
    for owner in owners:
        owner.process.kill()
        owner.process.communicate(timeout=10)
    for used in {owner.data for owner in owners if (owner.data / "servers.lock").exists()}:
        folder = DataFolder.take(used)  # which waits for their servers
        remove_runtime(runtime_folder(used))
        folder.give_back()


def ended(*pids: int) -> bool:
    """Whether these processes are all gone."""
    return all(run_file.started(pid) is None for pid in pids)
