"""A missing server is a skip on a laptop and a failure where real servers are promised."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.program import ROOT
from tests.support.required import need

SKIPPED = """
import pytest

@pytest.mark.skipif(True, reason="no {marker}")
@pytest.mark.{marker}
def test_something(): ...
"""


def test_what_is_there_is_used() -> None:
    need("/usr/bin/redis-server", "never said")


def test_on_a_laptop_what_is_missing_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BIANMIN_REQUIRE_REAL", raising=False)

    with pytest.raises(pytest.skip.Exception, match="no chromium"):
        need(condition=False, reason="no chromium")


def test_in_ci_what_is_missing_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIANMIN_REQUIRE_REAL", "1")

    with pytest.raises(pytest.fail.Exception, match="no chromium"):
        need(condition=False, reason="no chromium")


def suite(folder: Path, marker: str, *, promised: str) -> int:
    """The exit code of a suite whose only test skips itself."""
    (folder / "test_it.py").write_text(SKIPPED.format(marker=marker))
    (folder / "pytest.ini").write_text(f"[pytest]\nmarkers = {marker}\n")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "tests.support.required",
            "-c",
            folder / "pytest.ini",
            folder,
        ],
        cwd=ROOT,
        env={**os.environ, "BIANMIN_REQUIRE_REAL": promised},
        capture_output=True,
        check=False,
    )
    return done.returncode


@pytest.mark.parametrize(
    ("marker", "promised", "code"),
    [("real_server", "1", 1), ("browser", "1", 1), ("real_server", "", 0), ("only_for_root", "1", 0)],
)
def test_a_skip_by_any_other_way_fails_in_ci_too(
    tmp_path: Path, marker: str, promised: str, code: int
) -> None:
    assert suite(tmp_path, marker, promised=promised) == code
