"""Reads `message/custom/send`: every msgtype, with the code WeChat gives for each mistake."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from simulator.content import Article, Content, Option
from simulator.payload import Body, inner, needed, read_object, string
from simulator.refusals import ApiError

MOST_TEXT_BYTES = 2048
MOST_OPTIONS = 50


@dataclass(frozen=True, slots=True)
class CustomMessage:
    """A customer-service message on its way to a citizen."""

    touser: str
    content: Content


def parse(body: bytes) -> CustomMessage:
    """The message in a request; raises ApiError as the platform would."""
    plain = read_object(body)
    touser = string(plain, "touser")
    kind = plain.get("msgtype")
    if not isinstance(kind, str) or kind not in BODIES:
        raise ApiError(40008, f"msgtype is one of {', '.join(BODIES)}")
    own = plain.get(kind)
    if not isinstance(own, dict):
        raise ApiError(44004 if kind == "text" else 40035, f"{kind} is missing")
    content = BODIES[kind](own)
    agent = inner(plain, "customservice")
    context = inner(plain, "aimsgcontext")
    marked = msgspec.structs.replace(
        content, kf_account=string(agent, "kf_account"), ai=bool(context.get("is_ai_msg"))
    )
    return CustomMessage(touser, marked)


def _text(body: Body) -> Content:
    content = string(body, "content")
    if not content:
        raise ApiError(44004)
    if len(content.encode()) > MOST_TEXT_BYTES:
        raise ApiError(45002, f"at most {MOST_TEXT_BYTES} bytes")
    return Content(type="text", content=content)


def _image(body: Body) -> Content:
    return Content(type="image", media_id=_media(body))


def _voice(body: Body) -> Content:
    return Content(type="voice", media_id=_media(body))


def _mpnews(body: Body) -> Content:
    return Content(type="mpnews", media_id=_media(body))


def _mpnewsarticle(body: Body) -> Content:
    return Content(type="mpnewsarticle", article_id=needed(body, "article_id"))


def _video(body: Body) -> Content:
    return Content(
        type="video",
        media_id=_media(body),
        thumb_media_id=string(body, "thumb_media_id"),
        title=string(body, "title"),
        description=string(body, "description"),
    )


def _music(body: Body) -> Content:
    return Content(
        type="music",
        title=string(body, "title"),
        description=string(body, "description"),
        musicurl=needed(body, "musicurl"),
        hqmusicurl=needed(body, "hqmusicurl"),
        thumb_media_id=_media(body, "thumb_media_id"),
    )


def _news(body: Body) -> Content:
    articles = body.get("articles")
    if not isinstance(articles, list) or len(articles) != 1 or not isinstance(articles[0], dict):
        raise ApiError(45008, "exactly one article")
    only = articles[0]
    article = Article(
        title=needed(only, "title"),
        description=string(only, "description"),
        url=string(only, "url"),
        picurl=string(only, "picurl"),
    )
    return Content(type="news", articles=(article,))


def _msgmenu(body: Body) -> Content:
    options = body.get("list")
    if not isinstance(options, list) or not 1 <= len(options) <= MOST_OPTIONS:
        raise ApiError(40035, f"msgmenu.list has 1 to {MOST_OPTIONS} options")
    if not all(isinstance(option, dict) for option in options):
        raise ApiError(40035, "an option of msgmenu.list is an object with id and content")
    return Content(
        type="msgmenu",
        head_content=string(body, "head_content"),
        options=tuple(Option(needed(option, "id"), needed(option, "content")) for option in options),
        tail_content=string(body, "tail_content"),
    )


def _wxcard(body: Body) -> Content:
    return Content(type="wxcard", card_id=needed(body, "card_id"))


def _miniprogrampage(body: Body) -> Content:
    return Content(
        type="miniprogrampage",
        title=string(body, "title"),
        appid=needed(body, "appid"),
        pagepath=needed(body, "pagepath"),
        thumb_media_id=_media(body, "thumb_media_id"),
    )


BODIES: dict[str, Callable[[Body], Content]] = {
    "text": _text,
    "image": _image,
    "voice": _voice,
    "video": _video,
    "music": _music,
    "news": _news,
    "mpnews": _mpnews,
    "mpnewsarticle": _mpnewsarticle,
    "msgmenu": _msgmenu,
    "wxcard": _wxcard,
    "miniprogrampage": _miniprogrampage,
}


def _media(body: Body, name: str = "media_id") -> str:
    value = string(body, name)
    if not value:
        raise ApiError(40007, f"{name} is missing")
    return value
