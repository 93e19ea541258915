"""An answer that one attempt got is not sent once more because another attempt was dropped."""

from core.chat.inbox import Commit, Done, Inbox, Over, Passed, Run, Wait, Who
from tests.core.chat.test_inbox import message, run_of, until


async def dropped_and_tried_again(inbox: Inbox) -> tuple[str, Run]:
    """A message whose first attempt was dropped while it ran; the second one waits."""
    event = message()
    run = await run_of(inbox, event)
    assert await inbox.leave(event, 1), "nobody waits, so it will be owed"
    assert isinstance(await inbox.enter(event), Wait)
    return event, run


async def test_a_promise_written_down_after_the_retry_was_answered_sends_nothing(inbox: Inbox) -> None:
    event, run = await dropped_and_tried_again(inbox)
    assert await inbox.commit(run, None, b"reply") == Commit(), "the second attempt is answered with it"
    assert await inbox.hand_over(event, last=False) == Done(None), "the database took its time"
    assert not await inbox.take(event)


async def test_nor_after_the_retry_looked_itself(inbox: Inbox) -> None:
    event, run = await dropped_and_tried_again(inbox)
    await inbox.commit(run, None, b"reply")
    assert await inbox.enter(event, Who.AGAIN) == Done(b"reply")
    assert await inbox.hand_over(event, last=False) == Done(None)
    assert not await inbox.take(event)


async def test_a_promise_whose_writer_died_is_settled_by_the_sweeper_when_the_retry_was_answered(
    quick: Inbox,
) -> None:
    event, run = await dropped_and_tried_again(quick)
    await quick.commit(run, None, b"reply")
    entered = await quick.enter(event, Who.SWEEP)
    assert isinstance(entered, Over)
    assert entered.way == "passive"


async def test_control_a_promise_written_down_in_time_is_kept_by_the_retry(inbox: Inbox) -> None:
    event, run = await dropped_and_tried_again(inbox)
    assert isinstance(await inbox.hand_over(event, last=False), Wait)
    assert await inbox.commit(run, None, b"reply") == Commit(owed=True)
    assert await inbox.enter(event, Who.AGAIN) == Done(b"reply", owed=True)
    assert not await inbox.take(event)


async def test_control_a_retry_that_is_dropped_before_it_is_answered_leaves_the_answer_to_be_sent(
    inbox: Inbox,
) -> None:
    event, run = await dropped_and_tried_again(inbox)
    await inbox.commit(run, None, b"reply")
    assert await inbox.leave(event, 2), "the answer reached nobody"
    assert await inbox.hand_over(event, last=False) == Done(b"reply", owed=True)
    assert await inbox.take(event)


async def test_a_question_nobody_received_does_not_count_as_shown(inbox: Inbox) -> None:
    event, run = await dropped_and_tried_again(inbox)
    await inbox.commit(run, b"session", b"reply")
    assert await inbox.leave(event, 2), "the answer, and the question in it, reached nobody"
    following = await run_of(inbox, message())
    assert not following.shown


async def test_a_handed_over_answer_is_not_taken_off_the_list_by_an_attempt_that_was_dropped_before(
    inbox: Inbox,
) -> None:
    event, run = await dropped_and_tried_again(inbox)
    assert isinstance(await inbox.hand_over(event, last=True), Wait)
    assert isinstance(await inbox.hand_over(event, last=False), Wait), (
        "the first one's database took its time"
    )
    assert await inbox.commit(run, None, b"reply") == Commit(late_ms=0)
    assert isinstance(await inbox.hand_over(event, last=False), Wait)
    assert await inbox.take(event)


async def test_the_next_retry_takes_an_answer_that_was_left_behind(inbox: Inbox) -> None:
    event, run = await dropped_and_tried_again(inbox)
    await inbox.commit(run, None, b"reply")
    assert await inbox.leave(event, 2)
    assert await inbox.enter(event) == Done(b"reply")
    assert await inbox.hand_over(event, last=False) == Done(None)
    assert not await inbox.take(event)


async def test_an_attempt_whose_end_is_noticed_long_after_takes_no_answer_back(quick: Inbox) -> None:
    event = message()
    run = await run_of(quick, event)
    assert isinstance(await quick.enter(event), Wait)
    await quick.commit(run, None, b"reply")

    async def swept() -> object:
        found = await quick.enter(event, Who.SWEEP)
        return None if isinstance(found, Over) and found.live else found

    await until(swept, Over)  # by now no attempt counts as waiting any more
    assert not await quick.leave(event, 1), "the second one was answered"
    assert not await quick.take(event)


async def test_a_message_that_was_passed_over_is_told_so_once(quick: Inbox) -> None:
    event = message()
    await run_of(quick, event)
    following = message()
    assert isinstance(await quick.enter(following), Wait)
    await until(lambda: quick.enter(following, Who.AGAIN), Run)  # the first one's process is dead
    assert await quick.enter(event) == Passed()
    assert await quick.hand_over(event, last=False) == Done(None), "nothing is left to be said"
    assert await quick.enter(event, Who.SWEEP) == Passed(way="passive")
