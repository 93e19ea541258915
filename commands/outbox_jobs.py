"""`outbox jobs|job|stop|continue|cancel|unknown`: notices to many, and what perhaps did not arrive."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable, Sequence

from commands import places, terminal
from commands.database import migrated
from commands.outbox import counted, remaining
from core.delivery import jobs, standing
from core.delivery.jobs import Job, NoSuchJob
from core.delivery.progress import progress
from core.delivery.standing import Doubt
from core.errors import BootError
from core.stores.database import Database
from settings import Settings

USUAL = 20
_CALL = ".venv/bin/python main.py outbox"
_DONE = {
    "stop": "stopped",
    "continue": "goes on",
    "cancel": "cancelled: who was not sent it gets nothing",
}
_WIDTHS = (8, 22, 12, 12)  # of a job's number, time, state and recipients
_CHANGES = {"stop": jobs.stop, "continue": jobs.go_on, "cancel": jobs.cancel}


def listing(settings: Settings, before: int | None, limit: int) -> int:
    """List jobs, the latest first."""

    async def work(db: Database) -> int:
        found = await jobs.listed(db, before, terminal.page(limit) + 1)
        for job in found[:limit]:
            facts = (f"{job.id}", terminal.when(job.made_at), job.state, f"{job.rows:,}")
            columns = (terminal.padded(fact, width) for fact, width in zip(facts, _WIDTHS, strict=True))
            terminal.say("".join((*columns, f"{job.kind} to {job.audience}, by {job.who}")))
        return _say_rest("jobs", found, before, limit, ("no jobs", "no earlier jobs"))

    return _with_database(settings, work)


def show(settings: Settings, number: int) -> int:
    """One job: how far it is."""

    async def work(db: Database) -> int:
        how = await progress(db, number)
        terminal.say(f"job {number} is {how.state}; {counted(how)}")
        if (rest := remaining(how)) and how.state == "running":
            terminal.say(f"{how.per_second:,.0f} a second, {how.left:,} to be sent, {rest}")
        elif how.state == "running" and not how.filled:
            terminal.say("recipients are still being listed")
        return 0

    return _with_database(settings, work)


def change(settings: Settings, number: int, what: str, *, sure: bool) -> int:
    """Stop a job, continue it, or end it for good."""

    async def work(db: Database) -> int:
        if what == "cancel" and not sure:
            how = await progress(db, number)
            terminal.say(f"job {number}: {counted(how)}")
            question = f"cancel it for good? type {number}: "
            if not await asyncio.to_thread(terminal.agrees, question, str(number)):
                terminal.say("left as it is")
                return 1
        await _CHANGES[what](db, number, getpass.getuser())
        terminal.say(f"job {number} {_DONE[what]}")
        return 0

    return _with_database(settings, work)


def unknown(settings: Settings, before: int | None, limit: int) -> int:
    """List the messages of which nobody knows whether they arrived, the latest first."""

    async def work(db: Database) -> int:
        found = await standing.doubts(db, before, terminal.page(limit) + 1)
        for each in found[:limit]:
            job = f", job {each.job}" if each.job else ""
            way = f"by {each.channel}" if each.channel else "no way chosen"
            why = f": {each.reason}" if each.reason else ""
            what = f"{each.lane.name.lower()} {each.kind} of {each.account}"
            terminal.say(f"{each.id}  {terminal.when(each.attempted_at)}  {what}, {way}{job}{why}")
        return _say_rest("unknown", found, before, limit, ("none", "no earlier ones"))

    return _with_database(settings, work)


def _say_rest(
    action: str, found: Sequence[Job | Doubt], before: int | None, limit: int, nothing: tuple[str, str]
) -> int:
    """Say how the list goes on after its page, or that there is nothing (earlier)."""
    if not found:
        terminal.say(nothing[before is not None])
    if len(found) > limit:
        terminal.say(f"\nearlier ones: {_CALL} {action} --before {found[limit - 1].id}")
    return 0


def _with_database(settings: Settings, work: Callable[[Database], Awaitable[int]]) -> int:
    async def run() -> int:
        async with migrated(places.database(settings.stores)) as db:
            return await work(db)

    try:
        return asyncio.run(run())
    except NoSuchJob as refused:
        number, state = refused.facts["job"], refused.facts["state"]
        why = f"is {state} already" if state else "is not there"
        raise BootError(f"job {number} {why}; `{_CALL} jobs` lists them") from refused
