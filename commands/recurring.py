"""What a gateway does again and again while it answers, whichever command runs it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from commands import days
from commands.gateway import Gateway
from commands.jobs import Job, Jobs, audit, expire_holds, keep_promises, purge_effects, purge_outbox
from core.clock import Clock
from core.delivery.outgoing import Outgoing

_ENDING_S = 8.0  # a request of ours takes no longer than 5 s


@asynccontextmanager
async def recurring(gateway: Gateway, clock: Clock, open_days: Job) -> AsyncIterator[None]:
    """Do what recurs; every process may, because each job is correct however many do it."""
    jobs = Jobs()
    days.keep_open(jobs, open_days)
    expire_holds(jobs, gateway.hospital)
    audit(jobs, gateway.hospital)
    purge_effects(jobs, gateway.db, clock)
    keep_promises(jobs, gateway.reception.sweeper)
    purge_outbox(jobs, gateway.reception.outgoing)
    jobs.start()
    async with sending(gateway.reception.outgoing):
        try:
            yield
        finally:
            await jobs.stop()


@asynccontextmanager
async def sending(outgoing: Outgoing) -> AsyncIterator[None]:
    """Send what is due, lane by lane; at the end what is under way comes to its end."""
    task = asyncio.create_task(outgoing.run())
    try:
        yield
    finally:
        outgoing.end()
        await asyncio.wait([task], timeout=_ENDING_S)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
