"""How people say numbers, yes, no and the names of things."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from core.chat.dates import without_ending
from core.chat.moments import Moment, named_moment
from core.chat.sessions import Option

MORE, BACK, AGAIN, HUMAN = 9, 8, 7, 0

_EDGES = " \t\r\n。，、；：？！…“”‘’「」『』《》〈〉【】〔〕.,;:?!~'\"()[]<>-_—·"
_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
    **{formal: place for place, formal in enumerate("壹贰叁肆伍陆柒捌玖", start=1)},
}
_NUMBER = re.compile(
    r"(?:嗯|好的?|请|那|我|就|还是)*[,，、]?(?:选择|选|要|想要|按|点|回复|回|数字)*(?:第)?"
    r"(?P<number>\d{1,2}|[零〇一二两三四五六七八九壹贰叁肆伍陆柒捌玖])"
    r"(?:个|项|种|位|条|行|号)?(?:选项)?[,，、]?(?:就行|就好|可以|好了|吧|的|哦|啊|呀|了|谢谢你?)*"
)
_LAST = re.compile(
    r"(?:就|选|要|挂|约|那)*(?:最后|最末|倒数第一)的?(?:那|这)?一?(?:个|位|项|条|行|种|号)?(?:医生|大夫)?"
)
# Stickers and emoji around words: [微笑], /:rose, 🌹, 1️⃣. Alone they are kept, they may be all that was said.
_DECORATION = re.compile(
    "\\[[A-Za-z\u4e00-\u9fff]{1,8}\\]|/:[^\\s\u4e00-\u9fff]{1,8}"
    "|[\u2600-\u27bf\ufe0f\u200d\u20e3\U0001f000-\U0001faff]+"
)
_TONES = tuple("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")  # of the skin of a thumb
_POLITE = (
    "谢谢你", "谢谢您", "谢谢", "麻烦你了", "麻烦您了", "麻烦了", "麻烦你", "麻烦您", "麻烦", "多谢",
    "辛苦了", "辛苦",
)  # fmt: skip
# What people put before and behind the word they mean.
_LEADING = re.compile(
    r"^(?:(?:你好|您好|喂|请问|请|麻烦[你您]?|帮我|给我|替我|我要|我想要|我想|想要|我|要|想|嗯|那|怎么|如何"
    r"|能不能|可不可以|可以|能)"
    r"[,，。!！、\s]*)+"
)
_TRAILING = ("一下", "谢谢你", "谢谢您", "谢谢", "吧", "啊", "呀", "吗", "呢", "了")
_JOINTS = tuple(",，。!！、 \t\r\n")
# Before a name: it is exactly not wanted.
_REFUSED = re.compile(r"(?:不|别|没|除了)(?:要|想|是|去|看|挂|选|约)*$")
_COPIED = re.compile(r"([1-9])(?:[ .、,]+|(?!\d))(.+)", re.DOTALL)  # a whole line: "1、确认"
_OR = re.compile("还是|或")
# A name with a number or a day in it is not found inside a longer one:
# 5日 in 15日, 周三 in 下周三, 三点 in 三点半.
_COUNTED = re.compile(r"\d|[周点号月日天]|星期|礼拜")
_GOES_ON_BEFORE = frozenset("0123456789下上大第十")
_GOES_ON_BEHIND = frozenset("0123456789半刻")
_MEMORABLE = 64  # characters of a text whose folding is remembered


def fold(text: str) -> str:
    """Text as words are compared: NFKC, lower case, without white space and punctuation at its edges."""
    return _remembered(text) if len(text) <= _MEMORABLE else _folded(text)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)
    if not plain.isalnum():
        plain = _DECORATION.sub("", plain).strip(_EDGES) or plain.strip(_EDGES)
    return plain.casefold()


_remembered = lru_cache(maxsize=4096)(_folded)


def fold_all(spaced: str) -> frozenset[str]:
    """A set of folded words out of one spaced line."""
    return frozenset(fold(word) for word in spaced.split())


_YES = fold_all(
    "是 是的 是啊 对 对的 对啊 对对 对对对 好 好的 好吧 好啊 好嘞 好滴 行 行吧 行啊 可以 可以的 嗯 嗯嗯 恩"
    " 确认 确定 同意 没错 没问题 就这个 就这样 ok yes y 要 要的 确认无误 我确认 我同意 1确认 👌 👍 强"
)
_NO = fold_all(
    "否 不 不是 不是的 不对 不要 不要了 不用 不用了 不行 不可以 算了 算了吧 不了 不同意 不确认 不确定"
    " 先不 先不要 先不了 别 我不要 我不要了 no n 2不要了"
)
# 好的就这个, 嗯就它, 对是这个: a nod, and what is shown. 这个 alone says nothing.
_NODS = r"(?:是的?|对的?|好的?|行|可以的?|嗯+|恩|没错|没问题|ok|那|就|[,，、。!！\s])+"
_THIS = re.compile(rf"{_NODS}(?:这一?个号?|它|这样)(?:吧|了|啦|啊|呀|的|好了|就行|就好|可以|没错)*")
_NODDED = re.compile(_NODS)
_ASKING = ("吗", "么")
_ANY = fold_all(
    "随便 随便选 随便挑 随便哪个 随便一个 随便选一个 随便挑一个 随便都行 随便哪个都行 都行 都可以 都好"
    " 怎么都行 哪个都行 哪个都可以 哪个都好 哪一个都行 哪位都行 哪位都可以 哪个医生都行 谁都行 谁都可以"
    " 哪天都行 哪天都可以 什么时候都行 什么时候都可以 几点都行 几点都可以 无所谓 都无所谓 不挑 你定 您定"
    " 你选 您选 你看着办 您看着办 你安排 您安排 听你的 听您的 最早 最早的 最早的号 最早那个"
    " 最早的那个 最早一个 越早越好 越快越好 尽早 尽快 最近的 最快的"
)
_POINTING = fold_all("这个 那个 这 那 这一个 刚才 刚才那个 刚才约 刚约 刚挂 刚刚 刚刚约 刚刚挂 唯一")
_HEARD = fold_all(
    "知道了 我知道了 明白 明白了 收到 了解 了解了 好了 嗯好 嗯好的 好好 好好好 哦 噢 喔 哦哦 哦好 哦好的"
    " 嗯嗯嗯 没事 没事了 没事啦 我没事 我没事了 没什么 没什么事 没什么事了 没有了"
)
# "不要了" to "要取消这个号吗？" may mean the number or the cancelling: neither yes nor no.
_EITHER = fold_all("不要 不要了 我不要 我不要了 不用 不用了 不想要了 2不要了")
_COMPARED = 64  # characters of a message that are compared with names
_SHORTEST_PART = 2


def number(folded: str) -> int | None:
    """The number a short answer names: 1, １, 一, ①, 选1, 第一个, 要一; None if it names none."""
    found = _NUMBER.fullmatch(folded.replace(" ", ""))
    if not found:
        return None
    digits = found["number"]
    return int(digits) if digits.isdecimal() else _DIGITS[digits]


def is_number(folded: str) -> bool:
    """Tell whether this is nothing but a number, however large."""
    return folded.isdecimal() or number(folded) is not None


def yes_or_no(folded: str) -> bool | None:
    """True for a yes, False for a no, None for neither."""
    polite = without_ending(folded, (*_POLITE, *_JOINTS, *_TONES))
    said = (polite or folded).replace(" ", "")
    if said in _YES or _THIS.fullmatch(said):
        return True
    return False if said in _NO else None


def is_nod(folded: str) -> bool:
    """Tell whether this is a yes, a no or a 知道了: it was understood, and names nothing."""
    return yes_or_no(folded) is not None or folded in _HEARD


def is_any(folded: str) -> bool:
    """Tell whether this leaves the choice to us: 随便, 哪个都行, 最早的."""
    return folded in _ANY or bare(folded).removeprefix("就") in _ANY


def only_points(folded: str) -> bool:
    """Tell whether these words name nothing and only point: 我(的号), 刚才(的号), 这个."""
    return (plain := bare(folded)) == "" or plain in _POINTING


def is_sticker(text: str) -> bool:
    """Tell whether a message, as it was written, is nothing but stickers and emoji."""
    return bool(text.strip()) and not _DECORATION.sub("", text).strip()


def agrees(folded: str, options: Sequence[Option]) -> bool | None:
    """Whether this confirms (True), declines (False) or neither (None); `options` are yes and no as shown.

    Nothing is confirmed by a word found inside a sentence, 先不确认, nor by a question, 约这个吗.
    """
    if folded.endswith(_ASKING):
        return None
    own = named(folded, options) or named(_NODDED.sub("", folded, count=1), options)
    if own is not None:
        return own is options[0]
    if is_either(folded, options):
        return None
    agreed = yes_or_no(folded)
    return agreed if agreed is not None else {1: True, 2: False}.get(number(folded) or 0)


def is_either(folded: str, options: Sequence[Option]) -> bool:
    """Tell whether this means yes and no alike, where yes and no have words of their own: 不要了."""
    return bool(options[1].aliases) and bare(folded) in _EITHER


def bare(folded: str) -> str:
    """The message without the polite words around it."""
    return without_ending(_LEADING.sub("", folded), (*_TRAILING, *_JOINTS))


def named(folded: str, options: Sequence[Option]) -> Option | None:
    """The one option that these words wholly are, polite words aside."""
    for said in (folded, bare(folded)):
        if len(wholly := _wholly(said, options)) == 1:
            return wholly[0]
    return _copied(folded, options)


def _copied(folded: str, options: Sequence[Option]) -> Option | None:
    """The option whose whole line this is, its number included."""
    copied = _COPIED.fullmatch(folded)
    line = options[int(copied[1]) - 1 : int(copied[1])] if copied else ()
    said = fold(" ".join(copied[2].split())) if copied else ""
    return next((option for option in line if said in (_label(option), _first_line(option))), None)


def pick(folded: str, options: Sequence[Option], today: date | None = None) -> Option | None:
    """The one option these words or this number mean; None if none or several do.

    `today` is needed where options are days or times: there 3号 is a day and never the third line.
    """
    if (line := _copied(folded, options)) is not None:
        return line
    if not _wholly(folded, options) and meant(folded, options, today) is None:
        place = len(options) if _LAST.fullmatch(bare(folded)) else number(folded)
        if place is not None and 1 <= place <= len(options):
            return options[place - 1]
        if len(options) == 1 and yes_or_no(folded):
            return options[0]  # 好的 to the only line there is
    return by_name(folded, options, today)


def is_name(folded: str, options: Sequence[Option]) -> bool:
    """Tell whether these words are the whole name of an option."""
    return bool(_wholly(folded, options))


def meant(folded: str, options: Sequence[Option], today: date | None) -> Moment | None:
    """The day or time these words name, where that is what the options are."""
    whens = [option.when for option in options if option.when is not None]
    if not whens or today is None:
        return None
    timed = any(when.starts is not None for when in whens)
    moment = named_moment(folded, today, dotted=timed)
    if moment is None or timed or moment.unclear or moment.day is not None or moment.part is not None:
        return moment
    return None  # a time of day says nothing about which day


def by_name(
    folded: str, options: Sequence[Option], today: date | None = None, *, exactly: bool = False
) -> Option | None:
    """The one option these words name: wholly, as a day or time, or as the longest name found inside them.

    A day or time that is not among the options names none of them, whatever it resembles. `exactly`: words
    that are only a part of a name (李, 医院) name nothing.
    """
    if not folded:
        return None
    wholly = _wholly(folded, options)
    if wholly:
        return wholly[0] if len(wholly) == 1 else None
    found = _longest(folded, options)
    if exactly:
        found = [option for option in found if _named_in(folded, option)]
    if (moment := meant(folded, options, today)) is not None:
        fitting = [option for option in options if option.when is not None and moment.fits(option.when)]
        found = [option for option in fitting if option in found] if found else fitting
    return found[0] if len(found) == 1 else None


def several(folded: str, options: Sequence[Option], today: date) -> list[Option]:
    """The options these words mean if they mean more than one: 上午, 专家号, 人民医院."""
    if not folded or is_number(folded):
        return []
    if (moment := meant(folded, options, today)) is not None:
        found = [option for option in options if option.when is not None and moment.fits(option.when)]
    else:
        found = _wholly(folded, options) or _longest(folded, options)
    return found if len(found) > 1 else []


def _longest(folded: str, options: Sequence[Option]) -> list[Option]:
    best: dict[str, int] = {}
    for option in options:
        length = max((_shared(folded, name) for name in names_of(option)), default=0)
        if length:
            best[option.id] = length
    either = _OR.search(folded) is not None  # "心内科还是神经内科": the longer name is not meant more
    longest = max(best.values(), default=-1)
    return [
        option for option in options if (either and best.get(option.id)) or best.get(option.id) == longest
    ]


def rest_of(folded: str, option: Option, today: date) -> str:
    """What these words say beyond the option they named, for the questions to come.

    Where a day was chosen and a time named too, that is all of them; else what stands around the name.
    """
    if option.when is not None:
        moment = meant(folded, [option], today)
        return folded if moment is not None and moment.times and option.when.starts is None else ""
    name = _named_in(folded, option)
    return fold(folded.replace(name, "", 1)) if name else ""


def _named_in(folded: str, option: Option) -> str:
    """The longest name of an option that stands in these words."""
    return max((name for name in names_of(option) if name in folded), key=len, default="")


def _wholly(folded: str, options: Sequence[Option]) -> list[Option]:
    return [option for option in options if folded in names_of(option)]


def names_of(option: Option) -> list[str]:
    """The label of an option and all its other words, folded."""
    return [name for name in (_label(option), *(fold(alias) for alias in option.aliases)) if name]


def _label(option: Option) -> str:
    return fold(option.label.replace("\n", " "))


def _first_line(option: Option) -> str:
    return fold(option.label.partition("\n")[0])


def _shared(said: str, name: str) -> int:
    """Length of the name if the words contain it, of the words if the name contains them, else 0.

    A name that is refused ("不要内科") is not shared.
    """
    shorter, longer = sorted((said, name), key=len)
    if len(shorter) < _SHORTEST_PART or shorter.isdecimal() or not _stands_in(shorter, longer):
        return 0
    refused = longer is said and is_refused(said, said.index(name))
    return 0 if refused else len(shorter)


def is_refused(said: str, at: int) -> bool:
    """Tell whether what begins at this place is named only to be put aside: 不要骨科."""
    return _REFUSED.search(said[max(0, at - _COMPARED) : at]) is not None


def _stands_in(shorter: str, longer: str) -> bool:
    """Tell whether a name stands in other words, and not as a part of a longer day, time or number."""
    at = longer.find(shorter)
    if at < 0 or shorter == longer or not _COUNTED.search(shorter):
        return at >= 0
    before, behind = longer[at - 1 : at], longer[at + len(shorter) :][:1]
    return before not in _GOES_ON_BEFORE and behind not in _GOES_ON_BEHIND
