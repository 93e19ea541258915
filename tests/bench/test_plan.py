"""What the webhook bench measures: how many users, rounds and messages, in which order, how long at most."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest

from bench import command
from bench.webhook import __main__ as webhook
from bench.webhook import trial
from bench.webhook.corpus import Corpus, Writer
from bench.webhook.load import Load, Target
from bench.webhook.plan import Plan
from bench.webhook.processes import Program
from bench.webhook.report import Figure
from bench.webhook.trial import FULL, NAMES, QUICK, Size

WITHIN_S = 30  # of the 40 s of --quick; the rest is for starting the programs and signing the messages
ANSWERED = 10


@dataclass(frozen=True)
class Played:
    """One run of the load generator."""

    program: str
    seconds: int
    corpus: Corpus


class Idle(Program):
    """A server that only has a name; it took some processor time and some memory."""

    cpu_seconds = 0.5
    resident_mb = 80.0


class Unsigned(Writer):
    """Draws who writes and signs nothing."""

    def write(self, size: int, name: str) -> Corpus:
        return Corpus(Path(name), tuple(next(self._users) for _ in range(size)))


Run = Callable[[Size], list[Played]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the whole bench with nothing behind it; what was played, in order."""
    played: list[Played] = []

    def play(corpus: Corpus, target: Target, seconds: int, *, again: bool) -> Load:
        assert again is (target.name == "constant"), "only what looks at nothing may get a message twice"
        target.kept.touch()
        played.append(Played(target.name, seconds, corpus))
        return Load(ANSWERED, ANSWERED, 0, 0, float(seconds), 5.0, 10.0)

    @contextmanager
    def running(_plan: Plan, names: Sequence[str], _ready: object) -> Iterator[list[Program]]:
        yield [Idle(name, 0, cast("subprocess.Popen[bytes]", None), tmp_path) for name in names]

    monkeypatch.setattr(trial, "play", play)
    monkeypatch.setattr(trial.Trial, "audit", lambda *_: None)
    monkeypatch.setattr(webhook, "running", running)
    monkeypatch.setattr(webhook, "Writer", Unsigned)

    def measured(size: Size) -> list[Played]:
        with ThreadPoolExecutor(1) as pool:
            webhook._measure(Plan("", "", str(tmp_path)), pool, size)
        return played

    return measured


def halves(played: list[Played]) -> tuple[list[list[Played]], list[Played]]:
    """The rounds of all four programs, the warm-up first, and what is played for the memory's sake."""
    in_rounds, for_memory = played[:-2], played[-2:]
    return [in_rounds[start : start + 4] for start in range(0, len(in_rounds), 4)], for_memory


def test_the_full_plan_is_twelve_rounds_of_two_seconds_after_a_warm_up(run: Run) -> None:
    rounds, _ = halves(run(FULL))
    assert len(rounds) == 1 + 12
    assert {each.seconds for one in rounds for each in one} == {2}


def test_all_programs_take_turns_in_every_round_and_get_the_same_messages(run: Run) -> None:
    rounds, _ = halves(run(FULL))
    for one in rounds:
        assert sorted(each.program for each in one) == sorted(NAMES)
        assert len({id(each.corpus) for each in one}) == 1
    firsts = [one[0].program for one in rounds]
    assert all(before != after for before, after in pairwise(firsts))
    assert {firsts[1:].count(name) for name in NAMES} == {3}, "each is the first one equally often"


def test_five_thousand_users_write_in_every_round(run: Run) -> None:
    rounds, _ = halves(run(FULL))
    for one in rounds:
        assert len(set(one[0].corpus.users)) == 5_000


def test_memory_is_read_after_a_hundred_thousand_messages_to_a_fresh_gateway(run: Run) -> None:
    _, for_memory = halves(run(FULL))
    assert [each.program for each in for_memory] == ["gateway", "gateway"]
    assert [len(each.corpus.users) for each in for_memory] == [50_000, 50_000]
    assert min(len(each.corpus.users) / each.seconds for each in for_memory) <= 500, "time for all of them"


def test_the_quick_plan_plays_for_half_a_minute_at_most(run: Run) -> None:
    assert sum(each.seconds for each in run(QUICK)) <= WITHIN_S


@pytest.mark.parametrize(("arguments", "size"), [([], FULL), (["--quick"], QUICK)])
def test_the_full_plan_is_what_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], size: Size
) -> None:
    @contextmanager
    def stores() -> Iterator[Plan]:
        yield Plan("", "", str(tmp_path))

    measured: list[Size] = []

    def measure(_plan: Plan, _pool: Executor, given: Size) -> list[Figure]:
        measured.append(given)
        return []

    monkeypatch.setattr(command, "_stores", stores)
    assert command.run("webhook", "", measure, arguments) == 0
    assert measured == [size]
    assert (size.quick, FULL.audited) == (bool(arguments), 200)
