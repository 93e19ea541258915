"""The codes this gate has let through, each as long as it could be shown again."""

from gate.code import Code, UsedKey

_SWEEP_EVERY = 1024


class UsedSet:
    """Kept ttl + 2 · skew after the use (domain-rules 2.2); made again from the journal at the start."""

    def __init__(self, skew_s: int) -> None:
        self._keep_s = 2 * skew_s
        self._until: dict[UsedKey, int] = {}
        self._added = 0

    def __contains__(self, key: object) -> bool:
        return key in self._until

    def __len__(self) -> int:
        return len(self._until)

    def add(self, code: Code, now_s: int) -> None:
        """This code opens nothing any more."""
        until = now_s + code.ttl_s + self._keep_s
        self._until[code.used_key] = max(until, self._until.get(code.used_key, 0))
        self._added += 1
        if self._added % _SWEEP_EVERY == 0:
            self.forget(now_s)

    def discard(self, code: Code) -> None:
        """The gate did not open after all."""
        self._until.pop(code.used_key, None)

    def forget(self, now_s: int) -> None:
        """Drop what is too old to be shown again."""
        self._until = {key: until for key, until in self._until.items() if until >= now_s}
