"""What citizens agreed to and may ask of their data, put together."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from commands.holdings import IMPERSONAL, holdings_of
from commands.post import Post
from commands.surroundings import Surroundings
from core.privacy.holdings import Holding, tables_of
from core.privacy.retention import Retention
from core.stores.database import Database
from core.stores.redis import Redis
from services.citizens.accesses import Accesses
from services.citizens.consent_texts import COMMUNITY, Texts
from services.citizens.consents import Consents
from services.citizens.deadlines import Deadlines
from services.citizens.erasure import Erasing
from services.citizens.exports import Exports
from services.citizens.rights import Rights
from services.citizens.service import Families
from services.citizens.withdrawing import Withdrawing
from services.community import homes


@dataclass(frozen=True, slots=True)
class DataRights:
    """These services, built once."""

    consents: Consents
    accesses: Accesses
    rights: Rights
    exports: Exports
    erasing: Erasing
    withdrawing: Withdrawing
    retention: Retention
    deadlines: Deadlines


def data_rights(
    around: Surroundings, db: Database, redis: Redis | None, sent: Post, families: Families
) -> DataRights:
    """Build them on one database; a command without a Redis leaves what is talked about to its own end."""
    seal, clock = around.seal, around.clock
    texts = Texts(around.templates / "consent")
    consents = Consents(db, clock, texts)
    holdings: Sequence[Holding] = holdings_of(seal, consents, sent.notices, redis)
    rights = Rights(db, seal, clock, holdings, sent.notices, sent.kinds)
    return DataRights(
        consents=consents,
        accesses=Accesses(db, seal, clock, sent.notices),
        rights=rights,
        exports=Exports(db, seal, clock, rights, texts, around.settings.server.url),
        erasing=Erasing(db, clock, holdings),
        withdrawing=Withdrawing(db, consents, families, {COMMUNITY: partial(homes.let_go, clock)}),
        retention=Retention(db, clock, [*tables_of(holdings), *IMPERSONAL]),
        deadlines=Deadlines(db, clock),
    )
