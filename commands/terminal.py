"""What commands say at the terminal: progress, addresses, one clear line when something is wrong."""

import getpass
import os
import signal
import sys
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta

from core.clock import CITY_ZONE
from core.errors import BootError

_LABEL = 26
_MOST = 1_000  # lines at once


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


def agrees(question: str, word: str) -> bool:
    """Ask for one word; anything else, and nobody there to answer, is a no."""
    try:
        return input(question).strip() == word
    except EOFError:
        say()
        return False


def secret(question: str) -> str:
    """Ask for something that is not shown while it is typed; nobody there to answer is a `BootError`."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise BootError("nobody is at the terminal to type a password: give --generate, and one is made")
    return getpass.getpass(question)


def lasting(time: timedelta) -> str:
    """A length of time in its two largest units: 3 d 4 h, 2 h 5 min, 7 min, 12 s."""
    seconds = max(0, int(time.total_seconds()))
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def page(limit: int) -> int:
    """How many lines are asked for at once, if it is a number that one can be given."""
    if not 1 <= limit <= _MOST:
        raise BootError(f"--limit {limit}: give a whole number from 1 to {_MOST}")
    return limit


def when(moment: datetime) -> str:
    """A moment in the city's time, to the second."""
    return f"{moment.astimezone(CITY_ZONE):%Y-%m-%d %H:%M:%S}"


def count(number: int, of: str) -> str:
    """So many of something: 1 recipient, 12,345 recipients."""
    return f"{number:,} {of}" if number == 1 else f"{number:,} {of}s"


def padded(text: str, width: int) -> str:
    """Fill up with blanks to a width on the screen, where a Chinese character takes two places."""
    taken = sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
    return text + " " * max(1, width - taken)
