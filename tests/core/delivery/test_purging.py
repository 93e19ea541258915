"""What was used up long ago is forgotten; what may still count is not."""

from datetime import timedelta

import pytest

from core.privacy import retention
from tests.core.delivery.bureau import Bureau
from tests.support.purging import RULES, purged

_SPENT = "UPDATE credits SET spent_at = now() - $1::interval, taken_by = 1 WHERE template = $2"
_VOID = "UPDATE credits SET void_at = now() - $1::interval WHERE template = $2"


async def test_credits_that_are_over_are_forgotten_after_a_month(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    for template in ("spent", "void", "open", "late"):
        await bureau.allows(template)
    await bureau.allows("long", long_term=True)
    for ended, template, days in ((_SPENT, "spent", 31), (_VOID, "void", 31), (_SPENT, "late", 29)):
        await bureau.db.execute(ended, timedelta(days=days), template)
    await purged(bureau.db, "credits")
    rows = await bureau.db.fetch("SELECT template FROM credits ORDER BY template")
    assert [row["template"] for row in rows] == ["late", "long", "open"]


async def test_the_number_of_an_object_is_never_forgotten(bureau: Bureau) -> None:
    """From 0 again, its next message would have the key of one that was sent long ago, and be lost."""
    await bureau.bump("booking:b1")
    for table in RULES:
        if RULES[table].period is not None:
            await purged(bureau.db, table)
    assert await bureau.bump("booking:b1") == 2
