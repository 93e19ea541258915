"""Health: alive at once, ready when everything is in place, and open about what is not."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer, TestClient

from core.chat import desk
from core.clock import CITY_ZONE, ManualClock
from core.delivery.backlog import Backlog
from core.delivery.lanes import Lane
from core.delivery.standing import Waiting
from core.errors import BootError, StoreGoneError
from core.metrics import Metrics
from tests.support.pages import icon_of
from webhooks.health import Health
from webhooks.routes import Doors

TEMPLATES = Path(__file__).parent.parent.parent / "templates"
Client = TestClient[web.BaseRequest, None]


class Store:
    """A store one can take away."""

    def __init__(self) -> None:
        self.gone = False
        self.asked = 0

    async def probe(self) -> str:
        self.asked += 1
        if self.gone:
            raise StoreGoneError("Redis")
        return "Redis 7.0"


class House:
    """A gateway's health, seen through both of its ports."""

    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2026, 11, 22, 9, 0, tzinfo=CITY_ZONE))
        self.store = Store()
        self.metrics = Metrics()
        self.left: list[datetime] = []  # when each message that waits at the desk was left
        self.behind = Backlog()
        self.health = Health(
            {"缓存": self.store.probe}, self.waiting, self.backlog, self.metrics, self.clock, TEMPLATES
        )
        self.public = Doors(self.health.public_routes())
        self.admin = Doors(self.health.admin_routes())

    async def waiting(self) -> desk.Waiting:
        """The desk of a city whose only store this is."""
        await self.store.probe()
        return desk.Waiting(len(self.left), min(self.left, default=None))

    async def backlog(self) -> Backlog:
        """What the same store knows of replies that have not arrived."""
        await self.store.probe()
        return self.behind

    def opens(self) -> None:
        """Let everything be in place."""
        self.health.require("数据结构")
        self.health.done("数据结构")


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def public(house: House) -> AsyncIterator[Client]:
    client: Client = TestClient(RawTestServer(house.public.answer))
    async with client:
        yield client


@pytest.fixture
async def admin(house: House) -> AsyncIterator[Client]:
    client: Client = TestClient(RawTestServer(house.admin.answer))
    async with client:
        yield client


async def status(client: Client, path: str) -> int:
    async with client.get(path) as response:
        return response.status


async def page(client: Client) -> str:
    async with client.get("/") as response:
        return await response.text()


async def test_alive_at_once_ready_only_when_everything_is_in_place(house: House, public: Client) -> None:
    house.health.require("数据结构", "演示城市")
    assert await status(public, "/healthz") == 200
    assert await status(public, "/readyz") == 503
    house.health.done("数据结构")
    assert await status(public, "/readyz") == 503
    assert not house.health.ready
    house.health.done("演示城市")
    assert await status(public, "/readyz") == 200
    assert house.health.ready


async def test_a_gateway_that_requires_nothing_yet_is_not_ready(public: Client) -> None:
    assert await status(public, "/readyz") == 503


async def test_a_store_that_goes_away_is_seen(house: House, public: Client, admin: Client) -> None:
    house.health.require("数据结构")
    house.health.done("数据结构")
    house.store.gone = True
    assert await status(public, "/readyz") == 503
    assert "有故障" in await page(admin)
    assert "Redis cannot be reached" in await page(admin)


async def test_the_public_port_tells_no_details(house: House, public: Client) -> None:
    house.health.require("数据结构")
    async with public.get("/readyz") as response:
        assert await response.text() == "not ready\n"
    for path in ("/", "/metrics"):
        assert await status(public, path) == 404


async def test_the_tab_tells_how_things_are_and_asks_for_no_picture(house: House, admin: Client) -> None:
    starting = icon_of(await page(admin))
    house.opens()
    assert "运行正常" in await page(admin)
    assert icon_of(await page(admin)) != starting


async def test_asking_often_does_not_ask_the_stores_often(house: House, public: Client) -> None:
    for _ in range(20):
        await status(public, "/readyz")
    assert house.store.asked < 10


async def test_the_page_shows_states_versions_and_counts(house: House, admin: Client) -> None:
    house.health.require("数据结构")
    assert "正在启动" in await page(admin)
    house.health.done("数据结构", "已是最新")
    for _ in range(3):
        house.metrics.answered("city", "text", "replied", 0.004)
    house.metrics.answered("city", "voice", "replied", 0.2)
    house.clock.move(timedelta(hours=2, minutes=5))
    shown = await page(admin)
    for part in ("运行正常", "Redis 7.0", "已是最新", "文字", "语音", "2026-11-22 09:00:00"):
        assert part in shown


async def test_what_was_given_up_while_a_store_stalled_left_no_trace(house: House, admin: Client) -> None:
    house.opens()
    house.metrics.answered("city", "text", "replied", 0.004)
    assert "因故障没有当场答复" not in await page(admin)
    house.metrics.answered("city", "text", "put_off", 4.5)
    house.metrics.answered("city", "text", "failed", 0.1)
    shown = await page(admin)
    assert "其中 2 次因故障没有当场答复" in shown
    assert "次推送" in shown


async def test_messages_for_the_desk_were_seen_by_nobody_who_did_not_ask(house: House, admin: Client) -> None:
    house.health.require("数据结构")
    house.health.done("数据结构")
    house.left = [house.clock.now(), house.clock.now() + timedelta(minutes=20)]
    house.clock.move(timedelta(hours=2, minutes=5))
    shown = await page(admin)
    for part in ("2 条在等", "最早 11-22 09:00，已等 2 小时 5 分钟", "messages list"):
        assert part in shown
    async with admin.get("/readyz") as response:
        assert (await response.json())["desk"] == {
            "waiting": 2,
            "oldest": "2026-11-22T09:00:00+08:00",
            "oldest_s": 7500,
        }
    async with admin.get("/metrics") as response:
        figures = await response.text()
    assert "bianmin_desk_waiting 2.0" in figures
    assert "bianmin_desk_oldest_seconds 7500.0" in figures


async def test_a_desk_where_nothing_waits_says_so(house: House, admin: Client) -> None:
    house.health.require("数据结构")
    house.health.done("数据结构")
    assert "没有留言在等" in await page(admin)
    async with admin.get("/metrics") as response:
        assert "bianmin_desk_waiting 0.0" in await response.text()


async def test_a_desk_that_cannot_be_asked_is_not_called_empty(house: House, admin: Client) -> None:
    house.health.require("数据结构")
    house.health.done("数据结构")
    house.store.gone = True
    assert "留言" not in await page(admin)
    async with admin.get("/readyz") as response:
        assert (await response.json())["desk"] is None
    async with admin.get("/metrics") as response:
        assert "bianmin_desk" not in await response.text()


async def test_where_every_answer_is_out_the_page_says_so(house: House, admin: Client) -> None:
    house.opens()
    shown = await page(admin)
    assert "没有消息在等答复" in shown
    for part in ("等待发送", "条留着", "没有送到", "超过两分钟"):
        assert part not in shown
    async with admin.get("/metrics") as response:
        assert "bianmin_owed 0.0" in await response.text()


async def test_answers_under_way_are_counted_and_are_no_trouble(house: House, admin: Client) -> None:
    house.opens()
    now = house.clock.now()
    house.behind = Backlog(owed=3, owed_since=now, waiting=2, waiting_since=now, held=4)
    house.clock.move(timedelta(seconds=14))
    shown = await page(admin)
    for part in ("3 条消息等答复", "最早的已等 14 秒", "2 条等待发送", "4 条留着", "等市民下次发消息时送出"):
        assert part in shown
    assert "超过两分钟" not in shown
    assert "运行正常" in shown


async def test_answers_that_pile_up_are_told_with_what_to_do(house: House, admin: Client) -> None:
    house.opens()
    now = house.clock.now()
    house.behind = Backlog(
        owed=30,
        owed_since=now,
        waiting=20,
        waiting_since=now + timedelta(minutes=1),
        waiting_why="40164 not in whitelist <1.2.3.4>",
        unknown=1,
        failed=2,
        failed_why="unfollowed",
    )
    house.clock.move(timedelta(minutes=75))
    shown = await page(admin)
    for part in (
        "有积压",
        "30 条消息等答复",
        "最早的已等 1 小时 15 分钟",
        "超过两分钟没有答复",
        "最早的已等 1 小时 14 分钟 · 40164 not in whitelist &lt;1.2.3.4&gt;",
        "IP白名单",
        "一天内 2 条没有送到，1 条不知是否送到",
        "unfollowed",
    ):
        assert part in shown
    async with admin.get("/readyz") as response:
        told = await response.json()
    assert told["late"] == {
        "owed": 30,
        "owed_s": 4500,
        "waiting": 20,
        "waiting_s": 4440,
        "waiting_why": "40164 not in whitelist <1.2.3.4>",
        "held": 0,
        "unknown": 1,
        "failed": 2,
        "failed_why": "unfollowed",
        "jobs": 0,
        "in_jobs": 0,
        "lanes": [],
    }
    assert told["ready"] is True, "citizens are answered all the same"


async def test_prometheus_reads_what_is_behind(house: House, admin: Client) -> None:
    house.opens()
    now = house.clock.now()
    house.behind = Backlog(owed=1, owed_since=now, waiting=2, waiting_since=now, held=3, unknown=4, failed=5)
    house.clock.move(timedelta(minutes=1))
    async with admin.get("/metrics") as response:
        figures = await response.text()
    for figure in (
        "bianmin_owed 1.0",
        "bianmin_owed_oldest_seconds 60.0",
        "bianmin_late_waiting 2.0",
        "bianmin_late_waiting_oldest_seconds 60.0",
        "bianmin_late_held 3.0",
        "bianmin_late_unknown_day 4.0",
        "bianmin_late_failed_day 5.0",
    ):
        assert f"\n{figure}\n" in figures


async def test_a_notice_to_many_takes_its_time_and_is_no_alarm(house: House, admin: Client) -> None:
    house.opens()
    now = house.clock.now()
    lanes = (
        Waiting(Lane.PERSONAL, "held", "kept", 2, now),
        Waiting(Lane.PERSONAL, "held", "quiet", 3, now - timedelta(minutes=1)),
        Waiting(Lane.BULK, "queued", "", 40_000, now),
    )
    house.behind = Backlog(jobs=1, in_jobs=40_000, lanes=lanes)
    house.clock.move(timedelta(hours=3))
    shown = await page(admin)
    assert "1 个群发正在进行" in shown
    assert "还有 40000 条没有发完" in shown
    assert "运行正常" in shown
    async with admin.get("/metrics") as response:
        figures = await response.text()
    for figure in (
        'bianmin_outbox{lane="personal",state="held"} 5.0',
        'bianmin_outbox_oldest_seconds{lane="personal",state="held"} 10860.0',
        'bianmin_outbox{lane="bulk",state="queued"} 40000.0',
        "bianmin_jobs_running 1.0",
    ):
        assert f"\n{figure}\n" in figures


async def test_what_cannot_be_counted_is_not_called_nothing(house: House, admin: Client) -> None:
    house.opens()
    house.store.gone = True
    assert "迟到的答复" not in await page(admin)
    async with admin.get("/readyz") as response:
        assert (await response.json())["late"] is None
    async with admin.get("/metrics") as response:
        assert "bianmin_owed" not in await response.text()


async def test_who_asks_for_json_gets_json(house: House, admin: Client) -> None:
    house.health.require("数据结构")
    async with admin.get("/", headers={"Accept": "application/json"}) as response:
        assert response.status == 503
        told = await response.json()
    assert told["ready"] is False
    assert told["steps"] == [{"name": "数据结构", "done": False, "detail": ""}]
    assert told["stores"][0]["detail"] == "Redis 7.0"
    async with admin.get("/readyz") as response:
        assert (await response.json())["ready"] is False


async def test_metrics_count_by_kind_and_time_replies(house: House, admin: Client) -> None:
    house.metrics.answered("city", "text", "replied", 0.004)
    async with admin.get("/metrics") as response:
        text = await response.text()
    assert 'bianmin_messages_total{account="city",kind="text",outcome="replied"} 1.0' in text
    assert 'bianmin_reply_seconds_bucket{account="city",le="0.005"} 1.0' in text


def test_the_shares_of_replies_are_read_off_the_buckets(house: House) -> None:
    assert house.metrics.within(0.99) is None
    for _ in range(99):
        house.metrics.answered("city", "text", "replied", 0.004)
    house.metrics.answered("city", "text", "replied", 2.0)
    assert house.metrics.within(0.5) == 0.005
    assert house.metrics.within(1.0) == 2.5


def test_every_route_says_who_may_call_it(house: House) -> None:
    assert set(house.public.callers.values()) == {"anyone"}
    assert set(house.admin.callers.values()) == {"operator"}


def test_a_step_nobody_required_is_a_mistake(house: House) -> None:
    with pytest.raises(KeyError):
        house.health.done("数据结构")


async def test_a_program_beside_the_gateway_is_shown_and_closes_no_door(house: House) -> None:
    told = ["密钥 7"]

    async def signs() -> str:
        if not told:
            raise BootError("没有应答")
        return told[0]

    house.health.beside({"乘车码签发": signs})
    house.health.require("数据结构")
    assert (await house.health.report()).beside == (), "nobody is asked before the start is over"
    house.health.done("数据结构")
    house.health._asked_at = float("-inf")
    report = await house.health.report()
    assert [(each.name, each.ok, each.detail) for each in report.beside] == [("乘车码签发", True, "密钥 7")]
    told.clear()
    house.health._asked_at = float("-inf")
    report = await house.health.report()
    assert [each.ok for each in report.beside] == [False]
    assert report.ready, "without it no codes are made; all the rest goes on"
