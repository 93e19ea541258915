"""What an operator decided: about what, who did, and why, as it will stand in the audit."""

import getpass
from dataclasses import dataclass

from core.errors import BootError

MOST_REASON = 200


@dataclass(frozen=True, slots=True)
class Decided:
    """What or whom it is about, who decided it ("" for whoever is logged in), and why."""

    name: str
    by: str
    reason: str

    def who_and_why(self) -> tuple[str, str]:
        """One line each; `BootError` where there is no reason, or nobody."""
        by, reason = (" ".join(words.split()) for words in (self.by, self.reason))
        if not reason or len(reason) > MOST_REASON or not reason.isprintable():
            raise BootError(f"--reason: say why, in one line of at most {MOST_REASON} characters")
        return by or _login(), reason


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as nobody:  # in a container the user may have no name
        raise BootError("your login has no name here: say who decided it, --by NAME") from nobody
