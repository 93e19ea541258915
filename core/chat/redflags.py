"""Words that stop everything: danger to life is answered before any routing (domain-rules R7)."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import ahocorasick

from core.chat.answers import fold
from core.errors import BootError

# "没有胸痛": a negation right before the word, a few filling words allowed between.
_NEGATED = re.compile(
    r"(?:没有|没|无|未见|未|并无|不是|并不|不|否认)(?:再|有|出现|感到|感觉|觉得|什么|任何|明显|过|伴)*$"
)
# "没有胸痛、呼吸困难": an enumeration stays under its negation.
_JOINED = re.compile(r"[、,，和或及与]+$")


@dataclass(frozen=True, slots=True)
class _Flag:
    template: str
    rank: int


class RedFlags:
    """The flagged words of `templates/chat/red_flags.toml`; groups come in the order of their weight."""

    def __init__(self, path: Path) -> None:
        self._words = ahocorasick.Automaton()
        try:
            groups = tomllib.loads(path.read_text("utf-8"))["group"]
            for rank, group in enumerate(groups):
                for word in group["words"]:
                    self._words.add_word(fold(word), (fold(word), _Flag(group["template"], rank)))
        except (OSError, tomllib.TOMLDecodeError, KeyError) as broken:
            raise BootError(f"{path}: the red-flag words cannot be read ({broken!r})") from broken
        self._words.make_automaton()

    def raised_by(self, folded: str) -> str | None:
        """The template of the gravest flag these words raise; None if none, or only negated ones."""
        raised: list[_Flag] = []
        negated_until = -1
        for end, (word, flag) in self._words.iter_long(folded):
            before = folded[: end + 1 - len(word)]
            joined = _JOINED.sub("", before)
            carried = joined != before and len(joined) == negated_until
            if carried or _NEGATED.search(before):
                negated_until = end + 1
            else:
                raised.append(flag)
        return min(raised, key=lambda flag: flag.rank).template if raised else None
