"""Which of a distribution's PostgreSQL versions the contract tests run on."""

from pathlib import Path

import pytest

from tests.support.stores import newest_postgres


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
