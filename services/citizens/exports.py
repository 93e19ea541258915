"""导出: a link to what is stored of a citizen, for a day, for them alone, each form once (D3)."""
# ruff: noqa: N818 - a refusal is named by what is the case

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import msgspec

from core.clock import Clock
from core.effects import Effect, perform
from core.errors import DomainError
from core.seal import Seal
from core.stores.database import Database, Transaction
from services.citizens import requests_store as store
from services.citizens.consent_texts import PURPOSES, Texts
from services.citizens.rights import Category, Rights

LASTS = timedelta(hours=24)
PAGE = "/export"
HTML, JSON = "html", "json"
_PURPOSE = "export"


class ExportOver(DomainError):
    """This link is over, was used, or is somebody else's."""

    code = "export_over"


@dataclass(frozen=True, slots=True)
class Export:
    """Everything that is stored of a citizen, as it was then."""

    made_at: datetime
    categories: Sequence[Category]
    titles: Mapping[str, str]  # what each purpose of a consent is called

    def json(self) -> bytes:
        """As data for another program; purposes and periods stand beside what they are about."""
        told: Mapping[str, object] = {
            "made_at": self.made_at,
            "categories": [
                {
                    "name": each.portion.name,
                    "count": each.portion.count,
                    "tables": [
                        {"table": rule.table, "purpose": rule.purpose, "kept": rule.lasting}
                        for rule in each.rules
                    ],
                    "entries": list(each.portion.entries),
                }
                for each in self.categories
            ],
        }
        return msgspec.json.format(msgspec.json.encode(told), indent=2)


class Exports:
    """The links, and what they lead to."""

    def __init__(
        self, db: Database, seal: Seal, clock: Clock, rights: Rights, texts: Texts, base_url: str
    ) -> None:
        self._db = db
        self._seal = seal
        self._clock = clock
        self._rights = rights
        self._titles = {purpose: texts.current(purpose).title for purpose in PURPOSES}
        self._base_url = base_url.rstrip("/")

    async def link(self, citizen: str, effect: Effect) -> str:
        """Make an address that shows a citizen their data, for a day; those before it are over."""
        number = await perform(self._db, effect, partial(self._new, citizen))
        return f"{self._base_url}{PAGE}?k={number}.{self._seal.capability(_PURPOSE, number)}"

    async def owner(self, token: str) -> str:
        """Whose data a link leads to, as long as it does; `ExportOver`. Tell nobody else."""
        row = await store.export(self._db, self._number(token), self._clock.now())
        if row is None:
            raise ExportOver
        return str(row["citizen"])

    async def take(self, token: str, citizen: str, form: str) -> Export:
        """A citizen's data in a form, `HTML` or `JSON`, each of which can be taken once; `ExportOver`."""
        number, now = self._number(token), self._clock.now()
        known = form in {HTML, JSON}
        if not known or not await store.take(self._db, number, citizen, form, now):
            raise ExportOver
        return Export(now, await self._rights.mine(citizen), self._titles)

    async def _new(self, citizen: str, tx: Transaction) -> str:
        number, now = secrets.token_urlsafe(12), self._clock.now()
        await store.new_export(tx, number, citizen, now, now + LASTS)
        return number

    def _number(self, token: str) -> str:
        number, _, right = token.partition(".")
        if not self._seal.is_capability(_PURPOSE, number, right):
            raise ExportOver
        return number
