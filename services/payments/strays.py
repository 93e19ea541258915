"""What WeChat Pay told, rightly signed, and does not fit what we have: kept for a person to look into."""

from datetime import datetime

import structlog

from core.stores.database import Database

_log = structlog.get_logger("payments")


async def keep(db: Database, notice: str, about: str, reason: str, now: datetime) -> None:
    """Note it once, however often it is told."""
    _log.error("pay_notice_does_not_fit", about=about, reason=reason[:64])
    await db.execute(
        "INSERT INTO pay_strays (id, at, about, reason) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING",
        notice[:64],
        now,
        about,
        reason[:200],
    )
