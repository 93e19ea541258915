"""Template messages and subscription notifications arrive as cards, and what does not is told by type."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.clock import ManualClock
from core.delivery.sender import (
    MiniProgram,
    Notice,
    Outcome,
    PerhapsSent,
    Policy,
    Refused,
    Sender,
    Sent,
    SurelyNotSent,
    Unknown,
    Unsendable,
)
from tests.clients.platform import OPENID, TOKEN, Gateway, Instead, Weixin, answers, resets, says

TEMPLATE, SUBSCRIPTION = "message/template/send", "message/subscribe/bizsend"
FIELDS = [{"key": "thing1", "name": "就诊科室"}, {"key": "time2", "name": "就诊时间"}]
BOOKED = Notice("tBooked-1", (("thing1", "心内科 👩‍👩‍👧"), ("time2", "2026年11月24日 08:30")))
QUEUE = replace(BOOKED, template_id="sQueue-1")
BOTH = pytest.mark.parametrize(("notice", "call"), [(BOOKED, TEMPLATE), (QUEUE, SUBSCRIPTION)])


@pytest.fixture
async def sender(weixin: Weixin, gateway: Gateway) -> Sender:
    """Our side, after a citizen has come and said yes to one notification."""
    template = {"account": "city", "title": "预约成功通知", "fields": FIELDS}
    await weixin.acts("/sim/templates", **template, template_id="tBooked-1", type="template")
    await weixin.acts("/sim/templates", **template, template_id="sQueue-1", type="subscription", term="once")
    await weixin.acts("/sim/citizens", account="city", openid=OPENID)
    await weixin.acts("/sim/subscriptions", account="city", openid=OPENID, templates={"sQueue-1": "accept"})
    return gateway.sender(weixin.url)


def send(sender: Sender, notice: Notice, openid: str = OPENID) -> Awaitable[Outcome]:
    way = sender.send_template if notice.template_id == "tBooked-1" else sender.send_subscription
    return way("city", openid, notice)


async def card(weixin: Weixin, kind: str) -> dict[str, Any]:
    (arrived,) = await weixin.phone(kind=kind)
    return arrived


async def test_a_template_message_stands_on_the_phone_under_its_id(sender: Sender, weixin: Weixin) -> None:
    notice = replace(BOOKED, url="https://city.example/b/1?来=信", client_id="row-1")
    outcome = await send(sender, notice)
    shown = await card(weixin, "template")
    assert outcome == Sent(shown["msgid"])
    assert int(shown["msgid"]) > 2**53
    assert [line["value"] for line in shown["fields"]] == ["心内科 👩‍👩‍👧", "2026年11月24日 08:30"]
    assert (shown["url"], shown["client_msg_id"]) == ("https://city.example/b/1?来=信", "row-1")


async def test_a_subscription_notification_costs_the_one_credit_there_is(
    sender: Sender, weixin: Weixin
) -> None:
    assert await send(sender, replace(QUEUE, url="https://city.example/q", client_id="row-1")) == Sent()
    shown = await card(weixin, "subscription")
    assert (shown["url"], shown.get("client_msg_id")) == ("https://city.example/q", None)
    outcome = await send(sender, QUEUE)
    assert isinstance(outcome, Refused)
    assert (outcome.policy, outcome.code) == (Policy.UNWILLING, 43101)


@BOTH
async def test_a_tap_may_open_a_mini_program(
    sender: Sender, weixin: Weixin, notice: Notice, call: str
) -> None:
    assert isinstance(
        await send(sender, replace(notice, program=MiniProgram("wxmini", "pages/b?id=1"))), Sent
    )
    assert weixin.asked(call)[0]["miniprogram"] == {"appid": "wxmini", "pagepath": "pages/b?id=1"}


@BOTH
async def test_what_is_not_given_is_not_sent(
    sender: Sender, weixin: Weixin, notice: Notice, call: str
) -> None:
    await send(sender, notice)
    assert set(weixin.asked(call)[0]) == {"touser", "template_id", "data"}


async def test_the_same_name_of_ours_is_shown_once(sender: Sender, weixin: Weixin) -> None:
    """As the outbox does after an answer that was lost."""
    notice = replace(BOOKED, client_id="row-1")
    assert (
        await send(sender, notice)
        == await send(sender, notice)
        == Sent((await card(weixin, "template"))["msgid"])
    )
    await send(sender, replace(BOOKED, client_id="row-2"))
    assert len(await weixin.phone(kind="template")) == 2


async def test_what_was_sent_before_counts_as_sent_under_its_old_id(sender: Sender, weixin: Weixin) -> None:
    weixin.instead[TEMPLATE] = answers(45065, msg_id=2**53 + 1)
    assert await send(sender, BOOKED) == Sent(str(2**53 + 1))


@BOTH
async def test_characters_wechat_cannot_show_are_left_out(
    sender: Sender, weixin: Weixin, notice: Notice, call: str
) -> None:
    dirty = replace(
        notice, fields=(("thing1", "心\x00内\ud800科"), notice.fields[1]), url="https://x.example/\x1b"
    )
    assert isinstance(await send(sender, dirty), Sent)
    (body,) = weixin.asked(call)
    assert body["data"]["thing1"] == {"value": "心内科"}


@BOTH
@pytest.mark.parametrize("lack", [{"template_id": ""}, {"fields": ()}])
async def test_a_form_with_nothing_in_it_is_told_without_asking_wechat(
    gateway: Gateway, weixin: Weixin, notice: Notice, call: str, lack: dict[str, Any]
) -> None:
    sender = gateway.sender(weixin.url)
    way = sender.send_template if call == TEMPLATE else sender.send_subscription
    kind = "template" if call == TEMPLATE else "subscription"
    assert await way("city", OPENID, replace(notice, **lack)) == Unsendable(kind)
    assert not weixin.calls


@BOTH
async def test_who_is_not_known_and_what_does_not_fit(
    sender: Sender, weixin: Weixin, notice: Notice, call: str
) -> None:
    gone = await send(sender, notice, "oCity-nobody-ever-heard-of-it")
    assert isinstance(gone, Refused)
    assert (gone.policy, gone.code) == (Policy.GONE, 40003)
    unfit = await send(sender, replace(notice, fields=(("thing1", "长" * 21), ("time2", "08:30"))))
    assert isinstance(unfit, Refused)
    assert (unfit.policy, unfit.code) == (Policy.TEMPLATE, 47003)
    assert "thing1" in unfit.words, "the words name the field"


async def test_who_left_gets_no_template_message(sender: Sender, weixin: Weixin) -> None:
    await weixin.leaves()
    outcome = await send(sender, BOOKED)
    assert isinstance(outcome, Refused)
    assert (outcome.policy, outcome.code) == (Policy.GONE, 43004)


@BOTH
@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (answers(-1), PerhapsSent),
        (resets, PerhapsSent),
        (says(502, ""), PerhapsSent),
        (says(200, "<html>"), PerhapsSent),
        (says(404, ""), SurelyNotSent),
        (answers(45009), SurelyNotSent),
        (answers(45011), SurelyNotSent),
        (answers(48001), Refused),
        (answers(43116), Refused),
        (answers(98_765), Unknown),
    ],
)
async def test_trouble_is_told_apart_and_nothing_is_repeated(
    sender: Sender, weixin: Weixin, notice: Notice, call: str, trouble: Instead, outcome: type[Outcome]
) -> None:
    weixin.instead[call] = trouble
    assert isinstance(await send(sender, notice), outcome)
    assert len(weixin.asked(call)) == 1


@BOTH
async def test_after_a_refused_token_it_is_sent_once_more(
    sender: Sender, weixin: Weixin, notice: Notice, call: str
) -> None:
    await sender.send_template("city", "oNobody", BOOKED)  # has a token now
    await weixin.forces_a_token()
    assert isinstance(await send(sender, notice), Sent)
    assert len(weixin.asked(call)) == 2
    weixin.clock.passes(seconds=31)  # WeChat forces no new token earlier
    weixin.instead[call] = answers(42001)
    assert isinstance(await send(sender, notice), SurelyNotSent)
    assert len(weixin.asked(call)) == 4, "and never a third time"


@BOTH
async def test_without_a_token_nothing_was_sent(
    sender: Sender, weixin: Weixin, notice: Notice, call: str
) -> None:
    weixin.instead[TOKEN] = says(502, "")
    assert isinstance(await send(sender, notice), SurelyNotSent)
    assert not weixin.asked(call)


@BOTH
async def test_an_account_that_left_the_settings_sends_nothing(
    sender: Sender, weixin: Weixin, notice: Notice, call: str
) -> None:
    way = sender.send_template if call == TEMPLATE else sender.send_subscription
    outcome = await way("hall", OPENID, notice)
    assert isinstance(outcome, Refused)
    assert outcome.policy is Policy.CONFIGURATION
    assert not weixin.calls


async def test_a_code_nobody_knows_calls_a_person_once_an_hour(
    sender: Sender, weixin: Weixin, our_clock: ManualClock
) -> None:
    alarms: list[tuple[Any, Any]] = []

    async def sends(code: int, way: Callable[..., Awaitable[Outcome]] = sender.send_template) -> None:
        weixin.instead[TEMPLATE] = weixin.instead[SUBSCRIPTION] = answers(code)
        with capture_logs() as lines:
            assert await way("city", OPENID, BOOKED) == Unknown(code, "as the test wants it")
        alarms.extend((line["code"], line["call"]) for line in lines if line["log_level"] == "error")

    for _ in range(3):
        await sends(98_765)
    await sends(98_765, sender.send_subscription)
    await sends(98_766)
    our_clock.move(timedelta(minutes=59))
    await sends(98_765)
    assert alarms == [(98_765, TEMPLATE), (98_766, TEMPLATE)]
    our_clock.move(timedelta(minutes=1))
    await sends(98_765)
    assert alarms[2:] == [(98_765, TEMPLATE)]


@pytest.mark.parametrize("call", [TEMPLATE, TOKEN])
@pytest.mark.parametrize("code", [40013, 40164, 61004, 48001, 50001])
async def test_what_only_a_person_can_put_right_calls_one_and_once_an_hour(
    sender: Sender, weixin: Weixin, our_clock: ManualClock, call: str, code: int
) -> None:
    weixin.instead[call] = answers(code)
    with capture_logs() as lines:
        for _ in range(3):
            await sender.send_template("city", OPENID, BOOKED)
        our_clock.move(timedelta(hours=1))
        await sender.send_template("city", OPENID, BOOKED)
    alarms = [line for line in lines if line["log_level"] == "error"]
    assert [(line["code"], line["call"], line["account"]) for line in alarms] == [(code, call, "city")] * 2


async def test_messages_of_an_account_that_left_the_settings_call_a_person(sender: Sender) -> None:
    with capture_logs() as lines:
        for _ in range(3):
            await sender.send_template("hall", OPENID, BOOKED)
    (alarm,) = [line for line in lines if line["log_level"] == "error"]
    assert "accounts.hall" in alarm["words"]


@pytest.mark.parametrize("code", [40003, 43101, 45009, 45015, 47003, 43116])
async def test_control_what_nobody_needs_to_put_right_calls_nobody(
    sender: Sender, weixin: Weixin, code: int
) -> None:
    weixin.instead[TEMPLATE] = answers(code)
    with capture_logs() as lines:
        await sender.send_template("city", OPENID, BOOKED)
    assert [line["log_level"] for line in lines] == ["warning"]


@BOTH
@pytest.mark.parametrize("code", [0, 43101, 98_765])
async def test_the_log_has_neither_openid_nor_words_nor_token(
    sender: Sender, weixin: Weixin, notice: Notice, call: str, code: int
) -> None:
    weixin.instead[call] = answers(code)
    secret = replace(notice, fields=(("thing1", "王小明"), notice.fields[1]), url="https://x.example/cap-1")
    with capture_logs() as lines:
        await send(sender, secret)
    assert len([line for line in lines if line["log_level"] == "warning"]) == (code != 0)
    for word in (OPENID, "王小明", "cap-1", "access_token"):
        assert word not in str(lines)
