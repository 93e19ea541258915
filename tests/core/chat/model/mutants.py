"""Mistakes in reception, each with the play that notices it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from core.chat.inbox import Commit, Entered, Gone, Over, Passed, Run, Wait, Who, Window
from core.stores.redis import Script
from tests.core.chat.model.processes import Process


@dataclass(frozen=True)
class Mutant:
    """A rule, the mistake in it, and the play in which somebody suffers from it."""

    rule: str
    apply: Callable[[Process], None]
    play: str
    patience: float = 1.5  # real seconds after which nothing is waited for any more


def edited(script: str, old: str, new: str) -> Callable[[Process], None]:
    """Change one place of a script."""

    def apply(process: Process) -> None:
        source = getattr(process.inbox, script).source
        assert source.count(old) == 1, f"{script} has {source.count(old)} times {old!r}"
        setattr(process.inbox, script, Script(source.replace(old, new)))

    return apply


def _no_renewal(process: Process) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    _put(process.dispatcher._running, "_renew", never)


def _commit_in_two_steps(process: Process) -> None:
    whole = process.inbox.commit

    async def commit(run: Run, session: bytes | None, reply: bytes, *, asks: bool = True) -> Commit:
        done = await whole(run, None, reply, asks=asks)  # a process may die here
        if session is not None:
            await process.redis.client.hset(run.keys[2], "sealed", session)
        return done

    _put(process.inbox, "commit", commit)


def _never_last(process: Process) -> None:
    """The third attempt is held like the others."""
    held = process.durations.dropped
    _put(process.dispatcher, "_durations", replace(process.durations, last=1e6, deadline=held))
    process.dispatcher._deadlines._after_s = held


def _owed_after_the_hand_over(process: Process) -> None:
    owe, hand_over = process.owed.owe, process.inbox.hand_over
    events: dict[str, Any] = {}

    async def later(event: Any) -> None:
        events[event.id] = event

    async def first(event_id: str, *, last: bool) -> Entered:
        handed = await hand_over(event_id, last=last)  # a process may die here
        await owe(events[event_id])
        return handed

    _put(process.owed, "owe", later)
    _put(process.inbox, "hand_over", first)


def _sweeps_nothing(kind: type[Entered]) -> Callable[[Process], None]:
    """The sweeper does nothing about what it finds in one state."""

    def apply(process: Process) -> None:
        whole = process.inbox.enter

        async def enter(
            event_id: str, who: Who = Who.NEW, window: Window = Window.NONE, number: int = 0
        ) -> Entered:
            entered = await whole(event_id, who, window, number)
            if who is not Who.SWEEP or not isinstance(entered, kind):
                return entered
            if isinstance(entered, Run):
                await process.inbox.release(entered)
            return Wait()

        _put(process.inbox, "enter", enter)

    return apply


def _never_told_of_arrival(process: Process) -> None:
    async def nothing(_event_id: str) -> bool:
        return False

    _put(process.inbox, "has_shown", nothing)


def _failure_is_nobodys(process: Process) -> None:
    def trouble(_event: object, _what: str) -> None:
        raise RuntimeError("nobody says anything")

    _put(process.dispatcher, "_trouble", trouble)


def _put(thing: object, name: str, what: object) -> None:
    setattr(thing, name, what)


_KEPT = "(owed or not waited_for) and CLAIM_MS or REPLY_MS"
_CLAIM_KEPT = "redis.call('PEXPIRE', KEYS[1], CLAIM_MS)"
_ANSWERED = "redis.call('HSET', KEYS[1], 'way', 'passive', 'to', number)"
MUTANTS = [
    Mutant(
        "claim",
        edited("_enter", " or (state == 'run' and tonumber(claim[2]) > now)", ""),
        "overlapping_attempts",
    ),
    Mutant(
        "arrival order",
        edited("_enter", "if head and head ~= ARGV[1] then", "if false then"),
        "a_quick_message_behind_a_slow_one",
    ),
    Mutant(
        "wait limit",
        edited("_enter", "redis.call('LLEN', KEYS[2]) > 1 + MOST_WAITING", "false"),
        "seven_at_once",
    ),
    Mutant(
        "fence",
        edited("_commit", " or claim[2] ~= ARGV[2] or claim[3] ~= ARGV[3]", ""),
        "a_frozen_process_wakes_while_another_runs_its_message",
    ),
    Mutant("token", edited("_commit", " or claim[3] ~= ARGV[3]", ""), "redis_is_wiped_under_a_run"),
    Mutant("lease renewal", _no_renewal, "a_slow_handler_in_time_for_the_second_attempt"),
    Mutant(
        "re-entry",
        edited("_enter", "(state == 'run' and tonumber(claim[2]) > now)", "state == 'run'"),
        "killed_in_the_first_attempt",
    ),
    Mutant(
        "passing after 6 s",
        edited("_enter", "since + PASSING_MS > now", "true"),
        "killed_and_nobody_comes_back",
    ),
    Mutant(
        "not passing before 6 s",
        edited("_enter", "since + PASSING_MS > now", "false"),
        "killed_and_a_later_message_does_not_overtake",
    ),
    Mutant(
        "passed events never run",
        edited("_enter", "redis.call('HSET', prefix .. head, 'state', 'passed')", ""),
        "killed_and_nobody_comes_back",
    ),
    Mutant(
        "a promised turn",
        edited("_enter", "if before[1] == 'wait' and before[4] == '1' then", "if false then"),
        "a_promised_message_has_its_turn",
    ),
    Mutant("commit in one step", _commit_in_two_steps, "killed_between_two_writes"),
    Mutant("last attempt", _never_last, "too_slow_for_all_attempts"),
    Mutant(
        "owed row before hand-over",
        _owed_after_the_hand_over,
        "everybody_dies_at_the_last_deadline",
        patience=6.0,
    ),
    Mutant(
        "late row delay",
        edited("_commit", "return {'LATE', PASSING_MS}", "return {'LATE', 0}"),
        "done_between_two_attempts",
    ),
    Mutant(
        "late row cancelled",
        edited("_enter", "'way', 'passive', 'to', number", "'to', number"),
        "killed_after_a_retry_collected_an_owed_reply",
    ),
    Mutant(
        "a reply goes one way",
        edited("_enter", _ANSWERED, f"if owed then {_ANSWERED} end"),
        "hung_up_at_the_moment_of_the_commit",
    ),
    Mutant("sweeper: done", _sweeps_nothing(Over), "an_owed_reply_outlives_others"),
    Mutant("sweeper: dead", _sweeps_nothing(Run), "the_runner_dies_after_the_hand_over"),
    Mutant("sweeper: passed", _sweeps_nothing(Passed), "passed_though_it_is_owed"),
    Mutant("sweeper: gone", _sweeps_nothing(Gone), "an_owed_message_whose_claim_is_gone"),
    Mutant("shown by arrival", _never_told_of_arrival, "a_late_question_counts_as_shown_once_it_has_arrived"),
    Mutant(
        "not shown before",
        edited("_commit", "'shown', waited_for and 1 or 0", "'shown', 1"),
        "a_question_on_its_way_does_not_count_as_shown",
    ),
    Mutant("failure reply", _failure_is_nobodys, "a_handler_that_fails"),
    Mutant("an owed reply: 620 s", edited("_commit", _KEPT, "REPLY_MS"), "an_owed_reply_outlives_others"),
    Mutant("any other: 60 s", edited("_commit", _KEPT, "CLAIM_MS"), "a_replay_after_the_reply_is_gone"),
    Mutant(
        "the claim: 620 s",
        edited("_commit", _CLAIM_KEPT, _CLAIM_KEPT.replace("CLAIM_MS", "REPLY_MS")),
        "a_replay_after_the_reply_is_gone",
    ),
]
