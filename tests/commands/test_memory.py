"""Settling down: nothing is lost, and the heap lies in huge pages where the kernel gives them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# In a process of its own: what is settled stays settled.
SETTLES = """
from commands.memory import huge_pages, settle
kept = [str(n) * 40 for n in range(200_000)]
settle()
assert [str(n) * 40 for n in range(200_000)] == kept
print(huge_pages(), open("/proc/self/smaps_rollup").read())
"""


def test_what_was_there_before_is_there_after() -> None:
    told = subprocess.run(
        [sys.executable, "-c", SETTLES], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    huge_kb = int(told[told.index("AnonHugePages:") + 1])
    if not huge_kb:
        pytest.skip("this kernel gives no huge pages")
    assert huge_kb >= int(told[0]) * 2_048 > 0
