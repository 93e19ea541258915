"""Data files of the transit: a mistake names its file, its line and its field."""

import re
from pathlib import Path
from typing import TypeVar

import msgspec

from core.errors import BootError

_Shape = TypeVar("_Shape", bound=msgspec.Struct)
_TABLE = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]\]?")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
_AT = re.compile(r"`\$(?P<path>[^`]*)`")
_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]|\[\.\.\.\]")


class File:
    """The text of one file, and where its fields stand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as unreadable:
            raise BootError(f"{path}: {unreadable}") from unreadable

    def decode(self, shape: type[_Shape]) -> _Shape:
        """Read it in its shape; `BootError` for what has another one."""
        try:
            return msgspec.toml.decode(self.text, type=shape)
        except msgspec.ValidationError as wrong:
            found = _AT.search(str(wrong))
            steps = _steps(found["path"]) if found else []
            said = _AT.sub("", str(wrong)).removesuffix(" - at ")
            raise self.wrong(steps, said) from wrong
        except msgspec.DecodeError as wrong:
            raise BootError(f"{self.path}: {wrong}") from wrong

    def wrong(self, steps: list[str | int], said: str) -> BootError:
        """A mistake at a field: `["metro", 2, "fen"]` is `fen` of the third `[[metro]]`."""
        field = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
        return BootError(f"{self.path}, line {self._line(steps)}, {field.lstrip('.') or 'file'}: {said}")

    def _line(self, steps: list[str | int]) -> int:
        """The line of a field, or of the nearest table around it."""
        at, nearest, deepest = [], 1, 0
        counts: dict[str, int] = {}
        for number, line in enumerate(self.text.splitlines(), start=1):
            if table := _TABLE.match(line):
                name = table[2]
                counts[name] = counts.get(name, -1) + 1
                at = [*name.split("."), *([counts[name]] if table[1] == "[[" else [])]
                here = at
            elif key := _KEY.match(line):
                here = [*at, key[1]]
            else:
                continue
            if len(here) > deepest and list(steps[: len(here)]) == here:
                nearest, deepest = number, len(here)
        return nearest


def _steps(path: str) -> list[str | int]:
    return [step[1] or int(step[2]) for step in _STEP.finditer(path) if step[1] or step[2]]
