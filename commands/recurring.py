"""What the parts of a gateway do again and again, whichever command runs them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from commands import days, parts
from commands.gateway import Gateway
from commands.jobs import (
    Job,
    Jobs,
    alarm_of_deadlines,
    ask_unionids,
    audit,
    collect,
    erase_who_left,
    expire_holds,
    expire_requests,
    fire_reminders,
    keep_promises,
    lapse_consents,
    purge_by_rule,
    tell_of_accesses,
)
from commands.neighbourhood import keep
from commands.rides import ride
from core.delivery.outgoing import Outgoing, Relieved
from core.schedule.leases import Leases

_ENDING_S = 8.0  # a request of ours takes no longer than 5 s


@asynccontextmanager
async def recurring(gateway: Gateway, open_days: Job) -> AsyncIterator[None]:
    """Do everything that recurs while citizens are answered, and leave to others what they are there for.

    Replies and urgent messages are always sent from here, too. The rest, and the city's time, only while no
    `work` and no `schedule` lives.
    """
    leases = Leases(gateway.db)
    jobs = _timekeeping(gateway, open_days, Jobs(leases, unless=parts.SCHEDULE))
    keep_promises(jobs, gateway.reception.sweeper)
    relieved = partial(leases.any_held, parts.WORK)
    async with sending(gateway.reception.outgoing, relieved), _doing(jobs, leases):
        yield


@asynccontextmanager
async def keeping_time(gateway: Gateway, open_days: Job) -> AsyncIterator[None]:
    """Do what is done by the clock; of several processes one at a time."""
    leases = Leases(gateway.db)
    async with _doing(_timekeeping(gateway, open_days, Jobs(leases)), leases):
        yield


@asynccontextmanager
async def sending(outgoing: Outgoing, relieved: Relieved | None = None) -> AsyncIterator[None]:
    """Send what is due, lane by lane; at the end what is under way comes to its end."""
    task = asyncio.create_task(outgoing.run(relieved))
    try:
        yield
    finally:
        outgoing.end()
        await asyncio.wait([task], timeout=_ENDING_S)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _timekeeping(gateway: Gateway, open_days: Job, jobs: Jobs) -> Jobs:
    services = gateway.services
    days.keep_open(jobs, open_days)
    expire_holds(jobs, services.hospital)
    expire_requests(jobs, services.proving)
    ask_unionids(jobs, gateway.unionids)
    collect(jobs, services.payments)
    ride(jobs, services.transit)
    keep(jobs, services.community.homes)
    lapse_consents(jobs, services.data.consents)
    tell_of_accesses(jobs, services.data.accesses)
    alarm_of_deadlines(jobs, services.data.deadlines)
    erase_who_left(jobs, services.data.erasing)
    purge_by_rule(jobs, services.data.retention)
    audit(jobs, services.hospital)
    fire_reminders(jobs, gateway.reminders)
    return jobs


@asynccontextmanager
async def _doing(jobs: Jobs, leases: Leases) -> AsyncIterator[None]:
    jobs.start()
    try:
        yield
    finally:
        await jobs.stop()
        await parts.give_back(leases)
