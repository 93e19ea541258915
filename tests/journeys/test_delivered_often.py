"""Invariant 3 of domain-rules 9, whole: however often a message comes, in whatever order, it is done once."""

import asyncio
import itertools
import random
from dataclasses import dataclass, field

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.chat.events import Event, Kind
from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from tests.support import city_bot
from tests.support.talk import Ground, Talk

_examples = itertools.count(1)
MOST_ROUNDS = 14
HELD = """
SELECT count(*) FROM bookings b JOIN units u ON u.booking = b.id JOIN accounts a ON a.citizen = b.citizen
WHERE a.conversation = $1 AND u.state = 'booked'
"""


@dataclass
class Wish:
    """One citizen who books, and cancels again; `copies` is how often each message arrives."""

    talk: Talk
    copies: list[int]
    late: list[int]  # how often the message before arrives once more, together with the next one
    sent: list[Event] = field(default_factory=list)
    told: dict[str, set[str]] = field(default_factory=dict)  # event id → every reply its attempts got

    def next(self, text: str) -> list[Event]:
        """Everything that arrives in the next round."""
        event = self.talk.event(Kind.TEXT, text=text)
        number = len(self.sent)
        again = self.sent[-1:] * self.late[number % len(self.late)]
        self.sent.append(event)
        return [event] * self.copies[number % len(self.copies)] + again

    @property
    def last(self) -> str:
        """What the last message was answered with."""
        (only,) = self.told[self.sent[-1].id]
        return only

    async def deliver(self, event: Event) -> None:
        said = await self.talk.attempt(event)
        self.told.setdefault(event.id, set()).add(said.text if said else "")

    async def bookings(self) -> int:
        return int(await self.talk.ground.db.fetchval(HELD, self.talk.conversation))


async def arrives(wishes: list[Wish], text: str, chance: random.Random) -> None:
    """Every citizen writes this; all deliveries come at once, in any order."""
    deliveries = [(wish, event) for wish in wishes for event in wish.next(text)]
    chance.shuffle(deliveries)
    await asyncio.gather(*(wish.deliver(event) for wish, event in deliveries))
    for wish in wishes:
        assert all(len(texts) == 1 for texts in wish.told.values()), wish.told


async def until(wishes: list[Wish], outcome: str, chance: random.Random) -> None:
    """Answer 1 until everybody has come there; who lost a race chooses again."""
    for _ in range(MOST_ROUNDS):
        open_ones = [wish for wish in wishes if outcome not in wish.last]
        if not open_ones:
            return
        await arrives(open_ones, "1", chance)
    raise AssertionError([wish.last for wish in wishes])


COPIES = st.lists(st.integers(1, 4), min_size=4, max_size=4)
LATE = st.lists(st.integers(0, 2), min_size=4, max_size=4)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plans=st.lists(st.tuples(COPIES, LATE), min_size=1, max_size=3), seed=st.integers(0, 1000))
async def test_delivered_one_to_four_times_in_any_order_at_once(
    redis: Redis,
    db: Database,
    seal: Seal,
    clock: ManualClock,
    plans: list[tuple[list[int], list[int]]],
    seed: int,
) -> None:
    ground = Ground(redis, db, seal, clock)
    gateway = Talk(ground, await city_bot.city_bot(ground))
    example, chance = next(_examples), random.Random(seed)
    wishes = [Wish(gateway.another(f"o-{example}-{each}"), *plan) for each, plan in enumerate(plans)]

    await arrives(wishes, "挂号", chance)
    await until(wishes, "预约成功", chance)
    assert [await wish.bookings() for wish in wishes] == [1] * len(wishes)

    await arrives(wishes, "取消预约", chance)
    await until(wishes, "已取消", chance)
    assert [await wish.bookings() for wish in wishes] == [0] * len(wishes)

    effects = "SELECT count(*) FROM effects WHERE run LIKE ANY($1)"
    runs = [f"{wish.talk.conversation}:%" for wish in wishes]
    assert await db.fetchval(effects, runs) == 2 * len(wishes), "one booking and one cancelling each"
    await gateway.dispatcher.drain()


async def test_control_the_same_words_under_new_ids_are_new_messages(
    redis: Redis, db: Database, seal: Seal, clock: ManualClock
) -> None:
    ground = Ground(redis, db, seal, clock)
    talk = Talk(ground, await city_bot.city_bot(ground))
    await talk.says("挂号")
    event = talk.event(Kind.TEXT, text="1")
    copies = [msgspec.structs.replace(event, id=f"{event.id}{number}") for number in range(3)]
    said = await asyncio.gather(*(talk.attempt(copy) for copy in copies))
    assert len({one.text for one in said if one}) > 1
    await talk.dispatcher.drain()
