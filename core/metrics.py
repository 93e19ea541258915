"""What is counted and timed: one registry per gateway, read by the health page and by Prometheus."""

import asyncio
from collections import Counter as Tally
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from core.chat.events import Event
from core.chat.replies import Said

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 4.5)


class Metrics:
    """The figures of one process since it started."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._messages = Counter(
            "bianmin_messages",
            "Messages and events that were answered, by kind and by what became of them",
            ["account", "kind", "outcome"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "bianmin_reply_seconds",
            "From the first byte of a message to its reply",
            ["account"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        # `labels()` is dear on the hot path, and there are few combinations.
        self._counters: dict[tuple[str, str, str], Counter] = {}
        self._timers: dict[str, Histogram] = {}

    def answered(self, account: str, kind: str, outcome: str, seconds: float) -> None:
        """Count one message: `kind` as in `Event`, `outcome` such as replied, repeated, failed or silent."""
        key = (account, kind, outcome)
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = self._messages.labels(*key)
        counter.inc()
        timer = self._timers.get(account)
        if timer is None:
            timer = self._timers[account] = self._seconds.labels(account)
        timer.observe(seconds)

    def by_kind(self) -> dict[str, int]:
        """How many messages of each kind were answered, most frequent first."""
        tally: Tally[str] = Tally()
        for metric in self._messages.collect():
            for sample in metric.samples:
                if sample.name.endswith("_total"):
                    tally[sample.labels["kind"]] += int(sample.value)
        return dict(tally.most_common())

    def within(self, share: float) -> float | None:
        """The time, in seconds, within which that share of replies was given (upper edge of its bucket)."""
        buckets: Tally[float] = Tally()
        for metric in self._seconds.collect():
            for sample in metric.samples:
                if sample.name.endswith("_bucket"):
                    buckets[float(sample.labels["le"])] += int(sample.value)
        total = max(buckets.values(), default=0)
        if not total:
            return None
        return min(edge for edge, count in buckets.items() if count >= share * total)

    def exposition(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)


class Reception(Protocol):
    """Who answers events."""

    async def receive(self, event: Event, arrived: float) -> Said | None: ...


class Measured:
    """A reception whose every answer is counted and timed."""

    def __init__(self, reception: Reception, metrics: Metrics) -> None:
        self._reception = reception
        self._metrics = metrics

    async def receive(self, event: Event, arrived: float) -> Said | None:
        """Answer as the reception does."""
        outcome = "failed"
        try:
            said = await self._reception.receive(event, arrived)
            outcome = "replied" if said is not None and said.type else "silent"
            return said
        finally:
            seconds = asyncio.get_running_loop().time() - arrived
            self._metrics.answered(event.account, event.kind, outcome, seconds)
