"""Short messages to telephone numbers, and which phone has which number in it."""

import itertools
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from simulator.clock import Clock, as_text
from simulator.live import Live
from simulator.people import People, Phone

MOST_TEXTS = 500
SHOWN = 20


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """One short message, as it arrived."""

    id: int
    at: float
    number: str
    sender: str
    content: str

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "at": as_text(self.at),
            "number": self.number,
            "sender": self.sender,
            "content": self.content,
        }


class Texts:
    """The operator's side. It forgets the oldest messages, and all of them when the simulator ends."""

    def __init__(self, clock: Clock, people: People, live: Live) -> None:
        self._clock = clock
        self._people = people
        self._live = live
        self._all: deque[ShortMessage] = deque(maxlen=MOST_TEXTS)
        self._ids = itertools.count(int(clock().timestamp() * 1000))  # growing across restarts
        self._holders: defaultdict[str, set[Phone]] = defaultdict(set)

    def restore(self, phones: Iterable[Phone]) -> None:
        """Phones that come back from the store have their numbers in them."""
        for phone in phones:
            if phone.number:
                self._holders[phone.number].add(phone)

    def send(self, number: str, sender: str, content: str) -> None:
        """A message arrives at once."""
        self._all.append(ShortMessage(next(self._ids), self._clock().timestamp(), number, sender, content))
        self._live.ring_all()

    def insert(self, phone: Phone, number: str) -> None:
        """Put a number into a phone, "" for none; whichever other phone of the account had it, has none."""
        others = [one for one in self._holders[number] if one.account == phone.account] if number else []
        for holder in {*others, phone}:
            self._holders[holder.number].discard(holder)
            holder.number = ""
        if number:
            phone.number = number
            self._holders[number].add(phone)
        for holder in {*others, phone}:
            self._people.touch(holder)
        self._live.ring_all()  # other phones show what nobody has

    def to(self, number: str) -> list[ShortMessage]:
        """All to one number, or with "" all there are, oldest first."""
        return [each for each in self._all if number in {"", each.number}]

    def seen_by(self, phone: Phone) -> Sequence[ShortMessage]:
        """What a phone shows: its own messages; without a number in it, those that no other phone would."""
        if phone.number:
            return self.to(phone.number)[-SHOWN:]
        return [each for each in self._all if not self._is_held(each.number, phone.account)][-SHOWN:]

    def _is_held(self, number: str, account: str) -> bool:
        return any(holder.account == account for holder in self._holders.get(number, ()))
