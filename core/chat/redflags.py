"""Words that stop everything: danger to life is answered before any routing (domain-rules R7)."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import ahocorasick

from core.chat.answers import fold
from core.errors import BootError

# "没有胸痛": a negation right before the word, a few filling words allowed between.
# A question is none: "是不是心梗", "有没有中风", "该不是中毒了".
_NEGATED = re.compile(
    r"(?:(?<!有)没有|(?<!有)没|无|未|(?<![是该莫怕])不是|(?<!是)不(?!是)|否认)"
    r"(?:再|有|出现|感到|感觉|觉得|什么|任何|明显|的|过|伴)*$"
)
# "没有胸痛、呼吸困难": an enumeration stays under its negation; behind a comma begins another thought.
_JOINED = re.compile(r"(?:、|和|或者|或是|或|及|以及|与|跟|还有|也)+$")
_DENIALS = ("没", "无", "不")
_REACH = 32  # characters before a word in which its negation stands; without a bound long texts cost seconds


@dataclass(frozen=True, slots=True)
class _Flag:
    template: str  # "" for words that only look dangerous
    rank: int


def _between(told: dict[str, list[str]]) -> list[str]:
    return [filler + degree for filler in ("", *told["fillers"]) for degree in ("", *told["degrees"])]


class RedFlags:
    """The flagged words of `templates/chat/red_flags.toml`; groups come in the order of their weight.

    `~` in a word stands for one of `fillers`, one of `degrees`, one behind the other, or nothing: 胸口~痛 is
    胸口痛, 胸口有点痛, 胸口绞痛, 胸口一阵阵绞痛. `harmless`
    are longer words that contain a flagged one and mean no danger: 跳楼价.
    """

    def __init__(self, path: Path) -> None:
        self._words = ahocorasick.Automaton()
        try:
            told = tomllib.loads(path.read_text("utf-8"))
            for rank, group in enumerate(told["group"]):
                flag = _Flag(group["template"], rank)
                for word in group["words"]:
                    for between in _between(told) if "~" in word else ("",):
                        self._add(word.replace("~", between), flag)
            for word in told["harmless"]:
                self._add(word, _Flag("", 0))
        except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as broken:
            raise BootError(f"{path}: the red-flag words cannot be read ({broken!r})") from broken
        self._words.make_automaton()

    def _add(self, word: str, flag: _Flag) -> None:
        self._words.add_word(fold(word), (fold(word), flag))

    def raised_by(self, folded: str) -> str | None:
        """The template of the gravest flag these words raise; None if none, or only negated ones."""
        raised: list[_Flag] = []
        negated_until = -1
        for end, (word, flag) in self._words.iter_long(folded):
            start = end + 1 - len(word)
            before = folded[max(0, start - _REACH) : start]
            joined = _JOINED.sub("", before)
            carried = joined != before and start - len(before) + len(joined) == negated_until
            denied = not flag.template and word.startswith(_DENIALS)  # "没有呼吸困难" as one harmless word
            if carried or denied or _NEGATED.search(before):
                negated_until = end + 1
            elif flag.template:
                raised.append(flag)
        return min(raised, key=lambda flag: flag.rank).template if raised else None
