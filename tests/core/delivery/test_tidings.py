"""What WeChat tells of our messages is written down once, however often it tells it."""

import itertools
from datetime import datetime, timedelta
from typing import Literal

import pytest

from core.chat.events import Event, Kind, Receipt, Receipts, SubscriptionChoice, Subscriptions
from core.clock import CITY_ZONE
from core.delivery.sender import Sent
from core.delivery.tidings import Tidings
from simulator.cards import CardField, Template
from simulator.credits import Grant
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.town import HERE

Details = Receipt | Receipts | Subscriptions


def told(kind: Kind, detail: Details, name: str = "e:1", ago: timedelta = timedelta()) -> Event:
    at = datetime.now(CITY_ZONE) - ago
    return Event(id=f"{HERE}:{name}", account="city", openid="o-here", kind=kind, at=at, detail=detail)


def popup(*choices: tuple[str, bool], name: str = "e:1", ago: timedelta = timedelta()) -> Event:
    items = tuple(SubscriptionChoice(template_id=id_, accepted=yes) for id_, yes in choices)
    return told(Kind.SUBSCRIPTION_POPUP, Subscriptions(items=items), name, ago)


def switches_off(template: str, name: str, ago: timedelta = timedelta()) -> Event:
    """In the management page."""
    refused = (SubscriptionChoice(template_id=template, accepted=False),)
    return told(Kind.SUBSCRIPTION_CHANGE, Subscriptions(items=refused), name, ago)


async def visits(bureau: Bureau, count: int = 1) -> list[str]:
    before = len(bureau.heard)
    for _ in range(count):
        await bureau.queue(bureau.notice("visit"))
        await bureau.out.send_due()
    return bureau.heard[before:]


async def test_each_yes_in_a_pop_up_is_one_notice_however_often_it_is_told(bureau: Bureau) -> None:
    tidings = Tidings(bureau.db, bureau.kinds)
    event = popup(("S-visit", True), ("S-other", True))
    for _ in range(3):
        await tidings.hear(event)
    assert await visits(bureau, 2) == ["(S-visit)", "[T-visit]"]


async def test_a_no_in_a_pop_up_takes_back_no_yes_of_before(bureau: Bureau) -> None:
    """Each 允许 was worth one notice (wechat-facts 2.4), and WeChat goes on counting them."""
    tidings = Tidings(bureau.db, bureau.kinds)
    for number in (1, 2):
        await tidings.hear(popup(("S-visit", True), name=f"e:{number}", ago=timedelta(minutes=5)))
    await tidings.hear(popup(("S-visit", False), name="e:3"))
    assert await visits(bureau, 3) == ["(S-visit)", "(S-visit)", "[T-visit]"]


async def test_a_no_in_a_pop_up_ends_what_was_allowed_for_good(bureau: Bureau) -> None:
    await bureau.allows("S-visit", long_term=True)
    await Tidings(bureau.db, bureau.kinds).hear(popup(("S-visit", False), ago=timedelta(seconds=-1)))
    assert await visits(bureau) == ["[T-visit]"]


async def test_who_switches_off_takes_back_what_was_allowed_before_and_nothing_later(bureau: Bureau) -> None:
    tidings = Tidings(bureau.db, bureau.kinds)
    refused = switches_off("S-visit", name="e:2")
    await tidings.hear(popup(("S-visit", True), name="e:1", ago=timedelta(minutes=5)))
    await tidings.hear(refused)
    assert await visits(bureau) == ["[T-visit]"]
    await tidings.hear(popup(("S-visit", True), name="e:3", ago=timedelta(minutes=-1)))
    await tidings.hear(refused)  # WeChat tells it a second time
    assert await visits(bureau) == ["(S-visit)"]


@pytest.mark.parametrize("long_term", [False, True])
@pytest.mark.parametrize("answers", list(itertools.product(["yes", "no", "off"], repeat=3)))
async def test_we_count_what_the_simulator_counts(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, answers: tuple[str, ...], *, long_term: bool
) -> None:
    term: Literal["long", "once"] = "long" if long_term else "once"
    card = Template("S-visit", "就诊提醒", "subscription", (CardField("thing1", "事项"),), term)
    monkeypatch.setattr(bureau.kinds, "is_long_term", lambda *_: long_term)
    grant, tidings = Grant(), Tidings(bureau.db, bureau.kinds)
    for number, answer in enumerate(answers):
        name, ago = f"e:{number}", timedelta(minutes=9 - number)
        if answer == "off":
            grant.refuse()
            await tidings.hear(switches_off("S-visit", name=name, ago=ago))
            continue
        (grant.accept if answer == "yes" else grant.decline)()
        await tidings.hear(popup(("S-visit", answer == "yes"), name=name, ago=ago))
    sent = await visits(bureau, 4)
    assert sent == ["(S-visit)" if grant.spend(card) else "[T-visit]" for _ in sent]


async def test_a_template_s_receipt_reaches_its_message(bureau: Bureau) -> None:
    bureau.post.answers = [Sent("77")]
    await visits(bureau)
    receipt = Receipt(message_id="77", status="failed:userblock")
    await Tidings(bureau.db, bureau.kinds).hear(told(Kind.TEMPLATE_RECEIPT, receipt))
    await bureau.out.send_due()
    assert await bureau.states() == [("failed", "userblock")]


async def test_a_subscription_s_receipts_come_several_in_one(bureau: Bureau) -> None:
    await bureau.allows("S-visit")
    await bureau.allows("S-visit")
    assert await visits(bureau, 2) == ["(S-visit)"] * 2
    items = (
        Receipt(message_id="901", status="success", template_id="S-visit", error_code=0),
        Receipt(message_id="902", status="userblock", template_id="S-visit", error_code=1),
    )
    await Tidings(bureau.db, bureau.kinds).hear(told(Kind.SUBSCRIPTION_RECEIPT, Receipts(items=items)))
    await bureau.out.send_due()
    assert sorted(await bureau.states()) == [("delivered", ""), ("failed", "userblock")]


async def test_a_mass_job_s_receipt_is_none_of_ours(bureau: Bureau) -> None:
    receipt = Receipt(message_id="77", status="sendsuccess")
    await Tidings(bureau.db, bureau.kinds).hear(told(Kind.MASS_RECEIPT, receipt))
    assert await bureau.db.fetchval("SELECT count(*) FROM receipts") == 0
