"""Asks WeChat who of those who follow is one human: the unionid (wechat-facts 2.7).

The questions stand in the register and are asked by the clock, never while somebody waits for an answer.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog

from core.clock import Clock
from core.delivery.lanes import Lane
from core.delivery.rates import USER_INFO, Rates
from core.seal import Seal
from core.stores.database import Database
from services.citizens import unionids_store as store
from services.citizens import uniting
from services.citizens.bindings_store import lock_unionid
from services.citizens.service import Citizens
from services.citizens.unionids_store import Question

IN_HAND = timedelta(minutes=5)  # a question that nobody answered for so long is asked again
MOST_TRIES = 12
_FIRST, _LONGEST = timedelta(minutes=1), timedelta(days=1)
_AT_ONCE = 16
_MOST = 1_000  # of one account in one run

_log = structlog.get_logger("unionids")


@dataclass(frozen=True, slots=True)
class Told:
    """What WeChat tells of somebody: whether they follow, and their unionid, "" where it has none."""

    follows: bool
    unionid: str = ""


@dataclass(frozen=True, slots=True)
class NotTold:
    """WeChat did not say; asked again after `again_s` at the earliest. `of_all`: nobody's until then."""

    why: str
    again_s: float = 0.0
    of_all: bool = False


class Directory(Protocol):
    """Who is asked: WeChat's user/info."""

    @property
    def accounts(self) -> Sequence[str]:
        """The official accounts that unionids are known of: those of an Open Platform account."""
        ...

    async def about(self, account: str, openid: str) -> Told | NotTold:
        """What is known of a follower of an official account."""
        ...


class Unionids:
    """Asks for those of every follower of the accounts that have any."""

    def __init__(
        self,
        db: Database,
        seal: Seal,
        clock: Clock,
        rates: Rates,
        citizens: Citizens,
        directory: Directory,
    ) -> None:
        self._db = db
        self._seal = seal
        self._clock = clock
        self._rates = rates
        self._citizens = citizens
        self._directory = directory
        self.accounts = tuple(directory.accounts)

    async def ask(self) -> int:
        """Ask what is due, as far as the quotas go; how many were asked about. For the schedule."""
        return sum([await self._ask_of(account) for account in self.accounts])

    async def _ask_of(self, account: str) -> int:
        asked = 0
        while asked < _MOST:
            questions = await self._take(account)
            if not questions:
                break
            found = await self._citizens.resolve_all([each.conversation for each in questions])
            answers = await asyncio.gather(
                *(
                    self._one(each, account, known.openid if (known := found.get(each.conversation)) else "")
                    for each in questions
                )
            )
            asked += len(questions)
            if not all(answers):
                break
        return asked

    async def _take(self, account: str) -> list[Question]:
        """The next questions, counted before they are asked."""
        now = self._clock.now()
        waiting = await store.due(self._db, account, now, _AT_ONCE)
        if not waiting:
            return []
        granted = await self._rates.take(account, USER_INFO, Lane.BULK, waiting)
        if not granted.count:
            return []
        questions = await store.claim(self._db, account, now, now + IN_HAND, granted.count)
        if len(questions) < granted.count:
            await self._rates.give_back(account, USER_INFO, granted.count - len(questions))
        return questions

    async def _one(self, question: Question, account: str, openid: str) -> bool:
        """Ask about one and write down what is said; False if nobody's is to be asked any more now."""
        if not openid:  # it does not open, which the register has told
            await self._later(question, NotTold("unreadable"))
            return True
        answer = await self._directory.about(account, openid)
        if isinstance(answer, NotTold):
            await self._later(question, answer)
            if answer.of_all:
                await self._rates.stop(account, USER_INFO, answer.again_s)
            return not answer.of_all
        if not answer.follows:
            if await store.settle(self._db, question):
                await self._citizens.lost(question.conversation)
        elif answer.unionid:
            await self._learn(question, answer.unionid)
        else:  # the settings say that there is an Open Platform account, and WeChat knows of none
            _log.error("no_unionid", account=account, see=f"accounts.{account}.open_platform")
            await self._later(question, NotTold("no unionid", _LONGEST.total_seconds()))
        return True

    async def _learn(self, question: Question, unionid: str) -> None:
        joined = uniting.hashed(self._seal, unionid)
        async with self._db.transaction() as tx:
            await lock_unionid(tx, joined)  # before the account: in the order of every uniting
            if await store.settle(tx, question):  # what WeChat told of who has left is not kept
                await uniting.unite(tx, question.conversation, joined)

    async def _later(self, question: Question, why: NotTold) -> None:
        if question.tries >= MOST_TRIES and not why.of_all:
            _log.warning("unionid_given_up", conversation=question.conversation, why=why.why)
            await store.settle(self._db, question)
            return
        patience = min(_FIRST * 2 ** (question.tries - 1), _LONGEST)
        after = (
            timedelta(seconds=why.again_s) if why.of_all else max(patience, timedelta(seconds=why.again_s))
        )
        await store.put_off(self._db, question, self._clock.now() + after, counts=not why.of_all)
