"""`transit account|suspend|restore`: how an account stands, and who may not ride for a while."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

from commands import places, terminal
from commands.database import migrated
from commands.decided import Decided
from core.clock import SystemClock
from core.errors import BootError
from core.stores.database import Transaction
from services.payments.contracts_store import signed
from services.transit.errors import NotOpened
from services.transit.standing import Standing
from services.transit.suspending import Suspending
from settings import Settings

_WIDTHS = (22, 24, 14, 12)  # of a time, an account, what was done and where it led
Work = Callable[[Suspending], Awaitable[int]]


def look(settings: Settings, name: str) -> int:
    """Say how an account stands, and list its last steps."""

    async def work(suspending: Suspending) -> int:
        account, steps = await suspending.look(name)
        if account is None:
            terminal.say("no account that is open")
        else:
            behind = f", {account.behind} rides of {account.behind_fen} fen behind" if account.behind else ""
            terminal.say(f"{account.id} is {account.state}{behind}")
        for each in steps:
            facts = (terminal.when(each.at), each.account, each.what, each.new)
            columns = (terminal.padded(fact, width) for fact, width in zip(facts, _WIDTHS, strict=True))
            terminal.say("".join((*columns, f"{each.who}: {each.key}")))
        return 0

    return _with_riders(settings, name, work)


def suspend(settings: Settings, decided: Decided) -> int:
    """Let somebody ride no more until `restore`."""
    by, reason = decided.who_and_why()

    async def work(suspending: Suspending) -> int:
        done = await suspending.suspend(decided.name, by, reason)
        told = f"by {by}; codes of theirs open nothing" if done else "already"
        terminal.say(f"{decided.name} is suspended {told}")
        return 0

    return _with_riders(settings, decided.name, work)


def restore(settings: Settings, decided: Decided) -> int:
    """Take a suspension back."""
    by, reason = decided.who_and_why()

    async def work(suspending: Suspending) -> int:
        if not await suspending.restore(decided.name, by, reason):
            terminal.complain(f"{decided.name} is not suspended")
            return 1
        account, _ = await suspending.look(decided.name)
        terminal.say(f"{decided.name} is restored by {by}" + (f", and {account.state}" if account else ""))
        return 0

    return _with_riders(settings, decided.name, work)


class _Contracts:
    """Who can be debited; nothing else of payments is needed here."""

    async def signed(self, tx: Transaction, citizens: Collection[str], plan: str) -> set[str]:
        return await signed(tx, citizens, plan)


def _with_riders(settings: Settings, name: str, work: Work) -> int:
    async def run() -> int:
        async with migrated(places.database(settings.stores)) as db:
            try:
                return await work(Suspending(db, Standing(_Contracts()), SystemClock()))
            except NotOpened:
                raise BootError(f"{name!r}: no account is open under this name (t_… or c_…)") from None

    return asyncio.run(run())
