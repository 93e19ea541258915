"""What WeChat tells of followers, one person at two accounts; and each way in which it does not tell."""

import pytest

from clients.wechat import Credentials
from clients.wechat_directory import WeChatDirectory
from core.delivery.rates import Limits, Rates
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from services.citizens.service import Citizens
from services.citizens.unionids import NotTold, Told, Unionids
from tests.clients.platform import CITY, OPENID, Gateway, Weixin, answers, resets, says

OTHER = Credentials("other", "wx2", "right")
THERE, STRANGER = "oOther-citizen_001-of-28-chr", "oCity-stranger_01-of-28-chrs"
INFO, TOKEN = "user/info", "stable_token"
UNION = "o6_bmasdasdsad6_2sgVt7hMZOPfL"


@pytest.fixture
async def town(weixin: Weixin) -> Weixin:
    """One person who follows two accounts of one Open Platform account, and somebody who follows none."""
    for account, openid in (("city", OPENID), ("other", THERE)):
        await weixin.acts("/sim/citizens", account=account, openid=openid, follows=True, unionid=UNION)
    await weixin.acts("/sim/citizens", account="city", openid=STRANGER, follows=False)
    return weixin


@pytest.fixture
def directory(town: Weixin, gateway: Gateway) -> WeChatDirectory:
    return WeChatDirectory(gateway.platform(town.url), [CITY, OTHER])


async def test_one_person_at_two_accounts_has_one_unionid(directory: WeChatDirectory) -> None:
    assert list(directory.accounts) == ["city", "other"]
    assert await directory.about("city", OPENID) == Told(follows=True, unionid=UNION)
    assert await directory.about("other", THERE) == Told(follows=True, unionid=UNION)


@pytest.mark.parametrize("openid", [STRANGER, "oCity-nobody-ever-heard-of-it"])
async def test_who_does_not_follow_has_none(directory: WeChatDirectory, openid: str) -> None:
    assert await directory.about("city", openid) == Told(follows=False)


@pytest.mark.parametrize(("code", "at_least"), [(45009, 60), (45011, 60), (48001, 3600), (50002, None)])
async def test_what_wechat_refuses(
    town: Weixin, directory: WeChatDirectory, code: int, at_least: int | None
) -> None:
    town.instead[INFO] = answers(code)
    said = await directory.about("city", OPENID)
    assert isinstance(said, NotTold)
    assert said.of_all is (at_least is not None), "a quota and a permission are everybody's"
    assert said.again_s >= (at_least or 0)


async def test_a_wrong_secret_is_everybodys_and_takes_a_person(town: Weixin, gateway: Gateway) -> None:
    wrong = WeChatDirectory(gateway.platform(town.url), [Credentials("city", "wx1", "wrong")])
    said = await wrong.about("city", OPENID)
    assert isinstance(said, NotTold)
    assert (said.of_all, said.again_s) == (True, 3600)


@pytest.mark.parametrize("instead", [answers(-1), says(502, "<html>"), resets], ids=["busy", "502", "reset"])
async def test_what_is_no_answer_is_asked_again(
    town: Weixin, directory: WeChatDirectory, instead: object
) -> None:
    town.instead[INFO] = instead  # type: ignore[assignment]
    said = await directory.about("city", OPENID)
    assert isinstance(said, NotTold)
    assert not said.of_all


async def test_two_followers_become_one_citizen(
    town: Weixin, directory: WeChatDirectory, gateway: Gateway, db: Database, seal: Seal, redis: Redis
) -> None:
    citizens, clock = Citizens(db, seal), gateway.clock
    places = [seal.conversation(*each) for each in (("city", OPENID), ("other", THERE))]
    for place, account, openid in zip(places, ("city", "other"), (OPENID, THERE), strict=True):
        await citizens.arrive(place, account, openid)
    assert await db.fetchval("SELECT count(DISTINCT citizen) FROM accounts") == 2
    asker = Unionids(db, seal, clock, Rates(redis, Limits(), clock), citizens, directory)
    assert await asker.ask() == 2
    assert await db.fetchval("SELECT count(DISTINCT citizen) FROM accounts") == 1
