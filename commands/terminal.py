"""What commands say at the terminal: progress, addresses, one clear line when something is wrong."""

import os
import signal
import sys
import unicodedata
from collections.abc import Mapping

_LABEL = 26


def complain(line: object) -> None:
    """Say on stderr what is wrong, in one line."""
    print(f"bianmin: {' '.join(str(line).split())}", file=sys.stderr, flush=True)


def say(line: str = "") -> None:
    """Say a line at once, also into a pipe."""
    print(line, flush=True)


def unread() -> int:
    """Leave quietly when whoever read us has gone; the exit code is that of a program ended by SIGPIPE."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at its end
    return 128 + signal.SIGPIPE


def done(label: str, detail: str) -> None:
    """Report one step."""
    say(f"  ✓ {padded(label, _LABEL)}{detail}")


def failed(label: str, detail: str) -> None:
    """Report one thing that is not as it should be."""
    say(f"  ✗ {padded(label, _LABEL)}{detail}")


def addresses(links: Mapping[str, str]) -> None:
    """List where to go."""
    for label, url in links.items():
        say(f"  {padded(label, _LABEL + 2)}{url}")
    say()


def padded(text: str, width: int) -> str:
    """Fill up with blanks to a width on the screen, where a Chinese character takes two places."""
    taken = sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
    return text + " " * max(1, width - taken)
