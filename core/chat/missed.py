"""What is said of an answer that is none of the options: what was understood, and the nearest there is."""

from collections.abc import Sequence
from datetime import date, time

from core.chat import answers
from core.chat.likeness import guesses, nearest
from core.chat.moments import Moment, Part, is_over, spoken
from core.chat.sessions import Option

_LIKELY = 2  # options a miss asks about


def miss(
    quote: str, folded: str, options: Sequence[Option], today: date, *, full: bool = False
) -> tuple[str, dict[str, object]]:
    """Name the template for these words, and its facts; `quote` is how they were said.

    `full`: the day or time they name is missing because it is 约满.
    """
    moment = answers.meant(folded, options, today)
    if moment is None:
        near = [_name(option) for option in guesses(folded, options, _LIKELY)]
        return "chat/missed", {"said": quote, "near": near}
    if is_over(folded, today):
        return "chat/over", {"said": spoken(folded, today)[0]}
    fitting = sum(each.when is not None and moment.fits(each.when) for each in options)
    near = [_name(option) for option in nearest(folded, options, today)[:_LIKELY]]
    if fitting:
        return "chat/missed", {"said": quote, "near": near}
    if full:
        return "chat/full", {"said": quote, "near": near}
    if (span := _span(moment, options)) is not None:
        part, first, last = span
        return "chat/outside", {"said": quote, "part": part, "first": first, "last": last}
    return "chat/not_offered", {"said": quote, "near": near}


def _name(option: Option) -> str:
    """The first line of an option: enough to know it by."""
    return option.label.partition("\n")[0]


def _span(moment: Moment, options: Sequence[Option]) -> tuple[Part | None, time, time] | None:
    """Of one day's times the first and the last, where the time named lies before or behind all of them."""
    whens = [option.when for option in options if option.when is not None]
    starts = sorted(when.starts for when in whens if when.starts is not None)
    days, parts = {when.day for when in whens}, {when.part for when in whens}
    one_day = len(days) == 1 and (moment.day is None or moment.day in days)
    if not (moment.times and one_day and len(starts) == len(options)):
        return None
    if any(starts[0] <= each <= starts[-1] for each in moment.times):
        return None
    return parts.pop() if len(parts) == 1 else None, starts[0], starts[-1]
