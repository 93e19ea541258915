"""What a gateway does again and again while it answers, whichever command runs it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from commands import days
from commands.gateway import Gateway
from commands.jobs import Job, Jobs, audit, expire_holds, keep_promises, purge_effects
from core.clock import Clock


@asynccontextmanager
async def recurring(gateway: Gateway, clock: Clock, open_days: Job) -> AsyncIterator[None]:
    """Do what recurs; every process may, because each job is correct however many do it."""
    jobs = Jobs()
    days.keep_open(jobs, open_days)
    expire_holds(jobs, gateway.hospital)
    audit(jobs, gateway.hospital)
    purge_effects(jobs, gateway.db, clock)
    keep_promises(jobs, gateway.reception.sweeper, gateway.reception.late)
    jobs.start()
    try:
        yield
    finally:
        await jobs.stop()
