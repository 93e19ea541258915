"""What may happen to messages, a play for each rule of reception; it returns what went wrong beyond laws."""

import asyncio
from collections.abc import Awaitable, Callable

from core.chat.durations import MOST_WAITING
from core.chat.events import Event
from core.chat.replies import Said
from tests.core.chat.model.world import SCALE, Message, Tale, World

Play = Callable[[World], Awaitable[list[str]]]
PASSED = "刚才那条消息没有处理"
FULL = "前面的还在处理"
PLAYS: dict[str, Play] = {}


def play(told: Play) -> Play:
    """Collect a play under its name."""
    PLAYS[told.__name__] = told
    return told


def heard(tale: Tale, how: str, beginning: str = "") -> list[str]:
    """Nothing if the phone heard exactly this, else what is wrong."""
    beginning = beginning or f"{tale.message.name}："
    if [each.how for each in tale.heard] == [how] and tale.heard[0].text.startswith(beginning):
        return []
    return [f"{tale.message.name} should have heard “{beginning}” ({how}), and heard {tale.heard}"]


@play
async def a_slow_handler_in_time_for_the_second_attempt(world: World) -> list[str]:
    """Longer than a lease, over two attempts in two processes: one run, one reply."""
    return heard(await world.says("a", Message("甲", takes=7.0)), "passive")


@play
async def overlapping_attempts(world: World) -> list[str]:
    """The same push comes again while the first one is held."""
    tale = await world.says("a", Message("甲", takes=2.0, again=((0.5, 1), (1.0, 0), (1.2, 1))))
    return [] if len(tale.replies) == 4 else [f"of four pushes {len(tale.replies)} were answered"]


@play
async def a_quick_message_behind_a_slow_one(world: World) -> list[str]:
    slow = asyncio.create_task(world.says("a", Message("甲", takes=3.0)))
    await world.pause(0.5)
    quick = await world.says("a", Message("乙", attempts=(1, 0, 1)))
    return heard(await slow, "passive") + heard(quick, "passive")


@play
async def seven_at_once(world: World) -> list[str]:
    """One runs, five wait, the seventh is told to wait."""
    said = []
    for number in range(MOST_WAITING + 2):
        takes = 0.1 if number else 2.0  # the first is still under way when the last one comes
        said.append(asyncio.create_task(world.says("a", Message(f"第{number}", takes=takes))))
        await world.pause(0.1)
    tales = await asyncio.gather(*said)
    refused = [each.message.name for each in tales if any(FULL in one.text for one in each.heard)]
    return [] if refused == ["第6"] else [f"told to wait: {refused}"]


@play
async def a_frozen_process_wakes_while_another_runs_its_message(world: World) -> list[str]:
    """Its lease is over, a second run goes on: only that one may finish."""
    slow = asyncio.create_task(world.says("a", Message("甲", takes=7.0)))
    await world.pause(1.0)
    world.excuse()
    world.processes[0].freeze()
    return heard(
        await slow, "passive"
    )  # the retry runs it anew at 5 s; the frozen run ends at 7 s, the new one at 12


@play
async def redis_is_wiped_under_a_run(world: World) -> list[str]:
    """The counter of fences begins anew, the token does not."""
    world.wiped = True
    slow = asyncio.create_task(world.says("a", Message("甲", takes=7.0)))
    await world.pause(4.0)
    world.excuse()
    await world.processes[1].redis.client.flushall()
    return heard(await slow, "passive")


@play
async def killed_in_the_first_attempt(world: World) -> list[str]:
    """The next attempt, in another process, runs the message again; its effect happened before."""
    slow = asyncio.create_task(world.says("a", Message("甲", attempts=(0, 1, 1), takes=2.0)))
    await world.pause(1.0)
    world.kill(0)
    return heard(await slow, "passive")


@play
async def killed_and_a_later_message_does_not_overtake(world: World) -> list[str]:
    """WeChat's next attempt is on its way: within 6 s of the last one nobody goes past."""
    first = asyncio.create_task(world.says("a", Message("甲", attempts=(0, 1, 1), takes=1.5)))
    await world.pause(1.0)
    world.kill(0)
    second = asyncio.create_task(world.says("a", Message("乙", attempts=(1, 1, 1))))
    return heard(await first, "passive") + heard(await second, "passive")


@play
async def killed_and_nobody_comes_back(world: World) -> list[str]:
    """All further attempts are lost: 6 s after the last one the next one goes on, the dead one never runs."""
    first = asyncio.create_task(
        world.says("a", Message("甲", attempts=(0, None, None), takes=2.0, again=((9.0, 1),)))
    )
    await world.pause(1.0)
    world.kill(0)
    second = await world.says("a", Message("乙", attempts=(1, 1, 1)))
    dead = await first
    sentences = [each.text for each in dead.heard if each.how == "passive"]
    if not (len(sentences) == 1 and sentences[0].startswith(PASSED)):
        return [f"甲 was passed, and heard {dead.heard}"]
    return heard(second, "passive")


@play
async def killed_between_two_writes(world: World) -> list[str]:
    """Whatever a commit does, it does in one step: the next message finds all of it."""
    victim = world.processes[0]
    victim.mortal.dies_after = lambda what: what == "commit"
    world.excuse()
    first = await world.says("a", Message("甲", attempts=(0, 1, 1)))
    second = await world.says("a", Message("乙", attempts=(1, 1, 1)))
    return heard(first, "passive") + heard(second, "passive")


async def behind_a_slow_one(world: World, message: Message) -> asyncio.Task[Tale]:
    """Say something half a second after a message that takes 12 s: alone no handler outlasts all attempts."""
    before = asyncio.create_task(world.says("a", Message("前", takes=12.0)))
    await world.pause(0.5)
    said = asyncio.create_task(world.says("a", message))
    await before
    return said


async def _late(world: World, tale: Tale) -> list[str]:
    await world.settled()
    return heard(tale, "late")


@play
async def too_slow_for_all_attempts(world: World) -> list[str]:
    """The last attempt is answered with `success` in time, the reply arrives as a message."""
    return await _late(world, await (await behind_a_slow_one(world, Message("甲", takes=8.0))))


@play
async def everybody_dies_at_the_last_deadline(world: World) -> list[str]:
    """The promise is written before the hand-over: somebody keeps it though everybody dies between them."""
    await world.bear()
    for process in world.processes[:2]:
        process.mortal.dies_after = lambda what: what in {"owe", "hand_over"} and _both_die(world)
    # The first two attempts were lost; that this one is the last is told by the time it was written.
    tale = await world.says("a", Message("甲", attempts=(None, None, 0), takes=8.0))
    await world.settled()
    return [] if any(each.how == "late" for each in tale.heard) else [f"甲 heard {tale.heard}"]


def _both_die(world: World) -> bool:
    world.kill(0)
    world.kill(1)
    return True


@play
async def done_between_two_attempts(world: World) -> list[str]:
    """Nobody waits for the reply when it is there; the retry, late as it is, still gets it as its answer."""
    tale = await world.says("a", Message("甲", takes=5.5, late_by=(0.0, 3.0, 3.0)))
    return heard(tale, "passive")


@play
async def killed_after_a_retry_collected_an_owed_reply(world: World) -> list[str]:
    """What an attempt was answered with is not sent again, though nobody lived to take it off the list."""
    await world.bear()
    tale = asyncio.create_task(
        world.says("a", Message("甲", attempts=(0, 1, 1), takes=5.5, late_by=(0.0, 2.0, 2.0)))
    )
    await world.pause(6.8)
    world.processes[1].mortal.gone.add("PostgreSQL")
    said = await tale
    world.kill(1)
    await world.pause(7.0)
    await world.settled()
    return heard(said, "passive")


@play
async def hung_up_at_the_moment_of_the_commit(world: World) -> list[str]:
    """The reply was there for an attempt that was not; the retry had it before that could be written down."""
    first, collected = world.processes[0], asyncio.Event()
    owe = first.owed.owe

    async def slowly(event: Event) -> None:
        await collected.wait()
        await owe(event)

    first.owed.owe = slowly  # type: ignore[method-assign]
    first.mortal.dies_after = lambda what: what == "commit" and first.is_hung_up_on()
    tale = await world.says("a", Message("甲", attempts=(0, 1, 1)))
    collected.set()
    await world.pause(8.0)
    return heard(tale, "passive")


@play
async def the_retry_never_comes(world: World) -> list[str]:
    """WeChat gave the message up after its first attempt: 6 s later the reply is sent."""
    slow = await world.says("a", Message("甲", attempts=(0,), takes=6.0))
    slow.heard.clear()  # WeChat's notice is no part of this play
    return await _late(world, slow)


@play
async def the_runner_dies_after_the_hand_over(world: World) -> list[str]:
    """The last attempt was let go; then its run dies. The sweeper runs the message again."""
    await world.bear()
    tale = await (await behind_a_slow_one(world, Message("甲", takes=8.0)))
    world.kill(0)
    world.kill(1)
    return await _late(world, tale)


@play
async def a_promised_message_has_its_turn(world: World) -> list[str]:
    """It outlasted its attempts behind two slow ones: when its turn comes nobody goes past it."""
    before = [asyncio.create_task(world.says("a", Message("前", takes=12.0)))]
    await world.pause(0.5)
    before.append(asyncio.create_task(world.says("a", Message("中", takes=12.0))))
    await world.pause(0.5)
    promised = asyncio.create_task(world.says("a", Message("甲")))
    await world.pause(21.0)
    later = asyncio.create_task(world.says("a", Message("乙")))
    for each in before:
        await each
    return await _late(world, await promised) + heard(await later, "passive")


@play
async def passed_though_it_is_owed(world: World) -> list[str]:
    """Nobody sweeps for a while: a later message goes past a dead one that is owed; that is said at last."""
    first = asyncio.create_task(world.says("a", Message("甲", attempts=(0, None, None), takes=9.0)))
    await world.pause(5.5)  # the first attempt was dropped: the answer is owed
    world.processes[1].rests = True
    world.kill(0)
    second = await world.says("a", Message("乙", attempts=(1, 1, 1)))
    world.processes[1].rests = False
    dead = await first
    await world.settled()
    late = [each.text for each in dead.heard if each.how == "late"]
    wrong = [] if dead.passed and late and late[0].startswith(PASSED) else [f"甲 heard {dead.heard}"]
    return wrong + heard(second, "passive")


@play
async def an_owed_message_whose_claim_is_gone(world: World) -> list[str]:
    """Redis is wiped while an answer is owed: the message never runs again, and the citizen is told."""
    world.wiped = True
    await world.bear()
    tale = await (await behind_a_slow_one(world, Message("甲", takes=8.0)))
    world.kill(0)
    world.kill(1)
    await world.processes[2].redis.client.flushall()
    await world.settled()
    return heard(tale, "late", PASSED)


@play
async def a_late_question_counts_as_shown_once_it_has_arrived(world: World) -> list[str]:
    first = await (await behind_a_slow_one(world, Message("甲", takes=8.0)))
    await world.settled()
    second = await world.says("a", Message("乙"))
    return heard(first, "late") + (
        [] if second.shown == [True] else ["乙 was told that nobody saw 甲's reply"]
    )


@play
async def a_question_on_its_way_does_not_count_as_shown(world: World) -> list[str]:
    world.platform_gone = True
    first = await (await behind_a_slow_one(world, Message("甲", takes=6.0)))
    second = await world.says("a", Message("乙"))
    world.platform_gone = False
    await world.settled()
    return heard(first, "late") + ([] if second.shown == [False] else ["乙 answered what nobody had seen"])


@play
async def a_handler_that_fails(world: World) -> list[str]:
    """All attempts show one number, and the conversation goes on."""
    tale = await world.says("a", Message("甲", takes=1.0, fails=True, again=((0.2, 1), (4.0, 1))))
    await world.says("a", Message("乙"))
    texts = {each.text for each in tale.heard}
    return [] if len(texts) == 1 and "系统繁忙（编号" in texts.pop() else [f"甲 heard {tale.heard}"]


@play
async def an_owed_reply_outlives_others(world: World) -> list[str]:
    """The database comes back when a usual reply would be gone; this one was kept for it."""
    tale = await (await behind_a_slow_one(world, Message("甲", takes=6.0)))
    for process in world.processes:
        process.mortal.gone.add("PostgreSQL")
    await world.pause(6.0 + world.durations.reply / SCALE)  # its run ends within the first 6 s
    for process in world.processes:
        process.mortal.gone.clear()
    return await _late(world, tale)


@play
async def a_replay_after_the_reply_is_gone(world: World) -> list[str]:
    """The reply lives a minute, the claim ten: a replay is answered with `success`, and nothing runs."""
    tale = await world.says("a", Message("甲"))
    await world.pause(1.0 + world.durations.reply / SCALE)
    await world._attempt(tale, 1, asyncio.get_running_loop().time())
    return heard(tale, "passive") + ([] if tale.runs == 1 else ["甲 ran again"])


@play
async def late_replies_keep_their_order(world: World) -> list[str]:
    """Of one conversation the older one goes first, though the younger one is due first."""
    world.platform_gone = True
    for number in range(3):
        await world.processes[0].owed.send_later(
            f"{world.seal.conversation('city', 'a')}:m:{number}:0", _said(number), 1.0 - number / 2
        )
    await world.says("a", Message("甲", attempts=()))
    world.platform_gone = False
    await world.settled()
    tale = next(iter(world.tales.values()))
    texts = [each.text for each in tale.heard]
    return [] if texts == ["第 0", "第 1", "第 2"] else [f"arrived as {texts}"]


def _said(number: int) -> Said:
    return Said(type="text", at=1, text=f"第 {number}")
