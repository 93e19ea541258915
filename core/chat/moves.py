"""Words that mean the same in every dialogue: back, once more, further, stop; and the digits for them."""

import re
from datetime import date

from core.chat import answers
from core.chat.answers import fold_all
from core.chat.sessions import Question

BACK = fold_all("返回 后退 返回一下")
STEP_BACK = fold_all("上一步 返回上一步 回上一步 退回上一步")
PAGE_BACK = fold_all("上一页 前一页 上页 前页 往前翻 返回上一页 回上一页")
AGAIN = fold_all("重说 再说一遍 重复 再说一次 没听清")
MORE = fold_all("更多 下一页 还有吗 还有别的吗 其他 换一批")
GO_ON = fold_all("继续 继续办 接着办 接着来")
ANEW = fold_all("重新开始 重新来 重来 从头来 从头开始")
DIGIT_WORDS = {answers.HUMAN: "人工", answers.AGAIN: "重说", answers.BACK: "返回", answers.MORE: "更多"}

_VERBS = "办|办理|挂|约|预约|改|改期|换|看|看病|弄|搞|订|做|选|填|写|说|聊|问|继续|取消|麻烦"
_BEFORE = (
    r"[,，、!！。\s]|嗯|哎|唉|好的?|那|就|还是|我们?|都|全部?|统统|也|请|帮我|给我|要|想|先|暂时|今天|现在"
)
_BEHIND = r"[,，、!！。\s]|吧|啊|呀|啦|哈|嘛|谢谢[你您]?|麻烦[你您]?了?|再说|了"
_WORD = rf"取消|取消办理|退出|停|停下来?|停止|打住|算了|拉倒|(?:不|别)(?:想|再|要|打算)*(?:{_VERBS})号?了?"
_STOP = re.compile(rf"(?:(?:{_BEFORE})*(?:{_WORD})(?:{_BEHIND})*){{1,2}}")
_LONGEST_STOP = 20
_LONGEST_INSTEAD = 60
# 不取消了: what is under way goes on, unless it is itself a cancelling.
_KEPT = re.compile("(?:不|别)(?:想|再|要|打算)*取消")
_MISTAKE = "(?:我|你|您|刚才|刚刚|好像|可能|是|这个)*(?:选|点|按|弄|搞|说|写|填|打|回复?)?错"
_NOT_SO = "(?:不对|不是)(?:的|啊|呀|吧|哦|了)?"
_JOINT = r"[,，、。!！\s]"
_WRONG = re.compile(rf"(?:(?:{_MISTAKE}[了啦咯]?|{_NOT_SO}){_JOINT}*)+")
_INSTEAD = re.compile(
    rf"(?:{_NOT_SO}{_JOINT}+)*(?:{_MISTAKE}[了啦咯]{_JOINT}*|{_NOT_SO}{_JOINT}+)(?P<rest>.+)", re.DOTALL
)
_ORDINAL = re.compile(r"第|[个项种位条行]")


def word_of_digit(folded: str, question: Question, today: date) -> str:
    """What 0, 7, 8 and 9 stand for under a list, however they are said; else the message itself.

    第七个 is a line, if there is one; and so is 七, since no list tells anybody what 7 means.
    """
    number = answers.number(folded)
    word = DIGIT_WORDS.get(number) if number is not None else None
    options = question.options
    if _ORDINAL.search(folded) or (number == answers.AGAIN and not folded.isdecimal()):
        return folded
    if word is None or answers.meant(folded, options, today) is not None:  # 8号 is a day
        return folded
    return word if answers.by_name(folded, options, today) is None else folded


def is_wrong(folded: str) -> bool:
    """Tell whether this whole message says that the last step was a mistake: 不对, 我选错了."""
    return len(folded) <= _LONGEST_STOP and _WRONG.fullmatch(folded) is not None


def instead(folded: str) -> str:
    """What somebody wants who begins with that: 不对，是后天; "" if nothing follows, or nothing was wrong."""
    found = _INSTEAD.fullmatch(folded) if len(folded) <= _LONGEST_INSTEAD else None
    return found["rest"] if found else ""


def goes_on(folded: str) -> bool:
    """Tell whether this takes a stop back: 继续, 返回, 不取消了, 不对."""
    known = folded in GO_ON or folded in BACK or folded in STEP_BACK or answers.number(folded) == answers.BACK
    return known or is_wrong(folded) or keeps(folded)


def keeps(folded: str) -> bool:
    """Tell whether this says that nothing shall be stopped: 不取消了, 算了不取消."""
    return len(folded) <= _LONGEST_STOP and _KEPT.search(folded) is not None and stops(folded)


def says_nothing_alone(folded: str) -> bool:
    """Tell whether these words only move about in what is open."""
    moving = (BACK, STEP_BACK, PAGE_BACK, AGAIN, MORE, GO_ON, ANEW)
    return any(folded in words for words in moving)


def stops(folded: str) -> bool:
    """Tell whether this whole message stops what is under way: 取消, 算了, 不挂了, 都取消吧."""
    return len(folded) <= _LONGEST_STOP and _STOP.fullmatch(folded) is not None


def way_out(question: Question | None) -> str:
    """The word that leaves the open dialogue with nothing done."""
    if question is not None and question.kind == "confirm" and question.options[1].aliases:
        return question.options[1].label
    return "取消"


def stop_here(folded: str, question: Question | None) -> bool:
    """Tell whether this message stops the open dialogue and is no answer to its open question, if one counts.

    不 and 不要了 answer a confirmation, and may be what a text question wants to hear; 取消 to a confirmation
    with words of its own (要取消这个号吗？) may mean either.
    """
    if question is None:
        return stops(folded)
    if answers.is_name(folded, question.options):
        return False
    if question.kind == "confirm":
        own_words = bool(question.options[1].aliases)
        clear = not own_words or question.again  # who says it once more wants to be out
        return stops(folded) and clear and answers.agrees(folded, question.options) is None
    no = question.kind != "text" and answers.yes_or_no(folded) is False and not is_wrong(folded)
    return no or stops(folded)
