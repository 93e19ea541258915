"""The command line: what is unknown gets the usage, what stands alone needs no stores."""

from pathlib import Path

import pytest

from tests.support.program import run_to_end


@pytest.mark.parametrize("arguments", [(), ("fly",), ("messages",), ("messages", "show"), ("run", "--fast")])
def test_what_nobody_knows_gets_the_usage(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    told = run_to_end(tmp_path, *arguments)
    assert told.returncode == 2
    assert told.stderr.startswith("usage: bianmin")
    assert "Traceback" not in told.stderr


def test_help_names_every_command(tmp_path: Path) -> None:
    told = run_to_end(tmp_path, "--help")
    assert told.returncode == 0
    for command in ("run", "serve", "simulate", "migrate", "check", "messages", "keys"):
        assert command in told.stdout


@pytest.mark.parametrize("command", [("migrate",), ("messages", "list")])
def test_without_a_run_the_embedded_stores_are_not_there(tmp_path: Path, command: tuple[str, ...]) -> None:
    told = run_to_end(tmp_path, *command)
    assert told.returncode == 2
    assert "start `make run` first" in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1


def test_the_key_ring_is_made_once(tmp_path: Path) -> None:
    assert run_to_end(tmp_path, "keys", "create").returncode == 0
    ring = tmp_path / "var" / "keys"
    assert ring.stat().st_mode & 0o177 == 0
    before = ring.read_text()
    assert run_to_end(tmp_path, "keys", "create").returncode == 2
    assert ring.read_text() == before
    assert run_to_end(tmp_path, "keys", "rotate").returncode == 0
    assert ring.read_text() != before
