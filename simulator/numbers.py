"""Message ids, and when the message that has one was sent: what makes a message the same one again."""

import itertools
from collections.abc import Iterator

Key = tuple[str, str, int]


class Numbers:
    """Gives out ids, and remembers the CreateTime of those that scripts chose, the latest `most` of them."""

    def __init__(self, first: int, most: int) -> None:
        self._ids: Iterator[int] = itertools.count(first)
        self._most = most
        self._sent: dict[Key, int] = {}

    def new(self) -> int:
        return next(self._ids)

    def sent_at(self, key: Key, now: int) -> int:
        """When the message of this account, openid and id was sent first: now, where it is new."""
        first = self._sent.setdefault(key, now)
        if len(self._sent) > self._most:
            del self._sent[next(iter(self._sent))]
        return first
