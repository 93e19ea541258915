"""`serve --processes N`: all answer, each message once; who dies comes back, and the end is in good order."""

import itertools
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest
from redis import Redis

from commands.fleet import STEADY_S, Backoff
from commands.lifetime import AT_ONCE
from core.stores.embedded.run_file import started
from tests.commands.conftest import Tell
from tests.support.program import ROOT, Place, Program, answers, run_to_end
from tests.support.stores import Servers
from tests.support.waiting import wait_until
from tests.webhooks.wire import TOKEN, push, signature

OWN = "gh_ours"
SLOW_CITY = ROOT / "tests" / "support" / "slow_city.py"
ACCOUNT = f"""
[accounts.city]
bot = "bots.slow"
original_id = "{OWN}"
appid = "wx1"
secret = "s"
token = "{TOKEN}"
mode = "plain"
"""
_numbers = itertools.count(1)


@pytest.fixture
def place(tmp_path: Path, redis_url: str, db_url: str, tell: Tell) -> Place:
    made = Place(tmp_path, f'[stores]\nredis_url = "{redis_url}"\ndatabase_url = "{db_url}"\n{ACCOUNT}')
    assert tell(tmp_path, "keys", "create").code == 0
    return made


@pytest.fixture
def fleet(place: Place) -> Iterator["Fleet"]:
    """Two processes, ready; nothing of them may live on after the test."""
    opened = Fleet(place)
    yield opened
    if opened.process.poll() is None:  # only after a test that failed
        opened.kill()
    wait_until(lambda: not opened.alive(), "all have ended")
    assert "Traceback" not in opened.said


class Fleet(Program):
    """`serve --processes 2` in the city with slow handlers."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, "serve", "--processes", "2", program=SLOW_CITY)
        wait_until(self.all_ready, "all are ready", 60)

    def all_ready(self) -> bool:
        assert self.process.poll() is None, f"it ended:\n{self.said}"
        return " event=ready " in self.said

    def pids(self, number: int) -> list[int]:
        """Under which pids a process was ready, one after another."""
        found = re.findall(rf"event=process_ready pid=(\d+) .* process={number}$", self.said, re.MULTILINE)
        return [int(pid) for pid in found]

    def alive(self) -> list[int]:
        pids = [self.process.pid, *self.pids(1), *self.pids(2)]
        return [pid for pid in pids if started(pid) is not None]

    def answered(self) -> list[int]:
        """How many messages each process has answered, as its own figures say."""
        return [self._answered(self.place.admin_port + index) for index in (0, 1)]

    def _answered(self, port: int) -> int:
        figures = str(answers(f"http://127.0.0.1:{port}/metrics"))
        return sum(
            int(float(each))
            for each in re.findall(r"^bianmin_messages_total{.*} (\S+)", figures, re.MULTILINE)
        )

    def line_to_each(self) -> list["Line"]:
        """One line to each process: the system decides where a new one ends, so we look who answers."""
        found: dict[int, Line] = {}
        for _ in range(100):
            before, line = self.answered(), Line(self.place)
            assert "<MsgType>" in line.says("帮助")
            grown = [after > earlier for earlier, after in zip(before, self.answered(), strict=True)]
            found.setdefault(grown.index(True), line)
            if len(found) == 2:
                return [found[0], found[1]]
        raise AssertionError("one process gets every connection")

    def closed(self) -> bool:
        """Whether nobody new gets in."""
        with socket.socket() as caller:
            return caller.connect_ex(("127.0.0.1", self.place.port)) != 0


class Line:
    """One connection on which WeChat pushes, kept open."""

    def __init__(self, place: Place) -> None:
        self._folder = place.folder
        self._connection = HTTPConnection("127.0.0.1", place.port, timeout=20)

    def asks(self, text: str, message: "Message | None" = None) -> "Message":
        """Push what a citizen of their own writes, or a message once more; the answer is not waited for."""
        message = message or Message(text)
        query = {"timestamp": str(message.at), "nonce": f"n{next(_numbers)}"}
        query["signature"] = signature(TOKEN, *query.values())
        self._connection.request("POST", f"/wechat/city?{urlencode(query)}", message.xml.encode())
        return message

    def told(self) -> str:
        """What comes back."""
        with self._connection.getresponse() as answer:
            assert answer.status == 200
            return answer.read().decode()

    def says(self, text: str) -> str:
        self.asks(text)
        return self.told()

    def asks_slow(self, text: str = "慢") -> "Message":
        """Push what a handler takes its time for, and wait until it does."""
        message = self.asks(text)
        wait_until((self._folder / "hangs").exists, "the handler has it")
        return message


class Message:
    """A message as WeChat sends it, however often."""

    def __init__(self, text: str) -> None:
        self.number = next(_numbers)
        self.at = int(time.time())
        self.xml = push(
            ToUserName=OWN,
            FromUserName=f"o-{self.number}",
            CreateTime=str(self.at),
            MsgType="text",
            Content=text,
            MsgId=str(self.number),
        )

    def attempts(self, redis_url: str) -> int:
        """How many attempts the gateway has seen."""
        with Redis.from_url(redis_url) as redis:
            (claim,) = redis.keys(f"bm:{{city:*}}:c:m:{self.number}:{self.at}")
            return int(redis.hget(claim, "seen") or 0)


def go_on(place: Place) -> None:
    """Let the slow handler come to its end."""
    (place.folder / "go-on").touch()


def test_both_answer_and_each_shows_its_own_figures(fleet: Fleet) -> None:
    for line in fleet.line_to_each():
        assert "<MsgType>" in line.says("帮助")
    assert min(fleet.answered()) >= 2
    pages = [answers(f"http://127.0.0.1:{fleet.place.admin_port + index}/") for index in (0, 1)]
    for page in pages:
        for index in (0, 1):
            assert f"http://127.0.0.1:{fleet.place.admin_port + index}/" in page, "one leads to the other"
    assert fleet.stop() == 0


def test_a_message_sent_to_both_at_once_runs_once_and_gets_one_reply(fleet: Fleet, redis_url: str) -> None:
    first, second = fleet.line_to_each()
    message = first.asks_slow()
    second.asks("", message)
    wait_until(lambda: message.attempts(redis_url) == 2, "both have it")
    go_on(fleet.place)
    assert first.told() == second.told() != "success"
    assert (fleet.place.folder / "hangs").read_text().count("hangs") == 1
    assert fleet.stop() == 0


def test_one_that_is_killed_comes_back_and_the_other_loses_nothing(fleet: Fleet) -> None:
    _, second = fleet.line_to_each()
    second.asks_slow()
    os.kill(fleet.pids(1)[0], signal.SIGKILL)
    wait_until(lambda: "process=1 pid=" in ended(fleet), "it is missed")
    assert 'why="signal 9, Killed"' in ended(fleet)
    go_on(fleet.place)  # WeChat waits 5 s, and a new process may take as long
    assert "<MsgType>" in second.told()
    while len(fleet.pids(1)) < 2:
        assert answers(f"{fleet.place.url}/readyz"), "whoever comes now is answered by the other"
    fleet.line_to_each()
    assert len(fleet.pids(2)) == 1
    assert fleet.stop() == 0


def test_one_that_is_asked_to_end_finishes_and_a_new_one_takes_its_place(fleet: Fleet) -> None:
    first, _ = fleet.line_to_each()
    first.asks_slow()
    os.kill(fleet.pids(1)[0], signal.SIGTERM)
    go_on(fleet.place)
    assert "<MsgType>" in first.told()
    wait_until(lambda: len(fleet.pids(1)) == 2, "a new one is ready")
    assert 'why="exit code 0"' in ended(fleet)
    assert fleet.stop() == 0


def test_one_that_dies_again_within_seconds_is_waited_for(fleet: Fleet) -> None:
    for times in (1, 2):
        wait_until(partial(was_ready, fleet, times), "it is ready")
        os.kill(fleet.pids(1)[-1], signal.SIGKILL)
    wait_until(lambda: "again_in_s=1.0" in ended(fleet), "it is not started at once")
    assert "again_in_s=0.0" in ended(fleet)
    assert fleet.stop() == 0, "nor does the end wait for it"


def test_one_that_cannot_start_again_ends_nobody_else(fleet: Fleet) -> None:
    file = fleet.place.folder / "bianmin.toml"
    good = file.read_text()
    file.write_text("port =")
    os.kill(fleet.pids(1)[0], signal.SIGKILL)
    wait_until(lambda: 'why="exit code 2"' in ended(fleet), "it has tried")
    assert answers(f"{fleet.place.url}/readyz")
    file.write_text(good)
    wait_until(lambda: len(fleet.pids(1)) == 2, "it tries again")
    assert fleet.stop() == 0


def was_ready(fleet: Fleet, times: int) -> bool:
    """Whether the first process was ready so many times."""
    return len(fleet.pids(1)) == times


def ended(fleet: Fleet) -> str:
    """The lines about processes that ended."""
    return "\n".join(line for line in fleet.said.splitlines() if " event=process_ended " in line)


def test_the_pauses_grow_to_half_a_minute_and_end_with_a_steady_process() -> None:
    backoff = Backoff()
    assert [backoff.after(0.5) for _ in range(8)] == [0, 1, 2, 4, 8, 16, 30, 30]
    assert backoff.after(STEADY_S) == 0
    assert backoff.after(0.5) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_who_asked_before_the_end_is_answered_and_nobody_else_gets_in(
    fleet: Fleet, number: signal.Signals
) -> None:
    lines = fleet.line_to_each()
    lines[0].asks_slow()
    lines[1].asks("慢")
    wait_until(lambda: (fleet.place.folder / "hangs").read_text().count("hangs") == 2, "both have one")
    fleet.signal(number)
    wait_until(fleet.closed, "the door is shut")
    go_on(fleet.place)
    for line in lines:
        assert "<MsgType>" in line.told()
    assert fleet.ends() == 0


def test_a_manager_that_signals_every_process_cuts_nobody_off(fleet: Fleet) -> None:
    first, _ = fleet.line_to_each()
    first.asks_slow()
    fleet.signal(signal.SIGTERM)
    wait_until(fleet.closed, "the processes were asked to end")
    for number in (1, 2):
        if started(fleet.pids(number)[0]) is not None:
            os.kill(fleet.pids(number)[0], signal.SIGTERM)
    go_on(fleet.place)
    assert "<MsgType>" in first.told()
    assert fleet.ends() == 0


def test_a_second_ctrl_c_ends_all_at_once_even_one_that_heeds_no_signal(fleet: Fleet) -> None:
    Line(fleet.place).asks_slow("等")
    stopped = fleet.pids(1)[0]
    os.kill(stopped, signal.SIGSTOP)
    wait_until(lambda: status(stopped, "State").startswith("T"), "it is stopped")
    fleet.signal()
    asked = 1 << signal.SIGTERM - 1
    wait_until(lambda: int(status(stopped, "ShdPnd"), 16) & asked, "it was asked to end, and does not look")
    fleet.signal()
    assert fleet.ends() == AT_ONCE


def status(pid: int, name: str) -> str:
    """What the system says of a process."""
    found = re.search(rf"^{name}:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return found[1]


def test_killed_it_leaves_nobody_behind(fleet: Fleet) -> None:
    Line(fleet.place)
    fleet.kill()
    wait_until(lambda: not fleet.alive(), "its processes have ended")
    again = Fleet(fleet.place)
    assert again.stop() == 0


def test_one_that_hangs_without_its_starter_ends_at_a_signal_of_its_own(fleet: Fleet) -> None:
    Line(fleet.place).asks_slow("等")
    fleet.kill()
    wait_until(lambda: len(fleet.alive()) == 1, "all but the one that hangs have ended")
    os.kill(fleet.alive()[0], signal.SIGTERM)


def test_what_nobody_can_start_with_is_said_once(
    place: Place, embedded_servers: Servers, db_url: str
) -> None:
    file = place.folder / "bianmin.toml"
    text = file.read_text().replace(db_url, embedded_servers.database_url)  # no schema there
    file.write_text(text.replace("bots.slow", "bots.city"))
    refused = run_to_end(place.folder, "serve", "--processes", "3")
    assert refused.returncode == 2
    (line,) = refused.stderr.strip().splitlines()
    assert ".venv/bin/python main.py migrate" in line


@pytest.mark.parametrize("taken", ["server.port", "server.admin_port"])
@pytest.mark.parametrize("shared", [False, True], ids=["its own", "one it would share"])
def test_a_port_of_another_program_is_one_clear_line(
    place: Place, taken: str, shared: bool, tell: Tell
) -> None:
    port = place.port if taken == "server.port" else place.admin_port + 1
    with socket.create_server(("127.0.0.1", port), reuse_port=shared):
        refused = tell(place.folder, "serve", "--processes", "2")
    assert refused.code == 2
    assert f"port {port} on 127.0.0.1 is in use" in refused.line
    assert taken in refused.line


def test_a_second_fleet_is_refused_in_one_line(fleet: Fleet, tell: Tell) -> None:
    refused = tell(fleet.place.folder, "serve", "--processes", "2")
    assert refused.code == 2
    assert "is in use" in refused.line
    assert fleet.stop() == 0


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("port = 8085\nadmin_port = 8083", "server.port 8085 is one of"),
        ("admin_port = 65534", "as many ports"),
    ],
)
def test_health_pages_that_find_no_port_are_one_clear_line(
    tmp_path: Path, server: str, said: str, tell: Tell
) -> None:
    (tmp_path / "bianmin.toml").write_text(f"[server]\n{server}\n{ACCOUNT}")
    refused = tell(tmp_path, "serve", "--processes", "4")
    assert refused.code == 2
    assert said in refused.line


@pytest.mark.parametrize("given", ["0", "-1", "x", "65", "1.5", "", "9" * 5000])
def test_a_number_of_processes_that_is_none_gets_the_usage(tmp_path: Path, given: str, tell: Tell) -> None:
    told = tell(tmp_path, "serve", "--processes", given)
    assert told.code == 2
    assert told.err.startswith("usage: bianmin serve")
    assert "Traceback" not in told.err


@pytest.mark.parametrize("given", ["1:99", "me", "1"])
def test_nobody_becomes_a_member_by_hand(tmp_path: Path, given: str, tell: Tell) -> None:
    told = tell(tmp_path, "serve", "--processes", "2", "--member", given)
    assert told.code == 2
    assert "not for people" in told.err
