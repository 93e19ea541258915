"""The Makefile on a machine that lacks something: one clear line."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.support.program import ROOT
from tests.support.rendered import MOST

MAKE = shutil.which("make")
pytestmark = pytest.mark.skipif(MAKE is None, reason="make is not installed")


def make_with(
    folder: Path, python: str, target: str = "run", requirements: str = "run", *settings: str
) -> subprocess.CompletedProcess[str]:
    """`make <target>` where the only Python is this script."""
    (folder / "requirements").mkdir()
    (folder / "requirements" / f"{requirements}.txt").touch()
    shutil.copy(ROOT / "Makefile", folder)
    tools = folder / "bin"
    tools.mkdir()
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        (tools / name).write_text(f"#!/bin/sh\n{python}\n")
        (tools / name).chmod(0o755)
    environment = {"PATH": f"{tools}{os.pathsep}{os.defpath}"}
    return subprocess.run(
        [str(MAKE), target, *settings],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def complaints(told: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in told.stderr.splitlines() if not line.startswith("make")]


def test_an_old_python_is_one_clear_line(tmp_path: Path) -> None:
    told = make_with(tmp_path, "exit 1")
    assert told.returncode == 2
    assert len(complaints(told)) == 1
    assert "Python 3.11 or newer" in complaints(told)[0]


def test_missing_python3_venv_is_one_clear_line(tmp_path: Path) -> None:
    told = make_with(tmp_path, 'case "$*" in *ensurepip*) exit 1;; esac; exit 0')
    assert told.returncode == 2
    assert len(complaints(told)) == 1
    assert "python3-venv" in complaints(told)[0]


def test_an_install_that_was_cut_short_is_done_again(tmp_path: Path) -> None:
    # Making the environment works, installing does not: the next try must install, not run.
    told = make_with(
        tmp_path, 'case "$*" in *venv*--clear*) mkdir -p .venv/bin && cp "$0" .venv/bin/python;; esac'
    )
    assert told.returncode == 0, told.stderr
    (tmp_path / ".venv" / "run.stamp").unlink()
    (tmp_path / ".venv" / "bin" / "python").write_text(
        '#!/bin/sh\ncase "$*" in *pip*) exit 1;; *print*) echo alive;; *main.py*) echo ran;; esac\n'
    )
    told = subprocess.run([str(MAKE), "run"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "ran" not in told.stdout
    assert not (tmp_path / ".venv" / "run.stamp").exists()


def test_install_makes_the_environment_and_starts_nothing(tmp_path: Path) -> None:
    told = make_with(
        tmp_path,
        'case "$*" in *--clear*) mkdir -p .venv/bin && cp "$0" .venv/bin/python;; *main.py*) echo ran;; esac',
        "install",
    )
    assert told.returncode == 0, told.stderr
    assert "ran" not in told.stdout
    assert (tmp_path / ".venv" / "run.stamp").exists()
    assert not (tmp_path / ".venv" / "dev.stamp").exists()


def executed(folder: Path, target: str, requirements: str, *settings: str) -> list[list[str]]:
    """What `make <target>` hands to the environment's Python once everything is installed."""
    records = (
        'case "$*" in *--clear*) mkdir -p .venv/bin && cp "$0" .venv/bin/python;;'
        ' *"pip install"*) ;; *print*) echo alive;;'
        ' *main.py*|*pytest*) printf "%s\\n" "$@" "" >> executed;; esac'
    )
    folder.mkdir()
    assert make_with(folder, records, target, requirements, *settings).returncode == 0
    commands = (folder / "executed").read_text().removesuffix("\n\n").split("\n\n")
    return [command.splitlines() for command in commands]


def test_make_run_starts_everything_and_hands_over_what_is_asked_for(tmp_path: Path) -> None:
    assert executed(tmp_path / "plain", "run", "run") == [["main.py", "run"]]
    more = executed(tmp_path / "more", "run", "run", "ARGS=--help")
    assert more == [["main.py", "run", "--help"]]


def test_make_test_leaves_out_the_long_trials_and_nothing_else(tmp_path: Path) -> None:
    most = ["-m", "pytest", "-n", "3", "--dist", "worksteal", "-m", MOST]
    timed = ["-m", "pytest", "-n", "2", "--dist", "worksteal", "-m", "not soak and timed"]
    compiled, *plain = executed(tmp_path / "plain", "test", "dev")
    assert compiled[:3] == ["-m", "compileall", "-q"]
    assert plain == [most, timed]
    _, *more = executed(tmp_path / "more", "test", "dev", "ARGS=-x tests/bench")
    assert more == [[*each, "-x", "tests/bench"] for each in (most, timed)]
    options = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    deselecting = ("-m", "-k", "--deselect", "--ignore", "--ignore-glob", "--last-failed", "--lf")
    hidden = [each for each in options["addopts"].split() if each.split("=")[0] in deselecting]
    assert hidden == []
    assert options["testpaths"] == ["tests"]
    assert not {"norecursedirs", "python_files", "python_functions", "python_classes"} & options.keys()


@pytest.mark.parametrize(
    ("most", "timed", "made"), [(0, 0, 0), (0, 5, 0), (5, 0, 0), (1, 0, 2), (0, 1, 2), (5, 5, 2), (4, 0, 2)]
)
def test_make_test_is_green_if_both_parts_are_and_something_was_run(
    tmp_path: Path, most: int, timed: int, made: int
) -> None:
    told = make_with(
        tmp_path,
        'case "$*" in *--clear*) mkdir -p .venv/bin && cp "$0" .venv/bin/python;; *print*) echo alive;;'
        f' *"not soak and timed"*) exit {timed};; *pytest*) exit {most};; esac',
        "test",
        "dev",
    )
    assert told.returncode == made, told.stderr


@pytest.mark.parametrize("target", ["run", "dev"])
def test_packages_come_with_their_hashes_or_not_at_all(tmp_path: Path, target: str) -> None:
    records = (
        'case "$*" in *--clear*) mkdir -p .venv/bin && cp "$0" .venv/bin/python;;'
        ' *install*) echo "$*" >> installed;; *print*) echo alive;; esac'
    )
    assert make_with(tmp_path, records, f".venv/{target}.stamp", target).returncode == 0
    (installed,) = (tmp_path / "installed").read_text().splitlines()
    assert f"-r requirements/{target}.txt" in installed
    assert "--require-hashes" in installed
    assert "--only-binary :all:" in installed
    pinned = re.split(r"\n(?=\S)", (ROOT / "requirements" / f"{target}.txt").read_text().strip())
    packages = [each for each in pinned if not each.startswith("#")]
    assert len(packages) > 10
    bare = [
        each
        for each in packages
        if not re.match(r"[\w.\[\]-]+==[^\s]+(.*\n)? .*--hash=sha256:", each, re.DOTALL)
    ]
    assert bare == []


def test_the_gate_runs_everything_and_lets_nothing_be_skipped(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "dpkg-query").write_text("#!/bin/sh\nprintf installed\n")
    (tools / "make").write_text('#!/bin/sh\necho "$BIANMIN_REQUIRE_REAL $*" >> ran; [ "$*" != "$FAILS" ]\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)

    def gate(fails: str = "") -> tuple[int, list[str]]:
        (tmp_path / "ran").unlink(missing_ok=True)
        environment = {"PATH": f"{tools}{os.pathsep}{os.defpath}", "FAILS": fails}
        done = subprocess.run([tmp_path / ".ci" / "run"], env=environment, capture_output=True, check=False)
        return done.returncode, (tmp_path / "ran").read_text().splitlines()

    assert gate() == (0, ["1 check-static", "1 test"])
    assert gate("test")[0] != 0
    assert gate("check-static") == (1, ["1 check-static"])
