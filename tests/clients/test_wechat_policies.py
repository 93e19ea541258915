"""Every code of WeChat's, answered to the real worker: how its message stands, and how long it is tried."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import cast

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from clients.wechat_codes import POLICIES
from core.chat.durations import Durations
from core.chat.inbox import Inbox
from core.delivery.sender import Policy
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from tests.clients.platform import OPENID, SEND, TOKEN, Gateway, Weixin, answers
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.town import HERE, Phone, Post

TEMPLATE, SUBSCRIPTION = "message/template/send", "message/subscribe/bizsend"
API_OF = {"template": TEMPLATE, "subscription": SUBSCRIPTION, "window": SEND}
WORTH = timedelta(hours=6)
UNHEARD_OF = (99_999, -2)
MINUTES_TO_MIDNIGHT = 15 * 60 + 1  # of the platform's clock, which shows nine in the morning


@dataclass(frozen=True)
class Fate:
    """What one answer means for a message, and what becomes of it if WeChat says nothing else for hours.

    `again_s`: when it is tried again, None if it is not. `most`: requests in the end; a worker looks every
    `looks`. `stops` are the APIs, or templates, of which nothing more is sent for a while.
    """

    state: str
    end: str = ""
    again_s: float | None = None
    most: int = 1
    looks: timedelta = timedelta(minutes=20)
    alarm: bool = False
    stops: str = ""
    lost: bool = False


FAILED = Fate("failed")
FATES: dict[Policy, Fate] = {
    Policy.DONE: Fate("accepted"),
    Policy.BUSY: Fate("queued", "unknown", again_s=5, most=5, looks=timedelta(minutes=2)),
    # Each try is two requests: the token is replaced once. Six hours are over before the message is.
    Policy.TOKEN: Fate("queued", "expired", again_s=30, most=36, stops="template"),
    Policy.CONFIGURATION: Fate("queued", "expired", again_s=60, most=18, alarm=True, stops="*"),
    Policy.GONE: replace(FAILED, lost=True),
    Policy.UNWILLING: replace(FAILED, lost=True),
    Policy.WINDOW: FAILED,
    Policy.RATE_MINUTE: Fate("queued", "expired", again_s=60, most=18, stops="template"),
    Policy.RATE_DAY: Fate("queued", "expired", again_s=60 * MINUTES_TO_MIDNIGHT, most=1, stops="template"),
    Policy.TEMPLATE: Fate("queued", "failed", again_s=600, most=13, stops="template:T-visit"),
    Policy.CONTENT: FAILED,
    Policy.PERMISSION: Fate("queued", "failed", again_s=600, most=13, alarm=True, stops="template"),
    Policy.QUOTA_SPENT: FAILED,
    Policy.REQUEST: FAILED,
    Policy.LOGIN: FAILED,
    Policy.UNKNOWN: Fate("queued", "failed", again_s=60, most=5, alarm=True),
}
# The page and the field of one message are to blame, not its template.
OF_CODES = {41030: FAILED, 47003: FAILED}
ELSEWHERE: dict[tuple[Policy, str], Fate] = {
    (Policy.BUSY, "window"): Fate("unknown"),
    (Policy.BUSY, "subscription"): Fate("sending", "unknown"),
    (Policy.WINDOW, "window"): Fate("accepted"),  # by template
    (Policy.UNWILLING, "subscription"): Fate("accepted"),  # by template; the credit is void
    (Policy.TOKEN, "window"): replace(FATES[Policy.TOKEN], stops="window"),
    (Policy.PERMISSION, "subscription"): replace(FATES[Policy.PERMISSION], stops="subscription"),
    (Policy.RATE_DAY, "window"): replace(FATES[Policy.RATE_DAY], stops="window"),
}


def codes_of(policy: Policy) -> tuple[int, ...]:
    found = tuple(code for code, its in POLICIES.items() if its is policy)
    return found if policy is not Policy.UNKNOWN else UNHEARD_OF


def fate_of(code: int, policy: Policy, way: str = "template") -> Fate:
    return OF_CODES.get(code) or ELSEWHERE.get((policy, way)) or FATES[policy]


def grants() -> Callable[[web.Request], object]:
    """WeChat hands out another token each time."""
    numbers = count(1)

    async def grant(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"access_token": f"token-{next(numbers)}", "expires_in": 7200})

    return grant


class Desk(Bureau):
    """A bureau that sends through our real client, and hours that pass for it."""

    async def begins(self) -> None:
        """Nothing is there but one message of an afternoon."""
        await self.redis.client.flushdb()
        await self.db.execute("TRUNCATE outbox, versions, credits, prompts RESTART IDENTITY CASCADE")
        self.post.phones[HERE].following = True
        await self.queue(self.notice("visit"))
        await self.db.execute("UPDATE outbox SET valid_until = now() + $1::interval", WORTH)

    async def wait_s(self) -> float:
        """How long until it is tried again."""
        return float(
            await self.db.fetchval("SELECT extract(epoch FROM not_before - now())::float8 FROM outbox")
        )

    async def stops(self) -> str:
        """Of what nothing more is sent for a while."""
        names = cast("list[bytes]", await self.redis.client.hkeys("bm:{city}:sent"))
        return " ".join(sorted(name.decode()[5:] for name in names if name.startswith(b"stop:")))

    async def hours(self, looks: timedelta) -> None:
        """A worker looks now and then, until the message has come to its end."""
        left = 2 * WORTH
        while left > timedelta() and await self.db.fetchval("SELECT settled_at IS NULL FROM outbox"):
            left -= looks
            await self.passes(looks)
            await self.db.execute(
                "UPDATE outbox SET valid_until = valid_until - $1::interval, first_at = first_at - $1", looks
            )
            await self.out.send_due()


@pytest.fixture
async def desk(weixin: Weixin, gateway: Gateway, redis: Redis, db: Database, seal: Seal) -> Desk:
    weixin.instead[TOKEN] = grants()  # type: ignore[assignment]
    post = Post({HERE: Phone("city", OPENID)})
    desk = Desk(redis, db, seal, post, Inbox(redis, Durations(flood=0)))
    desk.sender = gateway.sender(weixin.url)
    desk.out = desk.worker()
    return desk


async def answered(desk: Desk, weixin: Weixin, code: int, way: str = "template") -> int:
    """WeChat says this to the message; how many alarms that raises."""
    call = API_OF[way]
    weixin.calls.clear()
    weixin.instead[TEMPLATE] = answers(0, msgid=1)
    weixin.instead[call] = answers(code, msg_id=77) if code == 45065 else answers(code)
    await desk.begins()
    if way == "window":
        await desk.opens()
    elif way == "subscription":
        await desk.allows("S-visit")
    with capture_logs() as lines:
        await desk.out.send_due()
    return sum(line["log_level"] == "error" for line in lines)


async def judge(desk: Desk, fate: Fate, alarms: int, code: int) -> None:
    ((state, reason),) = await desk.states()
    assert state == fate.state
    assert state == "accepted" or str(code) in reason
    assert bool(alarms) == fate.alarm
    assert await desk.stops() == fate.stops
    assert desk.post.phones[HERE].following == (not fate.lost)
    if fate.again_s is not None:
        assert fate.again_s - 30 < await desk.wait_s() <= fate.again_s


def test_each_policy_has_its_fate() -> None:
    assert set(FATES) == set(Policy)
    assert all(codes_of(policy) for policy in Policy)


@pytest.mark.parametrize("policy", list(Policy))
async def test_each_code_does_what_its_policy_says(desk: Desk, weixin: Weixin, policy: Policy) -> None:
    for code in codes_of(policy):
        fate = fate_of(code, policy)
        alarms = await answered(desk, weixin, code)
        await judge(desk, fate, alarms, code)
        assert len(weixin.asked(TEMPLATE)) == (2 if policy is Policy.TOKEN else 1), code


@pytest.mark.parametrize("policy", list(Policy))
async def test_what_wechat_says_for_hours_is_not_asked_for_ever(
    desk: Desk, weixin: Weixin, policy: Policy
) -> None:
    code = codes_of(policy)[0]
    fate = fate_of(code, policy)
    await answered(desk, weixin, code)
    await desk.hours(fate.looks)
    assert await desk.state() == (fate.end or fate.state)
    assert len(weixin.asked(TEMPLATE)) == fate.most


@pytest.mark.parametrize(("policy", "way"), list(ELSEWHERE))
async def test_on_another_way_it_means_what_that_way_allows(
    desk: Desk, weixin: Weixin, policy: Policy, way: str
) -> None:
    code = 43101 if policy is Policy.UNWILLING else codes_of(policy)[0]
    fate = fate_of(code, policy, way)
    alarms = await answered(desk, weixin, code, way)
    await judge(desk, fate, alarms, code)
    asked = len(weixin.asked(API_OF[way]))
    assert asked == (2 if policy is Policy.TOKEN else 1)
    assert len(weixin.asked(TEMPLATE)) == (fate.state == "accepted")
    await desk.hours(fate.looks)
    assert await desk.state() == (fate.end or fate.state)


async def test_a_reply_refused_for_want_of_a_window_waits_for_its_citizen(desk: Desk, weixin: Weixin) -> None:
    for code in codes_of(Policy.WINDOW):
        await desk.begins()
        await desk.db.execute("TRUNCATE outbox CASCADE")
        weixin.instead[SEND] = answers(code)
        await desk.owes("预约成功")
        await desk.out.send_due()
        assert await desk.state() == "held"
