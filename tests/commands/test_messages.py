"""`messages`: what staff learns of who wrote; and where something is not as it should be, one clear line."""

from datetime import time
from pathlib import Path

import pytest

from core.chat.desk import Desk, DeskHours
from core.clock import SystemClock
from core.effects import Effect
from core.stores import keys
from core.stores.database import Database
from tests.commands.conftest import Own, Tell
from tests.support.stores import Servers, run_apart


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


def leave(own: Own, *messages: tuple[str, str]) -> None:
    """Let citizens leave messages: (openid, words)."""

    async def write() -> None:
        db = await Database.open(own.database_url)
        seal = keys.load(own.folder / "var" / "keys")
        try:
            desk = Desk(db, seal, SystemClock(), DeskHours(time(8, 30), time(17, 30)))
            for number, (openid, words) in enumerate(messages):
                effect = Effect(f"run-{number}", "leave", b"")
                await desk.leave(seal.conversation("city", openid), words, effect)
            await db.execute(
                "UPDATE desk_messages SET left_at = left_at - interval '125 minutes' WHERE id = '10001'"
            )
        finally:
            await db.close()

    run_apart(write())


def test_a_message_was_shown_without_who_wrote_it_and_since_when_it_waits(own: Own, tell: Tell) -> None:
    tell(own.folder, "keys", "create")
    leave(own, ("o-grandma", "我妈的药开错了"), ("o-other", "问路"), ("o-grandma", "还没人理我"))
    listed = lines_of(tell(own.folder, "messages", "list").out)
    assert "waits 2 h 5 min" in listed[0]
    writers = [line.split("citizen ")[1][:8] for line in listed]
    assert writers[0] == writers[2] != writers[1]
    assert "message 1 of 2" in listed[0]
    assert "message 2 of 2" in listed[2]
    assert " of " not in listed[1]
    tell(own.folder, "messages", "close", "10003", "--by", "王姐")
    shown = tell(own.folder, "messages", "show", "10001").out
    for part in ("waits 2 h 5 min", "account city", f"citizen {writers[0]}, message 1 of 2", "also 10003"):
        assert part in shown
    assert "o-grandma" not in shown
    assert "closed by 王姐" in tell(own.folder, "messages", "show", "10003").out


def lines_of(listed: str) -> list[str]:
    """The lines of a list that are messages."""
    return [line for line in listed.splitlines() if line[:5].isdecimal()]


def test_a_list_said_neither_how_much_waits_nor_what_to_do_next(own: Own, tell: Tell) -> None:
    tell(own.folder, "keys", "create")
    leave(own, *((f"o-{number}", f"第{number}件事") for number in range(3)))
    first = tell(own.folder, "messages", "list", "--limit", "2").out
    assert "3 messages wait, the oldest for 2 h 5 min; times are city time\n" in first
    assert "+0800" in lines_of(first)[0]
    assert len(lines_of(first)) == 2
    assert "more: .venv/bin/python main.py messages list --after 10002 --limit 2\n" in first
    assert "one in full: .venv/bin/python main.py messages show 10001" in first
    last = tell(own.folder, "messages", "list", "--limit", "2", "--after", "10002").out
    assert [line[:5] for line in lines_of(last)] == ["10003"]
    assert "no more messages" in last
    shown = tell(own.folder, "messages", "show", "10001").out
    assert "an answer cannot be sent from here" in shown
    assert "dealt with: .venv/bin/python main.py messages close 10001 --by NAME" in shown


def test_a_page_that_was_just_full_promised_more(own: Own, tell: Tell) -> None:
    tell(own.folder, "keys", "create")
    leave(own, ("o-1", "一"), ("o-2", "二"))
    assert "more:" not in tell(own.folder, "messages", "list", "--limit", "2").out
    tell(own.folder, "messages", "close", "10001", "--by", "王姐")
    everything = tell(own.folder, "messages", "list", "--limit", "1", "--all").out
    assert "list --after 10001 --limit 1 --all" in everything, "the next page lost what was asked for"


def test_what_was_closed_says_when_and_what_is_left(own: Own, tell: Tell) -> None:
    tell(own.folder, "keys", "create")
    leave(own, ("o-1", "一"), ("o-2", "二"))
    assert (
        "10001 closed by 王姐; 1 still waiting"
        in tell(own.folder, "messages", "close", "10001", "--by", "王姐").out
    )
    again = tell(own.folder, "messages", "close", "10001", "--by", "老李")
    assert again.code == 1
    assert "10001 was closed by 王姐 20" in again.line
    assert "none still waiting" in tell(own.folder, "messages", "close", "10002", "--by", "王姐").out
    assert "dealt with:" not in tell(own.folder, "messages", "show", "10001").out
    assert tell(own.folder, "messages", "list").out == "no messages wait\n"


def test_a_login_without_a_name_was_a_traceback(
    own: Own, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(own.folder, "keys", "create")
    leave(own, ("o-1", "一"))

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", nobody)
    told = tell(own.folder, "messages", "close", "10001")
    assert told.code == 2
    assert "--by NAME" in told.line
    assert "closed by 王姐" in tell(own.folder, "messages", "close", "10001", "--by", " 王姐 ").out


def test_messages_under_another_key_ring_were_a_traceback(own: Own, tell: Tell) -> None:
    tell(own.folder, "keys", "create")
    leave(own, ("o-1", "一"))
    (own.folder / "var" / "keys").unlink()
    tell(own.folder, "keys", "create")
    told = tell(own.folder, "messages", "list")
    assert told.code == 2
    assert "sealed with a key that" in told.line
    assert str(own.folder / "var" / "keys") in told.line


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
    assert "PostgreSQL cannot be reached at postgresql:///x?host=" in told.line


@pytest.mark.parametrize("command", [("messages", "list"), ("migrate",), ("check",)])
def test_a_database_that_is_not_there_was_told_without_its_address(
    tmp_path: Path, embedded_servers: Servers, tell: Tell, command: tuple[str, ...]
) -> None:
    own = Own(tmp_path, embedded_servers.redis_url, "postgresql://city:s3cret@127.0.0.1:1/bianmin")
    tell(own.folder, "keys", "create")
    told = tell(own.folder, *command)
    assert told.code
    said = told.out + told.err
    assert "PostgreSQL cannot be reached at postgresql://city@127.0.0.1:1/bianmin: start it, or put" in said
    assert "stores.database_url" in said
    assert "s3cret" not in said


def test_a_redis_that_is_not_there_is_told_with_its_address(
    tmp_path: Path, embedded_servers: Servers, tell: Tell
) -> None:
    own = Own(tmp_path, "redis://:s3cret@127.0.0.1:1/0", embedded_servers.database_url)
    said = tell(own.folder, "check").out
    assert "Redis cannot be reached at redis://127.0.0.1:1/0: start it, or put" in said
    assert "s3cret" not in said
