"""Logging: one structured line on stderr, and never a reason to fail."""

import re
import subprocess
import sys

from tests.support.program import ROOT

SAY = "import sys; from core import log; import structlog; log.configure(); "


def run(program: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", SAY + program], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_happening_is_one_line_of_pairs() -> None:
    told = run("structlog.get_logger().info('ready', url='http://x', words='a b')")
    assert told.stdout == ""
    assert len(told.stderr.splitlines()) == 1
    assert 'level=info event=ready url=http://x words="a b"' in told.stderr


def test_every_time_shows_its_zone() -> None:
    told = run("import logging; structlog.get_logger().info('ours'); logging.getLogger('x').error('theirs')")
    lines = told.stderr.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert re.match(r"at=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} ", line), line


def test_a_terminal_that_went_away_stops_nothing() -> None:
    told = run("sys.stderr.close(); structlog.get_logger().warning('gone'); print('goes on')")
    assert told.stdout == "goes on\n"
    assert told.returncode == 0


FAIL = """
log._is_terminal = lambda: {}
log.configure()
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger().exception('broken', number='7F3A')
"""


def test_a_failure_at_a_terminal_was_one_long_line() -> None:
    for_people = run(FAIL.format(True)).stderr.splitlines()
    assert "event=broken number=7F3A" in for_people[0]
    assert for_people[1].startswith("Traceback")
    assert for_people[-1] == "ZeroDivisionError: division by zero"
    assert len(run(FAIL.format(False)).stderr.splitlines()) == 1, "control: a file gets one line"
