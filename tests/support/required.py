"""What a test needs from the machine: missing on a laptop it is skipped, missing in CI it fails."""

import os

import pytest


def need(condition: object, reason: str) -> None:
    """Go on if `condition` holds; else skip, or fail where real servers and a browser are promised."""
    if condition:
        return
    if os.environ.get("BIANMIN_REQUIRE_REAL") == "1":
        pytest.fail(f"required here and missing: {reason}", pytrace=False)
    pytest.skip(reason)
