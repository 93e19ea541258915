"""Words that stop everything: danger to life is answered before any routing (domain-rules R7)."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ahocorasick

from core.chat.answers import fold
from core.errors import BootError

# "没有胸痛": a negation right before the word, a few filling words allowed between.
# A question is none: "是不是心梗", "有没有中风", "该不是中毒了".
_NEGATED = re.compile(
    r"(?:(?<!有)没有|(?<!有)没|无|未|(?<![是该莫怕])不是|(?<!是)不(?!是)|否认)"
    r"(?:再|有|出现|感到|感觉|觉得|什么|任何|明显|的|过|伴|那么|这么|怎么|太|大|很)*$"
)
# "没有胸痛、呼吸困难": an enumeration stays under its negation; behind a comma begins another thought.
_JOINED = re.compile(r"(?:、|和|或者|或是|或|及|以及|与|跟|还有|也)+$")
_DENIALS = "没无不"
_REACH = 32  # characters before a word in which its negation stands; without a bound long texts cost seconds
# Between the parts of a sequence: one thought, and nothing that turns it round ("孩子没把药吃了").
_GAP = r"(?:[^。.;；!！?？、没不别未忘说把%s]|(?<=\d)\.(?=\d)){0,6}?"
_CLOSE, _LOOSE = _GAP % r",，\s", _GAP % ""
# "胸闷好了", not "胸闷好了一会又犯".
_OVER = re.compile(
    r"(?:症状|的?情况)?(?:已经|现在|今天|都|就|也|全|完全|基本上?|早就?|差不多)*"
    r"(?:好了|好多了|好些了|好转了?|缓解了|消失了|不(?:痛|疼|闷|喘|晕|难受)了)(?:很多|多了|一些)?"
    r"[啊呀啦哦的]*(?:[,，。.!！]|谢|$)(?!.*(?:又|还|再|刚))"
)
# "三年前中风过", "得过心梗": long ago, unless the sentence speaks of today as well.
_LONG_AGO = re.compile(
    r"(?:预防|防止?|(?:以前|从前|过去|去年|前年|早年|年轻时|[\d几两二三四五六七八九十]年前|曾经?)[^,，。.;；!！?？\s]{0,6}"
    r"|(?:得|有|患|犯|发|做)过)$"
)
_NOW = re.compile("又|现在|刚|今天|突然|忽然|马上|正在|还在|救|赶紧|赶快|快来")
# "中风的病史", "急救知识讲座", "中风险地区": talked about.
_TALKED_OF = re.compile(
    r"(?:之?后)?的?(?:报销|病史|史|后遗症|恢复|康复|复查|随访|术后|理赔|赔偿|保险|险|鉴定|讲座|知识|常识|课|培训"
    r"|演练|筛查|预防|防范|宣传|科普|教育|安全|报警器|检测|警示)|(?:怎么|如何|要怎么)(?:预防|防)"
)
# "想挂胸闷的号": where to go is asked, and what is named is a whole specialty's everyday complaint.
_WANTED = re.compile(r"(?:挂|约|预约|找)(?:一?个|一下)?(?:看|治)?$")
_ITS_DEPARTMENT = re.compile(r"的?(?:号|门诊|专科|专家|科室|科)")
# "累得快不行了", "笑得我快死了", "手机快不行了": a manner of speaking, or of a thing.
_EXAGGERATED = re.compile(
    r"(?:[累热饿困笑忙急冻烦渴气馋愁晒堵等吵辣酸撑臭吓羞闲冷]|无聊|尴尬|高兴|开心|激动|感动|想你?|丢人|加班|上班|写作业)"
    r"(?:得|的|到|着|成)?(?:都|真|真是|简直|实在|感觉|觉得)*(?:我|俺|咱|人|他|她|大家|孩子)?们?"
    r"(?:都|也|真|真是|简直|实在|感觉|觉得|快|就)*$"
    r"|(?:手机|电池|电瓶|电脑|[车店灯网]|车子|机器|系统|网络|冰箱|空调|公司|轮胎|屏幕|耳机|手表|水泵|热水器|生意"
    r"|打印机|洗衣机|电视机?)(?:都|也|真|真的|眼看|感觉|好像|现在)*$"
)


@dataclass(frozen=True, slots=True)
class _Flag:
    template: str  # "" for words that only look dangerous
    rank: int
    talked_of: bool = False  # may be over, long ago, or the subject of a lecture
    bookable: bool = False  # may be what a department is asked for with
    exaggerated: bool = False  # may be a manner of speaking


@dataclass(frozen=True, slots=True)
class _Hit:
    start: int
    end: int
    flag: _Flag


def _between(told: dict[str, list[str]]) -> list[str]:
    return [filler + degree for filler in ("", *told["fillers"]) for degree in ("", *told["degrees"])]


def _links(told: dict[str, list[str]]) -> str:
    """An expression for what may stand between words that belong together: 奶奶 一直 都 没反应."""
    links = {fold(word) for each in ("fillers", "degrees", "links") for word in told.get(each, ())}
    return f"(?:{'|'.join(map(re.escape, sorted(links, key=len, reverse=True)))}){{0,4}}?"


def _words_of(part: str, lists: dict[str, str]) -> list[str]:
    """The words of one part of a sequence; `@name` stands for a list of them."""
    spelled = " ".join(lists[word[1:]] if word.startswith("@") else word for word in part.split())
    return [fold(word) for word in spelled.split()]


def _sequence(parts: Sequence[Sequence[str]], gap: str) -> re.Pattern[str]:
    """An expression for one word of each part, one behind the other."""
    return re.compile(gap.join(f"(?:{'|'.join(map(re.escape, words))})" for words in parts))


class RedFlags:
    """The flagged words of `templates/chat/red_flags.toml`; groups come in the order of their weight.

    `~` in a word stands for one of `fillers`, one of `degrees`, one behind the other, or nothing: 胸口~痛 is
    胸口痛, 胸口有点痛, 胸口绞痛, 胸口一阵阵绞痛. `sequences` are words of several lists one behind the other
    in one thought: 孩子 … 吞 … 电池; in `loose` ones a comma may stand between, in `tight` ones nothing but
    `~` and `links`. `whole` are flagged only as a whole message: 120. `harmless` are longer words that
    contain a flagged one and mean no danger: 跳楼价.
    A group that is `talked_of` may also be over, long ago or the subject of a lecture; one that is `bookable`
    may be what a department is asked for with; one that is `exaggerated` may be a manner of speaking.
    """

    def __init__(self, path: Path) -> None:
        self._words = ahocorasick.Automaton()
        self._known: dict[
            tuple[int, _Flag], tuple[int, _Flag]
        ] = {}  # one for all words of a kind: they are many
        self._whole: dict[str, str] = {}
        # What each first word of a sequence may begin: an expression is tried where one stands, nowhere else.
        self._firsts = ahocorasick.Automaton()
        try:
            told = tomllib.loads(path.read_text("utf-8"))
            for rank, group in enumerate(told["group"]):
                self._read(group, rank, told)
            for word in told["harmless"]:
                self._add(word, _Flag("", 0))
        except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as broken:
            raise BootError(f"{path}: the red-flag words cannot be read ({broken!r})") from broken
        self._words.make_automaton()
        self._firsts.make_automaton()

    def _read(self, group: dict[str, Any], rank: int, told: dict[str, Any]) -> None:
        marks = (group.get(each, False) for each in ("talked_of", "bookable", "exaggerated"))
        flag = _Flag(group["template"], rank, *marks)
        for word in group["words"]:
            for between in _between(told) if "~" in word else ("",):
                self._add(word.replace("~", between), flag)
        for word in group.get("whole", ()):
            self._whole.setdefault(fold(word), flag.template)
        for kind, gap in (("sequences", _CLOSE), ("loose", _LOOSE), ("tight", _links(told))):
            for sequence in group.get(kind, ()):
                self._begin([_words_of(part, told.get("lists", {})) for part in sequence], gap, flag)

    def _begin(self, parts: list[list[str]], gap: str, flag: _Flag) -> None:
        pattern = _sequence(parts, gap)
        for word in parts[0]:
            begun: list[tuple[re.Pattern[str], _Flag]] = self._firsts.get(word, (word, []))[1]
            self._firsts.add_word(word, (word, [*begun, (pattern, flag)]))

    def _add(self, word: str, flag: _Flag) -> None:
        folded = fold(word)
        self._words.add_word(folded, self._known.setdefault((len(folded), flag), (len(folded), flag)))

    def raised_by(self, folded: str) -> str | None:
        """The template of the gravest flag these words raise; None if none, or only excused ones."""
        if folded in self._whole:
            return self._whole[folded]
        if not self._looks_raised(folded):
            return None  # nearly every message
        raised = [hit.flag for hit in self._meant(folded) if not _is_excused(hit, folded)]
        return min(raised, key=lambda flag: flag.rank).template if raised else None

    def _looks_raised(self, folded: str) -> bool:
        """Tell in one look whether any flagged word may stand there."""
        if self._words and next(self._words.iter(folded), None) is not None:
            return True
        return bool(self._firsts) and next(self._firsts.iter(folded), None) is not None

    def _meant(self, folded: str) -> Iterator[_Hit]:
        """What is flagged in these words and not denied."""
        harmless: list[range] = []
        negated_until = -1
        for end, (length, flag) in self._words.iter_long(folded):
            start = end + 1 - length
            before = _before(folded, start)
            joined = _JOINED.sub("", before)
            carried = joined != before and start - len(before) + len(joined) == negated_until
            denied = not flag.template and folded[start] in _DENIALS  # "没有呼吸困难" as one harmless word
            if not flag.template:
                harmless.append(range(start, end + 1))
            if carried or denied or _NEGATED.search(before):
                negated_until = end + 1
            elif flag.template:
                yield _Hit(start, end + 1, flag)
        for hit in self._sequences(folded):
            before = _before(folded, hit.start)
            excused = any(hit.start in span or hit.end - 1 in span for span in harmless)
            if not excused and not _NEGATED.search(before):
                yield hit

    def _sequences(self, folded: str) -> Iterator[_Hit]:
        """The sequences these words hold."""
        if not self._firsts:
            return
        for end, (word, begun) in self._firsts.iter(folded):
            start = end + 1 - len(word)
            for pattern, flag in begun:
                if (found := pattern.match(folded, start)) is not None:
                    yield _Hit(start, found.end(), flag)


def _before(folded: str, start: int) -> str:
    """What stands so near before a word that it may turn it round."""
    return folded[max(0, start - _REACH) : start]


def _is_excused(hit: _Hit, folded: str) -> bool:
    """Tell whether what is flagged is told of, and not felt now."""
    before = _before(folded, hit.start)
    if hit.flag.bookable and _WANTED.search(before) and _ITS_DEPARTMENT.match(folded, hit.end):
        return True
    if hit.flag.exaggerated and _EXAGGERATED.search(before):
        return True
    if not hit.flag.talked_of:
        return False
    if _OVER.match(folded, hit.end) or _TALKED_OF.match(folded, hit.end):
        return True
    return _LONG_AGO.search(before) is not None and _NOW.search(folded) is None
