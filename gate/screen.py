"""What the gate's screen shows for each outcome, in words for riders."""

import tomllib
from pathlib import Path

import msgspec

from gate.code import Refused, Unreadable, unarmour
from gate.faults import OutOfOrder
from gate.gate import Gate

HERE = Path(__file__).parent


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`words.toml`."""

    ready: dict[str, str]
    opened: dict[str, str]
    refused: dict[str, str]
    out_of_order: dict[str, str]


class Shown(msgspec.Struct, frozen=True):
    """Green or red, and what it says. `reason` is "" when open; `seq` is the tap's number, 0 for none."""

    open: bool
    reason: str
    words: str
    seq: int = 0
    detail: str = ""  # for engineers


class Screen:
    """Shows codes to a gate."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.words = words()

    def show(self, text: str, *, only_look: bool = False) -> Shown:
        """What becomes of the text of a QR code."""
        try:
            raw = unarmour(text)
            seq = 0
            if only_look:
                self.gate.look(raw)
            else:
                seq = self.gate.show(raw).seq
        except Refused as refused:
            return self.refused(refused)
        except OutOfOrder as trouble:
            return Shown(False, trouble.why, self.words.out_of_order[trouble.why], detail=str(trouble))
        return Shown(True, "", self.words.opened[self.gate.settings.way], seq)

    def refused(self, refused: Refused) -> Shown:
        """What a refusal looks like."""
        detail = refused.detail if isinstance(refused, Unreadable) else ""
        return Shown(False, refused.reason.value, self.words.refused[refused.reason], detail=detail)


def words() -> Words:
    """Every word of the screen."""
    return msgspec.convert(tomllib.loads((HERE / "words.toml").read_text("utf-8")), Words)
