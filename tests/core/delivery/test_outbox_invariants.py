"""Invariants 4 and 9 of domain-rules 9 under any history: crashes, changes, refusals, receipts."""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.chat.durations import Durations
from core.chat.inbox import Inbox
from core.chat.replies import Said
from core.delivery import prompts, receipts, rows
from core.delivery.lanes import Lane
from core.delivery.receipts import Fate
from core.delivery.rows import Start
from core.delivery.sender import Choices, Notice, Outcome, PerhapsSent, Policy, Refused, Sent, SurelyNotSent
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.town import HERE, THERE, Phone, Post
from tests.support.sending_worker import send_again

PATIENT = settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a history that failed is short enough as it is
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
KINDS = ("visit", "storm", "news")
FATES = ("sent", "sent", "sent", "perhaps arrived", "perhaps lost", "not sent", "refused")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("queue"), st.sampled_from(KINDS), st.integers(0, 2)),  # kind, object
        st.tuples(st.just("change"), st.just(""), st.integers(0, 2)),  # object
        st.tuples(st.just("send"), st.sampled_from(FATES), st.just(0)),
        st.tuples(st.just("crash"), st.sampled_from(("before", "after")), st.integers(1, 3)),  # lane
        st.tuples(st.just("wait"), st.just(""), st.integers(1, 700)),  # seconds
        st.tuples(st.sampled_from(("expire", "answer", "receipt")), st.just(""), st.integers(0, 9)),  # row
        st.tuples(st.sampled_from(("write", "allow")), st.just(""), st.integers(0, 1)),  # phone
    ),
    max_size=16,
)
TERMINAL = frozenset(("accepted", "delivered", "read", "failed", "unknown", "expired", "cancelled"))
UNSENT = frozenset(("failed", "expired", "cancelled"))
# What a receipt, and the citizen, may still tell of a message that has come to its end here.
LATER = {
    "accepted": {"delivered", "failed", "read"},
    "unknown": {"delivered", "failed", "read"},
    "delivered": {"read"},
}
_NUMBER = re.compile(r"\d+")


@dataclass
class Watched(Post):
    """Phones that know which row each message is of, and look into the database when one is sent."""

    db: Database | None = None
    fate: str = "sent"
    shown: Counter[int] = field(default_factory=Counter)
    outdated: list[int] = field(default_factory=list)

    async def send(self, account: str, openid: str, said: Said | Choices) -> Outcome:
        if isinstance(said, Choices):
            return await self._fated(int(said.choices[0].id.partition(":")[0]), template=False)
        found = _NUMBER.search(said.text)
        assert found is not None
        return await self._fated(await self._row(int(found.group())), template=False)

    async def send_template(self, account: str, openid: str, notice: Notice) -> Outcome:
        return await self._fated(int(notice.client_id), template=True)

    async def send_subscription(self, account: str, openid: str, notice: Notice) -> Outcome:
        return await self._fated(int(notice.client_id), template=False)

    async def _fated(self, row: int, *, template: bool) -> Outcome:
        assert self.db is not None
        if not await self.db.fetchval(
            "SELECT guards_hold(guard_keys, guard_ns) FROM outbox WHERE id = $1", row
        ):
            self.outdated.append(row)
        match self.fate:
            case "sent":
                self.arrive(row, once=template)
                return Sent(str(row))
            case "perhaps arrived":
                self.arrive(row, once=template)
                return PerhapsSent("cut")
            case "perhaps lost":
                return PerhapsSent("cut")
            case "not sent":
                return SurelyNotSent("nobody there", 5.0)
            case _:
                return Refused(Policy.CONTENT, 45002, "too long")

    def arrive(self, row: int, *, once: bool) -> None:
        """Show it; WeChat shows a template message whose client_msg_id it knows no second time."""
        self.shown[row] = 1 if once else self.shown[row] + 1

    async def _row(self, number: int) -> int:
        assert self.db is not None
        return int(await self.db.fetchval("SELECT id FROM outbox WHERE key LIKE $1", f"%:n{number}:%"))


class History:
    """One example: its steps, and what must be so after each of them."""

    def __init__(self, redis: Redis, db: Database, seal: Seal) -> None:
        phones = {HERE: Phone("city", "o-here"), THERE: Phone("city", "o-there")}
        self.post = Watched(phones, db=db)
        self.bureau = Bureau(redis, db, seal, self.post, Inbox(redis, Durations(flood=0)))
        self.db = db
        self.redis = redis
        self.before: dict[int, Any] = {}
        self._count = 0

    async def begin(self) -> None:
        """Forget the example before this one."""
        await self.redis.client.flushdb()
        await self.db.execute(
            "TRUNCATE outbox, versions, credits, receipts, prompts, jobs, job_events RESTART IDENTITY CASCADE"
        )

    async def take(self, what: str, which: str, number: int) -> None:
        """One step."""
        step = getattr(self, f"_{what}")
        await step(which, number)
        await self.check()

    async def check(self) -> None:
        """Invariants 4 and 9, and the states' diagram."""
        assert self.post.outdated == [], "invariant 4: sent although its object had changed"
        now = {row["id"]: row for row in await self.db.fetch("SELECT * FROM outbox")}
        for number, row in now.items():
            was = self.before.get(number)
            if was is not None and was["state"] in TERMINAL and row["state"] != was["state"]:
                assert row["state"] in LATER.get(was["state"], ()), f"{was['state']} became {row['state']}"
            shown = self.post.shown[number]
            assert shown <= 1 or row["repeatable"], f"{row['key']} was shown {shown} times"
            if row["state"] in UNSENT:
                assert not shown, f"{row['key']} was shown and is booked as {row['state']}"
            if row["state"] in {"accepted", "delivered", "read"} and row["channel"] != "reply":
                assert shown, f"{row['key']} is booked as {row['state']} and nobody saw it"
            assert (row["state"] in TERMINAL) == (row["settled_at"] is not None), row["state"]
        assert len({row["key"] for row in now.values()}) == len(now)
        self.before = now

    async def _queue(self, kind: str, number: int) -> None:
        self._count += 1
        where = (HERE, THERE)[self._count % 2]
        notice = self.bureau.notice(kind, f"n{self._count}", where, count=self._count)
        async with self.db.transaction() as tx:
            await self.bureau.notices.queue(tx, replace(notice, guards=(f"object:{number}",)))

    async def _change(self, _: str, number: int) -> None:
        await self.bureau.bump(f"object:{number}")

    async def _send(self, fate: str, _: int) -> None:
        self.post.fate = fate
        await self.bureau.out.send_due()
        self.post.fate = "sent"

    async def _crash(self, when: str, lane: int) -> None:
        """A worker dies with rows in hand: before its requests, or after they arrived."""
        held = await rows.claim(self.db, "dead", Lane(lane), timedelta(seconds=30), 3)
        starts = [Start(row, row.channel or "window") for row in held]
        async with self.db.transaction() as tx:
            begun = await rows.begin(tx, "dead", starts, timedelta(seconds=10))
        if when == "after":
            for start in starts:
                if start.row.id in begun:
                    self.post.arrive(start.row.id, once=start.channel == "template")

    async def _wait(self, _: str, seconds: int) -> None:
        await self.bureau.passes(timedelta(seconds=seconds))
        await self.bureau.out.look_after()

    async def _expire(self, _: str, number: int) -> None:
        """It is worth sending no longer."""
        await self.db.execute(
            """
            UPDATE outbox SET valid_until = now() - interval '1 second'
            WHERE id = $1 AND state IN ('queued', 'held')
            """,
            number,
        )

    async def _answer(self, _: str, number: int) -> None:
        if self.post.shown[number]:
            async with self.db.transaction() as tx:
                await prompts.read(tx, number)

    async def _receipt(self, _: str, number: int) -> None:
        """WeChat says of a template message that arrived that it did."""
        row = await self.db.fetchrow("SELECT conversation, msg_id FROM outbox WHERE id = $1", number)
        if row is not None and self.post.shown[number]:
            fate = Fate(f"r{number}", 0, row["conversation"], "", str(number), "", datetime.now(UTC))
            await receipts.note(self.db, [fate])
            await receipts.apply(self.db)

    async def _write(self, _: str, number: int) -> None:
        await self.bureau.opens(conversation=(HERE, THERE)[number])

    async def _allow(self, _: str, number: int) -> None:
        await self.bureau.allows("S-visit", (HERE, THERE)[number])


@PATIENT
@given(steps=STEPS)
async def test_nothing_outdated_is_sent_and_nobody_is_told_twice(
    redis: Redis, db: Database, seal: Seal, steps: list[tuple[str, str, int]]
) -> None:
    history = History(redis, db, seal)
    await history.begin()
    for step in steps:
        await history.take(*step)
    for _ in range(4):  # and in the end everything has come to its end, or waits for its citizen
        await history.take("wait", "", 700)
        await history.take("send", "sent", 0)
    left = await db.fetch("SELECT key, state, hold, reason FROM outbox WHERE settled_at IS NULL")
    assert all(row["state"] == "held" and row["hold"] == "kept" for row in left), left


async def test_control_who_sends_again_what_a_dead_worker_had_in_hand_is_seen(
    redis: Redis, db: Database, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [("write", "", 1), ("queue", "visit", 0), ("crash", "after", Lane.PERSONAL), ("wait", "", 700)]
    history = History(redis, db, seal)
    await history.begin()
    for step in steps:
        await history.take(*step)
    assert history.before[1]["state"] == "unknown", "as it should be"

    monkeypatch.setattr(rows, "recover", send_again)
    history = History(redis, db, seal)
    await history.begin()
    for step in steps:
        await history.take(*step)
    with pytest.raises(AssertionError, match="was shown 2 times"):
        await history.take("send", "sent", 0)
