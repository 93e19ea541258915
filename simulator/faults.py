"""Faults on demand: what goes wrong with which call, how often, and how often it has."""

import random
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from simulator.refusals import RefusedError

EVERY_CALL = "*"
MOST_FAULTS = 1_000
LONGEST_S = 600.0


class Fault(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """One way in which a call goes wrong; without an account it is every account's."""

    call: Annotated[str, Meta(min_length=1, max_length=64)]
    account: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    errcode: int | None = None
    latency_s: Annotated[float, Meta(gt=0, le=LONGEST_S)] | None = None
    cut: Literal["before", "after"] | None = None
    status: Annotated[int, Meta(ge=400, le=599)] | None = None
    times: Annotated[int, Meta(ge=1)] | None = None
    probability: Annotated[float, Meta(gt=0, le=1)] | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a fault that is none, or more than one."""
        kinds = [self.errcode, self.cut, self.status]
        if sum(kind is not None for kind in kinds) + (self.latency_s is not None) != 1:
            raise ValueError("exactly one of errcode, latency_s, cut, status")
        if self.seed is not None and self.probability is None:
            raise ValueError("seed goes with probability")


class _Armed:
    """A fault and how often it has struck."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.struck = 0
        self._chance = random.Random(fault.seed)

    def strikes(self) -> bool:
        fault = self.fault
        if fault.times is not None and self.struck >= fault.times:
            return False
        if fault.probability is not None and self._chance.random() >= fault.probability:
            return False
        self.struck += 1
        return True


class Faults:
    """All faults that stand, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._armed: dict[str, _Armed] = {}
        self._last = 0

    @property
    def standing(self) -> bool:
        return bool(self._armed)

    def add(self, fault: Fault) -> str:
        if len(self._armed) >= MOST_FAULTS:
            raise RefusedError(f"at most {MOST_FAULTS} faults; DELETE /sim/faults takes them back")
        self._last += 1
        self._armed[str(self._last)] = _Armed(fault)
        return str(self._last)

    def remove(self, number: str) -> None:
        if self._armed.pop(number, None) is None:
            raise RefusedError(f"{number[:40]!r} is no fault; known are {', '.join(self._armed) or 'none'}")

    def clear(self) -> int:
        """Take all back; how many there were."""
        count = len(self._armed)
        self._armed.clear()
        return count

    def strike(self, call: str, whose: Callable[[], str]) -> Fault | None:
        """The first fault that strikes this call; `whose` finds out the account, if that matters."""
        for armed in self._armed.values():
            fault = armed.fault
            if fault.call not in {EVERY_CALL, call}:
                continue
            if fault.account is not None and fault.account != whose():
                continue
            if armed.strikes():
                return fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {"id": number, **msgspec.to_builtins(armed.fault), "struck": armed.struck}
            for number, armed in self._armed.items()
        ]
