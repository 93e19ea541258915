"""How a request becomes a binding: one of four proofs, or an end (domain-rules B4)."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import structlog

from core.clock import Clock
from core.effects import Effect, perform
from core.errors import DomainError, StoreGoneError
from core.seal import Seal
from core.stores.database import Database, Transaction
from services.citizens import bindings_store as store
from services.citizens import kept_store, relations
from services.citizens.activation import EXPIRED, REFUSED, WITHDRAWN, Activation, End
from services.citizens.bindings_store import Proof, Row, Step
from services.citizens.cabinet import Cabinet
from services.citizens.checking import Checking
from services.citizens.errors import NoSuchBinding, NoSuchWay, OtherPapers, RequestOver
from services.citizens.institutions import Institution
from services.citizens.model import SELF, AtCounter, Limits, Way
from services.citizens.persons import asks_for, number_of, require_open
from services.citizens.telling import Messenger, Telling, ordered

_CLOCK = "clock"  # who lets requests expire

_log = structlog.get_logger("citizens")


class Proving:
    """Requests on their way: proven, refused, withdrawn, over; and the dialogue that waits for each.

    Nothing said here tells whether the person asked for is known to us or to an institution. All of it
    raises `NoSuchBinding` for somebody else's request and `RequestOver` for one that was decided.
    """

    def __init__(
        self,
        db: Database,
        seal: Seal,
        clock: Clock,
        institutions: Mapping[str, Institution],
        messenger: Messenger,
        limits: Limits | None = None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._institutions = institutions
        self._limits = limits or Limits()
        self._cabinet = Cabinet(seal)
        self._telling = Telling(messenger, self._cabinet)
        self._activation = Activation(self._cabinet, self._telling, self._limits)
        self._checking = Checking(db, clock, self._cabinet, self._activation, institutions, self._limits)

    async def ways(self, binding: str, citizen: str) -> list[Way]:
        """How a request may be proven: the same for who is known and who is not."""
        row = await self._waiting(binding, citizen)
        known = self._institutions.values()
        found = [Way("code", each.name, each.title) for each in known]
        if row["relation"] != SELF and not self._checking.is_child(row):
            found.insert(0, Way("person"))
        found += [
            Way("roster", each.name, each.title) for each in known if self._checking.is_for_roster(row, each)
        ]
        return [*found, Way("counter")]

    async def send_code(self, binding: str, citizen: str, institution: str, effect: Effect) -> str:
        """Have an institution send a code to the phone it has on record, if it knows the person; the id.

        `TooManyAttempts`, `InstitutionGone`, `NoSuchWay`. A run that is repeated sends no second one.
        """
        return await self._checking.send(number_of(binding), citizen, institution, effect)

    async def check_code(self, binding: str, citizen: str, code: str, effect: Effect) -> str:
        """Prove a request by the code its institution sent; the binding's id.

        `WrongCode(left)`, `TooManyAttempts`, `InstitutionGone`; at the end `TooManyPersons`,
        `TooManyAccounts`. The institution is the one that was asked last to send.
        """
        return await self._checking.check(number_of(binding), citizen, code, effect)

    async def check_roster(self, binding: str, citizen: str, institution: str, effect: Effect) -> str:
        """Prove a request for a child by the institution's roster of guardians; the binding's id.

        `SelfNotProven`, `NotInRoster`, `NoSuchWay`, `TooManyAttempts`, `InstitutionGone`.
        """
        return await self._checking.roster(number_of(binding), citizen, institution, effect)

    async def ask_person(self, binding: str, citizen: str, effect: Effect) -> str:
        """Ask the person themselves, if they can be reached; the reply is the same if not. The id."""

        async def ask(tx: Transaction, row: Row, step: Step) -> None:
            self._require_own(row, citizen)
            if row["relation"] == SELF or self._checking.is_child(row):
                raise NoSuchWay
            if not await self._checking.may_ask(tx, row, effect):
                return
            for found in await store.citizens_who_are(tx, row["target"]):
                me = await store.oneself(tx, found["citizen"])
                if me is not None and self._waits_for(row, found["citizen"], me, step):
                    await self._telling.consent(tx, row, found["citizen"])

        return await self._step(binding, citizen, effect, ask)

    async def approve(self, binding: str, citizen: str, effect: Effect) -> str:
        """The bound person agrees; the binding's id. `NoSuchBinding` for anybody else."""

        async def agree(tx: Transaction, row: Row, step: Step) -> None:
            await self._require_bound(tx, row, citizen, step)
            await self._activation.approve(tx, row, Proof("person", citizen), step)

        return await self._step(binding, citizen, effect, agree)

    async def refuse(self, binding: str, citizen: str, effect: Effect) -> str:
        """The bound person does not agree; the binding's id. `NoSuchBinding` for anybody else."""

        async def refuse(tx: Transaction, row: Row, step: Step) -> None:
            await self._require_bound(tx, row, citizen, step)
            await self._activation.end(tx, row, REFUSED, step)

        return await self._step(binding, citizen, effect, refuse)

    async def at_counter(self, binding: str) -> AtCounter:
        """A request that waits, as a counter is shown it. `NoSuchBinding`, `RequestOver`."""
        row = await self._waiting(binding)
        return AtCounter(
            binding=str(row["id"]),
            title=relations.title(row["relation"]),
            name=self._cabinet.masked(self._cabinet.entered(row).name),
            asker=self._cabinet.asker(row),
            is_self=row["relation"] == SELF,
            scopes=ordered(row["scopes"]),
            expires_at=row["expires_at"],
        )

    async def approve_at_counter(
        self, binding: str, staff: str, effect: Effect, id_number: str | None = None
    ) -> str:
        """A member of staff has seen the papers of both; the binding's id.

        `id_number` is the one on the papers of who is to be bound: `OtherPapers` where another was entered.
        None: whoever calls has compared them.
        """

        async def stamp(tx: Transaction, row: Row, step: Step) -> None:
            if id_number is not None and self._cabinet.entered(row).id_number != id_number:
                raise OtherPapers
            await self._activation.approve(tx, row, Proof("counter", staff), step)

        return await self._step(binding, f"staff:{staff}", effect, stamp)

    async def withdraw(self, binding: str, citizen: str, effect: Effect) -> str:
        """The asker does not want it any more; the binding's id."""

        async def withdraw(tx: Transaction, row: Row, step: Step) -> None:
            self._require_own(row, citizen)
            await self._activation.end(tx, row, WITHDRAWN, step)

        return await self._step(binding, citizen, effect, withdraw)

    async def expire(self, limit: int = 500) -> int:
        """End the requests whose time is over, and tell who asked; how many. For the schedule.

        Each in a transaction of its own: one that goes wrong keeps no other.
        """
        now, ended = self._clock.now(), 0
        for number in await store.overdue(self._db, now, limit):
            try:
                ended += await self._expire(number, Step(_CLOCK, now, f"expire:{number}"), EXPIRED)
            except DomainError:
                continue  # decided meanwhile
            except StoreGoneError:
                raise
            except Exception:  # noqa: BLE001 - a person looks into it; the others' time is over, too
                _log.exception("request_not_ended", binding=number)
        return ended

    async def keep(self, binding: str, citizen: str, kept: bytes, title: str) -> bool:
        """Keep the dialogue that waits for a request, until it is decided and a day longer.

        `title` is what a citizen calls it (挂号). Keep it before anybody is asked: False if the request is
        decided by now.
        """
        number = number_of(binding)
        async with self._db.transaction() as tx:
            try:
                row = await self._activation.locked(tx, number, Step(citizen, self._clock.now(), ""))
            except RequestOver:
                return False
            self._require_own(row, citizen)
            sealed = self._cabinet.put_away(kept, number)
            await kept_store.keep(tx, number, sealed, title, row["expires_at"])
        return True

    async def kept(self, binding: str, citizen: str) -> bytes | None:
        """The dialogue that was kept; None if there is none any more."""
        number = number_of(binding)
        owner = await store.binding(self._db, number)
        if owner is None or owner["citizen"] != citizen:
            raise NoSuchBinding
        row = await kept_store.kept(self._db, number, self._clock.now())
        return None if row is None else self._cabinet.take_out(row["sealed"], number)

    async def drop(self, binding: str, citizen: str, effect: Effect) -> str:
        """Forget the kept dialogue: it went on, or is not wanted; the binding's id."""
        return await perform(self._db, effect, partial(self._drop, number_of(binding), citizen))

    async def _waiting(self, binding: str, citizen: str = "") -> Row:
        """A request that waits, to be shown; of this citizen's, if one is named."""
        row = await store.binding(self._db, number_of(binding))
        if row is None or row["ticket"] is None or (citizen and row["citizen"] != citizen):
            raise NoSuchBinding
        require_open(row, self._clock.now())
        return row

    async def _drop(self, number: int, citizen: str, tx: Transaction) -> str:
        owner = await store.binding(tx, number)
        if owner is None or owner["citizen"] != citizen:
            raise NoSuchBinding
        await kept_store.drop(tx, number)
        return str(number)

    async def _step(
        self,
        binding: str,
        who: str,
        effect: Effect,
        change: Callable[[Transaction, Row, Step], Awaitable[None]],
    ) -> str:
        """Take one step of an open request, once for its effect."""

        async def taken(tx: Transaction) -> str:
            step = Step(who, self._clock.now(), effect.name)
            row = await self._activation.locked(tx, number_of(binding), step)
            await change(tx, row, step)
            return binding

        return await perform(self._db, effect, taken)

    async def _expire(self, number: int, step: Step, end: End) -> bool:
        async with self._db.transaction() as tx:
            row = await self._activation.locked(tx, number)
            if row["expires_at"] > step.at:
                return False
            await self._activation.end(tx, row, end, step)
            return True

    def _require_own(self, row: Row, citizen: str) -> None:
        if row["citizen"] != citizen:
            raise NoSuchBinding

    def _waits_for(self, row: Row, citizen: str, me: Row, step: Step) -> bool:
        return asks_for(self._cabinet, row, citizen, me, self._limits.adult, step.at.date())

    async def _require_bound(self, tx: Transaction, row: Row, citizen: str, step: Step) -> None:
        me = await store.oneself(tx, citizen)
        if me is None or me["identity"] is None or not self._waits_for(row, citizen, me, step):
            raise NoSuchBinding
