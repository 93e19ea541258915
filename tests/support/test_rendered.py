"""The guard that every template is rendered by some test can fail."""

from pathlib import Path

import pytest

from tests.support.rendered import Rendered, unrendered
from tests.support.talk import words_of


def test_what_is_rendered_is_noted(request: pytest.FixtureRequest) -> None:
    plugin = request.config.pluginmanager.get_plugin("rendered-templates")
    assert isinstance(plugin, Rendered)
    words_of().render("common/thanks")
    assert "common/thanks" in plugin.names


def test_a_template_nobody_rendered_is_missing(tmp_path: Path) -> None:
    (tmp_path / "common").mkdir()
    for name in ("hello", "bye"):
        (tmp_path / "common" / f"{name}.txt").write_text("您好")
    assert unrendered({"common/hello", "teahouse/tea"}, tmp_path) == ["common/bye"]


def test_what_a_template_includes_is_rendered_with_it(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text('{% include "line.txt" %}')
    (tmp_path / "line.txt").write_text("一行")
    assert unrendered({"list"}, tmp_path) == []
    assert unrendered({"line"}, tmp_path) == ["list"], "and not the other way round"


def test_every_template_is_asked_for() -> None:
    assert {"common/welcome", "hospital/booked", "errors/unit_taken"} <= set(unrendered(()))
