"""Template messages and subscription notifications: who may get one, what it may say, what is shown."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simulator.accounts import index
from simulator.cards import CardField, Template
from simulator.wechat import Rules
from tests.simulator.conftest import MakeTown
from tests.simulator.notices import (
    BOOKED,
    DATA,
    LINES,
    QUEUE,
    REPORT,
    SUBSCRIPTION_SEND,
    TEMPLATE_SEND,
    TEMPLATES,
    WATER,
    choose,
    left,
    send_subscription,
    send_template,
    stock,
)
from tests.simulator.test_memory import restarted
from tests.simulator.town import CITIZEN, Town, account


@pytest.fixture
async def town(make_town: MakeTown) -> Town:
    """A town with templates; receipts come much later than any of these tests ends."""
    return await stock(await make_town(rules=Rules(receipt_s=600)))


# --- template messages --------------------------------------------------------------------------------------


async def test_a_template_message_stands_on_the_phone(town: Town) -> None:
    answer = await send_template(town, url="https://city.example/b/1", client_msg_id="row-1")
    assert (answer["errcode"], answer["errmsg"]) == (0, "ok")
    assert answer["msgid"] > 2**53
    (entry,) = await town.inbox()
    assert entry.pop("id")
    assert entry.pop("at")
    assert entry == {
        "kind": "template",
        "type": "template",
        "content": "预约成功通知\n就诊科室：心内科\n就诊时间：2026年11月24日 08:30",
        "title": "预约成功通知",
        "template_id": BOOKED,
        "fields": LINES,
        "url": "https://city.example/b/1",
        "client_msg_id": "row-1",
        "msgid": str(answer["msgid"]),
    }


async def test_the_same_client_msg_id_is_sent_once_in_ten_minutes(town: Town) -> None:
    first = await send_template(town, client_msg_id="row-1")
    town.clock.passes(seconds=599)
    assert await send_template(town, client_msg_id="row-1") == first
    assert len(await town.inbox()) == 1
    other = await send_template(town, client_msg_id="row-2")
    assert other["msgid"] != first["msgid"]
    town.clock.passes(seconds=1)
    assert (await send_template(town, client_msg_id="row-1"))["msgid"] != first["msgid"]
    assert len(await town.inbox()) == 3


async def test_the_same_client_msg_id_to_someone_else_is_another_message(town: Town) -> None:
    await town.post("/sim/citizens", {"account": "city", "openid": "oOther"})
    first = await send_template(town, client_msg_id="row-1")
    second = await send_template(town, "oOther", client_msg_id="row-1")
    assert first["msgid"] != second["msgid"]
    assert len(await town.inbox("oOther")) == 1


async def test_control_without_an_id_each_send_is_shown(town: Town) -> None:
    assert (await send_template(town))["msgid"] != (await send_template(town))["msgid"]
    assert len(await town.inbox()) == 2


async def test_who_may_get_a_template_message(town: Town) -> None:
    assert (await send_template(town, "oNobody"))["errcode"] == 40003
    await town.post("/sim/citizens", {"account": "city", "openid": "oStranger", "follows": False})
    assert (await send_template(town, "oStranger"))["errcode"] == 43004
    await town.event("unsubscribe")
    assert (await send_template(town))["errcode"] == 43004
    await town.event("subscribe")
    assert (await send_template(town))["errcode"] == 0


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"template_id": "gone"}, 40037, ""),
        ({"template_id": QUEUE}, 40037, ""),
        ({"data": {}}, 40250, ""),
        ({"data": {"thing1": {"value": "心内科"}}}, 47003, "data.time2.value is empty"),
        ({"data": DATA | {"thing1": {"value": ""}}}, 47003, "data.thing1.value is empty"),
        ({"data": DATA | {"thing1": "心内科"}}, 47003, "data.thing1.value"),
        ({"data": DATA | {"thing1": {"value": "长" * 21}}}, 47003, "data.thing1.value invalid"),
        ({"data": DATA | {"time2": {"value": "明天上午"}}}, 47003, "data.time2.value invalid"),
        ({"url": "javascript:alert(1)"}, 40035, "url"),
        ({"client_msg_id": "x" * 129}, 40035, "client_msg_id"),
        ({"miniprogram": {"pagepath": "p"}}, 40013, "miniprogram"),
    ],
)
async def test_a_wrong_template_message_has_its_code(
    town: Town, change: dict[str, Any], code: int, says: str
) -> None:
    answer = await send_template(town, **change)
    assert answer["errcode"] == code
    assert says in answer["errmsg"]
    assert "msgid" not in answer
    assert await town.inbox() == []


async def test_what_no_line_is_for_is_left_out(town: Town) -> None:
    more = {"first": {"value": "您好"}, "remark": {"value": "再见", "color": "#173177"}}
    assert (await send_template(town, data=DATA | more))["errcode"] == 0
    assert (await town.inbox())[0]["fields"] == LINES


async def test_a_mini_program_goes_along(town: Town) -> None:
    program = {"appid": "wxprogram", "pagepath": "pages/index"}
    assert (await send_template(town, miniprogram=program))["errcode"] == 0
    assert (await town.inbox())[0].items() >= program.items()


# --- subscription notifications -----------------------------------------------------------------------------


async def test_one_acceptance_is_one_send(town: Town) -> None:
    assert (await send_subscription(town))["errcode"] == 43101
    await choose(town, queue="accept")
    await choose(town, queue="accept")
    assert await send_subscription(town, page="https://city.example/q") == {"errcode": 0, "errmsg": "ok"}
    assert (await left(town))[QUEUE] == 1
    assert (await send_subscription(town))["errcode"] == 0
    assert (await send_subscription(town))["errcode"] == 43101
    entry = (await town.inbox())[0]
    assert entry.items() >= {"kind": "subscription", "template_id": QUEUE, "fields": LINES}.items()
    assert entry["url"] == "https://city.example/q"
    assert not {"msgid", "client_msg_id"} & set(entry)


async def test_a_long_term_acceptance_is_for_many_sends(town: Town) -> None:
    await choose(town, water="accept")
    assert [(await send_subscription(town, WATER))["errcode"] for _ in range(5)] == [0] * 5
    assert (await left(town))[WATER] is None
    await choose(town, water="reject")
    assert (await send_subscription(town, WATER))["errcode"] == 43101


async def test_a_no_to_the_pop_up_takes_no_credit_away(town: Town) -> None:
    await choose(town, queue="accept", report="reject")
    await choose(town, queue="reject")
    assert await left(town) == {QUEUE: 1, REPORT: 0, WATER: 0}
    answers = await town.get("/sim/credits", account="city", openid=CITIZEN)
    assert [credit["answer"] for credit in answers] == ["reject", "reject", None]


async def test_a_refusal_in_the_management_page_takes_everything(town: Town) -> None:
    await choose(town, queue="accept")
    await choose(town, water="accept")
    body = {"account": "city", "openid": CITIZEN, "templates": [QUEUE, WATER]}
    await town.post("/sim/subscriptions/manage", body)
    assert await left(town) == {QUEUE: 0, REPORT: 0, WATER: 0}
    assert (await send_subscription(town))["errcode"] == 43101


async def test_who_does_not_follow_gets_it_among_the_service_notifications(town: Town) -> None:
    await choose(town, "oStranger", queue="accept")
    assert (await town.get("/sim/citizens", account="city"))[-1]["follows"] is False
    assert (await send_subscription(town, openid="oStranger"))["errcode"] == 0
    (entry,) = await town.inbox("oStranger")
    assert entry["service"] is True


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"touser": "oNobody"}, 40003),
        ({"template_id": BOOKED}, 40037),
        ({"page": "pages/index"}, 41030),
        ({"page": 7}, 41030),
        ({"data": DATA | {"thing1": {"value": "长" * 21}}}, 47003),
    ],
)
async def test_a_wrong_notification_has_its_code_and_costs_nothing(
    town: Town, change: dict[str, Any], code: int
) -> None:
    await choose(town, queue="accept")
    body = {"touser": CITIZEN, "template_id": QUEUE, "data": DATA} | change
    assert (await town.call(SUBSCRIPTION_SEND, body))["errcode"] == code
    assert (await left(town))[QUEUE] == 1


# --- templates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"type": "letter"}, "type"),
        ({"term": "once"}, "term"),
        ({"type": "subscription"}, "once or long"),
        ({"fields": []}, "fields"),
        ({"fields": [{"key": "keyword1", "name": "一"}]}, "thing, number"),
        ({"fields": [{"key": "thing1", "name": "一"}] * 2}, "same key"),
        ({"template_id": ""}, "template_id"),
        ({"account": "atlantis"}, "atlantis"),
        ({"colour": "red"}, "template_id, title, type, fields, term"),
    ],
)
async def test_a_wrong_template_is_refused_in_words(town: Town, change: dict[str, Any], says: str) -> None:
    body = {"account": "city", **TEMPLATES[0]} | change
    assert says in await town.refused("POST", "/sim/templates", json=body)


async def test_templates_come_in_pages(town: Town) -> None:
    first = await town.get("/sim/templates", account="city", limit="3")
    second = await town.get("/sim/templates", account="city", limit="3", after=first[-1]["template_id"])
    assert first + second == [{"account": "city", **template} for template in TEMPLATES]
    assert "gone" in await town.refused("GET", "/sim/templates", params={"account": "city", "after": "gone"})


async def test_templates_and_credits_survive_a_restart(make_town: MakeTown, tmp_path: Path) -> None:
    store = tmp_path / "phones.json"
    town = await stock(await make_town(store=store, rules=Rules(receipt_s=600)))
    await choose(town, queue="accept")
    await choose(town, water="accept")
    await send_template(town)
    before = await town.inbox()
    await restarted(town, store)
    assert await town.get("/sim/templates", account="city") == [
        {"account": "city", **template} for template in TEMPLATES
    ]
    assert await left(town) == {QUEUE: 1, REPORT: 0, WATER: None}
    assert await town.inbox() == before


def test_a_program_hands_templates_over_at_start() -> None:
    fields = (CardField("thing1", "事项"),)
    template = Template("t1", "办理通知", "template", fields)
    city = replace(account("http://127.0.0.1/"), templates=(template,))
    assert index([city])["city"].templates == (template,)
    with pytest.raises(ValueError, match="same id"):
        index([replace(city, templates=(template, template))])
    with pytest.raises(ValueError, match="term"):
        Template("t1", "办理通知", "subscription", fields)


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({}, "1 to 5"),
        ({BOOKED: "accept"}, BOOKED),
        ({QUEUE: "accept", WATER: "accept"}, "together"),
        ({QUEUE: "perhaps"}, "perhaps"),
    ],
)
async def test_a_pop_up_that_could_not_be_is_refused(town: Town, choices: Any, says: str) -> None:
    body = {"account": "city", "openid": CITIZEN, "templates": choices}
    assert says in await town.refused("POST", "/sim/subscriptions", json=body)
    assert town.bot.pushes == []


# --- what a field may hold ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("thing", ["长" * 20, "a\nb"], ["长" * 21]),
        ("number", ["0", "3.14", "1" * 32], ["1" * 33, "一", "-1", "1."]),
        ("letter", ["abc", "A" * 32], ["a1", "A" * 33]),
        ("symbol", ["!?。", "+"], ["a", "!!!!!!"]),
        ("character_string", ["A-12/3", "Z" * 32], ["A号", "Z" * 33]),
        (
            "time",
            ["15:01", "2026年11月24日 15:01", "08:30~09:00", "2026-11-24 08:30"],
            ["25:00", "明天", "1:00~2:00~3:00"],
        ),
        (
            "date",
            ["2026年11月24日", "2026-11-24 08:30", "2026.1.2~2026.1.3"],
            ["2026-02-30", "11月24日", "08:30"],
        ),
        ("amount", ["￥100.50元", "0", "¥1234567890"], ["12345678901", "百元", "#5"]),
        ("phone_number", ["024-12345", "+8613900000000"], ["电话", "1" * 18]),
        ("car_number", ["辽A12345", "粤Z1234澳", "辽AD12345"], ["辽A1234567", "A号码"]),
        ("name", ["王秀英", "Anna Lee", "A" * 20], ["王" * 11, "王1", "A" * 21]),
        ("phrase", ["已预约", "一二三四五"], ["一二三四五六", "OK"]),
        ("enum", ["通过"], ["未通过"]),
    ],
)
async def test_each_type_has_its_limits(town: Town, kind: str, good: list[str], bad: list[str]) -> None:
    field: dict[str, Any] = {"key": f"{kind}7", "name": "一行"}
    listed = {"values": ["通过", "驳回"]} if kind == "enum" else {}
    template = {"account": "city", "template_id": "t7", "title": "题", "type": "template"}
    await town.post("/sim/templates", template | {"fields": [field | listed]})
    for values, expected in ((good, 0), (bad, 47003)):
        for value in values:
            body = {"touser": CITIZEN, "template_id": "t7", "data": {field["key"]: {"value": value}}}
            answer = await town.call(TEMPLATE_SEND, body)
            assert answer["errcode"] == expected, value
