"""Message ids, and when the message that has one was sent: what makes a message the same one again."""

import itertools
from collections import OrderedDict
from collections.abc import Iterator

Key = tuple[str, str, int]
Asked = tuple[str, str, str]


class Numbers:
    """Gives out ids, and remembers the CreateTime of those that scripts chose, the latest `most` of them."""

    def __init__(self, first: int, most: int) -> None:
        self._ids: Iterator[int] = itertools.count(first)
        self._most = most
        self._sent: OrderedDict[Key, int] = OrderedDict()  # a dict forgets its oldest ever more slowly

    def new(self) -> int:
        return next(self._ids)

    def sent_at(self, key: Key, now: int) -> int:
        """When the message of this account, openid and id was sent first: now, where it is new."""
        first = self._sent.setdefault(key, now)
        if len(self._sent) > self._most:
            self._sent.popitem(last=False)
        return first


class Repeats:
    """Remembers for `life_s` seconds which id a request got, the latest `most` requests."""

    def __init__(self, life_s: float, most: int) -> None:
        self._life_s = life_s
        self._most = most
        self._seen: OrderedDict[Asked, tuple[float, int]] = OrderedDict()

    def find(self, key: Asked, now: float) -> int | None:
        at, number = self._seen.get(key, (now, None))
        return number if now - at < self._life_s else None

    def keep(self, key: Asked, number: int, now: float) -> None:
        self._seen.pop(key, None)  # whoever comes again stands at the end
        self._seen[key] = (now, number)
        while len(self._seen) > self._most or self._oldest() <= now - self._life_s:
            self._seen.popitem(last=False)

    def _oldest(self) -> float:
        return next(iter(self._seen.values()))[0]
