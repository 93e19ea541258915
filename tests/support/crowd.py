"""Citizens who walk through their plans all at once, on the simulator's phones, paced by a gate."""

import asyncio
import itertools
from collections.abc import Sequence

import aiohttp

from tests.support.walks import Told, Walk

_LATE_S = 60.0  # a late answer whose sender is killed is given up after half a minute
_LOOK_S = 0.1
_numbers = itertools.count(1)


class Crowd:
    """Everybody's messages: how many went out, which are under way."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.sent = 0
        self.ended = 0
        self.under_way: dict[int, Told] = {}
        self._http = http
        self._url = url
        self._gate = asyncio.Semaphore(0)

    def let_go(self, messages: int) -> None:
        """Let so many messages more go out."""
        for _ in range(messages):
            self._gate.release()

    async def walk(self, walks: Sequence[Walk]) -> None:
        """Bring everybody to the end of their plan."""
        async with asyncio.TaskGroup() as group:
            for each in walks:
                group.create_task(self._walk(each))

    async def received(self, openid: str) -> list[tuple[str, str]]:
        """Kind and words of all that came to a citizen's phone."""
        query = {"account": "city", "openid": openid}
        async with self._http.get(f"{self._url}/sim/inbox", params=query) as answer:
            return [(each["kind"], each["content"]) for each in await answer.json()]

    async def _walk(self, walk: Walk) -> None:
        while texts := walk.next():
            before = await self._late(walk.openid) if walk.turns else []
            for _ in texts:
                await self._gate.acquire()
            turn = await asyncio.gather(*(self._send(walk.openid, text) for text in texts))
            await self._await_late(walk.openid, len(before), turn)
            walk.heard(turn)

    async def _send(self, openid: str, text: str) -> Told:
        """Write one message, and wait until the platform has done with it."""
        loop = asyncio.get_running_loop()
        told = Told(next(_numbers), text, loop.time())
        act = {"account": "city", "openid": openid, "type": "text", "content": text, "msg_id": told.number}
        self.sent += 1
        self.under_way[told.number] = told
        async with self._http.post(f"{self._url}/sim/messages", json=act) as answer:
            outcome = await answer.json()
            assert answer.status == 200, outcome
        del self.under_way[told.number]
        self.ended += 1
        told.ended, told.attempts = loop.time(), outcome["attempts"]
        told.reply = outcome["reply"]["content"] if outcome["reply"] else None
        told.notice = outcome["notice"] is not None
        return told

    async def _await_late(self, openid: str, before: int, turn: Sequence[Told]) -> None:
        """Wait for the answers that are sent later; one that may be lost is not waited for for ever."""
        promised = [each for each in turn if each.reply is None and not each.notice]
        loop = asyncio.get_running_loop()
        until = loop.time() + _LATE_S
        while promised and loop.time() < until:
            late = (await self._late(openid))[before:]
            for told, words in zip(promised, late, strict=False):
                told.late = [words]
            if len(late) >= len(promised):
                return
            await asyncio.sleep(_LOOK_S)

    async def _late(self, openid: str) -> list[str]:
        return [words for kind, words in await self.received(openid) if kind == "custom"]
