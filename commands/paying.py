"""The way to WeChat Pay: the merchant of the settings, or nobody."""

from dataclasses import dataclass
from typing import NoReturn

import aiohttp

from clients.pay import Access, Notices, WeChatPay
from clients.pay_signing import Keys
from clients.wechat import open_http
from core.chat.words import Words
from core.clock import Clock, SystemClock
from core.errors import BootError
from core.nonces import Nonces
from core.stores.redis import Redis
from services.payments.bank import Bank, BankGone, NotBelieved
from settings import Settings, require_pay
from webhooks.pay import PATH, Opener


@dataclass(frozen=True, slots=True)
class Pay:
    """WeChat Pay both ways: what it is asked, and what it tells."""

    bank: Bank
    opener: Opener


class NoBank:
    """No merchant: nothing can be signed or debited, and nobody has anything to tell."""

    def appid(self, _account: str) -> str:
        return ""

    def plan_id(self, _plan: str) -> int:
        return 0

    async def _nobody(self, *_asked: object) -> NoReturn:
        raise BankGone("no merchant is set up ([pay])")

    presign = agreement = terminate = debit = fate = refund = _nobody

    async def open(self, *_told: object) -> NoReturn:
        """Whatever comes is not meant for us."""
        raise NotBelieved("no merchant is set up")

    async def undone(self, *_told: object) -> None:
        """Nothing was done."""


def pay(settings: Settings, http: aiohttp.ClientSession, redis: Redis, clock: Clock, words: Words) -> Pay:
    """The merchant of the settings; `BootError` for one that could never debit."""
    if not settings.pay.mch_id:
        return Pay(NoBank(), NoBank())
    keys = _keys(settings)
    bank = WeChatPay(http, keys, _access(settings, words.render("pay/shown_as.txt").strip()), clock)
    return Pay(bank, Notices(keys, clock, Nonces(redis, "pay")))


async def require_answers(settings: Settings) -> str:
    """Ask WeChat Pay something: the number of the merchant; `BootError` says what is wrong."""
    async with open_http() as http:
        asked = WeChatPay(http, _keys(settings), _access(settings, ""), SystemClock())
        if wrong := await asked.hello():
            raise BootError(f"pay: {settings.pay.url} does not answer as it should: {wrong}")
    return settings.pay.mch_id


def _keys(settings: Settings) -> Keys:
    require_pay(settings)
    given = settings.pay
    platform = (given.platform_key_id, given.platform_key)
    return Keys.read((given.mch_id, given.serial), given.private_key, platform, given.api_v3_key)


def _access(settings: Settings, shown_as: str) -> Access:
    appids = {key: account.appid for key, account in settings.accounts.items()}
    return Access(settings.pay.url, f"{settings.server.url}{PATH}", settings.pay.plans, appids, shown_as)
