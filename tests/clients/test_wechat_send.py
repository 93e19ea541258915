"""What is sent arrives on the phone, and what does not is told by type."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from clients.wechat import WeChatRefusedError
from clients.wechat_custom import body_of
from core.chat.cutting import MAX_TEXT_BYTES
from core.chat.replies import Article, Said
from core.clock import ManualClock
from core.delivery.sender import (
    Choice,
    Choices,
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
from tests.clients.platform import CITY, OPENID, SEND, TOKEN, Gateway, Weixin, answers

CARD = Article(
    title="停诊", description="王医生", picture="https://x.example/1.png", url="https://x.example/"
)
YES_NO = Choices("明天能来吗？", (Choice("101", "能来"), Choice("102", "不能")), "点一下就好")


def text(words: str) -> Said:
    return Said(type="text", at=0, text=words)


@pytest.fixture
async def sender(weixin: Weixin, gateway: Gateway) -> Sender:
    """Our side, after a citizen has written."""
    await weixin.writes()
    return gateway.sender(weixin.url)


async def sent(sender: Sender, said: Said | Choices) -> Outcome:
    return await sender.send("city", OPENID, said)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            text("预约成功：12月1日 08:30\n张医生 👩‍👩‍👧"),
            {"content": "预约成功：12月1日 08:30\n张医生 👩‍👩‍👧"},
        ),
        (
            text('请看 <a href="https://x.example/">这里</a>'),
            {"content": '请看 <a href="https://x.example/">这里</a>'},
        ),
        (text("前\x00\x07\x1b\ud800\r\n后"), {"content": "前\n后"}),
        (Said(type="image", at=0, media_id="m1"), {"media_id": "m1"}),
        (Said(type="voice", at=0, media_id="m2"), {"media_id": "m2"}),
        (
            Said(type="video", at=0, media_id="m3", thumb_media_id="t", title="片", description="短"),
            {"media_id": "m3", "thumb_media_id": "t", "title": "片", "description": "短"},
        ),
        (
            Said(type="music", at=0, thumb_media_id="t", url="https://x.example/a.mp3", title="曲"),
            {"musicurl": "https://x.example/a.mp3", "hqmusicurl": "https://x.example/a.mp3", "title": "曲"},
        ),
        (
            Said(type="news", at=0, articles=(CARD,)),
            {
                "articles": [
                    {
                        "title": "停诊",
                        "description": "王医生",
                        "picurl": "https://x.example/1.png",
                        "url": "https://x.example/",
                    }
                ]
            },
        ),
        (
            Said(type="news", at=0, articles=(CARD, Article(title="无链接"))),
            {"type": "text", "content": '<a href="https://x.example/">停诊</a>\n无链接'},
        ),
        (
            YES_NO,
            {
                "type": "msgmenu",
                "head_content": "明天能来吗？",
                "tail_content": "点一下就好",
                "list": [{"id": "101", "content": "能来"}, {"id": "102", "content": "不能"}],
            },
        ),
    ],
)
async def test_each_kind_of_message_arrives(
    sender: Sender, weixin: Weixin, said: Said | Choices, shown: dict[str, Any]
) -> None:
    assert await sent(sender, said) == Sent()
    (arrived,) = await weixin.phone()
    wanted = shown if isinstance(said, Choices) else {"type": said.type, **shown}
    assert {name: arrived.get(name) for name in wanted} == wanted


async def test_a_long_text_is_cut_between_two_characters(sender: Sender, weixin: Weixin) -> None:
    assert await sent(sender, text("挂" * 2_000)) == Sent()
    (arrived,) = await weixin.phone()
    assert arrived["content"] == "挂" * (MAX_TEXT_BYTES // 3)


@given(words=st.text(st.characters(), min_size=1, max_size=900))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_no_words_whatever_are_more_than_wechat_takes(words: str) -> None:
    body = body_of(text(words * 3), OPENID)
    if body is not None:
        part = body["text"]
        assert isinstance(part, dict)
        assert 0 < len(part["content"].encode()) <= MAX_TEXT_BYTES


@pytest.mark.parametrize(
    "said",
    [
        Said(type="", at=0),
        Said(type="transfer_customer_service", at=0, agent="a@b"),
        Said(type="something new", at=0),
        text(" \n"),
        text("\x00"),
        Said(type="image", at=0),
        Said(type="voice", at=0),
        Said(type="video", at=0),
        Said(type="music", at=0, thumb_media_id="t"),
        Said(type="news", at=0),
    ],
)
async def test_what_is_no_message_is_told_without_asking_wechat(
    sender: Sender, weixin: Weixin, said: Said
) -> None:
    assert await sent(sender, said) == Unsendable(said.type)
    assert not weixin.calls


async def test_a_menu_without_lines_is_no_message(sender: Sender) -> None:
    assert await sent(sender, Choices("问", ())) == Unsendable("msgmenu")


async def refusal(sender: Sender, openid: str = OPENID) -> tuple[Policy, int]:
    outcome = await sender.send("city", openid, text("晚了的回复"))
    assert isinstance(outcome, Refused), outcome
    return outcome.policy, outcome.code


async def test_after_two_days_the_window_is_closed(sender: Sender, weixin: Weixin) -> None:
    weixin.clock.passes(hours=47)
    assert await sent(sender, text("还在")) == Sent()
    weixin.clock.passes(hours=1, seconds=1)
    assert await refusal(sender) == (Policy.WINDOW, 45015)
    await weixin.writes()
    assert await sent(sender, text("又在")) == Sent()


async def test_the_sixth_message_is_one_too_many(sender: Sender) -> None:
    for _ in range(5):
        assert await sent(sender, text("回复")) == Sent()
    assert await refusal(sender) == (Policy.WINDOW, 45047)


async def test_who_left_and_who_never_came(sender: Sender, weixin: Weixin) -> None:
    assert await refusal(sender, "oCity-nobody-ever-heard-of-it") == (Policy.GONE, 40003)
    await weixin.leaves()
    assert await refusal(sender) == (Policy.WINDOW, 45015)  # WeChat says the same of who has left


@pytest.mark.parametrize(
    ("code", "policy"),
    [
        (43004, Policy.GONE),
        (43019, Policy.UNWILLING),
        (48001, Policy.PERMISSION),
        (45002, Policy.CONTENT),
        (61004, Policy.CONFIGURATION),
    ],
)
async def test_other_refusals_have_their_policy(
    sender: Sender, weixin: Weixin, code: int, policy: Policy
) -> None:
    weixin.instead[SEND] = answers(code)
    assert await refusal(sender) == (policy, code)
    assert len(weixin.asked(SEND)) == 1


async def test_a_code_nobody_knows_is_told_as_such(sender: Sender, weixin: Weixin) -> None:
    weixin.instead[SEND] = answers(98_765)
    assert await sent(sender, text("回复")) == Unknown(98_765, "as the test wants it")
    assert len(weixin.asked(SEND)) == 1


async def test_too_many_a_minute_or_a_day_waits_for_the_next(
    sender: Sender, weixin: Weixin, our_clock: ManualClock
) -> None:
    our_clock.set(our_clock.now().replace(hour=22, minute=0, second=0))
    weixin.instead[SEND] = answers(45011)
    minute = await sent(sender, text("回复"))
    weixin.instead[SEND] = answers(45009)
    day = await sent(sender, text("回复"))
    assert isinstance(minute, SurelyNotSent)
    assert isinstance(day, SurelyNotSent)
    assert (minute.retry_after, minute.policy) == (60, Policy.RATE_MINUTE)
    assert (day.retry_after, day.policy) == (timedelta(hours=2, minutes=1).total_seconds(), Policy.RATE_DAY)


async def test_a_busy_platform_may_have_sent_it(sender: Sender, weixin: Weixin) -> None:
    weixin.instead[SEND] = answers(-1)
    assert isinstance(await sent(sender, text("回复")), PerhapsSent)
    assert len(weixin.asked(SEND)) == 1


async def test_what_was_sent_before_counts_as_sent_under_its_old_id(sender: Sender, weixin: Weixin) -> None:
    weixin.instead[SEND] = answers(45065, msg_id=2**53 + 1)
    assert await sent(sender, text("回复")) == Sent(msg_id=str(2**53 + 1))


async def test_an_account_that_left_the_settings_sends_nothing(sender: Sender, weixin: Weixin) -> None:
    outcome = await sender.send("hall", OPENID, text("回复"))
    assert isinstance(outcome, Refused)
    assert outcome.policy is Policy.CONFIGURATION
    assert "accounts.hall" in outcome.words
    assert not weixin.calls


@pytest.mark.parametrize("code", [0, -1, 40001, 43004, 45011])
async def test_the_log_has_neither_openid_nor_words_nor_token(
    weixin: Weixin, gateway: Gateway, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    await weixin.writes()
    weixin.instead[SEND] = answers(code)
    sender = gateway.sender(weixin.url)
    with capture_logs() as lines:
        await sent(sender, text("王小明的化验单"))
    told = str(lines) + "".join(capfd.readouterr())
    assert len(lines) == (code != 0)
    token = await gateway_token(gateway, weixin)
    for secret in (OPENID, "王小明", "right", token):
        assert secret not in told
    if code:
        assert OPENID[-4:] in told


async def test_a_citizen_sees_that_somebody_types(weixin: Weixin, gateway: Gateway) -> None:
    await weixin.writes()
    ours = gateway.wechat(weixin.url)
    await ours.typing(OPENID)
    await ours.typing(OPENID, on=False)
    assert weixin.asked("message/custom/typing") == [
        {"touser": OPENID, "command": "Typing"},
        {"touser": OPENID, "command": "CancelTyping"},
    ]
    with pytest.raises(WeChatRefusedError, match="message/custom/typing: 40003"):
        await ours.typing("oCity-nobody-ever-heard-of-it")


async def gateway_token(gateway: Gateway, weixin: Weixin) -> str:
    """The token WeChat hands out at present."""
    wish = {"grant_type": "client_credential", "appid": CITY.appid, "secret": CITY.secret}
    async with gateway.http.post(f"{weixin.url}/cgi-bin/{TOKEN}", json=wish) as answer:
        return str((await answer.json())["access_token"])
