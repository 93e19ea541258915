"""What WeChat tells us of our own messages: receipts, and what citizens allow or refuse to be sent."""

from core.chat.events import Event, Kind, Receipt, Receipts, SubscriptionChoice, Subscriptions
from core.delivery import credit, receipts
from core.delivery.credit import Credit
from core.delivery.kinds import Kinds
from core.delivery.receipts import Fate
from core.stores.database import Database

_DELIVERED = "success"


class Tidings:
    """core's `Ears`: an event is written down before WeChat is told so; said again it changes nothing."""

    def __init__(self, db: Database, kinds: Kinds) -> None:
        self._db = db
        self._kinds = kinds

    async def hear(self, event: Event) -> None:
        """Note what an event says of messages of ours; other events say nothing. `StoreGoneError`."""
        match event.detail:
            case Receipt() as one if event.kind is Kind.TEMPLATE_RECEIPT:
                await receipts.note(self._db, [_fate(event, 0, one)])
            case Receipts(items=items):
                await receipts.note(self._db, [_fate(event, no, each) for no, each in enumerate(items)])
            case Subscriptions(items=items):
                await self._choices(event, items)

    async def _choices(self, event: Event, items: tuple[SubscriptionChoice, ...]) -> None:
        """A refusal voids what is there before anything that is allowed by the same answer counts.

        One in a pop-up is about what it asks: earlier one-time answers stand, each for its one send. It ends
        a long-term one, and what is said in the management page ends all (wechat-facts 1.6, 2.4).
        """
        asked = event.kind is Kind.SUBSCRIPTION_POPUP
        for each in items:
            if not each.accepted:
                await credit.void(
                    self._db, event.conversation, each.template_id, before=event.at, long_term_only=asked
                )
        allowed = [
            Credit(
                event.id,
                no,
                event.conversation,
                each.template_id,
                self._kinds.is_long_term(event.account, each.template_id),
                event.at,
            )
            for no, each in enumerate(items)
            if each.accepted
        ]
        if allowed:
            await credit.add(self._db, allowed)


def _fate(event: Event, no: int, receipt: Receipt) -> Fate:
    status = receipt.status.removeprefix("failed:")
    failed = "" if status == _DELIVERED and not receipt.error_code else status or str(receipt.error_code)
    return Fate(event.id, no, event.conversation, receipt.template_id, receipt.message_id, failed, event.at)
