"""What becomes of a message of ours that is due: sent, put off, held or written off, and never said twice."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from core.chat.durations import WINDOW_SENDS, Durations
from core.chat.inbox import Done, Inbox, Run, Who, Window
from core.chat.replies import Said
from core.delivery.late import LateReplies, Way
from core.delivery.owed import Owed
from core.delivery.sender import (
    Choices,
    Outcome,
    PerhapsSent,
    Policy,
    Refused,
    Sent,
    SurelyNotSent,
    Unsendable,
)
from core.delivery.windows import Windows
from core.errors import DomainError, StoreGoneError
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis

HERE, THERE, NOWHERE = (f"city:{digit * 32}" for digit in "0f9")
_numbers = itertools.count(1)


class NobodyError(DomainError):
    code = "unknown_citizen"


class KilledError(BaseException):
    """The process dies here."""


@dataclass
class Phone:
    account: str
    openid: str
    following: bool = True
    heard: list[str] = field(default_factory=list)


@dataclass
class Post:
    """WeChat as a sender sees it, and the register of citizens; `answers` come in turn, then all is well."""

    phones: dict[str, Phone]
    answers: list[Outcome] = field(default_factory=list)
    on_way: Callable[[str], Awaitable[None]] | None = None
    on_send: Callable[[], Awaitable[None]] | None = None
    asked: int = 0

    async def resolve(self, conversation: str) -> Phone:
        if self.on_way:
            await self.on_way(conversation)
        if conversation not in self.phones:
            raise NobodyError(conversation=conversation)
        return self.phones[conversation]

    async def send(self, account: str, openid: str, said: Said | Choices) -> Outcome:
        assert isinstance(said, Said)
        self.asked += 1
        if self.on_send:
            await self.on_send()
        outcome = self.answers.pop(0) if self.answers else Sent()
        if isinstance(outcome, Sent):
            phones = self.phones.values()
            (phone,) = (each for each in phones if (each.account, each.openid) == (account, openid))
            phone.heard.append(said.text)
        return outcome


@dataclass
class Town:
    """Everything a late reply meets on its way, and time that passes for what waits."""

    redis: Redis
    db: Database
    seal: Seal
    post: Post
    inbox: Inbox

    def __post_init__(self) -> None:
        self.owed = Owed(self.db, self.seal)
        self.windows = Windows(self.redis)
        self.late = self.sender()

    def sender(self, inbox: Inbox | None = None) -> LateReplies:
        """A process that sends."""
        way = Way(inbox or self.inbox, self.windows, self.post, self.post)
        return LateReplies(self.db, self.owed, way)

    @property
    def heard(self) -> list[str]:
        return self.post.phones[HERE].heard

    async def owes(self, words: str = "预约成功", conversation: str = HERE) -> str:
        """Let something be due; the id of the message it answers."""
        event_id = message(conversation)
        await self.owed.send_later(event_id, Said(type="text", at=0, text=words), 0)
        return event_id

    async def row(self, event_id: str) -> tuple[str, str]:
        """How a message of ours stands, and why."""
        row = await self.db.fetchrow("SELECT state, reason FROM outbox WHERE key = $1", f"late:{event_id}")
        assert row is not None
        return row["state"], row["reason"]

    async def writes(self, conversation: str = HERE) -> str:
        """Let a citizen write, and be answered at once."""
        event_id = message(conversation)
        run = await self.inbox.enter(event_id, Who.NEW, Window.MESSAGE)
        assert isinstance(run, Run)
        await self.inbox.commit(run, b"session", b"reply")
        return event_id

    async def passes(self, by: timedelta) -> None:
        await self.db.execute(
            "UPDATE outbox SET not_before = not_before - $1::interval, lease_until = lease_until - $1",
            by,
        )


def message(conversation: str = HERE) -> str:
    return f"{conversation}:m:{next(_numbers)}:1795395600"


@pytest.fixture
async def town(any_redis: Redis, any_db: Database, seal: Seal) -> Town:
    phones = {HERE: Phone("city", "o-here"), THERE: Phone("city", "o-there")}
    return Town(any_redis, any_db, seal, Post(phones), Inbox(any_redis, Durations(flood=0)))


# --- what the platform answers ---


async def test_what_is_due_arrives_once(town: Town) -> None:
    event_id = await town.owes("预约成功")
    assert await town.late.send_due() == 1
    assert await town.late.send_due() == 0
    assert town.heard == ["预约成功"]
    assert await town.row(event_id) == ("accepted", "")


REFUSALS = [each for each in Policy if each not in {Policy.WINDOW, Policy.CONFIGURATION, Policy.DONE}]


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (Sent("1"), "accepted", ""),
        (SurelyNotSent("token: no answer", 60), "queued", "token: no answer"),
        (PerhapsSent("no answer in time"), "unknown", "no answer in time"),
        (Unsendable(""), "cancelled", "nothing to send: silence"),
        (
            Unsendable("transfer_customer_service"),
            "cancelled",
            "nothing to send: transfer_customer_service",
        ),
        (Refused(Policy.WINDOW, 45015, "out of time"), "held", "out of time"),
        (Refused(Policy.CONFIGURATION, 40164, "not in whitelist"), "queued", "40164 not in whitelist"),
        *((Refused(policy, 48001, "no"), "failed", "48001 no") for policy in REFUSALS),
    ],
)
async def test_each_outcome_leads_to_its_state(town: Town, outcome: Outcome, state: str, reason: str) -> None:
    town.post.answers = [outcome]
    event_id = await town.owes()
    await town.late.send_due()
    assert await town.row(event_id) == (state, reason)
    await town.late.send_due()
    assert town.post.asked == 1, "nothing is asked again before its time"


async def test_what_surely_did_not_go_out_is_tried_again_after_its_time(town: Town) -> None:
    town.post.answers = [SurelyNotSent("token: no answer", 60)] * 2
    event_id = await town.owes("预约成功")
    assert await town.late.send_due() == 0
    await town.passes(timedelta(seconds=59))
    await town.late.send_due()
    assert town.post.asked == 1
    for _ in range(2):
        await town.passes(timedelta(seconds=61))
        await town.late.send_due()
    assert (town.heard, await town.row(event_id)) == (["预约成功"], ("accepted", ""))


async def test_what_only_the_settings_are_to_blame_for_goes_when_they_are_right(town: Town) -> None:
    town.post.answers = [Refused(Policy.CONFIGURATION, 40164, "not in whitelist")] * 2
    event_id = await town.owes("预约成功")
    for _ in range(3):
        await town.late.send_due()
        await town.passes(timedelta(seconds=61))
    assert (town.heard, await town.row(event_id)) == (["预约成功"], ("accepted", ""))


async def test_what_perhaps_went_out_is_not_said_again(town: Town) -> None:
    town.post.answers = [PerhapsSent("no answer in time")]
    await town.owes()
    assert await town.late.send_due() == 1
    await town.passes(timedelta(days=1))
    await town.late.send_due()
    assert town.post.asked == 1


async def test_the_next_one_waits_for_one_that_is_tried_again(town: Town) -> None:
    town.post.answers = [SurelyNotSent("busy", 60)]
    for words in ("请选科室", "请选医生"):
        await town.owes(words)
    await town.owes("预约成功", THERE)
    await town.late.send_due()
    assert (town.heard, town.post.phones[THERE].heard) == ([], ["预约成功"])
    await town.passes(timedelta(seconds=61))
    await town.late.send_due()
    assert town.heard == ["请选科室", "请选医生"]


async def test_one_that_failed_does_not_keep_the_next_one(town: Town) -> None:
    town.post.answers = [Refused(Policy.CONTENT, 45002, "too long")]
    await town.owes("请选科室")
    await town.owes("请选医生")
    await town.late.send_due()
    assert town.heard == ["请选医生"]


# --- send windows ---


async def test_refused_for_want_of_a_window_it_goes_when_the_citizen_writes(town: Town) -> None:
    town.post.answers = [Refused(Policy.WINDOW, 45015, "out of time")]
    event_id = await town.owes("预约成功")
    await town.late.send_due()
    for _ in range(3):
        await town.passes(timedelta(seconds=3))
        await town.late.send_due()
    assert town.post.asked == 1, "WeChat is believed"
    await town.writes(THERE)
    await town.passes(timedelta(seconds=3))
    await town.late.send_due()
    assert await town.row(event_id) == ("held", "out of time"), "somebody else's message opens nothing"
    await town.writes()
    await town.passes(timedelta(seconds=3))
    await town.late.send_due()
    assert (town.heard, await town.row(event_id)) == (["预约成功"], ("accepted", ""))


async def test_nobody_is_asked_where_no_window_is_open(town: Town) -> None:
    await town.windows.close(HERE)
    event_id = await town.owes("预约成功")
    await town.late.send_due()
    assert await town.row(event_id) == ("held", "no window")
    assert town.post.asked == 0
    await town.writes()
    await town.passes(timedelta(seconds=3))
    await town.late.send_due()
    assert town.heard == ["预约成功"]


async def test_where_nothing_is_known_of_windows_wechat_is_asked(town: Town) -> None:
    """As after Redis was wiped: the citizen wrote, and nobody remembers."""
    await town.owes("预约成功")
    assert await town.late.send_due() == 1
    assert town.heard == ["预约成功"]


async def test_no_more_go_out_than_the_window_allows(town: Town) -> None:
    await town.writes()
    events = [await town.owes(f"第{number}条") for number in range(1, WINDOW_SENDS + 3)]
    await town.late.send_due()
    assert town.heard == [f"第{number}条" for number in range(1, WINDOW_SENDS + 1)]
    assert await town.row(events[-2]) == ("held", "no window")
    assert (await town.row(events[-1]))[0] == "queued", "behind the one that is held"
    await town.writes()
    await town.passes(timedelta(seconds=3))
    await town.late.send_due()
    assert len(town.heard) == WINDOW_SENDS + 2


@pytest.mark.parametrize(
    ("outcome", "left"),
    [
        (PerhapsSent("no answer"), WINDOW_SENDS - 1),
        (SurelyNotSent("no token", 0.001), WINDOW_SENDS),
        (Refused(Policy.CONTENT, 45002, "too long"), WINDOW_SENDS),
    ],
)
async def test_what_may_have_gone_out_counts_and_nothing_else(
    town: Town, outcome: Outcome, left: int
) -> None:
    await town.writes()
    town.post.answers = [outcome]
    await town.owes("第1条")
    await town.late.send_due()
    before = town.heard.copy()
    for number in range(WINDOW_SENDS + 1):
        await town.owes(f"又{number}条")
    await town.passes(timedelta(seconds=3))
    await town.late.send_due()
    assert len(town.heard) == left
    assert before in ([], town.heard[:1])


# --- to whom ---


async def test_who_unfollowed_is_not_written_to(town: Town) -> None:
    town.post.phones[HERE].following = False
    event_id = await town.owes()
    await town.late.send_due()
    assert await town.row(event_id) == ("failed", "unfollowed")
    assert town.post.asked == 0


async def test_where_nobody_of_that_name_is_known_it_fails(town: Town) -> None:
    event_id = await town.owes(conversation=NOWHERE)
    await town.owes("预约成功")
    await town.late.send_due()
    assert await town.row(event_id) == ("failed", "unknown_citizen")
    assert town.heard == ["预约成功"]


async def test_words_nobody_can_read_fail(town: Town) -> None:
    event_id = await town.owes()
    await town.db.execute("UPDATE outbox SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)")
    await town.owes("预约成功")
    await town.late.send_due()
    assert await town.row(event_id) == ("failed", "unreadable")
    assert town.heard == ["预约成功"]


# --- attempts of WeChat's and messages of ours ---


async def _run_that_nobody_waits_for(town: Town) -> str:
    """A message whose attempt was dropped before its reply was there; its reply is due at once."""
    event_id = message()
    run = await town.inbox.enter(event_id, Who.NEW, Window.MESSAGE)
    assert isinstance(run, Run)
    assert await town.inbox.leave(event_id, 1)
    assert (await town.inbox.commit(run, b"session", b"reply")).late_ms is not None
    await town.owed.send_later(event_id, Said(type="text", at=0, text="请选科室"), 0)
    return event_id


async def test_a_reply_that_an_attempt_collected_is_not_sent(town: Town) -> None:
    event_id = await _run_that_nobody_waits_for(town)
    assert await town.inbox.enter(event_id) == Done(b"reply", owed=True)
    await town.late.send_due()
    assert await town.row(event_id) == ("cancelled", "answered")
    assert town.post.asked == 0


async def test_a_reply_that_was_sent_is_not_collected_by_an_attempt(town: Town) -> None:
    event_id = await _run_that_nobody_waits_for(town)
    assert await town.late.send_due() == 1
    assert await town.inbox.enter(event_id) == Done(None)


async def test_a_reply_that_may_be_out_is_not_collected_either(town: Town) -> None:
    event_id = await _run_that_nobody_waits_for(town)
    collected: list[object] = []

    async def meanwhile() -> None:
        collected.append(await town.inbox.enter(event_id))

    town.post.on_send = meanwhile
    town.post.answers = [PerhapsSent("no answer")]
    await town.late.send_due()
    assert collected == [Done(None)]


@pytest.mark.parametrize(
    ("outcome", "shown"), [(Sent(), True), (PerhapsSent("no answer"), False), (SurelyNotSent("no", 9), False)]
)
async def test_a_question_counts_as_shown_when_its_late_reply_was_accepted(
    town: Town, outcome: Outcome, shown: bool
) -> None:
    await _run_that_nobody_waits_for(town)
    town.post.answers = [outcome]
    await town.late.send_due()
    following = await town.inbox.enter(message())
    assert isinstance(following, Run)
    assert following.shown is shown


# --- stores and processes that die ---


class Deaf(Inbox):
    """An inbox whose Redis is gone while `deaf`."""

    deaf = True

    async def take(self, event_id: str) -> bool:
        if self.deaf:
            raise StoreGoneError("Redis")
        return await super().take(event_id)


async def test_while_redis_is_gone_nothing_goes_out_and_nothing_is_lost(town: Town) -> None:
    inbox = Deaf(town.redis)
    late = town.sender(inbox)
    event_id = await town.owes("预约成功")
    assert await late.send_due() == 0
    assert await town.row(event_id) == ("queued", "Redis gone")
    inbox.deaf = False
    await town.passes(timedelta(seconds=2))
    assert await late.send_due() == 1
    assert town.heard == ["预约成功"]


async def test_a_way_that_takes_too_long_is_not_gone_to_its_end(town: Town) -> None:
    """With hardly any lease left, somebody else may already be sending it."""

    async def slowly(_conversation: str) -> None:
        await town.passes(timedelta(seconds=25))

    town.post.on_way = slowly
    await town.owes("预约成功")
    assert await town.late.send_due() == 0
    assert town.post.asked == 0
    town.post.on_way = None
    await town.passes(timedelta(seconds=25))
    assert await town.sender().send_due() == 1
    assert town.heard == ["预约成功"]


async def test_what_a_killed_process_was_sending_is_unknown(town: Town) -> None:
    async def dies() -> None:
        raise KilledError

    town.post.on_send = dies
    event_id = await town.owes()
    with pytest.raises(KilledError):
        await town.late.send_due()
    town.post.on_send = None
    survivor = town.sender()
    await survivor.send_due()
    assert (await town.row(event_id))[0] == "sending", "its lease has not ended"
    await town.passes(timedelta(seconds=31))
    await survivor.send_due()
    assert (await town.row(event_id))[0] == "unknown"
    assert town.heard == []


async def test_what_a_killed_process_had_only_taken_is_sent_by_another(town: Town) -> None:
    async def dies(_conversation: str) -> None:
        raise KilledError

    town.post.on_way = dies
    await town.owes("预约成功")
    with pytest.raises(KilledError):
        await town.late.send_due()
    town.post.on_way = None
    await town.passes(timedelta(seconds=31))
    assert await town.sender().send_due() == 1
    assert town.heard == ["预约成功"]


async def test_several_processes_say_everything_once_and_in_order(town: Town) -> None:
    for number in range(10):
        await town.owes(f"第{number}条")
        await town.owes(f"第{number}条", THERE)
    senders = [town.sender() for _ in range(4)]
    async with asyncio.timeout(30):
        while len(town.heard) + len(town.post.phones[THERE].heard) < 20:
            await asyncio.gather(*(sender.send_due() for sender in senders))
    for phone in town.post.phones.values():
        assert phone.heard == [f"第{number}条" for number in range(10)]


async def test_settled_messages_are_forgotten_after_a_month(town: Town) -> None:
    event_id = await town.owes()
    await town.late.send_due()
    await town.db.execute("UPDATE outbox SET settled_at = now() - interval '29 days'")
    await town.late.purge()
    assert (await town.row(event_id))[0] == "accepted"
    await town.db.execute("UPDATE outbox SET settled_at = now() - interval '31 days'")
    await town.late.purge()
    assert await town.db.fetchval("SELECT count(*) FROM outbox") == 0
