"""The programs of the webhook bench answer signed messages: what is measured is work done rightly."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.webhook.answers import Reader, deliver, push
from bench.webhook.corpus import Writer, signed
from bench.webhook.plan import Plan
from bench.webhook.processes import Program
from bench.webhook.trial import Trial
from core.stores.redis import Redis
from tests.support.stores import Servers


@pytest.fixture
def trial(embedded_servers: Servers, redis: Redis, db_url: str, tmp_path: Path) -> Iterator[Trial]:
    """A trial on an empty Redis and a migrated database."""
    plan = Plan(embedded_servers.redis_url, db_url, str(tmp_path))
    plan.write()
    with ThreadPoolExecutor(1) as pool:
        yield Trial(plan, Writer(plan, pool), Reader(plan), lambda _line: None)


@pytest.fixture
def program(request: pytest.FixtureRequest, trial: Trial) -> Iterator[Program]:
    """The program a test names, ready."""
    started = Program.start(request.param, trial.plan)
    try:
        started.wait_until(lambda: trial.ready(started))
        yield started
    finally:
        started.stop()


def twice(trial: Trial, program: Program) -> list[int]:
    """Deliver one push two times; the counts it is answered with."""
    query, body = signed(trial.plan, trial.writer.next(7))
    answers = [deliver(program.port, query, body) for _ in range(2)]
    return [trial.reader.read(answer)[1] for _, answer in answers]


@pytest.mark.parametrize("program", ["usual", "careful", "gateway"], indirect=True)
def test_each_user_has_a_count_of_their_own(trial: Trial, program: Program) -> None:
    assert [trial.count(program, 7) for _ in range(3)] == [1, 2, 3]
    assert trial.count(program, 8) == 1


@pytest.mark.parametrize("program", ["careful", "gateway"], indirect=True)
def test_a_message_that_comes_again_gets_its_stored_answer(trial: Trial, program: Program) -> None:
    assert twice(trial, program) == [1, 1]
    assert trial.count(program, 7) == 2


@pytest.mark.parametrize("program", ["gateway"], indirect=True)
def test_a_message_signed_again_in_the_next_second_is_another_message(
    trial: Trial, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trial above signed twice, and failed when a second ended between the two."""
    message, now = trial.writer.next(7), time.time()
    counts = []
    for second in (now, now + 1):
        monkeypatch.setattr("bench.webhook.corpus.time.time", lambda second=second: second)
        counts.append(trial.reader.read(push(trial.plan, program.port, message)[1])[1])

    assert counts == [1, 2]


@pytest.mark.parametrize("program", ["usual"], indirect=True)
def test_control_the_usual_program_counts_it_twice(trial: Trial, program: Program) -> None:
    assert twice(trial, program) == [1, 2]


@pytest.mark.parametrize("program", ["usual", "careful", "gateway"], indirect=True)
def test_a_message_signed_with_another_token_is_turned_away(trial: Trial, program: Program) -> None:
    stranger = Plan("", "", trial.plan.folder, token="another-token")

    assert push(stranger, program.port, trial.writer.next(7))[0] == 403


@pytest.mark.parametrize("program", ["constant"], indirect=True)
def test_the_constant_program_answers_a_constant(trial: Trial, program: Program) -> None:
    assert push(trial.plan, program.port, trial.writer.next(7)) == (200, b"success")
