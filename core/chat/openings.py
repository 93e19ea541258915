"""How words open a dialogue further on, turn an open one another way, or lead back to a question of it."""

from collections.abc import Sequence

from core.chat.answers import fold
from core.chat.names import Found
from core.chat.router import Match, ways_of_saying
from core.chat.routes import Routes
from core.chat.sessions import Frame


async def opened(match: Match, run: str, routes: Routes) -> Frame:
    """A dialogue at its beginning: what the opening words settle, and what they leave for its questions."""
    wired = routes.named(match.route.name)
    said = match.rest or " ".join(value for _, value in match.holes)
    found = match.found or (await wired.find(fold(said)) if wired and wired.route.by_name else None)
    frame = Frame(match.route.name, run, rest=match.rest, holes=match.holes, offered=said, caveat=match.about)
    if found is not None:
        frame.offered, frame.hints = found.rest, dict(found.settles)
    return frame


def turn(frame: Frame, found: Found) -> bool | None:
    """Let names settle questions of an open dialogue; None if they say nothing new, or it is too late.

    An answer they contradict is dropped with all after it: True; False if there was none.
    """
    known = frame.answers
    news = [key for key, value in found.settles.items() if key not in known or known[key].value != value]
    if not news or any(answer.kind == "once" for answer in known.values()):
        return None
    changed = any(key in known for key in news)
    kept = list(known)
    kept = kept[: min((kept.index(key) for key in news if key in known), default=len(kept))]
    frame.answers = {key: known[key] for key in kept}
    frame.open, frame.offered, frame.tried = None, found.rest or frame.offered, kept
    frame.hints = {key: value for key, value in found.settles.items() if key not in kept}
    return changed


def back(frame: Frame, routes: Routes, said: str) -> bool:
    """Lead back to the question that words of the dialogue's own name (换个医生); False if they name none."""
    keys = _led_back_to(frame, routes, said)
    answered = list(frame.answers)
    last = max((answered.index(key) for key in keys if key in answered), default=None)
    if last is None or any(answer.kind == "once" for answer in frame.answers.values()):
        return False
    drop(frame, answered[last])
    return True


def last_step(frame: Frame) -> str:
    """The question or effect that the open question came after; "" if nothing was asked before it."""
    if frame.caveat:
        return ""
    return next((key for key, answer in reversed(frame.answers.items()) if answer.kind != "only"), "")


def drop(frame: Frame, key: str) -> None:
    """Drop an answer and all after it."""
    kept = list(frame.answers)
    frame.answers = {each: frame.answers[each] for each in kept[: kept.index(key)]}
    frame.open = None


def asks_here(frame: Frame, routes: Routes, said: str) -> bool:
    """Tell whether words of the dialogue's own ask for another answer to the open question itself."""
    return bool(frame.open and frame.open.key in _led_back_to(frame, routes, said))


def _led_back_to(frame: Frame, routes: Routes, said: str) -> Sequence[str]:
    """The questions to which these words lead back, polite words aside: 换个时间吧."""
    wired = routes.named(frame.dialogue)
    returns = wired.route.returns if wired else {}
    return next((returns[way] for way in ways_of_saying(said) if way in returns), ())
