"""What is counted and timed: one registry per gateway, read by the health page and by Prometheus."""

from bisect import bisect_left
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate
from math import inf

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 4.5)


_TROUBLE = ("put_off", "failed")


class Metrics:
    """The figures of one process since it started.

    Counted in plain dictionaries, because every message passes here; Prometheus's own shapes are made when
    somebody asks for them.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._messages: dict[tuple[str, str, str], int] = defaultdict(int)
        self._slots: dict[
            str, list[int]
        ] = {}  # by account: how many replies in each bucket, the last is +Inf
        self._seconds: dict[str, float] = defaultdict(float)
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def answered(self, account: str, kind: str, outcome: str, seconds: float) -> None:
        """Count one message: `kind` as in `Event`, `outcome` such as replied, repeated, failed or silent."""
        self._messages[account, kind, outcome] += 1
        slots = self._slots.get(account)
        if slots is None:
            slots = self._slots[account] = [0] * (len(_BUCKETS) + 1)
        slots[bisect_left(_BUCKETS, seconds)] += 1
        self._seconds[account] += seconds

    def by_kind(self) -> dict[str, int]:
        """How many deliveries of each kind there were, most frequent first: WeChat may repeat a message."""
        tally: Tally[str] = Tally()
        for (_, kind, _), count in self._messages.items():
            tally[kind] += count
        return dict(tally.most_common())

    def unanswered(self) -> int:
        """How many deliveries were put off or failed; WeChat delivers most of them again."""
        return sum(count for (_, _, outcome), count in self._messages.items() if outcome in _TROUBLE)

    def within(self, share: float) -> float | None:
        """The time, in seconds, within which that share of replies was given (upper edge of its bucket)."""
        together = [sum(slot) for slot in zip(*self._slots.values(), strict=True)]
        total = sum(together)
        if not total:
            return None
        reached = accumulate(together)
        return next(
            edge for edge, count in zip((*_BUCKETS, inf), reached, strict=True) if count >= share * total
        )

    def collect(self) -> Iterator[Metric]:
        """Hand the figures over in Prometheus's shapes."""
        messages = CounterMetricFamily(
            "bianmin_messages",
            "Messages and events that were answered, by kind and by what became of them",
            labels=["account", "kind", "outcome"],
        )
        for labels, count in self._messages.items():
            messages.add_metric(labels, count)
        yield messages
        seconds = HistogramMetricFamily(
            "bianmin_reply_seconds", "From the first byte of a message to its reply", labels=["account"]
        )
        for account, slots in self._slots.items():
            edges = (*(str(edge) for edge in _BUCKETS), "+Inf")
            reached = list(zip(edges, accumulate(slots), strict=True))
            seconds.add_metric([account], buckets=reached, sum_value=self._seconds[account])
        yield seconds

    def exposition(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)
