"""What WeChat's user/info says of followers, in the words of the register: the policies of wechat-facts 4."""

from collections.abc import Iterable, Sequence

from clients.wechat import Credentials, Person, Platform, WeChat
from core.delivery.sender import Outcome, Policy, Refused, SurelyNotSent
from services.citizens.unionids import NotTold, Told

_HOUR_S = 3600.0
_FOR_A_PERSON = frozenset((Policy.CONFIGURATION, Policy.PERMISSION))


class WeChatDirectory:
    """Asks through each account with its own secret."""

    def __init__(self, platform: Platform, accounts: Iterable[Credentials]) -> None:
        self._accounts = {each.account: WeChat(platform, each) for each in accounts}

    @property
    def accounts(self) -> Sequence[str]:
        """Those that may be asked."""
        return list(self._accounts)

    async def about(self, account: str, openid: str) -> Told | NotTold:
        """Ask about one."""
        said = await self._accounts[account].about(openid)
        if isinstance(said, Person):
            return Told(said.follows, said.unionid)
        return _why_not(said)


def _why_not(outcome: Outcome) -> Told | NotTold:
    if isinstance(outcome, SurelyNotSent):  # a rate, a quota, a token, or nobody there: all have to wait
        return NotTold(outcome.reason, outcome.retry_after, of_all=True)
    if isinstance(outcome, Refused) and outcome.policy is Policy.GONE:
        return Told(follows=False)
    if isinstance(outcome, Refused) and outcome.policy in _FOR_A_PERSON:  # who has been told of it
        return NotTold(str(outcome), _HOUR_S, of_all=True)
    return NotTold(str(outcome))
