"""Tells the bot what became of a send, some time after it; no send waits for that."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from simulator.cards import SUBSCRIPTION
from simulator.people import Phone
from simulator.xml import Field

log = logging.getLogger(__name__)

SUCCESS = "success"
# What WeChat answers for a notification that did not arrive is documented nowhere; any code but 0 says so.
ERROR_CODES = {"": 0, "user block": 1, "system failed": 2}
# The blank before "system" is WeChat's own.
STATUS = {"": SUCCESS, "user block": "failed:user block", "system failed": "failed: system failed"}


class Receipt(msgspec.Struct, frozen=True):
    """One send that is over, and at which loop time the bot is told."""

    due: float
    phone: Phone
    kind: str
    template_id: str
    msgid: int
    failure: str

    @property
    def event(self) -> str:
        return "subscribe_msg_sent_event" if self.kind == SUBSCRIPTION else "TEMPLATESENDJOBFINISH"

    def fields(self) -> Sequence[Field]:
        """The elements after `Event`."""
        if self.kind != SUBSCRIPTION:
            return [Field("MsgID", self.msgid), Field("Status", STATUS[self.failure])]
        told = [
            Field("TemplateId", self.template_id),
            Field("MsgID", self.msgid),
            Field("ErrorCode", ERROR_CODES[self.failure]),
            Field("ErrorStatus", self.failure or SUCCESS),
        ]
        return [Field("SubscribeMsgSentEvent", [Field("List", told)])]


class Receipts:
    """Pushes receipts `delay_s` after their sends, oldest first, at most `at_once` under way."""

    def __init__(
        self, push: Callable[[Receipt], Awaitable[None]], *, delay_s: float, at_once: int, most: int
    ) -> None:
        self._push = push
        self._delay_s = delay_s
        self._at_once = at_once
        self._most = most
        self._owed: asyncio.Queue[Receipt] = asyncio.Queue()
        self._lost = 0
        self._postmen: list[asyncio.Task[None]] = []

    def open(self) -> None:
        self._postmen = [asyncio.create_task(self._deliver()) for _ in range(self._at_once)]

    async def close(self) -> None:
        for postman in self._postmen:
            postman.cancel()
        await asyncio.gather(*self._postmen, return_exceptions=True)

    def owe(self, phone: Phone, kind: str, template_id: str, msgid: int) -> None:
        """One more; if a bot has not taken its receipts for very long, the oldest one is given up."""
        due = asyncio.get_running_loop().time() + self._delay_s
        self._owed.put_nowait(Receipt(due, phone, kind, template_id, msgid, phone.delivery))
        if self._owed.qsize() > self._most:
            self._owed.get_nowait()
            self._lost += 1
            if self._lost & (self._lost - 1) == 0:  # the first, the second, the fourth …
                log.warning("%d receipts given up: more than %d were waiting", self._lost, self._most)

    async def _deliver(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            receipt = await self._owed.get()
            if (wait := receipt.due - loop.time()) > 0:
                await asyncio.sleep(wait)
            try:
                await self._push(receipt)
            except Exception:
                log.exception("a receipt was not pushed; the next ones are")
