"""What citizens are asked to agree to: `templates/consent/<purpose>/<version>.txt`, checked at start.

A file is a title, up to two lines that are shown with the question, and behind an empty line the whole text.
It is shown as it stands and its SHA-256 is kept with every answer: a changed text is a new version.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from core.errors import BootError

IDENTITY, FAMILY, HEALTH, MINORS, SHARING = "identity", "family", "health", "minors", "sharing"
TRANSIT, COMMUNITY = "transit", "community"
# Asked for one by one (PIPL 23, 28 to 31).
PURPOSES = (IDENTITY, FAMILY, HEALTH, MINORS, SHARING, TRANSIT, COMMUNITY)

_MOST_TITLE = 12  # characters: it stands in a line of a list
_MOST_LINES = 2  # with three lines to choose from and one that says how, the question has six
_MOST_BYTES = 1_500  # of one message, with its question behind it


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One version of what is asked for one purpose; `digest` is the SHA-256 of its file."""

    purpose: str
    version: int
    title: str
    summary: str
    whole: str
    digest: bytes


class Texts:
    """The texts of all purposes; a missing or broken one stops the boot."""

    def __init__(self, folder: Path) -> None:
        strangers = {each.name for each in folder.iterdir() if each.is_dir()} - set(PURPOSES)
        if strangers:
            raise BootError(f"{folder}: nobody asks for {', '.join(sorted(strangers))}")
        self._versions = {purpose: _versions(folder / purpose, purpose) for purpose in PURPOSES}

    def __contains__(self, purpose: object) -> bool:
        """Tell whether this is asked for at all."""
        return purpose in self._versions

    def current(self, purpose: str) -> ConsentText:
        """What is asked for a purpose now."""
        return self._versions[purpose][-1]

    def shown(self, purpose: str, version: int) -> ConsentText | None:
        """A text as it was shown then; None for one that never was."""
        return next((each for each in self._versions.get(purpose, ()) if each.version == version), None)


def _versions(folder: Path, purpose: str) -> tuple[ConsentText, ...]:
    found = sorted((path for path in folder.glob("*.txt")), key=lambda path: (len(path.stem), path.stem))
    for place, path in enumerate(found, 1):
        if path.stem != str(place):
            raise BootError(f"{path}: versions are 1, 2, 3, … without a gap; {place}.txt is missing")
    if not found:
        raise BootError(f"{folder}: there is no text to agree to; write 1.txt")
    return tuple(_read(path, purpose) for path in found)


def _read(path: Path, purpose: str) -> ConsentText:
    raw = path.read_bytes()
    try:
        head, _, whole = raw.decode().strip().partition("\n\n")
    except UnicodeDecodeError as broken:
        raise BootError(f"{path}: {broken}") from broken
    title, *summary = head.splitlines()
    if not (0 < len(title) <= _MOST_TITLE):
        raise BootError(f"{path}: its first line is the title, of at most {_MOST_TITLE} characters")
    if not (0 < len(summary) <= _MOST_LINES):
        raise BootError(f"{path}: one or {_MOST_LINES} lines after the title are shown with the question")
    if not whole or len(raw) > _MOST_BYTES:
        raise BootError(f"{path}: the whole text stands behind an empty line, {_MOST_BYTES} bytes in all")
    if "{" in raw.decode():
        raise BootError(f"{path}: it is shown as it stands, so it has no placeholders")
    digest = hashlib.sha256(raw).digest()
    return ConsentText(purpose, int(path.stem), title, "\n".join(summary), whole.strip(), digest)
