"""The bureau of the delivery tests, whose notices go to citizens that have arrived."""

import pytest

from services.citizens.service import Citizens
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.conftest import bureau, town
from tests.core.delivery.town import HERE, THERE

__all__ = ["bureau", "town"]


@pytest.fixture
async def known(bureau: Bureau) -> Citizens:
    """The register behind the bureau, with both phones in it."""
    citizens = Citizens(bureau.db, bureau.seal)
    for conversation in (HERE, THERE):
        phone = bureau.post.phones[conversation]
        await citizens.arrive(conversation, phone.account, phone.openid)
    bureau.city = citizens
    bureau.out = bureau.worker()
    return citizens
