"""Reads what a bot answered to a push, as strictly as the platform does."""

from collections.abc import Callable
from xml.etree import ElementTree as ET

from simulator import xml
from simulator.accounts import Account
from simulator.content import Article, Content
from simulator.envelope import Envelope
from simulator.xml import text_of

MOST_TEXT_BYTES = 2048
MOST_ARTICLES = 8
ONE_ARTICLE_ANSWERS = frozenset({"text", "image", "voice", "video", "shortvideo", "location", "link"})


class BadAnswerError(ValueError):
    """HTTP 200 with something that is no answer: the platform shows its failure text."""


class Reader:
    """Reads the answers to one account's pushes."""

    def __init__(self, account: Account, envelope: Envelope) -> None:
        self._account = account
        self._envelope = envelope

    def read(self, body: bytes, openid: str, asked: str) -> Content | None:
        """The passive reply to a push of the type `asked`; None is the agreed "nothing to say"."""
        if body in {b"", b"success"}:
            return None
        try:
            root = self._clear(xml.read(body))
        except ValueError as wrong:
            raise BadAnswerError(str(wrong)) from wrong
        self._check_addresses(root, openid)
        kind = text_of(root, "MsgType")
        if kind not in BODIES:
            raise BadAnswerError(f"MsgType {kind[:40]!r} is none of {', '.join(BODIES)}")
        if kind == "news":
            return _news(root, 1 if asked in ONE_ARTICLE_ANSWERS else MOST_ARTICLES)
        return BODIES[kind](root)

    def _clear(self, root: ET.Element) -> ET.Element:
        if root.find("Encrypt") is None:
            if self._account.mode == "safe":
                raise BadAnswerError("a clear answer of an account in safe mode")
            return root
        parts = (text_of(root, name) for name in ("Encrypt", "MsgSignature", "TimeStamp", "Nonce"))
        return xml.read(self._envelope.open(*parts))

    def _check_addresses(self, root: ET.Element, openid: str) -> None:
        if text_of(root, "ToUserName") != openid:
            raise BadAnswerError("ToUserName is not the citizen's openid")
        if text_of(root, "FromUserName") != self._account.original_id:
            raise BadAnswerError("FromUserName is not the account's original id")
        if not text_of(root, "CreateTime").isdecimal():
            raise BadAnswerError("CreateTime is no number of seconds")


def _text(root: ET.Element) -> Content:
    content = root.findtext("Content") or ""
    if not content:
        raise BadAnswerError("Content is empty; `success` is the way to say nothing")
    if len(content.encode()) > MOST_TEXT_BYTES:
        raise BadAnswerError(f"Content is longer than {MOST_TEXT_BYTES} bytes")
    return Content(type="text", content=content)


def _image(root: ET.Element) -> Content:
    return Content(type="image", media_id=_needed(root, "Image/MediaId"))


def _voice(root: ET.Element) -> Content:
    return Content(type="voice", media_id=_needed(root, "Voice/MediaId"))


def _video(root: ET.Element) -> Content:
    return Content(
        type="video",
        media_id=_needed(root, "Video/MediaId"),
        title=text_of(root, "Video/Title"),
        description=text_of(root, "Video/Description"),
    )


def _music(root: ET.Element) -> Content:
    return Content(
        type="music",
        thumb_media_id=_needed(root, "Music/ThumbMediaId"),
        title=text_of(root, "Music/Title"),
        description=text_of(root, "Music/Description"),
        musicurl=text_of(root, "Music/MusicUrl"),
        hqmusicurl=text_of(root, "Music/HQMusicUrl"),
    )


def _news(root: ET.Element, most: int = MOST_ARTICLES) -> Content:
    count = text_of(root, "ArticleCount")
    items = root.findall("Articles/item")
    if not count.isdecimal() or len(count) > len("99") or not 1 <= int(count) <= len(items):
        raise BadAnswerError(f"ArticleCount is {count[:20]!r}, with {len(items)} items")
    articles = tuple(
        Article(
            title=text_of(item, "Title"),
            description=text_of(item, "Description"),
            url=text_of(item, "Url"),
            picurl=text_of(item, "PicUrl"),
        )
        for item in items[: min(most, int(count))]  # those over the limit are not delivered
    )
    return Content(type="news", articles=articles)


def _transfer(root: ET.Element) -> Content:
    return Content(type="transfer_customer_service", kf_account=text_of(root, "TransInfo/KfAccount"))


def _needed(root: ET.Element, path: str) -> str:
    value = text_of(root, path)
    if not value:
        raise BadAnswerError(f"{path} is missing")
    return value


BODIES: dict[str, Callable[[ET.Element], Content]] = {
    "text": _text,
    "image": _image,
    "voice": _voice,
    "video": _video,
    "music": _music,
    "news": _news,
    "transfer_customer_service": _transfer,
}
