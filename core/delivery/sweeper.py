"""Looks after messages that are owed an answer: the run died, the claim is gone, the reply lies ready."""

from collections.abc import Mapping

import structlog

from core.chat.dispatcher import Dispatcher
from core.delivery.owed import Debt, Owed

_AT_ONCE = 100

_log = structlog.get_logger("sweeper")


class Sweeper:
    """The sweeper of one process; any number of them share the rows."""

    def __init__(self, owed: Owed, dispatchers: Mapping[str, Dispatcher], *, again_s: float = 1.0) -> None:
        self._owed = owed
        self._dispatchers = dispatchers
        self._again_s = again_s

    async def sweep(self) -> int:
        """Look after every debt nobody looked after in the last `again_s`; how many there were.

        `StoreGoneError`: the rest comes with the next sweep.
        """
        looked_at = 0
        while debts := await self._owed.due(self._again_s, _AT_ONCE):
            for debt in debts:
                await self._look_after(debt)
            looked_at += len(debts)
        return looked_at

    async def _look_after(self, debt: Debt) -> None:
        dispatcher = self._dispatchers.get(debt.account)
        if dispatcher is None or debt.event is None:
            why = "its account is not in the settings" if dispatcher is None else "its row cannot be opened"
            _log.error("owed_message_dropped", event_id=debt.event_id, why=why)
            await self._owed.drop(debt.event_id)
            return
        await dispatcher.look_after(debt.event)
