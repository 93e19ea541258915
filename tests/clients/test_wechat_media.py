"""Files go to WeChat and come back; what WeChat would refuse does not leave us, and no flood comes in."""

import pytest
from aiohttp import web

from clients.wechat import File, FileKind, Film, WeChatGoneError, WeChatLimitError, WeChatRefusedError
from clients.wechat_media import _file
from tests.clients.platform import Gateway, Weixin, answers, says

MB = 1024 * 1024
JPEG, PNG, GIF = b"\xff\xd8\xff\xe0" + b"j" * 50, b"\x89PNG\r\n\x1a\n" + b"p" * 50, b"GIF89a" + b"g" * 50
MP3, AMR, MP4 = b"ID3" + b"m" * 50, b"#!AMR\n" + b"a" * 50, b"\x00\x00\x00\x18ftypmp42" + b"v" * 50
UPLOAD, GET = "media/upload", "media/get"


@pytest.mark.parametrize(
    ("kind", "data", "content_type"),
    [
        (FileKind.IMAGE, JPEG, "image/jpeg"),
        (FileKind.IMAGE, PNG, "image/png"),
        (FileKind.IMAGE, GIF, "image/gif"),
        (FileKind.VOICE, MP3, "audio/mpeg"),
        (FileKind.VOICE, AMR, "audio/amr"),
        (FileKind.THUMB, JPEG, "image/jpeg"),
    ],
)
async def test_a_file_comes_back_as_it_went(
    weixin: Weixin, gateway: Gateway, kind: FileKind, data: bytes, content_type: str
) -> None:
    files = gateway.wechat(weixin.url).files
    assert await files.get(await files.upload(kind, data)) == File(data, content_type)


async def test_a_video_comes_back_as_an_address(weixin: Weixin, gateway: Gateway) -> None:
    files = gateway.wechat(weixin.url).files
    film = await files.get(await files.upload(FileKind.VIDEO, MP4))
    assert isinstance(film, Film)
    async with gateway.http.get(film.url) as answer:
        assert await answer.read() == MP4


async def test_the_largest_there_is_goes_both_ways(weixin: Weixin, gateway: Gateway) -> None:
    files = gateway.wechat(weixin.url).files
    large = JPEG + bytes(10 * MB - len(JPEG))
    assert await files.get(await files.upload(FileKind.IMAGE, large)) == File(large, "image/jpeg")


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        (FileKind.IMAGE, JPEG + bytes(10 * MB - len(JPEG) + 1), "10485761 bytes"),
        (FileKind.VOICE, MP3 + bytes(2 * MB), "bytes"),
        (FileKind.VIDEO, MP4 + bytes(10 * MB), "bytes"),
        (FileKind.THUMB, JPEG + bytes(64 * 1024), "bytes"),
        (FileKind.IMAGE, b"GET / HTTP/1.1", "none of jpg, png, gif"),
        (FileKind.IMAGE, b"", "none of"),
        (FileKind.VOICE, PNG, "none of amr, mp3"),
        (FileKind.VIDEO, MP3, "none of mp4"),
        (FileKind.THUMB, PNG, "none of jpg"),
    ],
)
async def test_what_wechat_would_refuse_does_not_leave_us(
    weixin: Weixin, gateway: Gateway, kind: FileKind, data: bytes, why: str
) -> None:
    with pytest.raises(WeChatLimitError, match=why):
        await gateway.wechat(weixin.url).files.upload(kind, data)
    assert not weixin.wires


async def test_the_part_is_as_wechat_wants_it(weixin: Weixin, gateway: Gateway) -> None:
    bodies: list[bytes] = []

    async def keeps(request: web.Request) -> web.StreamResponse:
        bodies.append(await request.read())
        assert request.content_type == "multipart/form-data"
        assert request.headers["Content-Length"] == str(len(bodies[-1]))
        return web.json_response({"type": "image", "media_id": "m-1", "created_at": 1})

    weixin.instead[UPLOAD] = keeps
    assert await gateway.wechat(weixin.url).files.upload(FileKind.IMAGE, PNG) == "m-1"
    head, _, rest = bodies[0].partition(b"\r\n\r\n")
    assert (
        f'Content-Disposition: form-data; name="media"; filename="media.png"; filelength="{len(PNG)}"'
        in head.decode().splitlines()
    )
    assert rest.startswith(PNG + b"\r\n--")


async def test_a_refused_token_is_replaced_and_the_file_goes_again(weixin: Weixin, gateway: Gateway) -> None:
    ours = gateway.wechat(weixin.url)
    await ours.token()
    await weixin.forces_a_token()
    media_id = await ours.files.upload(FileKind.IMAGE, JPEG + bytes(MB))
    weixin.clock.passes(seconds=31)
    await weixin.forces_a_token()
    assert isinstance(await ours.files.get(media_id), File)


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
async def test_a_refusal_is_no_file_whatever_it_is_called(
    weixin: Weixin, gateway: Gateway, kind: str
) -> None:
    async def refuses(_request: web.Request) -> web.StreamResponse:
        return web.Response(text='{"errcode":40007,"errmsg":"invalid media_id"}', content_type=kind)

    weixin.instead[GET] = refuses
    with pytest.raises(WeChatRefusedError, match="media/get: 40007"):
        await gateway.wechat(weixin.url).files.get("m-1")


def test_what_has_no_name_at_all_is_taken_for_words() -> None:
    with pytest.raises(WeChatRefusedError, match="media/get: 40007"):
        _file("", b'{"errcode":40007,"errmsg":"invalid media_id"}')


@pytest.mark.parametrize("text", ["{}", '{"errcode": 0}', "<html>"])
async def test_words_that_are_neither_are_told(weixin: Weixin, gateway: Gateway, text: str) -> None:
    weixin.instead[GET] = says(200, text)
    with pytest.raises(WeChatGoneError):
        await gateway.wechat(weixin.url).files.get("m-1")


async def test_an_upload_without_an_id_is_told(weixin: Weixin, gateway: Gateway) -> None:
    weixin.instead[UPLOAD] = answers(0)
    with pytest.raises(WeChatGoneError):
        await gateway.wechat(weixin.url).files.upload(FileKind.IMAGE, PNG)
    weixin.instead[UPLOAD] = answers(45009)
    with pytest.raises(WeChatRefusedError, match="media/upload: 45009"):
        await gateway.wechat(weixin.url).files.upload(FileKind.IMAGE, PNG)
