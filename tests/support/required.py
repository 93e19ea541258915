"""What a test needs from the machine: missing on a laptop it is skipped, missing in CI it fails."""

import os
from collections.abc import Generator

import pytest

REAL = ("real_server", "browser")  # the markers of tests that CI may not leave out


def promised() -> bool:
    """Whether real servers and a browser are promised here."""
    return os.environ.get("BIANMIN_REQUIRE_REAL") == "1"


def need(condition: object, reason: str) -> None:
    """Go on if `condition` holds; else skip, or fail where real servers and a browser are promised."""
    if condition:
        return
    if promised():
        pytest.fail(f"required here and missing: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A real-server or browser test that was skipped in another way than by `need` fails in CI, too."""
    report = yield
    if report.skipped and promised() and any(item.get_closest_marker(name) for name in REAL):
        report.outcome = "failed"
        report.longrepr = f"required here and skipped: {report.longrepr}"
    return report
