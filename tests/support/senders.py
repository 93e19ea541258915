"""What stand-ins for a sender have in common."""

from core.delivery.sender import Notice, Outcome


class NoNotices:
    """Nobody sends notices here."""

    async def send_template(self, account: str, openid: str, notice: Notice) -> Outcome:
        raise AssertionError(f"{account} sends {notice} to {openid}")

    async def send_subscription(self, account: str, openid: str, notice: Notice) -> Outcome:
        raise AssertionError(f"{account} sends {notice} to {openid}")
