"""The API about citizens: user/info, QR codes and their scans, uploaded files."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.simulator.conftest import MakeTown
from tests.simulator.notices import event
from tests.simulator.test_memory import restarted
from tests.simulator.town import CITIZEN, Town

PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 100
JPEG = b"\xff\xd8\xff\xe0" + b"j" * 100
MP3 = b"ID3" + b"m" * 100
MP4 = b"\x00\x00\x00\x18ftypmp42" + b"v" * 100
BATCH = "/cgi-bin/user/info/batchget"
SCAN = {"account": "city", "openid": CITIZEN}


async def info(town: Town, openid: str = CITIZEN) -> dict[str, Any]:
    query = {"access_token": await town.token(), "openid": openid, "lang": "zh_CN"}
    answer: dict[str, Any] = await town.get("/cgi-bin/user/info", **query)
    return answer


async def code(town: Town, action: str = "QR_STR_SCENE", **scene: Any) -> dict[str, Any]:
    wish = {"action_name": action, "action_info": {"scene": scene or {"scene_str": "bus-7"}}}
    return await town.call("/cgi-bin/qrcode/create", wish)


async def scan(town: Town, ticket: str) -> dict[str, Any]:
    await town.post("/sim/scans", SCAN | {"ticket": ticket})
    return event(town, town.bot.pushes[-1])


# --- user/info ----------------------------------------------------------------------------------------------


async def test_a_follower_is_told_of(town: Town) -> None:
    await town.post("/sim/citizens", {"account": "city", "openid": CITIZEN, "unionid": "u1"})
    followed = int(town.clock.now.timestamp())
    town.clock.passes(days=1)
    assert await info(town) == {
        "subscribe": 1,
        "openid": CITIZEN,
        "language": "zh_CN",
        "subscribe_time": followed,
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": "ADD_SCENE_SEARCH",
        "qr_scene": 0,
        "qr_scene_str": "",
        "unionid": "u1",
    }


async def test_of_who_does_not_follow_nothing_is_told(town: Town) -> None:
    await town.say("您好")
    await town.event("unsubscribe")
    assert await info(town) == {"subscribe": 0, "openid": CITIZEN}
    assert (await info(town, "oNobody"))["errcode"] == 40003


@pytest.mark.parametrize(("scene", "number", "text"), [("7", 7, ""), ("ward-3", 0, "ward-3")])
async def test_the_scene_of_following_is_told(town: Town, scene: str, number: int, text: str) -> None:
    await town.event("subscribe", f"qrscene_{scene}")
    known = await info(town)
    assert (known["subscribe_scene"], known["qr_scene"], known["qr_scene_str"]) == (
        "ADD_SCENE_QR_CODE",
        number,
        text,
    )
    await town.event("unsubscribe")
    await town.event("subscribe", "")
    assert (await info(town))["subscribe_scene"] == "ADD_SCENE_SEARCH"


async def test_many_are_asked_for_at_once(town: Town) -> None:
    for number in range(3):
        await town.post("/sim/citizens", {"account": "city", "openid": f"o{number}"})
    asked = [{"openid": f"o{number}"} for number in range(3)]
    answer = await town.call(BATCH, {"user_list": asked})
    assert [one["openid"] for one in answer["user_info_list"]] == ["o0", "o1", "o2"]
    assert (await town.call(BATCH, {"user_list": [{"openid": "o0"}] * 101}))["errcode"] == 40032
    assert (await town.call(BATCH, {"user_list": []}))["errcode"] == 40032
    assert (await town.call(BATCH, {"user_list": ["o0"]}))["errcode"] == 47001
    assert (await town.call(BATCH, {"user_list": [{"openid": "oNobody"}]}))["errcode"] == 40003


# --- QR codes -----------------------------------------------------------------------------------------------


async def test_who_scans_follows_first_and_scans_then(town: Town) -> None:
    made = await code(town)
    assert made["expire_seconds"] == 60
    assert made["url"].startswith("http://weixin.qq.com/q/")
    assert await scan(town, made["ticket"]) == {
        "FromUserName": CITIZEN,
        "Event": "subscribe",
        "EventKey": "qrscene_bus-7",
        "Ticket": made["ticket"],
    }
    assert (await scan(town, made["ticket"])).items() >= {"Event": "SCAN", "EventKey": "bus-7"}.items()
    assert await town.send() == 0  # a scan opens a window


async def test_a_code_has_its_time(town: Town) -> None:
    passing, lasting = await code(town), await code(town, "QR_LIMIT_SCENE", scene_id=7)
    assert "expire_seconds" not in lasting
    town.clock.passes(seconds=60)
    refusal = await town.refused("POST", "/sim/scans", json=SCAN | {"ticket": passing["ticket"]})
    assert "expired" in refusal
    town.clock.passes(days=1000)
    assert (await scan(town, lasting["ticket"]))["EventKey"] == "qrscene_7"
    assert "no QR code" in await town.refused("POST", "/sim/scans", json=SCAN | {"ticket": "guessed"})


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"action_name": "QR_ROUND", "action_info": {"scene": {"scene_id": 1}}}, 40052),
        ({"action_info": {"scene": {"scene_id": 1}}}, 40052),
        ({"action_name": "QR_SCENE"}, 40053),
        ({"action_name": "QR_SCENE", "action_info": {"scene": {}}}, 40053),
        ({"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 0}}}, 40053),
        ({"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 2**32}}}, 40053),
        ({"action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_id": 7}}}, 40053),
        ({"action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": "x" * 65}}}, 40053),
        ({"action_name": "QR_LIMIT_SCENE", "action_info": {"scene": {"scene_id": 100_001}}}, 40053),
        (
            {
                "action_name": "QR_SCENE",
                "action_info": {"scene": {"scene_id": 1}},
                "expire_seconds": 2_592_001,
            },
            40053,
        ),
    ],
)
async def test_a_wrong_code_has_its_code(town: Town, body: dict[str, Any], errcode: int) -> None:
    assert (await town.call("/cgi-bin/qrcode/create", body))["errcode"] == errcode


async def test_codes_survive_a_restart(make_town: MakeTown, tmp_path: Path) -> None:
    store = tmp_path / "phones.json"
    town = await make_town(store=store)
    passing, lasting = await code(town), await code(town, "QR_LIMIT_STR_SCENE", scene_str="hall")
    await restarted(town, store)
    assert (await scan(town, passing["ticket"]))["EventKey"] == "qrscene_bus-7"
    assert (await scan(town, lasting["ticket"]))["EventKey"] == "hall"


async def test_the_picture_of_a_code_needs_no_token(town: Town) -> None:
    made = await code(town, scene_str="<b>7</b>")
    async with town.client.get("/cgi-bin/showqrcode", params={"ticket": made["ticket"]}) as response:
        assert (response.status, response.content_type) == (200, "image/svg+xml")
        assert "&lt;b&gt;7&lt;/b&gt;" in await response.text()
    async with town.client.get("/cgi-bin/showqrcode", params={"ticket": "guessed"}) as response:
        assert response.status == 404


# --- media --------------------------------------------------------------------------------------------------


async def upload(town: Town, kind: str, data: bytes, part: str = "media") -> dict[str, Any]:
    form = aiohttp.FormData()
    form.add_field(part, data, filename="file.bin", content_type="application/octet-stream")
    query = {"access_token": await town.token(), "type": kind}
    async with town.client.post("/cgi-bin/media/upload", params=query, data=form) as response:
        assert response.status == 200
        answer: dict[str, Any] = await response.json()
        return answer


async def download(town: Town, media_id: str) -> tuple[str, bytes]:
    query = {"access_token": await town.token(), "media_id": media_id}
    async with town.client.get("/cgi-bin/media/get", params=query) as response:
        return response.content_type, await response.read()


@pytest.mark.parametrize(
    ("kind", "data", "content_type"),
    [("image", PNG, "image/png"), ("image", JPEG, "image/jpeg"), ("voice", MP3, "audio/mpeg")],
)
async def test_a_file_comes_back_for_three_days(
    town: Town, kind: str, data: bytes, content_type: str
) -> None:
    answer = await upload(town, kind, data)
    assert set(answer) == {"type", "media_id", "created_at"}
    town.clock.passes(days=3, seconds=-1)
    assert await download(town, answer["media_id"]) == (content_type, data)
    town.clock.passes(seconds=1)
    kind_of, body = await download(town, answer["media_id"])
    assert kind_of == "application/json"
    assert b"40007" in body


async def test_a_film_comes_back_as_an_address_and_a_thumb_has_another_name(town: Town) -> None:
    film = await upload(town, "video", MP4)
    kind, body = await download(town, film["media_id"])
    assert kind == "application/json"
    address = body.decode().partition('"video_url":"')[2].partition('"')[0]
    async with town.client.get(address.partition("/phone")[1] + address.partition("/phone")[2]) as response:
        assert await response.read() == MP4
    assert set(await upload(town, "thumb", JPEG)) == {"type", "thumb_media_id", "created_at"}


async def test_a_large_file_is_taken(town: Town) -> None:
    large = JPEG + b"x" * (10 * 1024 * 1024 - len(JPEG))
    assert "media_id" in await upload(town, "image", large)
    assert (await upload(town, "image", large + b"x"))["errcode"] == 40006


@pytest.mark.parametrize(
    ("kind", "data", "part", "errcode"),
    [
        ("novel", PNG, "media", 40004),
        ("image", b"GET / HTTP/1.1", "media", 40005),
        ("voice", PNG, "media", 40005),
        ("thumb", PNG, "media", 40005),
        ("thumb", JPEG + b"x" * 65_536, "media", 40006),
        ("image", PNG, "file", 41005),
        ("image", b"", "media", 41005),
    ],
)
async def test_a_wrong_file_has_its_code(town: Town, kind: str, data: bytes, part: str, errcode: int) -> None:
    assert (await upload(town, kind, data, part))["errcode"] == errcode


async def test_what_is_no_form_has_its_code(town: Town) -> None:
    query = {"access_token": await town.token(), "type": "image"}
    async with town.client.post("/cgi-bin/media/upload", params=query, data=PNG) as response:
        assert (await response.json())["errcode"] == 41005
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    async with town.client.post(
        "/cgi-bin/media/upload", params=query, data=b"--y\r\n", headers=broken
    ) as response:
        assert (await response.json())["errcode"] == 41005
