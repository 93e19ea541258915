"""What booking by chat may answer: a small model that keeps every state the citizen may be in.

After the platform's failure notice nobody knows whether the message was processed: the next answer tells.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

# What a citizen reads, and the question that is open then ("" for none). The first that fits counts.
_QUESTIONS = {
    "请选择科室": "department",
    "请选择医生": "doctor",
    "请选择日期": "session",
    "请选择时间": "period",
    "要约这个号吗": "confirm",
    "要取消这个号吗": "give_back",
}
_OTHERS = {
    "【预约成功】": "booked",
    "已取消：": "cancelled",
    "您的预约一共 1 个": "mine:1",
    "您现在没有预约": "mine:0",
    "可以预约的科室": "departments",
    "您可以这样说": "help",
    "已经办好了，不用再回复": "nothing open",
    "现在没有要选的": "nothing open",
}
_ASKED_ONCE_MORE = "刚才的回复没有送到"
PASSED = "刚才那条消息没有处理，请再发一次"
GAVE_UP = "系统正在抢修，刚才这条可能没有办成"
_AFTER_ONE = {
    "department": "doctor",
    "doctor": "session",
    "session": "period",
    "period": "confirm",
}
_DONE = {"confirm": "booked", "give_back": "cancelled"}
_WORDS = {"挂号": "department", "取消预约": "give_back", "科室": "departments", "帮助": "help"}


@dataclass(frozen=True, slots=True)
class State:
    """The open question, how many numbers the citizen has, and how many were ever booked."""

    question: str = ""
    has: int = 0
    made: int = 0


START = frozenset({State()})


@dataclass(frozen=True, slots=True)
class Answered:
    """What was written, and what came back; None if that is not known."""

    text: str
    words: str | None


def kind_of(words: str) -> str:
    """The one thing these words say: a question's name or another kind; the words themselves if none."""
    if PASSED in words:
        return "passed"
    found = [kind for phrase, kind in (_QUESTIONS | _OTHERS).items() if phrase in words]
    if len(found) != 1:
        return words
    return f"once more: {found[0]}" if _ASKED_ONCE_MORE in words else found[0]


def _step(state: State, text: str) -> tuple[str, State]:
    """The answer to a message, and the state after it."""
    if text == "我的预约":
        return f"mine:{state.has}", state
    if text != "1":
        kind = _WORDS[text]
        return kind, replace(state, question=kind) if kind in _QUESTIONS.values() else state
    if state.question in _DONE:
        return _DONE[state.question], replace(_half_done(state), question="")
    if state.question:
        return _AFTER_ONE[state.question], replace(state, question=_AFTER_ONE[state.question])
    return "nothing open", state


def _half_done(state: State) -> State:
    """The same with the effect of a run, which its dialogue may not have noted."""
    if state.question == "confirm":
        return replace(state, has=1, made=1)
    return replace(state, has=0) if state.question == "give_back" else state


def _unanswered(state: State, text: str) -> Iterator[State]:
    """Where a message may have led that nobody told the citizen about: nowhere, half way, all the way."""
    yield state
    if text == "1":
        yield _half_done(state)
    yield _step(state, text)[1]


def _next(states: frozenset[State], answered: Answered, *, unseen: bool) -> frozenset[State]:
    """The states after one message; none if no state gives this answer."""
    text, words = answered.text, answered.words
    if words is None:
        return frozenset(after for state in states for after in _unanswered(state, text))
    kind = kind_of(words)
    if kind == "passed":
        return frozenset(after for state in states for after in list(_unanswered(state, text))[:-1])
    steps = {_step(state, text) for state in states}
    once_more = {(f"once more: {each.question}", each) for each in states if unseen and each.question}
    return frozenset(after for said, after in steps | once_more if said == kind)


def after(states: frozenset[State], at_once: Sequence[Answered], *, unseen: bool = False) -> frozenset[State]:
    """The states after messages sent at once, in whatever order they arrived; none if nothing explains them.

    `unseen`: an answer may not have reached the citizen, so that an open question may be asked once more.
    """
    found: frozenset[State] = frozenset()
    for order in permutations(at_once):
        left = states
        for answered in order:
            left = _next(left, answered, unseen=unseen)
        found |= left
    return found


def questions_before(texts: Sequence[str]) -> list[str]:
    """The question that is open before each of these messages, if every one is answered."""
    state, found = State(), []
    for text in texts:
        found.append(state.question)
        state = _step(state, text)[1]
    return found
