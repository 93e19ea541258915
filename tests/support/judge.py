"""Reads what citizens sent and got, and what the stores say, and names everything that is wrong with it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.support.booking_model import PASSED, START, after
from tests.support.walks import Told, Walk, unseen

RETRY_S = 5.0  # WeChat's pause from attempt to attempt
_ATTEMPTS = 3
_SLACK_S = 1.0  # from a kill until the platform's side has noticed that a connection is gone


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill, in the event loop's time; the process answered nobody any more `since` it began to stall."""

    since: float
    at: float


@dataclass(frozen=True, slots=True)
class Phone:
    """What one citizen has in the end: what the chat shows, and the numbers in the books."""

    received: Sequence[tuple[str, str]]  # kind (reply, custom, notice) and words, in the order they came
    has: int
    ever_booked: int


def complaints(walk: Walk, phone: Phone, kills: Sequence[Kill], *, slow: bool = False) -> list[str]:
    """Everything that is wrong with one citizen's story.

    `slow`: an answer may take more than one attempt without any kill.
    """
    found = [*_about_answers(walk, kills), *_about_order(walk), *_about_phone(walk, phone)]
    if not slow:
        found += _about_attempts(walk, kills)
    if (phone.has, phone.ever_booked) != (walk.keeps, 1):
        found.append(f"has {phone.has} numbers of {phone.ever_booked} booked, not {walk.keeps} of 1")
    return [f"{walk.openid}: {each}" for each in found]


def _about_answers(walk: Walk, kills: Sequence[Kill]) -> Iterator[str]:
    for told in walk.told:
        words, what = told.words, f"message {told.number} ({told.text}, {_story(told, kills)})"
        if len(set(words)) > 1:
            yield f"{what} got two different answers: {words}"
        elif len(words) > 1:
            yield f"{what} got its answer twice"
        elif not words and not (told.notice or told.perhaps or told.gave_up):
            yield f"{what} got no answer"
        # Passed over is who was killed, and whose next attempt was lost with another process.
        if PASSED in "".join(words) and told.attempts < _ATTEMPTS:
            yield f"{what} was passed over while the platform still tried"
        # Two busy cores may keep a promise from being written in time while a process starts anew.
        if told.gave_up and not _met(kills, told.began, told.ended):
            yield f"{what} was told that nothing works, and no kill explains it"
        if told.notice and not _killed_at_last(told, kills):
            yield f"{what} got the platform's notice, and no kill during its last attempt explains it"


def _about_attempts(walk: Walk, kills: Sequence[Kill]) -> Iterator[str]:
    """Whether a kill explains each attempt that brought nothing: the process it was given to is gone."""
    for told in walk.told:
        for attempt in range(told.attempts if told.notice else told.attempts - 1):
            began = told.began + attempt * RETRY_S
            if not _met(kills, began - _SLACK_S, min(began + RETRY_S, told.ended)):
                yield (
                    f"attempt {attempt + 1} of message {told.number} ({_story(told, kills)}) "
                    "failed, and no kill explains it"
                )


def _met(kills: Sequence[Kill], began: float, ended: float) -> list[Kill]:
    """The kills and stalls that fall into a time."""
    return [kill for kill in kills if began <= kill.at and kill.since <= ended]


def _story(told: Told, kills: Sequence[Kill]) -> str:
    """What happened to a message, in seconds since it was sent."""
    near = [
        f"{kill.since - told.began:.2f}–{kill.at - told.began:.2f}"
        for kill in _met(kills, told.began - _SLACK_S, told.ended + _SLACK_S)
    ]
    return f"{told.attempts} attempts in {told.ended - told.began:.2f} s, kills at {near}"


def _killed_at_last(told: Told, kills: Sequence[Kill]) -> bool:
    """Whether its last attempt ended because a process was killed just then."""
    last = max(told.began + (_ATTEMPTS - 1) * RETRY_S, told.ended - _SLACK_S)
    return told.attempts == _ATTEMPTS and bool(_met(kills, last - _SLACK_S / 10, told.ended))


def _about_order(walk: Walk) -> Iterator[str]:
    """Whether every answer is one that the messages so far, each processed once and in its order, bring."""
    states = START
    for place, turn in enumerate(walk.turns):
        states = after(states, [each.answered for each in turn], unseen=unseen(walk.turns[:place], turn))
        if not states:
            yield f"nothing explains what came back for {[(each.text, each.words) for each in turn]}"
            return
    if walk.next():
        yield f"did not come to the end, next was {walk.next()}"


def _about_phone(walk: Walk, phone: Phone) -> Iterator[str]:
    """Whether the chat shows just these answers, turn by turn; late ones may overtake later replies."""
    shown = [words for kind, words in phone.received if kind == "reply"]
    for turn in walk.turns:
        replies = [each.reply for each in turn if each.reply is not None]
        here, shown = shown[: len(replies)], shown[len(replies) :]
        if Counter(here) != Counter(replies):
            yield f"the phone shows {here} where {replies} was replied"
            return
    if shown:
        yield f"the phone shows more replies: {shown}"
    told = Counter(words for each in walk.told for words in each.late)
    if (late := Counter(words for kind, words in phone.received if kind == "custom")) != told:
        yield f"late answers on the phone: {dict(late)}, sent: {dict(told)}"
    notices = sum(kind == "notice" for kind, _ in phone.received)
    if notices != (known := sum(each.notice for each in walk.told)):
        yield f"{notices} notices on the phone, not {known}"
