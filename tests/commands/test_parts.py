"""`work` and `schedule` beside a running `run`: they say that they live, and end in good order."""

import signal
from pathlib import Path

import pytest

from commands import parts
from core.stores.embedded.stores import attach
from tests.commands.conftest import beside, counted
from tests.support.program import Place, Program
from tests.support.waiting import wait_until


def lives(running: Place, part: str) -> int:
    """How many processes do a part now, as the database knows it."""
    url = attach(running.data).database_url
    sql = f"SELECT count(*) FROM leases WHERE starts_with(name, '{part}') AND until > now()"  # noqa: S608
    return counted(url, sql)


@pytest.mark.parametrize(("command", "part"), [("work", parts.WORK), ("schedule", parts.SCHEDULE)])
def test_a_part_says_that_it_lives_until_sigterm(
    running: Place, tmp_path: Path, command: str, part: str
) -> None:
    assert lives(running, part) == 0
    program = Program(beside(running, tmp_path), command)
    wait_until(lambda: lives(running, part) == 1, f"{command} has said that it lives")
    program.signal(signal.SIGTERM)
    assert program.ends() == 0
    assert lives(running, part) == 0, "given back at once"


def test_of_a_killed_worker_nothing_is_left_after_seconds(running: Place, tmp_path: Path) -> None:
    one = Program(beside(running, tmp_path / "one"), "work")
    other = Program(beside(running, tmp_path / "other"), "work")
    wait_until(lambda: lives(running, parts.WORK) == 2, "both live")
    one.signal(signal.SIGKILL)
    one.ends()
    wait_until(lambda: lives(running, parts.WORK) == 1, "the killed one is not counted any more")
    other.stop()


@pytest.mark.parametrize("command", ["work", "schedule"])
def test_a_part_on_stores_of_ones_own_needs_the_values_of_the_accounts(tmp_path: Path, command: str) -> None:
    stores = '[stores]\nredis_url = "redis://127.0.0.1:1"\ndatabase_url = "postgresql://127.0.0.1:1/none"\n'
    program = Program(Place(tmp_path, f"{stores}[accounts.city]\n"), command)
    assert program.ends() == 2
    assert "accounts.city.secret is missing" in program.said


def test_beside_a_run_a_part_uses_what_that_invented(running: Place, tmp_path: Path) -> None:
    program = Program(beside(running, tmp_path, ""), "work")
    wait_until(lambda: lives(running, parts.WORK) == 1, "it needs no account of its own")
    program.stop()
