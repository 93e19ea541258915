"""What a message of ours asked for is answered exactly once, by whoever is first."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
import pytest

from core.chat.events import Event, Kind
from core.chat.inbox import Window
from core.chat.prompts import Prompt, PromptOver
from core.delivery import prompts
from core.delivery.prompts import Prompting
from core.delivery.sender import PerhapsSent, Policy, Refused
from core.effects import perform
from core.stores.database import Transaction
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.town import HERE, message
from tests.support.purging import purged
from tests.support.waiting import until


def writes(bureau: Bureau) -> Event:
    return Event(
        id=message(), account="city", openid="o-here", kind=Kind.TEXT, at=bureau.clock.now(), text="1"
    )


async def reminded(bureau: Bureau) -> Prompt:
    """A reminder that has arrived in an open window."""
    await bureau.opens(Window.MESSAGE)
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    return (await Prompting(bureau.db).pending(writes(bureau)))[0]


def answer_of(prompt: Prompt, event: Event, option: str = "come") -> Prompt:
    return msgspec.structs.replace(prompt, chosen=option, event=event.id)


async def test_a_reminder_waits_for_a_digit_until_it_is_answered(bureau: Bureau) -> None:
    prompt = await reminded(bureau)
    assert prompt.options == (("come", "会到"), ("move", "改期"))
    assert prompt.option(2) == "move"
    event = writes(bureau)
    await Prompting(bureau.db).answered(answer_of(prompt, event))
    assert await Prompting(bureau.db).pending(writes(bureau)) == []
    assert await bureau.state() == "read"
    (again,) = await Prompting(bureau.db).pending(event)  # this message is run again after a crash
    assert again.chosen == "come"


async def test_a_reminder_that_opened_a_dialogue_is_read_and_waits(bureau: Bureau) -> None:
    prompt = await reminded(bureau)
    book = Prompting(bureau.db)
    await book.opened(prompt)
    assert await bureau.state() == "read"
    assert len(await book.pending(writes(bureau))) == 1
    await book.over(prompt.message)
    assert await book.pending(writes(bureau)) == []


async def test_of_a_conversation_the_latest_three_stay_and_those_over_go_first(bureau: Bureau) -> None:
    first = await reminded(bureau)
    for _ in range(2):
        await reminded(bureau)
    await bureau.db.execute("UPDATE prompts SET expires_at = now() WHERE message <> $1", first.message)
    await reminded(bureau)
    left = await Prompting(bureau.db).pending(writes(bureau))
    assert len(left) == prompts.MOST
    assert first.message in {each.message for each in left}


async def test_who_answers_a_day_late_is_still_known(bureau: Bureau) -> None:
    await reminded(bureau)
    for hours, left in ((20, 1), (30, 0)):
        await bureau.db.execute(
            "UPDATE prompts SET expires_at = now() - $1::interval", timedelta(hours=hours)
        )
        await purged(bureau.db, "prompts")
        assert len(await Prompting(bureau.db).pending(writes(bureau))) == left


async def test_who_opens_the_page_of_what_was_asked_about_has_read_it_and_may_answer(bureau: Bureau) -> None:
    prompt = await reminded(bureau)
    await Prompting(bureau.db).seen("visit", "another")
    assert await bureau.state() == "accepted"
    await Prompting(bureau.db).seen("visit", prompt.about)
    assert await bureau.state() == "read"
    assert await Prompting(bureau.db).pending(writes(bureau)) == [prompt]


async def test_who_answers_on_a_page_is_not_waited_for_in_the_chat(bureau: Bureau) -> None:
    first, second = await reminded(bureau), await reminded(bureau)
    await Prompting(bureau.db).settled("visit", first.about)
    assert [state for state, _ in await bureau.states()] == ["read", "accepted"]
    assert await Prompting(bureau.db).pending(writes(bureau)) == [second]


# --- messages whose answer is awaited, or was lost ---


async def test_what_a_message_invites_to_is_known_before_wechat_answers(bureau: Bureau) -> None:
    """Beside it another request hangs for ten seconds, and its citizen taps meanwhile."""
    tapped: list[Prompt | None] = []

    async def taps_at_once() -> None:
        tapped.append(await Prompting(bureau.db).tapped(writes(bureau), 1))

    bureau.post.on_send = taps_at_once
    await bureau.opens(Window.MESSAGE)
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    (prompt,) = tapped
    assert prompt is not None
    assert prompt.option(1) == "come"
    assert await bureau.state() == "read"
    await Prompting(bureau.db).answered(answer_of(prompt, writes(bureau)))
    assert await Prompting(bureau.db).pending(writes(bureau)) == []


async def test_what_was_answered_before_wechat_did_is_not_asked_again(bureau: Bureau) -> None:
    async def answers_at_once() -> None:
        prompt = await Prompting(bureau.db).tapped(writes(bureau), 1)
        assert prompt is not None
        await Prompting(bureau.db).answered(answer_of(prompt, writes(bureau)))

    bureau.post.on_send = answers_at_once
    await bureau.opens(Window.MESSAGE)
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert await Prompting(bureau.db).pending(writes(bureau)) == []
    assert await bureau.state() == "read"


async def test_of_a_message_whose_answer_was_lost_the_tap_is_known(bureau: Bureau) -> None:
    bureau.post.answers = [PerhapsSent("no answer")]
    await bureau.opens(Window.MESSAGE)
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert await bureau.state() == "unknown"
    prompt = await Prompting(bureau.db).tapped(writes(bureau), 1)
    assert prompt is not None
    assert not prompt.unsure
    assert await bureau.state() == "read"


async def test_of_a_message_whose_worker_died_the_tap_is_known(bureau: Bureau) -> None:
    await bureau.opens(Window.MESSAGE)
    await bureau.queue(bureau.notice("visit"))

    async def dies() -> None:
        raise SystemError("killed")

    bureau.post.on_send = dies
    with pytest.raises(SystemError):
        await bureau.out.send_due()
    bureau.post.on_send = None
    await bureau.passes(timedelta(seconds=31))
    await bureau.worker().look_after()
    assert await bureau.state() == "unknown"
    assert await Prompting(bureau.db).tapped(writes(bureau), 1) is not None


async def test_what_surely_was_not_sent_asks_nothing(bureau: Bureau) -> None:
    bureau.post.answers = [Refused(Policy.CONTENT, 45002, "too long")]
    await bureau.opens(Window.MESSAGE)
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert await bureau.state() == "failed"
    assert await Prompting(bureau.db).pending(writes(bureau)) == []
    assert await Prompting(bureau.db).tapped(writes(bureau), 1) is None


async def test_a_page_that_is_opened_says_nothing_of_a_message_that_perhaps_arrived(bureau: Bureau) -> None:
    bureau.post.answers = [PerhapsSent("no answer")]
    await bureau.opens(Window.MESSAGE)
    await bureau.queue(bureau.notice("visit", "A7"))
    await bureau.out.send_due()
    await Prompting(bureau.db).seen("visit", "A7")
    assert await bureau.state() == "unknown"
    await Prompting(bureau.db).settled("visit", "A7")
    assert await bureau.state() == "unknown"
    assert await Prompting(bureau.db).pending(writes(bureau)) == [], "it is answered"


# --- races ---


async def arrive_at_once(bureau: Bureau) -> int:
    """Three messages wait for a digit; two workers learn of one more each at once. How many wait then."""
    for _ in range(prompts.MOST):
        await reminded(bureau)
    bureau.post.answers = [PerhapsSent("no answer")] * 2
    for _ in range(2):
        await bureau.queue(bureau.notice("visit"))
        await bureau.out.send_due()

    async def learns(number: int) -> None:
        async with bureau.db.transaction() as tx:
            await prompts.arrived(tx, [number])

    async def waits() -> bool:
        return bool(await bureau.db.fetchval("SELECT true FROM pg_locks WHERE NOT granted LIMIT 1"))

    async with bureau.db.transaction() as tx:
        await prompts.arrived(tx, [4])
        other = asyncio.create_task(learns(5))
        await until(waits, "the other worker waits for this one")
    await other
    return len([each for each in await Prompting(bureau.db).pending(writes(bureau)) if not each.unsure])


async def test_two_workers_at_once_leave_three(bureau: Bureau) -> None:
    assert await arrive_at_once(bureau) == prompts.MOST


async def test_control_without_turns_they_leave_four(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "_ONE_AT_A_TIME", "SELECT $1::text[]")
    assert await arrive_at_once(bureau) == prompts.MOST + 1


class Doctor:
    """Writes down who comes; whoever is at it waits until all are."""

    def __init__(self, bureau: Bureau, count: int) -> None:
        self.db = bureau.db
        self.barrier = asyncio.Barrier(count)
        self.did: list[str] = []

    async def comes(self, answer: Prompt, *, guarded: bool) -> None:
        async def change(tx: Transaction) -> str:
            await self.barrier.wait()
            if guarded:
                await prompts.answered(tx, answer)
            self.did.append(answer.chosen)
            return answer.about

        await perform(self.db, answer.effect, change)


async def race(bureau: Bureau, *, guarded: bool) -> tuple[list[str], int]:
    """Two processes carry out two answers to one reminder at once: what was done, how many were refused."""
    prompt = await reminded(bureau)
    doctor = Doctor(bureau, 2)
    ended = await asyncio.gather(
        *(
            doctor.comes(answer_of(prompt, writes(bureau), option), guarded=guarded)
            for option in ("come", "move")
        ),
        return_exceptions=True,
    )
    refused = [each for each in ended if isinstance(each, PromptOver)]
    assert all(each is None or each in refused for each in ended)
    return doctor.did, len(refused)


async def test_two_answers_at_once_do_one_thing(bureau: Bureau) -> None:
    did, refused = await race(bureau, guarded=True)
    assert len(did) == 1
    assert refused == 1


async def test_control_without_the_prompt_in_the_transaction_both_are_done(bureau: Bureau) -> None:
    did, refused = await race(bureau, guarded=False)
    assert sorted(did) == ["come", "move"]
    assert refused == 0


async def test_two_runs_of_one_message_at_once_are_one_answer(bureau: Bureau) -> None:
    """A run that is held up and the one that takes over from it."""
    prompt = await reminded(bureau)
    answer = answer_of(prompt, writes(bureau))
    book = Prompting(bureau.db)
    await asyncio.gather(*(book.answered(answer) for _ in range(4)))


async def _cancelled(bureau: Bureau) -> None:
    await bureau.bump("A7")


async def _too_late(bureau: Bureau) -> None:
    await bureau.db.execute("UPDATE prompts SET expires_at = now()")


@pytest.mark.parametrize("happens", [_cancelled, _too_late])
async def test_what_changes_before_an_answer_is_written_refuses_it(
    bureau: Bureau, happens: Callable[[Bureau], Awaitable[object]]
) -> None:
    await bureau.opens(Window.MESSAGE)
    notice = bureau.notice("visit", about="A7")
    await bureau.queue(type(notice)("visit", "A7", HERE, notice.facts, guards=("A7",)))
    await bureau.out.send_due()
    (prompt,) = await Prompting(bureau.db).pending(writes(bureau))
    await happens(bureau)
    with pytest.raises(PromptOver):
        await Prompting(bureau.db).answered(answer_of(prompt, writes(bureau)))
    (still,) = await Prompting(bureau.db).pending(writes(bureau))
    assert not still.counts
    assert await bureau.state() == "accepted"
