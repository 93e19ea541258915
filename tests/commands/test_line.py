"""The command line: what is unknown gets the usage, what stands alone needs no stores."""

from pathlib import Path

import pytest

from tests.commands.conftest import Tell


@pytest.mark.parametrize(
    "arguments",
    [(), ("fly",), ("messages",), ("messages", "show"), ("catalogue", "load"), ("menu",), ("run", "--fast")],
)
def test_what_nobody_knows_gets_the_usage(tmp_path: Path, arguments: tuple[str, ...], tell: Tell) -> None:
    told = tell(tmp_path, *arguments)
    assert told.code == 2
    assert told.err.startswith("usage: bianmin")
    assert "Traceback" not in told.err


def test_help_names_every_command(tmp_path: Path, tell: Tell) -> None:
    told = tell(tmp_path, "--help")
    assert told.code == 0
    for command in ("run", "serve", "simulate", "migrate", "check", "messages", "keys", "menu", "catalogue"):
        assert command in told.out


@pytest.mark.parametrize("command", [("migrate",), ("messages", "list")])
def test_without_a_run_the_embedded_stores_are_not_there(
    tmp_path: Path, command: tuple[str, ...], tell: Tell
) -> None:
    told = tell(tmp_path, *command)
    assert told.code == 2
    assert "start `make run` first" in told.err
    assert len(told.err.strip().splitlines()) == 1


def test_the_key_ring_is_made_once(tmp_path: Path, tell: Tell) -> None:
    assert tell(tmp_path, "keys", "create").code == 0
    ring = tmp_path / "var" / "keys"
    assert ring.stat().st_mode & 0o177 == 0
    before = ring.read_text()
    assert tell(tmp_path, "keys", "create").code == 2
    assert ring.read_text() == before
    assert tell(tmp_path, "keys", "rotate").code == 0
    assert ring.read_text() != before
