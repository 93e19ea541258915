"""Who is told what of a binding, in the transaction of the change (`templates/notices/binding_*.toml`)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

import asyncpg

from core.delivery.notices import Notice
from core.delivery.telling import or_left_out
from core.stores.database import Transaction
from services.citizens import bindings_store as store
from services.citizens import relations
from services.citizens.cabinet import Cabinet
from services.citizens.model import SCOPES, SELF
from services.citizens.store import conversation

CONSENT, APPROVED, DONE = "binding_consent", "binding_approved", "binding_done"
REFUSED, EXPIRED, REVOKED = "binding_refused", "binding_expired", "binding_revoked"
MADE = "binding_made"


class Messenger(Protocol):
    """Who sends notices: `core.delivery.notices.Notices`."""

    async def queue(self, tx: Transaction, notice: Notice) -> bool:
        """Send it once the transaction commits; `NoticeRefused` says why it could never be sent."""
        ...


def ordered(scopes: Iterable[str]) -> tuple[str, ...]:
    """Scopes in the order in which they are said."""
    return tuple(sorted(scopes, key=SCOPES.index))


class Telling:
    """Notices about bindings. One that cannot be said is left out, and the operator told: the step stands."""

    def __init__(self, messenger: Messenger, cabinet: Cabinet) -> None:
        self._messenger = messenger
        self._cabinet = cabinet

    async def consent(self, tx: Transaction, request: asyncpg.Record, citizen: str) -> None:
        """Ask the bound person, who is this citizen: who asks for what, and until when."""
        await self._tell(
            tx,
            CONSENT,
            request,
            citizen,
            {"asker": self._cabinet.asker(request), "scopes": ordered(request["scopes"])},
            request["expires_at"],
        )

    async def approved(
        self, tx: Transaction, request: asyncpg.Record, kept: str, until: datetime | None
    ) -> None:
        """Tell the asker of a yes; with a dialogue that was `kept` until then, ask whether it goes on."""
        facts = {"name": self._name(request)} | ({"kept": kept} if kept else {})
        kind = APPROVED if kept else DONE
        await self._tell(tx, kind, request, request["citizen"], facts, until if kept else None)

    async def made(self, tx: Transaction, request: asyncpg.Record, proof: str, by: str) -> None:
        """Tell the bound person at once, wherever they are, but not `by` whom it was agreed to here (B5)."""
        facts = {
            "asker": self._cabinet.asker(request),
            "scopes": ordered(request["scopes"]),
            "proof": proof,
        }
        for bound in await store.citizens_who_are(tx, request["target"]):
            if bound["citizen"] not in {request["citizen"], by}:
                await self._tell(tx, MADE, request, bound["citizen"], facts)

    async def refused(self, tx: Transaction, request: asyncpg.Record, kept: str) -> None:
        """Tell the asker of a no; what was `kept` is dropped."""
        facts = {"name": self._name(request), "kept": kept}
        await self._tell(tx, REFUSED, request, request["citizen"], facts)

    async def expired(self, tx: Transaction, request: asyncpg.Record, kept: str) -> None:
        """Tell the asker that nobody answered in time; what was `kept` is dropped."""
        facts = {"name": self._name(request), "kept": kept}
        await self._tell(tx, EXPIRED, request, request["citizen"], facts)

    async def revoked(self, tx: Transaction, binding: asyncpg.Record, by: str) -> None:
        """Tell the other side of what was taken back `by` one."""
        if by != binding["citizen"]:
            name = self._cabinet.name(binding["person"], binding["name"])
            facts = {"lost": True, "name": self._cabinet.masked(name), "asker": ""}
            await self._tell(tx, REVOKED, binding, binding["citizen"], facts)
            return
        if binding["relation"] == SELF:  # they are not themselves here any more, which nobody else hears
            return
        facts = {"lost": False, "name": "", "asker": self._cabinet.asker(binding)}
        for bound in await store.citizens_who_are(tx, binding["identity"]):
            if bound["citizen"] != by:
                await self._tell(tx, REVOKED, binding, bound["citizen"], facts)

    def _name(self, request: asyncpg.Record) -> str:
        return self._cabinet.masked(self._cabinet.glimpse(request).name)

    async def _tell(
        self,
        tx: Transaction,
        kind: str,
        binding: asyncpg.Record,
        citizen: str,
        facts: Mapping[str, object],
        valid_until: datetime | None = None,
    ) -> None:
        where = await conversation(tx, citizen)
        if where is None:
            return
        title = relations.title(binding["relation"])
        guards = (store.guard(binding["id"]), *await _being_them(tx, binding, citizen))
        notice = Notice(
            kind=kind,
            about=str(binding["id"]),
            conversation=where,
            facts={"title": title, "relation": binding["relation"], **facts},
            guards=guards,
            valid_until=valid_until,
        )
        await or_left_out(self._messenger.queue(tx, notice), "binding_not_told", binding=binding["id"])


async def _being_them(tx: Transaction, binding: asyncpg.Record, citizen: str) -> tuple[str, ...]:
    """What is said to the bound person is theirs as long as this citizen is them (domain-rules 9, 5)."""
    if citizen == binding["citizen"]:
        return ()
    me = await store.oneself(tx, citizen)
    return () if me is None else (store.guard(me["binding"]),)
