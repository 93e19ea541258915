"""Who follows two official accounts is one citizen once WeChat tells their unionid; and when it does not."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from core.clock import ManualClock
from core.delivery.rates import USER_INFO, Limits, Rates
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from services.citizens import unionids_store
from services.citizens.consent_texts import FAMILY, HEALTH, IDENTITY
from services.citizens.consents import Consents
from services.citizens.unionids import MOST_TRIES, NotTold, Told, Unionids
from tests.services.citizens.kin import Kin, once
from tests.support.rights import TEXTS

UNION = "o6_bmasdasdsad6_2sgVt7hMZOPfL"


class KilledError(Exception):
    """The process is no more."""


class Directory:
    """WeChat's user/info; `people` are the unionids by openid, whoever is not there does not follow."""

    def __init__(self) -> None:
        self.accounts = ["city", "school"]
        self.people: dict[str, str] = {}
        self.instead: list[NotTold] = []
        self.asked: list[str] = []
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def about(self, account: str, openid: str) -> Told | NotTold:
        self.asked.append(openid)
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.instead:
            return self.instead.pop(0)
        return Told(openid in self.people, self.people.get(openid, ""))


class Street:
    """People who follow official accounts, and whoever asks about them."""

    def __init__(self, kin: Kin, redis: Redis, quota: int = 1_000) -> None:
        self.kin, self.redis, self.quota = kin, redis, quota
        self.db, self.citizens = kin.db, kin.citizens
        self.wechat = Directory()

    def asker(self) -> Unionids:
        """A process that asks."""
        quotas = {account: {USER_INFO: self.quota} for account in ("city", "school", "office")}
        rates = Rates(self.redis, Limits(quotas=quotas, bulk_share=100), self.kin.clock)
        return Unionids(self.db, self.kin.seal, self.kin.clock, rates, self.citizens, self.wechat)

    async def follows(self, openid: str, account: str = "city", unionid: str = UNION) -> str:
        """Somebody follows; where they write."""
        place = self.kin.seal.conversation(account, openid)
        await self.citizens.arrive(place, account, openid)
        self.wechat.people[openid] = unionid
        return place

    async def ask(self) -> int:
        return await self.asker().ask()

    async def citizen(self, place: str) -> str:
        return str(await self.db.fetchval("SELECT citizen FROM accounts WHERE conversation = $1", place))

    async def waiting(self) -> int:
        return int(await self.db.fetchval("SELECT count(*) FROM accounts WHERE unionid_due IS NOT NULL"))


@pytest.fixture
def street(db: Database, redis: Redis, seal: Seal, clock: ManualClock) -> Street:
    return Street(Kin(db, seal, clock), redis)


async def test_who_follows_two_accounts_is_one_citizen_with_one_family(street: Street) -> None:
    kin = street.kin
    here, there = await street.follows("o-city"), await street.follows("o-school", "school")
    mother = await kin.stranger("李桂芳")
    one, other = await street.citizen(here), await street.citizen(there)
    assert one != other
    wish = kin.families.wish("mother", mother.name, mother.number, "小王")
    asked = await kin.families.request(wish, other, once())
    await kin.proving.approve_at_counter(asked, "s_li", once())
    assert await street.ask() == 2
    assert await street.citizen(here) == await street.citizen(there) == one
    assert [each.title for each in await kin.families.people(one)] == ["本人", "妈妈"]
    assert (await street.ask(), len(street.wechat.asked)) == (0, 2), "each is asked about once"
    stored = str(await street.db.fetch("SELECT * FROM citizens")) + str(
        await street.db.fetch("TABLE accounts")
    )
    assert UNION not in stored


async def test_and_hears_of_one_thing_once(street: Street) -> None:
    here, there = await street.follows("o-city"), await street.follows("o-school", "school")
    await street.ask()
    async with street.db.transaction() as tx:
        reached = await street.citizens.conversation(tx, await street.citizen(here))
    assert reached in {here, there}


async def test_two_people_stay_two(street: Street) -> None:
    here = await street.follows("o-city")
    there = await street.follows("o-school", "school", "o6_somebody_else")
    await street.ask()
    assert await street.citizen(here) != await street.citizen(there)


async def test_nothing_is_asked_of_accounts_without_an_open_platform_account(street: Street) -> None:
    await street.follows("o-office", "office")
    assert (await street.ask(), street.wechat.asked) == (0, [])
    street.wechat.accounts.append("office")
    assert await street.ask() == 1, "who was there before is asked about once it has one"


async def test_who_only_looked_at_a_page_is_asked_about_when_they_follow(street: Street) -> None:
    place = street.kin.seal.conversation("city", "o-visitor")
    await street.citizens.arrive(place, "city", "o-visitor", following=False)
    assert await street.ask() == 0
    await street.follows("o-visitor")
    assert await street.ask() == 1


# --- what goes wrong ---


@pytest.mark.parametrize("tries", [1, 2, 3])
async def test_wechat_fails_and_is_asked_again_later_and_later(
    street: Street, clock: ManualClock, tries: int
) -> None:
    await street.follows("o-city")
    for passed in range(tries):
        street.wechat.instead.append(NotTold("HTTP 500"))
        assert await street.ask() == 1
        clock.move(timedelta(minutes=2**passed) - timedelta(seconds=1))
        assert await street.ask() == 0, "not yet"
        clock.move(timedelta(seconds=1))
    assert await street.ask() == 1
    assert await street.waiting() == 0
    assert await street.db.fetchval("SELECT count(unionid) FROM citizens") == 1


async def test_it_is_given_up_at_last_and_begins_anew_with_who_comes_back(
    street: Street, clock: ManualClock
) -> None:
    place = await street.follows("o-city")
    street.wechat.instead = [NotTold("HTTP 500")] * 100
    for _ in range(100):
        await street.ask()
        clock.move(timedelta(days=1))
    assert len(street.wechat.asked) == MOST_TRIES
    street.wechat.instead = []
    await street.citizens.leave(place)
    await street.follows("o-city")
    assert await street.ask() == 1
    assert await street.waiting() == 0


async def test_a_stopped_api_is_left_alone_until_it_is_over_and_counts_against_nobody(
    street: Street, redis: Redis
) -> None:
    for number in range(40):
        await street.follows(f"o-{number}", unionid=f"u-{number}")
    street.wechat.instead = [NotTold("45009", 600, of_all=True)]
    asked = await street.ask()
    assert asked < 40, "the others are not asked about"
    assert await street.ask() == 0
    assert (
        await street.db.fetchval("SELECT max(unionid_tries) FROM accounts WHERE unionid_due IS NOT NULL") == 0
    )
    await redis.client.delete("bm:{city}:sent")  # ten minutes are over
    assert await street.ask() == 40 - asked


async def test_no_more_is_asked_in_a_day_than_may_be(
    db: Database, redis: Redis, seal: Seal, clock: ManualClock
) -> None:
    street = Street(Kin(db, seal, clock), redis, quota=3)
    for number in range(5):
        await street.follows(f"o-{number}", unionid=f"u-{number}")
    assert (await street.ask(), await street.ask(), len(street.wechat.asked)) == (3, 0, 3)
    clock.move(timedelta(days=1))
    assert await street.ask() == 2


async def test_where_wechat_knows_of_no_open_platform_account_a_person_is_told(street: Street) -> None:
    await street.follows("o-city", unionid="")
    with capture_logs() as lines:
        await street.ask()
    (line,) = lines
    assert (line["event"], line["see"]) == ("no_unionid", "accounts.city.open_platform")
    assert await street.waiting() == 1, "tomorrow it may be bound"


async def test_who_follows_no_more_is_not_asked_about(street: Street) -> None:
    await street.citizens.leave(await street.follows("o-city"))
    assert (await street.ask(), street.wechat.asked) == (0, [])


async def test_who_wechat_says_follows_no_more_is_sent_nothing(street: Street) -> None:
    place = await street.follows("o-city")
    del street.wechat.people["o-city"]
    assert await street.ask() == 1
    assert await street.db.fetchval("SELECT following FROM accounts WHERE conversation = $1", place) is False


@pytest.mark.parametrize("leaves", [True, False], ids=["left", "control"])
async def test_of_who_leaves_while_it_is_asked_nothing_is_kept(street: Street, leaves: bool) -> None:
    place = await street.follows("o-city")
    if leaves:
        street.wechat.meanwhile = lambda: street.citizens.leave(place)
    await street.ask()
    assert await street.db.fetchval("SELECT count(unionid) FROM citizens") == (not leaves)
    assert await street.waiting() == 0


async def test_who_left_and_came_back_meanwhile_is_asked_about_anew(street: Street) -> None:
    place = await street.follows("o-city")

    async def goes_and_comes() -> None:
        street.wechat.meanwhile = None
        await street.citizens.leave(place)
        await street.follows("o-city")

    street.wechat.meanwhile = goes_and_comes
    await street.ask()
    assert len(street.wechat.asked) == 2, "the first answer was about another time"
    assert await street.db.fetchval("SELECT count(unionid) FROM citizens") == 1


async def test_a_process_that_dies_with_a_question_leaves_it_to_be_asked_again(
    street: Street, clock: ManualClock
) -> None:
    await street.follows("o-city")

    async def dies() -> None:
        raise KilledError

    street.wechat.meanwhile = dies
    with pytest.raises(KilledError):
        await street.ask()
    street.wechat.meanwhile = None
    assert await street.ask() == 0, "somebody may have it in hand"
    clock.move(timedelta(minutes=5))
    assert await street.ask() == 1
    assert await street.waiting() == 0


async def test_two_processes_ask_about_each_once_and_unite_them_once(street: Street) -> None:
    places = [
        await street.follows(f"o-{account}-{number}", account, f"u-{number}")
        for number in range(10)
        for account in ("city", "school")
    ]
    await asyncio.gather(street.ask(), street.ask())
    assert sorted(street.wechat.asked) == sorted(set(street.wechat.asked))
    assert len({await street.citizen(place) for place in places}) == 10
    assert await street.db.fetchval("SELECT count(*) FROM citizen_events WHERE what = 'united'") == 10


async def test_a_question_and_a_login_that_tell_the_same_at_once_are_one(street: Street) -> None:
    here, there = await street.follows("o-city"), await street.follows("o-school", "school")
    street.wechat.meanwhile = lambda: street.citizens.unite(here, UNION)
    await asyncio.gather(street.ask(), street.citizens.unite(there, UNION))
    assert await street.citizen(here) == await street.citizen(there)


async def test_control_without_the_claim_both_ask(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    await street.follows("o-city")

    async def seen(db: Database, account: str, *_: object) -> list[unionids_store.Question]:
        rows = await db.fetch(
            "SELECT conversation FROM accounts WHERE account = $1 AND unionid_due IS NOT NULL", account
        )
        return [unionids_store.Question(row["conversation"], 0) for row in rows]

    both = asyncio.Barrier(2)
    monkeypatch.setattr(unionids_store, "claim", seen)
    street.wechat.meanwhile = both.wait  # nobody goes on before the other one asks, too
    async with asyncio.timeout(15):
        await asyncio.gather(street.ask(), street.ask())
    assert street.wechat.asked == ["o-city", "o-city"]


# --- what was agreed to ---


async def agrees(consents: Consents, citizen: str, purpose: str) -> None:
    await consents.ask(citizen, purpose, "", (), once())
    await consents.grant(citizen, purpose, "", "city:m:1", once())


async def test_what_they_agreed_to_in_one_account_they_agreed_to(street: Street, clock: ManualClock) -> None:
    consents = Consents(street.db, clock, TEXTS)
    here, there = await street.follows("o-city"), await street.follows("o-school", "school")
    one, other = await street.citizen(here), await street.citizen(there)
    await agrees(consents, other, FAMILY)
    await agrees(consents, other, HEALTH)
    await agrees(consents, one, IDENTITY)
    clock.move(timedelta(hours=1))
    await agrees(consents, one, HEALTH)
    await consents.withdraw(one, HEALTH, "", once())
    await street.ask()
    assert {each.purpose for each in await consents.granted(one)} == {IDENTITY, FAMILY}
    assert not (await consents.state(one, HEALTH)).is_granted, "what they said last stands"
    assert await consents.granted(other) == [], "there is one set of consents"
    message = await street.db.fetchval(
        "SELECT message FROM consents WHERE citizen = $1 AND purpose = $2", one, FAMILY
    )
    assert message == "city:m:1", "the proof comes along"
