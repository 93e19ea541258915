"""`outbox status`: what waits in each lane and how far each job is, live at a terminal."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from commands import parts, places, terminal
from commands.database import migrated
from core.clock import CITY_ZONE, SystemClock
from core.delivery import jobs, standing
from core.delivery.jobs import Job
from core.delivery.progress import Progress, progress
from core.delivery.standing import Waiting
from core.schedule.leases import Leases
from core.stores.database import Database
from settings import Settings

_EVERY_S = 1.0
_SHOWN = 200  # open notices to many; `outbox jobs` pages through all of them
_BAR = 40
_HELD = {"": "no send window", "quiet": "quiet hours", "kept": "until the citizen writes"}


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything `status` shows, as it was at one moment."""

    at: datetime
    waiting: Sequence[Waiting]
    jobs: Sequence[tuple[Job, Progress]]
    workers: int
    schedulers: int


def status(settings: Settings, *, once: bool) -> int:
    """Show the outbox, and at a terminal go on showing it until Ctrl-C."""
    console = Console()
    with suppress(KeyboardInterrupt):
        asyncio.run(_shown(settings, console, once=once or not console.is_terminal))
    return 0


async def _shown(settings: Settings, console: Console, *, once: bool) -> None:
    async with migrated(places.database(settings.stores)) as db:
        if once:
            console.print(drawn(await sight(db)))
            return
        with Live(drawn(await sight(db)), console=console, auto_refresh=False) as live:
            while True:
                await asyncio.sleep(_EVERY_S)
                live.update(drawn(await sight(db)), refresh=True)


async def sight(db: Database) -> Sight:
    """Look at everything once."""
    listed = await jobs.open_ones(db, _SHOWN)
    held = await Leases(db).held()
    return Sight(
        SystemClock().now().astimezone(CITY_ZONE),
        await standing.waiting(db),
        [(job, await progress(db, job.id)) for job in listed],
        sum(name.startswith(parts.WORK) for name in held),
        sum(name.startswith(parts.SCHEDULE) for name in held),
    )


def drawn(seen: Sight) -> RenderableType:
    """The sight as lines for a terminal."""
    parts: list[RenderableType] = [_heading(seen), _lanes(seen)]
    parts += [_job(job, how) for job, how in seen.jobs]
    if not seen.jobs:
        parts.append(Text("no job is under way"))
    return Group(*parts)


def _heading(seen: Sight) -> Text:
    who = f"{seen.workers} work, {seen.schedulers} schedule"
    return Text(f"{seen.at:%Y-%m-%d %H:%M:%S} city time · {who}")


def _lanes(seen: Sight) -> RenderableType:
    if not seen.waiting:
        return Text("nothing waits")
    table = Table(box=None, pad_edge=False)
    for column, justify in (("lane", "left"), ("state", "left"), ("messages", "right"), ("oldest", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for each in seen.waiting:
        state = f"{each.state}: {_HELD[each.hold]}" if each.state == "held" else each.state
        table.add_row(
            each.lane.name.lower(), state, f"{each.count:,}", terminal.lasting(seen.at - each.since)
        )
    return table


def _job(job: Job, how: Progress) -> RenderableType:
    ended = how.total - sum(how.counts.get(state, 0) for state in ("queued", "sending", "held"))
    table = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=max(1, how.total), completed=ended, width=_BAR)
    share = f"{100 * ended // max(1, how.total)} %" if how.filled else "recipients are still being listed"
    table.add_row(f"job {job.id}", bar, share, Text(_pace(job, how)))
    return Group(table, Text("  " + counted(how)))


def counted(how: Progress) -> str:
    """How many messages of a job are in which state."""
    said = ", ".join(f"{count:,} {state}" for state, count in sorted(how.counts.items()))
    everybody = terminal.count(how.total, "recipient")
    return f"{everybody}: {said}" if said else everybody


def _pace(job: Job, how: Progress) -> str:
    if job.state == "stopped":
        return f"stopped; `outbox continue {job.id}` goes on"
    pace = f"{how.per_second:,.0f}/s"
    return f"{pace}, {rest}" if (rest := remaining(how)) else pace


def remaining(how: Progress) -> str:
    """How long the rest of a job takes, or what it waits for; "" where nobody can say."""
    if how.seconds_left is not None:
        return f"{terminal.lasting(timedelta(seconds=how.seconds_left))} left"
    if how.until is None:
        return ""
    return f"{how.later:,} wait until {how.until.astimezone(CITY_ZONE):%Y-%m-%d %H:%M} city time"
