"""The register of a demo institution: it sends codes to phones, checks them, and knows the guardians."""

import hmac
import itertools
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from simulator.clock import BEIJING, Clock
from simulator.residents import Resident, residents

CODE_DIGITS = 6
OF_AGE = 14  # who is younger is spoken for by a guardian
Kept = TypeVar("Kept")
Deliver = Callable[[str, str], None]  # a telephone number, and the words


@dataclass(frozen=True, slots=True)
class Figures:
    """What a test may want to change."""

    life_s: float = 300
    tries: int = 5
    sends: int = 5  # for one ID number, known or not, in `per_s`
    per_s: float = 3600
    most: int = 10_000  # requests and ID numbers that are remembered; the oldest go first


class TooOftenError(Exception):
    """No more codes for this ID number for a while, whether or not anybody has it."""


@dataclass(slots=True)
class _Pending:
    """A code on its way; nobody's where the person is unknown, and then never right."""

    code: str
    resident: Resident | None
    until: float
    tries: int


class Register:
    """One institution's. Nothing it answers tells whether a person is known, but a right code."""

    def __init__(self, name: str, clock: Clock, deliver: Deliver, figures: Figures) -> None:
        self._name = name
        self._clock = clock
        self._deliver = deliver
        self._figures = figures
        self._pending: OrderedDict[str, _Pending] = OrderedDict()
        self._sent: OrderedDict[str, deque[float]] = OrderedDict()

    @property
    def people(self) -> list[Resident]:
        """Everybody in it, as old as they are today."""
        return residents(self._clock().astimezone(BEIJING).date())

    def send(self, request: str, name: str, id_number: str) -> None:
        """Send a code, if this is somebody with a phone; a request that is known already sends none."""
        if request in self._pending:
            return
        self._count(id_number)
        resident = self._find(name, id_number)
        code = "".join(str(secrets.randbelow(10)) for _ in range(CODE_DIGITS))
        until = self._now() + self._figures.life_s
        _keep(
            self._pending, request, _Pending(code, resident, until, self._figures.tries), self._figures.most
        )
        # Nobody's code goes nowhere, by the same way.
        self._deliver(resident.phone if resident else "", _words(code, self._figures.life_s))

    def check(self, request: str, code: str) -> str:
        """Whose code this is; "" where it is wrong or old, tried too often, or nobody's.

        For its own request it is right however often: whoever asked may have died before they heard of it.
        """
        pending = self._pending.get(request) or _Pending(secrets.token_hex(3), None, 0.0, 0)
        is_right = hmac.compare_digest(code.encode(), pending.code.encode())
        is_good = is_right and pending.tries > 0 and self._now() < pending.until
        pending.tries -= not is_right
        return pending.resident.reference(self._name) if is_good and pending.resident else ""

    def child(self, guardian: tuple[str, str], child: tuple[str, str]) -> str:
        """Which child this is, if under 14 and the guardian's, each given by name and ID number; else ""."""
        elder, younger = self._find(*guardian), self._find(*child)
        if elder is None or younger is None or elder.name not in younger.guardians:
            return ""
        return younger.reference(self._name) if self._age(younger) < OF_AGE else ""

    def _find(self, name: str, id_number: str) -> Resident | None:
        found = None
        for each in self.people:  # all of them, so that who is found takes no less time than who is not
            is_number = hmac.compare_digest(each.id_number.encode(), id_number.encode())
            is_name = each.is_called(name)
            if is_number and is_name:
                found = each
        return found

    def _age(self, resident: Resident) -> int:
        today, born = self._clock().astimezone(BEIJING).date(), resident.born
        return today.year - born.year - ((today.month, today.day) < (born.month, born.day))

    def _count(self, id_number: str) -> None:
        now = self._now()
        times = self._sent.get(id_number, deque())
        recent = deque(itertools.dropwhile(lambda at: at <= now - self._figures.per_s, times))
        if len(recent) >= self._figures.sends:
            raise TooOftenError
        _keep(self._sent, id_number, deque([*recent, now]), self._figures.most)

    def _now(self) -> float:
        return self._clock().timestamp()


def _keep(kept: OrderedDict[str, Kept], key: str, what: Kept, most: int) -> None:
    kept[key] = what
    kept.move_to_end(key)
    if len(kept) > most:
        kept.popitem(last=False)


def _words(code: str, life_s: float) -> str:
    return (
        f"验证码 {code}，{life_s / 60:.0f} 分钟内有效。有人在便民公众号用您的姓名和身份证号办理绑定。"
        "不是您本人办理，请不要告诉任何人。"
    )
