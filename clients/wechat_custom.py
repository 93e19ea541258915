"""From what was said to the body of a customer-service message (wechat-facts 2.2)."""

from collections.abc import Callable

from core.chat.cutting import clean, cut
from core.chat.replies import Article, Said
from core.delivery.sender import Choices

Part = dict[str, object]


def body_of(said: Said | Choices, openid: str) -> Part | None:
    """The body of `message/custom/send`; None where there is nothing to say, or no such message.

    Such a message holds one card. Several cards become a text with a link for each: none of them is lost.
    """
    kind, part = ("msgmenu", _menu(said)) if isinstance(said, Choices) else _part(said)
    return {"touser": openid, "msgtype": kind, kind: part} if part else None


def _part(said: Said) -> tuple[str, Part | None]:
    if said.type == "news" and len(said.articles) > 1:
        return "text", _text("\n".join(map(_line, said.articles)))
    make = _PARTS.get(said.type)
    return said.type, make(said) if make else None


def _text(words: str) -> Part | None:
    content = cut(clean(words))
    return {"content": content} if content.strip() else None


def _media(said: Said) -> Part | None:
    return {"media_id": said.media_id} if said.media_id else None


def _video(said: Said) -> Part | None:
    if not said.media_id:
        return None
    return {"media_id": said.media_id, "thumb_media_id": said.thumb_media_id, **_headings(said)}


def _music(said: Said) -> Part | None:
    url, hq_url = said.url or said.hq_url, said.hq_url or said.url  # WeChat wants both
    if not url:
        return None
    return {**_headings(said), "musicurl": url, "hqmusicurl": hq_url, "thumb_media_id": said.thumb_media_id}


def _headings(said: Said) -> Part:
    return {"title": clean(said.title), "description": clean(said.description)}


def _news(said: Said) -> Part | None:
    if not said.articles:
        return None
    only = said.articles[0]
    card = {
        "title": clean(only.title),
        "description": clean(only.description),
        "url": clean(only.url),
        "picurl": clean(only.picture),
    }
    return {"articles": [card]}


def _line(article: Article) -> str:
    return f'<a href="{article.url}">{article.title}</a>' if article.url else article.title


def _menu(said: Choices) -> Part | None:
    if not said.choices:
        return None
    return {
        "head_content": cut(clean(said.head)),
        "list": [{"id": choice.id, "content": clean(choice.words)} for choice in said.choices],
        "tail_content": cut(clean(said.tail)),
    }


_PARTS: dict[str, Callable[[Said], Part | None]] = {
    "text": lambda said: _text(said.text),
    "image": _media,
    "voice": _media,
    "video": _video,
    "music": _music,
    "news": _news,
}
