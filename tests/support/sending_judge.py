"""What the outbox promises, as laws over what stands in the database and what stands on the phones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ENDED = ("accepted", "delivered", "failed", "unknown", "expired", "cancelled", "read")
_UNSENT = ("failed", "expired", "cancelled")
_TOLD = ("accepted", "delivered", "read")


@dataclass(frozen=True, slots=True)
class Fate:
    """One row of the outbox in the end, and how often its phone shows it: as it is, and marked （重发）.

    `turn`: whose it is, of a subscription notice; receipts cannot tell several of one citizen apart.
    """

    key: str
    state: str
    shown: int
    again: int = 0
    repeatable: bool = False
    turn: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What may explain an unknown fate, and how many of those the operator is told of."""

    in_flight: int  # requests under way in workers that were killed or stopped
    injected: int  # calls after which nobody could know whether they had been heard
    listed: int


def complaints(fates: Sequence[Fate], doubt: Doubt) -> list[str]:
    """Everything that is wrong."""
    found = [f"{each}: {fate.key}" for fate in fates for each in _about(fate)]
    for turn in sorted({fate.turn for fate in fates if fate.turn}):
        ours = [fate for fate in fates if fate.turn == turn]
        told, shown = (sum(fate.state in _TOLD for fate in ours), sum(fate.shown > 0 for fate in ours))
        if told > shown:
            found.append(f"{told} booked as received of {shown} received: {turn}")
    unknown = sum(fate.state == "unknown" for fate in fates)
    if unknown > doubt.in_flight + doubt.injected:
        found.append(f"{unknown} unknown, with {doubt.in_flight} in flight and {doubt.injected} injected")
    if doubt.listed != unknown:
        found.append(f"the operator is told of {doubt.listed} unknown ones, and there are {unknown}")
    return found


def _about(fate: Fate) -> Iterator[str]:
    times = fate.shown + fate.again
    if fate.state not in ENDED:
        yield f"not at its end, but {fate.state}"
    if fate.shown > 1:
        yield f"shown {fate.shown} times ({fate.state})"
    if fate.again and not fate.repeatable:
        yield f"said again ({fate.state})"
    if times and fate.state in _UNSENT:
        yield f"received and booked as {fate.state}"
    if not times and fate.state in _TOLD and not fate.turn:
        yield f"booked as {fate.state} and not received"
