"""Which templates no test rendered: told after a run of the whole suite, which fails for it."""

from collections.abc import Collection, Generator
from pathlib import Path

import pytest
from jinja2 import Environment, meta

from core.chat.words import Words
from tests.support.wording import TEMPLATES

MOST = "not soak and not timed"  # what `make test` runs first: all that talks to citizens
_KEY = "rendered"  # under which a worker process of xdist tells its controller
_WHOLE = (pytest.Config.ArgsSource.TESTPATHS, pytest.Config.ArgsSource.INVOCATION_DIR)


def unrendered(names: Collection[str], folder: Path = TEMPLATES) -> list[str]:
    """The templates of a folder that are not among these names."""
    every = {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.txt")}
    rendered = every & set(names)
    while further := {part for name in rendered for part in _parts(folder, name)} - rendered:
        rendered |= further
    return sorted(every - rendered)


def _parts(folder: Path, name: str) -> list[str]:
    """The templates that one includes, which are rendered with it."""
    source = (folder / f"{name}.txt").read_text("utf-8")
    found = meta.find_referenced_templates(Environment(autoescape=False).parse(source))  # noqa: S701 - parsed only
    return [part.removesuffix(".txt") for part in found if part]


class Rendered:
    """Takes note of every template that is rendered in this process or in a worker of it."""

    def __init__(self, config: pytest.Config) -> None:
        self.names: set[str] = set()
        self._config = config
        chosen = config.option.keyword or config.option.markexpr not in {"", MOST}
        self._whole = config.args_source in _WHOLE and not chosen

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Listen to `Words` as long as tests run."""
        found = Words._template

        def noted(words: Words, name: str) -> object:
            template = found(words, name)
            self.names.add(name)
            return template

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Words, "_template", noted)
            return (yield)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Hear from a worker that has ended."""
        self.names.update(getattr(node, "workeroutput", {}).get(_KEY, ()))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the controller, or be it: then a template nobody rendered fails a run that went well."""
        told = getattr(self._config, "workeroutput", None)
        if told is not None:
            told[_KEY] = sorted(self.names)
        elif self._missing and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._missing:
            terminalreporter.section("templates that no test rendered")
            for name in self._missing:
                terminalreporter.write_line(f"templates/{name}.txt")

    @property
    def _missing(self) -> list[str]:
        return unrendered(self.names) if self._whole and self.names else []
