"""`messages list` where something is not as it should be: one clear line, exit code 2."""

from pathlib import Path

import pytest

from tests.commands.conftest import Own, Tell
from tests.support.stores import Servers


@pytest.mark.parametrize("limit", ["-1", "0", "99999999999999999999"])
def test_a_limit_that_cannot_be_is_told(own: Own, tell: Tell, limit: str) -> None:
    tell(own.folder, "keys", "create")
    told = tell(own.folder, "messages", "list", "--limit", limit)
    assert told.code == 2
    assert f"--limit {limit}" in told.line


def test_going_on_after_a_message_that_is_not_there_is_told(own: Own, tell: Tell) -> None:
    tell(own.folder, "keys", "create")
    told = tell(own.folder, "messages", "list", "--after", "m0")
    assert told.code == 2
    assert "--after m0: there is no such message" in told.line


def test_an_empty_desk_is_no_mistake(own: Own, tell: Tell) -> None:
    tell(own.folder, "keys", "create")
    told = tell(own.folder, "messages", "list")
    assert (told.code, told.out.strip()) == (0, "no messages wait")


@pytest.mark.parametrize("action", [("list",), ("show", "m1"), ("close", "m1", "--by", "me")])
def test_a_database_that_was_not_migrated_is_told(
    tmp_path: Path, embedded_servers: Servers, tell: Tell, action: tuple[str, ...]
) -> None:
    own = Own(tmp_path, embedded_servers.redis_url, embedded_servers.database_url)
    tell(own.folder, "keys", "create")
    told = tell(own.folder, "messages", *action)
    assert told.code == 2
    assert ".venv/bin/python main.py migrate" in told.line


def test_a_database_that_is_not_there_is_told(tmp_path: Path, embedded_servers: Servers, tell: Tell) -> None:
    own = Own(tmp_path, embedded_servers.redis_url, f"postgresql:///x?host={tmp_path}")
    tell(own.folder, "keys", "create")
    told = tell(own.folder, "messages", "list")
    assert told.code == 2
    assert "PostgreSQL cannot be reached" in told.line
