"""What asks WeChat for unionids, put together."""

from clients.wechat_directory import WeChatDirectory
from commands.reception import Means, at_wechat, limits
from core.delivery.rates import Rates
from services.citizens.service import Citizens
from services.citizens.unionids import Unionids


def unionids(means: Means, citizens: Citizens) -> Unionids:
    """Asks through the official accounts whose settings name an Open Platform account, and no others."""
    around = means.around
    platform, credentials = at_wechat(means)
    bound = [each for each in credentials if around.settings.accounts[each.account].open_platform]
    return Unionids(
        means.db,
        around.seal,
        around.clock,
        Rates(means.redis, limits(around.settings), around.clock),
        citizens,
        WeChatDirectory(platform, bound),
    )
