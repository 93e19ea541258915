"""How words open a dialogue further on, turn an open one another way, or lead back to a question of it."""

from collections.abc import Sequence

from core.chat import moves
from core.chat.answers import fold
from core.chat.names import Found
from core.chat.router import Match, Route, ways_of_saying
from core.chat.routes import Routes
from core.chat.sessions import Frame


async def opened(match: Match, run: str, routes: Routes) -> Frame:
    """A dialogue at its beginning: what the opening words settle, and what they leave for its questions."""
    wired = routes.named(match.route.name)
    said = match.rest or " ".join(value for _, value in match.holes)
    found = match.found or (await wired.find(fold(said)) if wired and wired.route.by_name else None)
    frame = Frame(match.route.name, run, rest=match.rest, holes=match.holes, offered=said, beside=match.about)
    if found is not None:
        frame.offered, frame.hints = found.rest, dict(found.settles)
    if (prompt := match.prompt) is not None:
        frame.prompt = prompt.message
        if settled := match.route.prompts[prompt.kind, prompt.chosen]:
            frame.hints[settled] = prompt.about
    return frame


def turn(frame: Frame, found: Found) -> bool | None:
    """Let names settle questions of an open dialogue; None if they say nothing new, or it is too late.

    An answer they contradict is dropped with all after it: True; False if there was none.
    """
    known = frame.answers
    now = frame.wishes | {key: answer.value for key, answer in known.items()}
    news = [key for key, value in found.settles.items() if now.get(key) != value]
    if not news or frame.has_effect:
        return None
    changed = any(key in known for key in news)
    kept = list(known)
    kept = kept[: min((kept.index(key) for key in news if key in known), default=len(kept))]
    frame.answers = {key: known[key] for key in kept}
    frame.open, frame.offered, frame.tried = None, found.rest or frame.offered, kept
    frame.hints = {key: value for key, value in found.settles.items() if key not in kept}
    frame.refused = "" if found.rest else frame.refused
    return changed


def say_beside(frame: Frame, route: Route, about: str) -> None:
    """Ask the first question of all once more: these words answer it; what the others were answered stays."""
    if route.beside is not None:
        frame.beside, frame.open = about, None
        frame.answers.pop(route.beside.key, None)
        frame.hints.pop(route.beside.key, None)


def back(frame: Frame, routes: Routes, said: str) -> bool:
    """Lead back to the question that words of the dialogue's own name (换个医生); False if they name none."""
    wired = routes.named(frame.dialogue)
    keys = _returns(wired.route, said) if wired else ()
    answered = list(frame.answers)
    last = max((answered.index(key) for key in keys if key in answered), default=None)
    if last is None or frame.has_effect:
        return False
    drop(frame, answered[last])
    return True


def last_step(frame: Frame) -> str:
    """The question or effect that the open question came after; "" if nothing was asked before it."""
    if frame.open is not None and frame.open.first:
        return ""
    return next((key for key, answer in reversed(frame.answers.items()) if answer.kind != "only"), "")


def drop(frame: Frame, key: str) -> None:
    """Drop an answer and all after it."""
    kept = list(frame.answers)
    frame.answers = {each: frame.answers[each] for each in kept[: kept.index(key)]}
    frame.open = None


def asks_here(frame: Frame, routes: Routes, said: str) -> bool:
    """Tell whether words of the dialogue's own ask for another answer to the open question itself."""
    wired = routes.named(frame.dialogue)
    return bool(wired and frame.open and frame.open.key in _returns(wired.route, said))


def _returns(route: Route, said: str) -> Sequence[str]:
    """The questions that these words, polite ones aside, lead back to."""
    if not route.returns:
        return ()
    return next((route.returns[way] for way in ways_of_saying(said) if way in route.returns), ())


def taken_back(match: Match, routes: Routes) -> str:
    """What follows an opening word and takes it back: 挂号我想取消, 挂号，取消预约; "" if nothing does."""
    rest = match.rest
    if not (rest and match.route.dialogue):
        return ""
    other = routes.whole(rest)
    other_wish = other is not None and other.route.dialogue and other.route is not match.route
    return rest if other_wish or moves.stops(rest) else ""
