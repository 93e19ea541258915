"""Kills gateway processes at random while messages are under way, one at a time, when all are up."""

import asyncio
import random
from collections.abc import Callable

from tests.support.crowd import Crowd
from tests.support.judge import RETRY_S
from tests.support.members import Members
from tests.support.waiting import until

_UP_S = 60.0
_ANSWERED_S = 30.0
_AIMED = 0.5  # so many kills are aimed at the moment of a retry
_BURST_S = 0.3


class Killer:
    """Lets the crowd go on only together with kills, so that these are spread over all messages."""

    def __init__(self, members: Members, crowd: Crowd, chance: random.Random) -> None:
        self.kills: list[float] = []  # the event loop's times
        self._members = members
        self._crowd = crowd
        self._chance = chance

    async def end_some(self, kills: int, messages: int, told: Callable[[int], None]) -> None:
        """Kill so often, with a share of the messages before each kill and after the last one."""
        loop = asyncio.get_running_loop()
        share = messages // (kills + 1)
        for number in range(1, kills + 1):
            await until(self._members.steady, "all processes are up, and one of them for long", _UP_S)
            sent, ended = self._crowd.sent, self._crowd.ended
            self._crowd.let_go(share)
            await until(lambda at=sent: self._crowd.sent > at, "messages go out", _ANSWERED_S)
            if self._chance.random() < _AIMED:
                await self._retry()
            else:
                await self._some_answered(ended + self._chance.randrange(share))
            self.kills.append(loop.time())
            self._members.kill_one(self._chance.choice(self._members.steady()))
            told(number)

    async def _some_answered(self, ended: int) -> None:
        """Wait until so many messages have ended, or none is under way any more."""

        def enough() -> bool:
            return self._crowd.ended >= ended or not self._crowd.under_way

        await until(enough, "messages are answered", _ANSWERED_S)

    async def _retry(self) -> None:
        """Wait for the moment when messages are tried again, if there are any that will be."""
        loop = asyncio.get_running_loop()
        moment = self._chance.uniform(0, _BURST_S)

        def comes() -> bool:
            ages = [loop.time() - each.began for each in self._crowd.under_way.values()]
            return any(age > RETRY_S and age % RETRY_S > moment for age in ages) or not ages

        await until(comes, "a message is tried again", _ANSWERED_S)
