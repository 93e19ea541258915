"""The bureau of the delivery tests, whose notices go to citizens that have arrived."""

import pytest

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from services.citizens.service import Citizens
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.conftest import bureau, town
from tests.core.delivery.town import HERE, THERE
from tests.services.citizens.kin import Kin

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


@pytest.fixture
def kin(db: Database, seal: Seal, clock: ManualClock) -> Kin:
    """The register, an institution, and nobody yet."""
    return Kin(db, seal, clock)
