"""A credit whose worker died is neither used twice nor lost: it is spent, or free again."""

from datetime import timedelta

import pytest

from core.delivery import credit, rows
from core.delivery.lanes import Lane
from core.delivery.rows import Start
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.town import HERE

SUBSCRIPTION, TEMPLATE = "(S-visit)", "[T-visit]"
_LEASE, _LEFT = timedelta(seconds=30), timedelta(seconds=10)
_OPEN = "SELECT count(*) FROM credits WHERE spent_at IS NULL AND void_at IS NULL AND taken_by IS NULL"
_SPENT = "SELECT count(*) FROM credits WHERE spent_at IS NOT NULL"


async def dies(bureau: Bureau, *, begins: bool = True) -> None:
    """A worker is killed with a notice in hand, which has a credit."""
    await bureau.queue(bureau.notice("visit"))
    (row,) = await rows.claim(bureau.db, "dead", Lane.PERSONAL, _LEASE, 1)
    if begins:
        async with bureau.db.transaction() as tx:
            assert await rows.begin(tx, "dead", [Start(row, "subscription", "S-visit")], _LEFT)
            assert await credit.take(tx, row.id, HERE, "S-visit")


async def figures(bureau: Bureau) -> tuple[int, int]:
    """So many credits are open, and so many spent."""
    return int(await bureau.db.fetchval(_OPEN)), int(await bureau.db.fetchval(_SPENT))


async def test_what_perhaps_left_has_used_its_credit(bureau: Bureau) -> None:
    await bureau.allows("S-visit")
    await dies(bureau)
    assert await figures(bureau) == (0, 0)
    await bureau.passes(_LEASE)
    await bureau.out.send_due()
    assert (await bureau.state(), await figures(bureau)) == ("unknown", (0, 1))
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert bureau.heard == [TEMPLATE]


async def test_what_had_not_begun_uses_it_itself(bureau: Bureau) -> None:
    await bureau.allows("S-visit")
    await dies(bureau, begins=False)
    await bureau.passes(_LEASE)
    await bureau.out.send_due()
    assert (bureau.heard, await figures(bureau)) == ([SUBSCRIPTION], (0, 1))


@pytest.mark.parametrize("ended", ["cancelled", "expired", "failed"])
async def test_what_ended_without_being_sent_leaves_its_credit_to_another(bureau: Bureau, ended: str) -> None:
    await bureau.allows("S-visit")
    await dies(bureau)
    await bureau.db.execute(
        """
        UPDATE outbox SET state = $1, attempted_at = NULL, holder = NULL, lease_until = NULL,
                          settled_at = now(), sealed = NULL
        """,
        ended,
    )
    await bureau.out.look_after()
    assert await figures(bureau) == (1, 0)
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert bureau.heard == [SUBSCRIPTION]


@pytest.mark.parametrize("ended", ["delivered", "failed", "read"])
async def test_what_has_its_receipt_or_was_answered_has_used_it(bureau: Bureau, ended: str) -> None:
    """The receipt came, or the citizen tapped it, while its worker was dead."""
    await bureau.allows("S-visit")
    await dies(bureau)
    await bureau.db.execute(
        """
        UPDATE outbox SET state = $1, msg_id = '77', holder = NULL, lease_until = NULL, settled_at = now(),
                          sealed = NULL
        """,
        ended,
    )
    await bureau.out.look_after()
    assert await figures(bureau) == (0, 1)


async def test_a_credit_for_any_number_is_never_spent(bureau: Bureau) -> None:
    await bureau.allows("S-visit", long_term=True)
    await dies(bureau)
    await bureau.passes(_LEASE)
    await bureau.out.send_due()
    assert (await bureau.state(), await figures(bureau)) == ("unknown", (1, 0))


async def test_control_a_credit_in_living_hands_is_left_alone(bureau: Bureau) -> None:
    await bureau.allows("S-visit")
    await dies(bureau)
    await credit.settle(bureau.db)
    assert await figures(bureau) == (0, 0)
    assert await bureau.db.fetchval("SELECT taken_by IS NOT NULL FROM credits")


async def test_looking_after_them_reads_no_open_credit(bureau: Bureau) -> None:
    """It is done each second, and a city has very many that nobody has used yet."""
    await bureau.db.execute(
        """
        INSERT INTO credits (event, no, conversation, template, long_term, allowed_at)
        SELECT i::text, 0, 'city:' || i, 'S-visit', false, now() FROM generate_series(1, 20000) AS i
        """
    )
    await bureau.db.execute("ANALYZE credits")
    found = await bureau.db.fetch(f"EXPLAIN {credit.SETTLE}", credit.AT_ONCE)
    plan = "\n".join(row[0] for row in found)
    assert "Seq Scan on credits" not in plan, plan
