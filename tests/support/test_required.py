"""A missing server is a skip on a laptop and a failure where real servers are promised."""

import pytest

from tests.support.required import need


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
