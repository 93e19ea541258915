"""A handler that hangs cannot hold the program: the second Ctrl-C ends it at once, and its stores with it."""

import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from commands.lifetime import AT_ONCE
from tests.support.program import ROOT, Place, Program
from tests.support.waiting import wait_until

SLOW_CITY = ROOT / "tests" / "support" / "slow_city.py"
ACCOUNT = '[accounts.city]\nbot = "bots.slow"\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as a first start leaves it."""
    place = Place(tmp_path_factory.mktemp("made"))
    assert Program(place).ready().stop() == 0
    return place.data


@pytest.fixture
def place(tmp_path: Path, made: Path) -> Iterator[Place]:
    opened = Place(tmp_path, ACCOUNT)
    shutil.copytree(made, opened.data)
    yield opened
    assert opened.no_store_lives()


def hanging(place: Place, word: str) -> Program:
    """A running program with a handler that has just begun to hang."""
    program = Program(place, program=SLOW_CITY).ready()

    def says() -> None:
        with suppress(Exception):  # there will be no answer
            place.says(word)

    threading.Thread(target=says, daemon=True).start()
    wait_until((place.folder / "hangs").exists, "the handler hangs")
    return program


def asked_to_end(program: Program) -> None:
    """Press Ctrl-C once and see that it was noticed; two at the same moment would be one for the system."""
    program.signal()
    wait_until(lambda: "停止 Stopping" in program.said, "it was told")


@pytest.mark.parametrize("again", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("word", ["等", "卡"])
def test_a_second_signal_ends_it_at_once(place: Place, word: str, again: signal.Signals) -> None:
    program = hanging(place, word)
    asked_to_end(program)
    began = time.monotonic()
    program.signal(again)
    assert program.ends() == AT_ONCE
    assert time.monotonic() - began < 4
    assert place.no_store_lives(), "when it has ended, its stores have"
    assert "Traceback" not in program.said


def test_control_one_ctrl_c_waits_for_the_handler(place: Place) -> None:
    program = hanging(place, "等")
    asked_to_end(program)
    time.sleep(1)  # a stretch in which nothing may happen cannot be waited for otherwise
    assert program.process.poll() is None
    program.signal()
    assert program.ends() == AT_ONCE


def test_what_was_kept_is_there_after_an_end_at_once(place: Place) -> None:
    program = hanging(place, "卡")
    asked_to_end(program)
    program.signal()
    assert program.ends() == AT_ONCE
    (place.folder / "hangs").unlink()
    second = Program(place, program=SLOW_CITY).ready()
    assert second.stop() == 0


def test_a_hangup_that_comes_twice_is_still_in_good_order(place: Place) -> None:
    program = Program(place, program=SLOW_CITY).ready()
    program.signal(signal.SIGHUP)
    program.signal(signal.SIGHUP)
    assert program.ends() == 0
