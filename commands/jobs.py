"""Recurring jobs of one process; each is correct however often, and in however many processes, it runs."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from core.clock import CITY_ZONE
from core.delivery.sweeper import Sweeper
from core.errors import StoreGoneError
from core.privacy.retention import Retention
from core.schedule.leases import Leases
from core.schedule.reminders import Reminders
from services.citizens.accesses import Accesses
from services.citizens.consents import Consents
from services.citizens.deadlines import Deadlines
from services.citizens.erasure import Erasing
from services.citizens.proving import Proving
from services.citizens.unionids import Unionids
from services.hospital.service import Hospital

Job = Callable[[], Awaitable[object]]

_ENDING_S = 6.0  # a request of ours takes no longer than 5 s

_log = structlog.get_logger("jobs")


class Jobs:
    """What is done again and again while the program runs; a late or missed turn is made up for once.

    Of all processes one does each job at a time: who holds its lease. None does while a lease that `unless`
    begins is held: somebody is there for nothing else.
    """

    def __init__(self, leases: Leases, *, unless: str = "") -> None:
        self._leases = leases
        self._unless = unless
        self._scheduler = AsyncIOScheduler(
            timezone=CITY_ZONE,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._under_way: set[asyncio.Task[object]] = set()

    def add(self, name: str, job: Job, trigger: BaseTrigger) -> None:
        """Do `job` whenever the trigger says so, unless another process does."""
        self.everywhere(name, partial(self._under_lease, name, job), trigger)

    def everywhere(self, name: str, job: Job, trigger: BaseTrigger) -> None:
        """Do `job` in this process, whatever others do."""
        self._scheduler.add_job(self._do, trigger, args=(name, job), id=name)

    @property
    def names(self) -> list[str]:
        """What is done again and again."""
        return [job.id for job in self._scheduler.get_jobs()]

    def start(self) -> None:
        """Begin, inside the running event loop."""
        self._scheduler.start()

    async def stop(self) -> None:
        """Begin nothing more; what is under way, such as a message being sent, comes to its end."""
        self._scheduler.pause()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_ENDING_S)
        self._scheduler.shutdown(wait=False)

    async def _under_lease(self, name: str, job: Job) -> None:
        async with self._leases.holding(name, unless=self._unless) as held:
            if held:
                await job()

    async def _do(self, name: str, job: Job) -> None:
        task = asyncio.ensure_future(_carefully(name, job))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await task


def expire_holds(jobs: Jobs, hospital: Hospital) -> None:
    """Give numbers back that were held and not taken in time (domain-rules U5)."""
    jobs.add("expire_holds", hospital.expire_holds, IntervalTrigger(seconds=30, timezone=CITY_ZONE))


def expire_requests(jobs: Jobs, proving: Proving) -> None:
    """End the requests to act for somebody that nobody answered (domain-rules 0.1)."""
    jobs.add("expire_requests", proving.expire, IntervalTrigger(seconds=30, timezone=CITY_ZONE))


def ask_unionids(jobs: Jobs, unionids: Unionids) -> None:
    """Ask WeChat who of those who follow is one human, a few seconds after they came (wechat-facts 2.7)."""
    if unionids.accounts:
        jobs.add("ask_unionids", unionids.ask, IntervalTrigger(seconds=5, timezone=CITY_ZONE))


def lapse_consents(jobs: Jobs, consents: Consents) -> None:
    """End, hour by hour, what was asked of citizens and never answered (domain-rules 0.2)."""
    jobs.add("lapse_consents", consents.lapse, CronTrigger(minute=47, timezone=CITY_ZONE))


def tell_of_accesses(jobs: Jobs, accesses: Accesses) -> None:
    """Tell citizens each evening who has read what is theirs (domain-rules B6)."""
    jobs.add("tell_of_accesses", accesses.tell, CronTrigger(hour=19, minute=5, timezone=CITY_ZONE))


def alarm_of_deadlines(jobs: Jobs, deadlines: Deadlines) -> None:
    """Call a person each morning to what citizens asked for and should have by now (domain-rules D2)."""
    jobs.add("alarm_of_deadlines", deadlines.alarm, CronTrigger(hour=8, minute=37, timezone=CITY_ZONE))


def erase_who_left(jobs: Jobs, erasing: Erasing) -> None:
    """Erase at night who left or asked for it, and has nothing to expect any more (domain-rules D4)."""
    jobs.add("erase_who_left", erasing.run, CronTrigger(hour=2, minute=37, timezone=CITY_ZONE))


def purge_by_rule(jobs: Jobs, retention: Retention) -> None:
    """Forget at night what is older than its table's period, and write down what went."""
    jobs.add("purge_by_rule", retention.purge, CronTrigger(hour=3, minute=37, timezone=CITY_ZONE))


def audit(jobs: Jobs, hospital: Hospital) -> None:
    """Compare the books of all sessions, every ten minutes and so every night (domain-rules U2)."""
    jobs.add("audit", partial(_audited, hospital), CronTrigger(minute="3-59/10", timezone=CITY_ZONE))


async def _audited(hospital: Hospital) -> None:
    """Tell what does not agree: nothing should ever, so each line of it is for a person to look into."""
    for wrong in await hospital.audit():
        _log.error(
            "books_disagree",
            session=wrong.session,
            what=wrong.what,
            expected=wrong.expected,
            found=wrong.found,
        )


def keep_promises(jobs: Jobs, sweeper: Sweeper) -> None:
    """Look after messages that are owed an answer, second by second (design 4)."""
    jobs.everywhere("sweep", sweeper.sweep, IntervalTrigger(seconds=1, timezone=CITY_ZONE))


def fire_reminders(jobs: Jobs, reminders: Reminders) -> None:
    """Queue, second by second, what is to be reminded of now (design 7)."""
    jobs.add("fire_reminders", reminders.fire, IntervalTrigger(seconds=1, timezone=CITY_ZONE))


async def _carefully(name: str, job: Job) -> None:
    """A store that is away for a moment is a line in the log; the job comes again."""
    try:
        await job()
    except StoreGoneError as gone:
        _log.warning("job_put_off", job=name, store=gone.store)
