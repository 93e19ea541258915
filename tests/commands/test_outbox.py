"""`outbox` beside a running `run`: a notice to all who follow, shown, sent, counted, stopped."""

import io
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from commands.outbox import Sight, drawn
from core.clock import CITY_ZONE
from core.delivery.jobs import Job
from core.delivery.lanes import Lane
from core.delivery.progress import Progress
from core.delivery.standing import Waiting
from tests.commands.conftest import Own, Tell, Told
from tests.support.program import Place, answers
from tests.support.waiting import wait_until

FACTS = 'what = "云汀路停水通知"\nat = 2026-11-25T08:00:00\nwho = "云汀市水务局"\n'


@pytest.fixture(scope="module")
def running(running: Place) -> Place:
    """It has three followers."""
    for openid in ("o-one", "o-two", "o-three"):
        event = {"account": "city", "openid": openid, "type": "event", "event": "subscribe"}
        assert answers(f"{running.phone_url}/sim/messages", event)["reply"]
    return running


def announced(running: Place, tell: Tell, name: str, facts: str, *options: str) -> Told:
    path = running.folder / f"{name}.toml"
    path.write_text(facts, "utf-8")
    return tell(running.folder, "outbox", "announce", "city_notice", "--facts", str(path), *options)


def phone(running: Place, openid: str, text: str) -> int:
    """How often a phone shows this."""
    shown = answers(f"{running.phone_url}/sim/inbox?account=city&openid={openid}")
    return sum(text in each["content"] for each in shown)


def test_a_notice_is_shown_before_it_is_made_and_reaches_everybody_once(running: Place, tell: Tell) -> None:
    dry = announced(running, tell, "water", FACTS, "--dry")
    assert (dry.code, "3 recipients of city" in dry.out, "云汀路停水通知" in dry.out) == (0, True, True)
    assert "city time" in dry.out
    assert "no jobs" in tell(running.folder, "outbox", "jobs").out
    made = announced(running, tell, "water", FACTS, "--yes")
    assert "job 1;" in made.out
    assert "job 1;" in announced(running, tell, "water", FACTS, "--yes").out, "the same once more"

    def arrived() -> bool:
        return all(phone(running, one, "云汀路停水通知") for one in ("o-one", "o-two", "o-three"))

    wait_until(arrived, "everybody has it")
    wait_until(lambda: "is done" in tell(running.folder, "outbox", "job", "1").out, "the job knows")
    assert "3 recipients: 3 accepted" in tell(running.folder, "outbox", "job", "1").out
    assert [phone(running, one, "云汀路停水通知") for one in ("o-one", "o-two", "o-three")] == [1, 1, 1]
    status = tell(running.folder, "outbox", "status")
    assert (status.code, "nothing waits" in status.out) == (0, True), "not live where nobody watches"
    assert tell(running.folder, "outbox", "unknown").out.strip() == "none"
    refused = tell(running.folder, "outbox", "stop", "1")
    assert (refused.code, "job 1 is done already" in refused.line) == (2, True)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (FACTS.replace("what", "wat"), "facts: 'what' is undefined"),
        (FACTS.replace("2026-11-25T08:00:00", '"tomorrow"'), "facts: 'str' object"),
        (FACTS.replace("08:00:00", "08:00:99"), "is not TOML"),
        (FACTS.replace("云汀路", "云" * 700), "words: 1 to"),
    ],
)
def test_a_notice_that_is_wrong_names_what_is(running: Place, tell: Tell, facts: str, said: str) -> None:
    refused = announced(running, tell, "wrong", facts, "--yes")
    assert (refused.code, said in refused.line) == (2, True), refused


def test_unknown_kinds_accounts_files_and_jobs_are_told(running: Place, tell: Tell, tmp_path: Path) -> None:
    (tmp_path / "facts.toml").write_text(FACTS, "utf-8")
    facts = ("--facts", str(tmp_path / "facts.toml"), "--yes")
    kind = tell(running.folder, "outbox", "announce", "nope", *facts)
    assert "kind: one of" in kind.line
    account = tell(running.folder, "outbox", "announce", "city_notice", "--account", "nope", *facts)
    assert "--account nope: there are city" in account.line
    missing = tell(running.folder, "outbox", "announce", "city_notice", "--facts", "nowhere.toml")
    assert "nowhere.toml cannot be read" in missing.line
    assert "job 77 is not there" in tell(running.folder, "outbox", "job", "77").line


def test_the_picture_of_a_job_has_a_bar_counts_pace_and_time_left() -> None:
    at = datetime(2026, 11, 24, 9, 0, tzinfo=CITY_ZONE)
    job = Job(7, "k", "city_notice", "city", "followers", "running", "staff", 1000, True, at, None)
    how = Progress(7, "running", 1000, True, {"accepted": 600, "queued": 400}, 50.0)
    waiting = Waiting(Lane.BULK, "queued", "", 400, at - timedelta(minutes=7))
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    console.print(drawn(Sight(at, [waiting], [(job, how)], 2, 1)))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for part in ("2 work, 1 schedule", "bulk", "400", "7 min", "60 %", "50/s, 8 s left", "600 accepted"):
        assert part in shown, shown


def test_a_job_that_waits_for_the_morning_says_so() -> None:
    """It had “0 s left” all night."""
    at = datetime(2026, 11, 24, 23, 0, tzinfo=CITY_ZONE)
    job = Job(7, "k", "city_notice", "city", "followers", "running", "staff", 1000, True, at, None)
    morning = at + timedelta(hours=9)
    how = Progress(7, "running", 1000, True, {"held": 900, "accepted": 100}, 0.0, 900, morning)
    console = Console(file=io.StringIO(), width=120, force_terminal=False)
    console.print(drawn(Sight(at, [], [(job, how)], 1, 1)))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "900 wait until 2026-11-25 08:00 city time" in shown, shown
    assert "left" not in shown


@pytest.mark.parametrize("number", ["-1", "x", "²", "9" * 30])
def test_a_number_no_job_can_have_is_told(own: Own, tell: Tell, number: str) -> None:
    """One of thirty digits was a traceback out of the database."""
    told = tell(own.folder, "outbox", "unknown", f"--before={number}")
    assert (told.code, "is not the number of a job or message" in told.err) == (2, True)
    assert "Traceback" not in told.err
    assert tell(own.folder, "outbox", "unknown", "--before=1").out.strip() == "no earlier ones", "control"
