"""What the register holds of a citizen: accounts, names, bindings, consents, who looked, requests."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from core.privacy.holdings import End, Holding, Kept, Portion, Reader, Subject
from core.seal import Seal
from core.stores.database import Transaction
from services.citizens import (
    accesses_store,
    bindings_store,
    consents_store,
    holding_store,
    identity,
    kept_store,
    relations,
    requests_store,
)
from services.citizens.bindings_store import Row, Step
from services.citizens.cabinet import Cabinet
from services.citizens.consents import Consents
from services.citizens.model import FORMER, SELF
from services.citizens.names import masked_name
from services.citizens.telling import Messenger, Telling

PROFILE = "205"  # nickname and avatar, and with them the unionid
_KEY = "erasure"  # in the events of what an erasure ends
_ACCOUNT = "as long as the account"
_EVIDENCE = "for ever, under a name that leads to nobody: who could act for whom has to be told later"


class Register(Holding):
    """Accounts, persons and bindings. Let it be erased last: it holds the way to the citizen."""

    name = "citizens"
    tables = (
        Kept("accounts", "the way to a citizen: the openid, sealed", End.ERASED, until=_ACCOUNT),
        Kept(
            "logins",
            "that a login on a page was used once, and what ends it",
            End.ERASED,
            timedelta(0),
            "until",
            until="it means nothing any more",
        ),
        Kept(
            "citizens",
            "one random name for a citizen, and a keyed hash that joins their accounts",
            End.EMPTIED,
            until=_ACCOUNT,
        ),
        Kept(
            "persons",
            "name and ID number, sealed, to tell an institution who it is",
            End.EMPTIED,
            until="as long as somebody may act for them",
        ),
        Kept(
            "patient_references",
            "what an institution calls a person, sealed",
            End.ERASED,
            until="as long as somebody may act for them",
        ),
        Kept(
            "bindings",
            "who may act for whom; what was entered for it goes when it is decided",
            End.EMPTIED,
            until=_EVIDENCE,
        ),
        Kept(
            "citizen_events",
            "what happened to accounts and bindings, and by whom",
            End.NAMELESS,
            until=_EVIDENCE,
        ),
        Kept(
            "kept_dialogues",
            "what waits for a binding, sealed",
            End.ERASED,
            timedelta(0),
            "until",
            until="its time is over",
        ),
        Kept(
            "binding_attempts",
            "how often who tried whom (keyed hashes), so that nobody is found by trying",
            End.NAMELESS,
            timedelta(days=1),
            "at",
            until="the attempt",
            unless="EXISTS (SELECT FROM bindings b WHERE b.id = t.binding AND b.state = 'requested')",
        ),
    )

    def __init__(self, seal: Seal, messenger: Messenger) -> None:
        self._cabinet = Cabinet(seal)
        self._telling = Telling(messenger, self._cabinet)

    async def mine(self, db: Reader, subject: Subject) -> Portion:
        """Accounts, who the citizen is, and whom they may act for; of others no more than they show."""
        accounts = [dict(row) for row in await holding_store.accounts(db, subject.citizen)]
        rows = await bindings_store.of_citizen(db, subject.citizen)
        me = await bindings_store.oneself(db, subject.citizen)
        known = self._cabinet.person(me) if me is not None and me["identity"] is not None else None
        bindings = [self._binding(row) for row in rows if row["relation"] not in {SELF, FORMER}]
        shown = {
            "since": min((each["since"] for each in accounts), default=None),
            "name": masked_name(known.name) if known else "",
            "id_number": identity.masked_id(known.id_number) if known else "",
            "family": sum(each["state"] == "active" for each in bindings),
        }
        oneself = {"name": known.name, "id_number": known.id_number} if known else {}
        history = [dict(row) for row in await holding_store.history(db, subject.citizen)]
        entry = {"accounts": accounts, "oneself": oneself, "bindings": bindings, "history": history}
        return Portion(self.name, len(accounts) + bool(known) + len(bindings), shown, [entry])

    async def erase(self, tx: Transaction, subject: Subject) -> Mapping[str, int]:
        """End what the citizen holds, if asked also what others hold of them; then who they are."""
        step = Step(subject.citizen, subject.at, _KEY)
        others = await holding_store.all_bound(tx, subject.persons, subject.citizen) if subject.asked else []
        await bindings_store.lock(tx, subject.citizen, *(row["citizen"] for row in others))
        persons = await holding_store.ever_held(tx, subject.citizen)
        numbers = [row["id"] for row in await bindings_store.of_citizen(tx, subject.citizen)]
        for number in [*numbers, *(row["id"] for row in others)]:
            await self._end(tx, number, subject.citizen, step)
        return {
            "bindings": len(numbers) + len(others),
            "persons": await holding_store.clear_persons(tx, persons),
            "accounts": await holding_store.drop_accounts(tx, subject.citizen),
        }

    async def revoke(self, tx: Transaction, subject: Subject, permission: str) -> None:
        """What joins a citizen's accounts came with their profile."""
        if permission == PROFILE:
            await holding_store.drop_unionid(tx, subject.citizen)

    async def _end(self, tx: Transaction, number: int, citizen: str, step: Step) -> None:
        """End one binding or request as it is under the locks; the other side of a binding is told."""
        row = await bindings_store.binding(tx, number)
        if row is None or row["state"] not in {"active", "requested"}:
            return
        await bindings_store.bump(tx, number)
        await kept_store.drop(tx, number)
        if row["state"] == "requested":
            await bindings_store.end(tx, number, "withdrawn", "withdrawn", step)
            return
        await bindings_store.end(tx, number, "revoked", "revoked", step)
        if row["identity"] is not None and (row["relation"] != SELF or row["citizen"] != citizen):
            await self._telling.revoked(tx, row, citizen)

    def _binding(self, row: Row) -> dict[str, object]:
        open_one = row["state"] == "requested"
        name = self._cabinet.entered(row).name if open_one else self._cabinet.name(row["person"], row["name"])
        return {
            "title": relations.title(row["relation"]),
            "name": self._cabinet.masked(name),
            "state": row["state"],
            "scopes": list(row["scopes"]),
            "since": row["decided_at"] or row["made_at"],
        }


class Agreements(Holding):
    """Consents, and how they came about."""

    name = "consents"
    tables = (
        Kept(
            "consents",
            "what a citizen agreed to, and in which words they were asked",
            End.NAMELESS,
            until="as proof, under a name that leads to nobody once the citizen is erased",
        ),
        Kept(
            "consent_events",
            "how each consent came about",
            End.NAMELESS,
            timedelta(days=5 * 366),
            "at",
            until="the step, as proof",
        ),
    )

    def __init__(self, consents: Consents) -> None:
        self._consents = consents

    async def mine(self, db: Reader, subject: Subject) -> Portion:
        """Each consent, and each step of it."""
        granted = [each.text.title for each in await self._consents.granted(subject.citizen, db)]
        rows = await consents_store.history(db, subject.citizen)
        entries = [
            {
                "purpose": row["purpose"],
                "version": row["version"],
                "text_sha256": row["text_hash"].hex(),
                "what": row["what"],
                "at": row["at"],
                "scopes": list(row["scopes"]),
            }
            for row in rows
        ]
        return Portion(self.name, len(granted), {"granted": granted}, entries)

    async def stays(self, tx: Transaction, subject: Subject) -> Mapping[str, int]:
        """The proof of what was agreed to."""
        return {"consents": len(await consents_store.of_citizen(tx, subject.citizen))}

    async def erase(self, tx: Transaction, subject: Subject) -> Mapping[str, int]:
        """Withdraw what holds; that it held once stays told."""
        return {"consents": await self._consents.end_all(tx, subject.citizen, _KEY)}


class Looks(Holding):
    """Who looked at what is a citizen's own."""

    name = "accesses"
    tables = (
        Kept(
            "access_events",
            "who read whose report or record, and when",
            End.NAMELESS,
            timedelta(days=3 * 366),
            "at",
            until="the reading, so that misuse can be shown",
        ),
        Kept("access_digests", "how a person wants to hear of it", End.ERASED, until=_ACCOUNT),
    )

    def __init__(self, seal: Seal) -> None:
        self._cabinet = Cabinet(seal)

    async def mine(self, db: Reader, subject: Subject) -> Portion:
        """Each reading."""
        rows = [row for each in subject.persons for row in await accesses_store.page(db, each, None, 10_000)]
        entries = [
            {
                "at": row["at"],
                "what": row["what"],
                "institution": row["institution"],
                "who": self._cabinet.asker(row),
            }
            for row in rows
        ]
        return Portion(self.name, len(entries), {}, entries)

    async def erase(self, tx: Transaction, subject: Subject) -> Mapping[str, int]:
        """Forget how they wanted to be told."""
        await tx.execute("DELETE FROM access_digests WHERE person = ANY($1)", subject.persons)
        return {}


class Requests(Holding):
    """What a citizen asked of their data."""

    name = "rights"
    tables = (
        Kept(
            "rights_requests",
            "what a citizen wanted put right; the words are sealed",
            End.EMPTIED,
            timedelta(days=3 * 366),
            "closed_at",
            until="it was answered, as proof",
        ),
        Kept(
            "exports",
            "links to a citizen's own data, each used once",
            End.ERASED,
            timedelta(days=30),
            "until",
            until="the link is over",
        ),
        Kept(
            "erasures",
            "that something was erased, and the hash its receipt says; of whom it does not say",
            End.NAMELESS,
            timedelta(days=3 * 366),
            "ended_at",
            until="it was erased, as proof",
        ),
    )

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    async def mine(self, db: Reader, subject: Subject) -> Portion:
        """Each request."""
        rows = await requests_store.of_citizen(db, subject.citizen)
        entries = [requests_store.opened(row, self._seal) for row in rows]
        waiting: Sequence[date] = [row["due_on"] for row in rows if row["state"] == "open"]
        return Portion(self.name, len(rows), {"open": len(waiting)}, entries)

    async def erase(self, tx: Transaction, subject: Subject) -> Mapping[str, int]:
        """Drop what waits, and the words of all; links end."""
        await tx.execute("DELETE FROM exports WHERE citizen = $1", subject.citizen)
        return {"requests": await requests_store.drop(tx, subject.citizen, subject.at)}
