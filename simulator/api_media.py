"""The calls that bring files to the platform and back."""

from aiohttp import web
from aiohttp.multipart import BodyPartReader

from simulator import media
from simulator.desk import Call, Desk, told
from simulator.refusals import ApiError
from simulator.wechat import WeChat

CHUNK = 64 * 1024


class MediaApi:
    """`media/upload` and `media/get`."""

    def __init__(self, wechat: WeChat, desk: Desk) -> None:
        self._wechat = wechat
        self._desk = desk

    def calls(self) -> list[Call]:
        return [
            Call("POST", "/cgi-bin/media/upload", self.upload),
            Call("GET", "/cgi-bin/media/get", self.get),
        ]

    async def upload(self, request: web.Request) -> web.Response:
        account = self._desk.caller(request)
        kind = request.query.get("type", "")
        data = await _part(request, media.rule_for(kind).most_bytes)
        medium = self._wechat.media.keep(account.key, kind, data)
        name = "thumb_media_id" if kind == "thumb" else "media_id"
        return told({"type": kind, name: medium.media_id, "created_at": int(medium.at)})

    async def get(self, request: web.Request) -> web.Response:
        account = self._desk.caller(request)
        medium = self._wechat.media.find(account.key, request.query.get("media_id", ""))
        if medium.kind == "video":
            here = request.url.origin() / "phone/media" / account.key / medium.media_id
            return told({"video_url": str(here)})
        return web.Response(
            body=medium.data,
            content_type=medium.content_type,
            headers={"Content-Disposition": f'attachment; filename="{medium.media_id}"'},
        )


async def _part(request: web.Request, most: int) -> bytes:
    """What stands in the part named `media`; raises 41005, or 40006 before too much of it is read."""
    if not request.content_type.startswith("multipart/"):
        raise ApiError(41005)
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == "media" and part.filename:
                return await _bounded(part, most)
    except ValueError as wrong:  # no multipart, whatever the header says
        raise ApiError(41005, str(wrong)) from wrong
    raise ApiError(41005, "the part is named media and has a file name")


async def _bounded(part: BodyPartReader, most: int) -> bytes:
    held = bytearray()
    while chunk := await part.read_chunk(CHUNK):
        held += chunk
        if len(held) > most:
            raise ApiError(40006, f"at most {most} bytes")
    return bytes(held)
