"""Templates of the town, and what a bot sends with them."""

from typing import Any
from xml.etree import ElementTree as ET

from tests.simulator.town import CITIZEN, Pushed, Town

BOOKED, QUEUE, REPORT, WATER = "tBooked-1", "sQueue-1", "sReport-1", "sWater-1"
FIELDS = [{"key": "thing1", "name": "就诊科室"}, {"key": "time2", "name": "就诊时间"}]
TEMPLATES: list[dict[str, Any]] = [
    {"template_id": BOOKED, "title": "预约成功通知", "type": "template", "fields": FIELDS},
    {"template_id": QUEUE, "title": "候诊提醒", "type": "subscription", "term": "once", "fields": FIELDS},
    {"template_id": REPORT, "title": "报告通知", "type": "subscription", "term": "once", "fields": FIELDS},
    {"template_id": WATER, "title": "停水通知", "type": "subscription", "term": "long", "fields": FIELDS},
]
DATA = {"thing1": {"value": "心内科"}, "time2": {"value": "2026年11月24日 08:30"}}
LINES = [
    {"key": "thing1", "name": "就诊科室", "value": "心内科"},
    {"key": "time2", "name": "就诊时间", "value": "2026年11月24日 08:30"},
]
SUBSCRIPTION_SEND, TEMPLATE_SEND = "/cgi-bin/message/subscribe/bizsend", "/cgi-bin/message/template/send"


async def stock(town: Town) -> Town:
    """The town's account has its templates, and one follower."""
    for template in TEMPLATES:
        await town.post("/sim/templates", {"account": "city", **template})
    await town.post("/sim/citizens", {"account": "city", "openid": CITIZEN})
    return town


async def send_template(town: Town, openid: str = CITIZEN, **more: Any) -> dict[str, Any]:
    return await town.call(TEMPLATE_SEND, {"touser": openid, "template_id": BOOKED, "data": DATA} | more)


async def send_subscription(
    town: Town, template_id: str = QUEUE, openid: str = CITIZEN, **more: Any
) -> dict[str, Any]:
    body = {"touser": openid, "template_id": template_id, "data": DATA} | more
    return await town.call(SUBSCRIPTION_SEND, body)


async def choose(town: Town, openid: str = CITIZEN, **answers: str) -> dict[str, Any]:
    """The pop-up's answer; names are QUEUE, REPORT and WATER in lower case."""
    ids = {"queue": QUEUE, "report": REPORT, "water": WATER}
    chosen = {ids[name]: answer for name, answer in answers.items()}
    body = {"account": "city", "openid": openid, "templates": chosen}
    result: dict[str, Any] = await town.post("/sim/subscriptions", body)
    return result


async def left(town: Town, openid: str = CITIZEN) -> dict[str, Any]:
    """How many sends each subscription has left."""
    known = await town.get("/sim/credits", account="city", openid=openid)
    return {one["template_id"]: one["left"] for one in known}


def event(town: Town, pushed: Pushed) -> dict[str, Any]:
    """A pushed event without what every event has; nested elements nest."""
    root = ET.fromstring(town.bot.clear(pushed))  # noqa: S314 (our own push)
    plain = {child.tag: _plain(child) for child in root}
    for name in ("ToUserName", "CreateTime", "MsgType"):
        plain.pop(name)
    return plain


def _plain(element: ET.Element) -> Any:
    if not len(element):
        return element.text or ""
    return [(child.tag, _plain(child)) for child in element]
