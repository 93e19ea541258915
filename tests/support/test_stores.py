"""Which of a distribution's PostgreSQL versions the contract tests run on."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.stores import by_turns, newest_postgres


@pytest.mark.parametrize(
    ("versions", "chosen"),
    [(["15"], "15"), (["9", "15", "16"], "16"), (["17", "16"], "17"), (["14"], None), ([], None)],
)
def test_the_newest_that_is_new_enough(tmp_path: Path, versions: list[str], chosen: str | None) -> None:
    for version in versions:
        programs = tmp_path / version / "bin"
        programs.mkdir(parents=True)
        (programs / "postgres").touch()
    (tmp_path / "18" / "bin").mkdir(parents=True)  # its client alone is installed
    assert newest_postgres(tmp_path) == (tmp_path / chosen / "bin" if chosen else None)


class _Case:
    """What `by_turns` looks at of a test."""

    def __init__(self, file: str, name: str, kind: str) -> None:
        self.path = Path(__file__).parents[2] / file
        self.nodeid = f"{file}::{name}[{kind}]"
        self.callspec = SimpleNamespace(params={"any_servers": kind})
        self.marks: list[object] = []

    def add_marker(self, mark: object) -> None:
        self.marks.append(mark)


def kinds_met(file: str, names: list[str]) -> list[str]:
    """On which kind of server each test runs in `make test`."""
    cases = [_Case(file, name, kind) for name in names for kind in ("embedded", "debian")]
    by_turns(cases)  # type: ignore[arg-type] # it looks at no more than that
    return [each.callspec.params["any_servers"] for each in cases if not each.marks]


def test_a_test_of_rules_meets_one_kind_of_server_and_many_meet_both() -> None:
    names = [f"test_{number}" for number in range(40)]
    met = kinds_met("tests/core/delivery/test_outbox.py", names)
    assert len(met) == len(names)
    assert {*met} == {"embedded", "debian"}


def test_control_the_tests_of_the_stores_meet_both() -> None:
    assert kinds_met("tests/core/stores/test_redis.py", ["test_1"]) == ["embedded", "debian"]
