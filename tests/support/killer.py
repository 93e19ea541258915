"""Kills gateway processes at random while messages are under way, one at a time, when all are up."""

import asyncio
import random

from tests.support.crowd import Crowd
from tests.support.judge import RETRY_S, Kill
from tests.support.members import Members
from tests.support.waiting import until

_UP_S = 60.0
_ANSWERED_S = 30.0
_BEFORE_S = 0.1  # of a retry a process begins to stall
_STALLS_S = 0.5  # and so long it does at most before it is killed


class Killer:
    """Lets the crowd go on only together with kills, so that these are spread over all messages."""

    def __init__(self, members: Members, crowd: Crowd, chance: random.Random) -> None:
        self.kills: list[Kill] = []
        self._members = members
        self._crowd = crowd
        self._chance = chance

    async def end_some(self, kills: int, messages: int) -> None:
        """Kill so often, with a share of the messages at each kill and another one after the last."""
        share = messages // (kills + 1)
        ways = (self._at_once, self._stalling, self._at_a_retry)
        for _ in range(kills):
            await until(self._members.killable, "all processes are up", _UP_S)
            victim = self._chance.choice(self._members.killable())
            (way,) = self._chance.choices(ways, (2, 1, 1))
            since = await way(victim, share)
            at = asyncio.get_running_loop().time()
            self.kills.append(Kill(since or at, at))
            self._members.kill_one(victim)

    async def _at_once(self, _victim: int, share: int) -> float:
        """In the middle of its work; 0, because it has not stalled."""
        ended = self._crowd.ended + self._chance.randrange(share)
        await self._go_on(share)
        await until(lambda: self._crowd.ended >= ended or not self._crowd.under_way, "answers", _ANSWERED_S)
        return 0.0

    async def _stalling(self, victim: int, share: int) -> float:
        """After a moment in which it answered nobody: all it was given is lost at once. Since when."""
        loop = asyncio.get_running_loop()
        ended = self._crowd.ended + self._chance.randrange(share // 2)
        since = loop.time()
        self._members.stall(victim)
        await self._go_on(share)
        await until(lambda: self._crowd.ended >= ended or loop.time() > since + _STALLS_S, "it stalls")
        return since

    async def _at_a_retry(self, victim: int, share: int) -> float:
        """Stalling just when messages that were hit before are tried again, if there are any. Since when."""
        loop = asyncio.get_running_loop()
        hit = [each.began for each in self._crowd.under_way.values()]
        if not hit:
            return await self._stalling(victim, share)
        began = self._chance.choice(hit)
        moment = began + ((loop.time() - began + _BEFORE_S) // RETRY_S + 1) * RETRY_S
        await until(lambda: loop.time() > moment - _BEFORE_S, "a message is tried again", _ANSWERED_S)
        since = loop.time()
        self._members.stall(victim)
        await self._go_on(share)
        await until(lambda: loop.time() > moment + _STALLS_S, "it has been tried again")
        return since

    async def _go_on(self, share: int) -> None:
        """Let more messages go out."""
        sent = self._crowd.sent
        self._crowd.let_go(share)
        await until(lambda: self._crowd.sent > sent, "messages go out", _ANSWERED_S)
