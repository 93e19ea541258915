"""Who gets what we send, and who does not any more."""

import pytest
from structlog.testing import capture_logs

from tests.core.delivery.bureau import Bureau
from tests.core.delivery.town import HERE, THERE


@pytest.mark.usefixtures("known")
async def test_one_account_that_does_not_open_kept_all_that_was_claimed_with_it(bureau: Bureau) -> None:
    await bureau.db.execute(
        "UPDATE accounts SET openid = repeat('x', 40)::bytea WHERE conversation = $1", HERE
    )
    for conversation in (HERE, THERE):
        await bureau.queue(bureau.notice("visit", conversation=conversation))
    with capture_logs() as lines:
        await bureau.out.send_due()
    assert bureau.post.phones[THERE].heard == ["[T-visit]"]
    assert await bureau.states() == [("failed", "unknown_citizen"), ("accepted", "")]
    told = [line for line in lines if line["event"] == "openid_unreadable"]
    assert [line["conversation"] for line in told] == [HERE], "a person looks into it"
