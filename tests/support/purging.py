"""The nightly purge of one table, by its rule in the registry."""

from commands.holdings import IMPERSONAL
from core.clock import Clock, SystemClock
from core.delivery.holding import Messages
from core.privacy.retention import Retention
from core.stores.database import Database
from services.citizens.holding import Register

RULES = {rule.table: rule for rule in (*Messages.tables, *Register.tables, *IMPERSONAL)}


async def purged(db: Database, table: str, clock: Clock | None = None) -> int:
    """Purge a table, by the clock if there is one; how many rows went."""
    (report,) = await Retention(db, clock or SystemClock(), [RULES[table]]).purge()
    return report.removed
