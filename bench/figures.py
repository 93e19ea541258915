"""What a series of measurements says: median, quartiles, ratios of what was measured side by side."""

import statistics
from collections.abc import Sequence

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """A median and the quartiles around it."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Summarise measurements; one alone is its own quartiles."""
    if not values:
        raise ValueError("nothing was measured")
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high)


def paired(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Summarise ours ÷ theirs, round by round: what slowed a whole round down cancels out."""
    return spread([one / other for one, other in zip(ours, theirs, strict=True)])
