"""QR codes that citizens scan, made in the simulator; what WeChat would refuse does not leave us."""

from datetime import timedelta
from typing import Any

import pytest

from clients.wechat import WeChatGoneError, WeChatLimitError, WeChatRefusedError
from tests.clients.platform import OPENID, Gateway, Weixin, answers, says

CREATE = "qrcode/create"
HOUR, MONTH = timedelta(hours=1), timedelta(days=30)


@pytest.mark.parametrize(
    ("scene", "lasts", "asked"),
    [
        (7, HOUR, {"expire_seconds": 3600, "action_name": "QR_SCENE", "scene": {"scene_id": 7}}),
        (
            "7",
            MONTH,
            {"expire_seconds": 2_592_000, "action_name": "QR_STR_SCENE", "scene": {"scene_str": "7"}},
        ),
        (
            2**32 - 1,
            HOUR,
            {"expire_seconds": 3600, "action_name": "QR_SCENE", "scene": {"scene_id": 2**32 - 1}},
        ),
        (100_000, None, {"action_name": "QR_LIMIT_SCENE", "scene": {"scene_id": 100_000}}),
        ("楼" * 64, None, {"action_name": "QR_LIMIT_STR_SCENE", "scene": {"scene_str": "楼" * 64}}),
    ],
    ids=["number", "text", "largest number", "lasting number", "lasting text"],
)
async def test_each_kind_of_code(
    weixin: Weixin, gateway: Gateway, scene: int | str, lasts: timedelta | None, asked: dict[str, Any]
) -> None:
    codes = gateway.wechat(weixin.url).codes
    made = await (codes.passing(scene, lasts) if lasts else codes.lasting(scene))
    (body,) = weixin.asked(CREATE)
    assert {**body.pop("action_info"), **body} == asked
    assert (made.lasts, bool(made.ticket), made.url.startswith("http")) == (lasts, True, True)


async def test_a_citizen_scans_it_and_others_see_its_picture(weixin: Weixin, gateway: Gateway) -> None:
    ours = gateway.wechat(weixin.url)
    made = await ours.codes.passing("楼栋 3/2", HOUR)
    await weixin.acts("/sim/scans", account="city", openid=OPENID, ticket=made.ticket)
    assert (await ours.users.about(OPENID)).scene == "楼栋 3/2"
    async with gateway.http.get(made.picture) as picture:
        assert (picture.status, picture.content_type.split("/")[0]) == (200, "image")


async def test_a_ticket_is_written_so_that_an_address_holds_it(weixin: Weixin, gateway: Gateway) -> None:
    codes = gateway.wechat(weixin.url).codes
    assert codes.picture("gQ/a+b==&x") == f"{weixin.url}/cgi-bin/showqrcode?ticket=gQ%2Fa%2Bb%3D%3D%26x"


@pytest.mark.parametrize("scene", [0, -1, 2**32, "", "x" * 65], ids=["0", "-1", "2^32", "empty", "65"])
async def test_a_scene_wechat_would_refuse(weixin: Weixin, gateway: Gateway, scene: int | str) -> None:
    codes = gateway.wechat(weixin.url).codes
    with pytest.raises(WeChatLimitError, match="scene"):
        await codes.passing(scene, HOUR)
    with pytest.raises(WeChatLimitError, match="scene"):
        await codes.lasting(scene)
    assert not weixin.wires


async def test_limits_of_codes_that_last_and_of_those_that_pass(weixin: Weixin, gateway: Gateway) -> None:
    codes = gateway.wechat(weixin.url).codes
    with pytest.raises(WeChatLimitError, match="from 1 to 100000"):
        await codes.lasting(100_001)
    for lasts in (timedelta(0), timedelta(seconds=-1), MONTH + timedelta(seconds=1)):
        with pytest.raises(WeChatLimitError, match="lasts"):
            await codes.passing(1, lasts)
    assert not weixin.wires


async def test_a_refusal_and_an_answer_without_a_ticket(weixin: Weixin, gateway: Gateway) -> None:
    codes = gateway.wechat(weixin.url).codes
    weixin.instead[CREATE] = answers(45009)
    with pytest.raises(WeChatRefusedError, match="qrcode/create: 45009"):
        await codes.lasting(1)
    weixin.instead[CREATE] = says(200, '{"errcode": 0, "url": "http://x"}')
    with pytest.raises(WeChatGoneError):
        await codes.lasting(1)
