"""Files at WeChat: brought there for three days, and fetched from there (wechat-facts 2.8)."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from clients.wechat_call import Answer, Body, Question, WeChatLimitError
from clients.wechat_line import Line

KB, MB = 1024, 1024 * 1024
_MOST_BYTES = 10 * MB
_BOUNDARY_BYTES = 16


class FileKind(StrEnum):
    """What a file is to WeChat; a thumb is the picture in front of a video."""

    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    THUMB = "thumb"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it came back."""

    data: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Film:
    """A video: WeChat tells where it is instead."""

    url: str


class _Uploaded(Answer, frozen=True):
    media_id: str = ""
    thumb_media_id: str = ""

    @property
    def is_whole(self) -> bool:
        return bool(self.media_id or self.thumb_media_id)


class _Instead(Answer, frozen=True):
    video_url: str = ""

    @property
    def is_whole(self) -> bool:
        return bool(self.video_url)


_UPLOAD = Question("media/upload", _Uploaded, patient=True)
_GET = Question("media/get", _Instead, patient=True, most_bytes=_MOST_BYTES)


class Files:
    """Brings and fetches; what WeChat would refuse is a `WeChatLimitError`, and WeChat is not asked."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def upload(self, kind: FileKind, data: bytes) -> str:
        """Bring a file; its id is good for three days, in as many messages as one likes."""
        body = _form(_checked(kind, data), data)
        uploaded = await self._line.send(_UPLOAD, body, {"type": kind.value})
        return uploaded.media_id or uploaded.thumb_media_id

    async def get(self, media_id: str) -> File | Film:
        """Fetch a file, one of ours or of a citizen's message."""
        return await self._line.fetch(_GET, {"media_id": media_id}, _file)


@dataclass(frozen=True, slots=True)
class _Format:
    ending: str
    content_type: str
    fits: Callable[[bytes], bool]


_JPEG = _Format("jpg", "image/jpeg", lambda data: data.startswith(b"\xff\xd8\xff"))
_PNG = _Format("png", "image/png", lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"))
_GIF = _Format("gif", "image/gif", lambda data: data.startswith((b"GIF87a", b"GIF89a")))
_AMR = _Format("amr", "audio/amr", lambda data: data.startswith(b"#!AMR"))
_MP3 = _Format(
    "mp3",
    "audio/mpeg",
    lambda data: data.startswith(b"ID3") or (data[:1] == b"\xff" and data[1:2] >= b"\xe0"),
)
_MP4 = _Format("mp4", "video/mp4", lambda data: data[4:8] == b"ftyp")

_RULES: Mapping[FileKind, tuple[int, tuple[_Format, ...]]] = MappingProxyType(
    {
        FileKind.IMAGE: (_MOST_BYTES, (_JPEG, _PNG, _GIF)),
        FileKind.VOICE: (2 * MB, (_AMR, _MP3)),
        FileKind.VIDEO: (_MOST_BYTES, (_MP4,)),
        FileKind.THUMB: (64 * KB, (_JPEG,)),
    }
)


def _checked(kind: FileKind, data: bytes) -> _Format:
    most, formats = _RULES[kind]
    if len(data) > most:
        raise WeChatLimitError(f"{kind}: {len(data)} bytes, WeChat takes {most}")
    for each in formats:
        if each.fits(data):
            return each
    raise WeChatLimitError(f"{kind}: none of {', '.join(each.ending for each in formats)}")


def _form(shape: _Format, data: bytes) -> Body:
    """The one part WeChat wants, with a name of ours: those of citizens' files are nobody's business."""
    boundary = secrets.token_hex(_BOUNDARY_BYTES)
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="media"; filename="media.{shape.ending}"; '
        f'filelength="{len(data)}"\r\n'
        f"Content-Type: {shape.content_type}\r\n\r\n"
    )
    content = b"".join((head.encode(), data, f"\r\n--{boundary}--\r\n".encode()))
    return Body.file(content, f"multipart/form-data; boundary={boundary}")


def _file(content_type: str, content: bytes) -> File | Film:
    """What came is a file, unless it is words: then it is an address, or a refusal."""
    if not content_type or content_type.startswith(("application/json", "text/")):
        return Film(_GET.read(content).video_url)
    return File(content, content_type)
