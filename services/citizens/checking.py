"""Proof by an institution: its code, or its roster of guardians (domain-rules B4 b, d).

An institution is asked between transactions, never inside one. Each attempt is counted before it is made,
so that however many come at once no more are made than may be.
"""

from collections.abc import Mapping
from functools import partial

import asyncpg

from core.clock import Clock
from core.effects import Effect, perform, result_of
from core.stores.database import Database, Transaction
from services.citizens import attempts_store as attempts
from services.citizens import bindings_store as store
from services.citizens.activation import Activation
from services.citizens.attempts_store import Try
from services.citizens.bindings_store import Proof, Step
from services.citizens.cabinet import Cabinet
from services.citizens.errors import (
    NoSuchBinding,
    NoSuchWay,
    NotInRoster,
    SelfNotProven,
    TooManyAttempts,
    WrongCode,
)
from services.citizens.identity import age
from services.citizens.institutions import Checked, Identity, Institution
from services.citizens.model import SELF, Limits


class Checking:
    """Has institutions look at requests."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        cabinet: Cabinet,
        activation: Activation,
        institutions: Mapping[str, Institution],
        limits: Limits,
    ) -> None:
        self._db = db
        self._clock = clock
        self._cabinet = cabinet
        self._activation = activation
        self._institutions = institutions
        self._limits = limits

    async def send(self, number: int, citizen: str, name: str, effect: Effect) -> str:
        """Have a code sent, as `Proving.send_code`."""
        if (done := await result_of(self._db, effect)) is not None:
            return done
        institution = self._institution(name)
        async with self._db.transaction() as tx:
            row = await self._own(tx, number, citizen)
            entered = self._cabinet.entered(row)
            tried = self._try("send", row, effect, name)
            await self._count(tx, tried, citizen)
            request = _request(row, await attempts.place(tx, tried))
        await institution.send_code(request, entered.name, entered.id_number)
        return await perform(self._db, effect, partial(_nothing_more, number))

    async def check(self, number: int, citizen: str, code: str, effect: Effect) -> str:
        """Have a code looked at, as `Proving.check_code`."""
        if (done := await result_of(self._db, effect)) is not None:
            return done
        async with self._db.transaction() as tx:
            row = await self._own(tx, number, citizen)
            left = await self._count(tx, self._try("check", row, effect), citizen)
            name, place = await attempts.sent_last(tx, number)
        if name not in self._institutions:  # nobody was asked to send one
            raise WrongCode(left=left)
        checked = await self._institutions[name].check_code(_request(row, place), code)
        if not checked:
            raise WrongCode(left=left)
        proof = Proof("institution_code", name)
        return await perform(self._db, effect, partial(self._proven, number, citizen, proof, checked, effect))

    async def roster(self, number: int, citizen: str, name: str, effect: Effect) -> str:
        """Have a guardian looked up, as `Proving.check_roster`."""
        if (done := await result_of(self._db, effect)) is not None:
            return done
        institution = self._institution(name)
        async with self._db.transaction() as tx:
            row = await self._own(tx, number, citizen)
            if not self.is_for_roster(row, institution):
                raise NoSuchWay
            me = await store.oneself(tx, citizen)
            if me is None or me["identity"] is None:
                raise SelfNotProven
            await self._count(tx, self._try("roster", row, effect, name), citizen)
        guardian, child = self._cabinet.person(me), self._cabinet.entered(row)
        checked = await institution.guardian(
            row["ticket"],
            Identity(guardian.name, guardian.id_number),
            Identity(child.name, child.id_number),
        )
        if not checked:
            raise NotInRoster(institution=institution.title)
        proof = Proof("guardian_roster", name)
        return await perform(self._db, effect, partial(self._proven, number, citizen, proof, checked, effect))

    def is_child(self, row: asyncpg.Record) -> bool:
        """Tell whether a request is for somebody whose guardians agree for them (B9)."""
        return age(self._cabinet.entered(row).id_number, self._clock.now().date()) < self._limits.adult

    def is_for_roster(self, row: asyncpg.Record, institution: Institution) -> bool:
        """Tell whether a roster may prove a request."""
        return institution.knows_guardians and row["relation"] != SELF and self.is_child(row)

    async def may_ask(self, tx: Transaction, row: asyncpg.Record, effect: Effect) -> bool:
        """Count that somebody is asked in their own chat; False once that was often enough for a day.

        Whoever asks hears nothing of it: the request stands, and can be answered there all the same.
        """
        tried = self._try("ask", row, effect)
        if await attempts.of_binding(tx, "ask", row["id"]) or await attempts.is_noted(tx, tried.key):
            return True  # one request asks once
        is_often = await attempts.again_for_target(tx, tried, self._limits.asks_to_target) is not None
        if is_often and not await store.holds(tx, row["citizen"], row["target"]):
            return False
        await attempts.note(tx, tried)
        return True

    def _institution(self, name: str) -> Institution:
        if name not in self._institutions:
            raise NoSuchWay
        return self._institutions[name]

    async def _own(self, tx: Transaction, number: int, citizen: str) -> asyncpg.Record:
        row = await self._activation.locked(tx, number, Step(citizen, self._clock.now(), ""))
        if row["citizen"] != citizen:
            raise NoSuchBinding
        return row

    def _try(self, kind: str, row: asyncpg.Record, effect: Effect, institution: str = "") -> Try:
        return Try(
            kind=kind,
            who=self._cabinet.of_citizen(row["citizen"]),
            target=row["target"],
            binding=row["id"],
            key=self._cabinet.of_effect(effect, kind),
            at=self._clock.now(),
            institution=institution,
        )

    async def _count(self, tx: Transaction, tried: Try, citizen: str) -> int:
        """Count an attempt before it is made; how many are left for this request. `TooManyAttempts`."""
        limits, is_send = self._limits, tried.kind == "send"
        most = limits.sends if is_send else limits.checks
        made = await attempts.of_binding(tx, tried.kind, tried.binding)
        if await attempts.is_noted(tx, tried.key):
            return most - made
        if made >= most:
            raise TooManyAttempts(at=None)
        by_citizen = limits.sends_of_citizen if is_send else limits.checks_of_citizen
        of_pair = limits.sends_of_pair if is_send else limits.checks_of_pair
        to_target = limits.sends_to_target if is_send else limits.checks_to_target
        again = await attempts.again_of_citizen(tx, tried, by_citizen)
        again = again or await attempts.again_of_pair(tx, tried, of_pair)
        if not await store.holds(tx, citizen, tried.target):
            again = again or await attempts.again_for_target(tx, tried, to_target)
        if again is not None:
            raise TooManyAttempts(at=again)
        await attempts.note(tx, tried)
        return most - made - 1

    async def _proven(
        self, number: int, citizen: str, proof: Proof, checked: Checked, effect: Effect, tx: Transaction
    ) -> str:
        step = Step(citizen, self._clock.now(), effect.name)
        row = await self._activation.locked(tx, number, step)
        if row["citizen"] != citizen:
            raise NoSuchBinding
        person = await self._activation.approve(tx, row, proof, step)
        sealed = self._cabinet.reference(checked.patient, person, proof.by)
        await store.refer(tx, person, proof.by, sealed, step.at)
        return str(number)


def _request(row: asyncpg.Record, place: int) -> str:
    """What an institution knows a code by that it was asked to send: a repetition sends no other."""
    return f"{row['ticket']}-{place}"


async def _nothing_more(number: int, tx: Transaction) -> str:
    """What is done for good is done outside."""
    del tx
    return str(number)
