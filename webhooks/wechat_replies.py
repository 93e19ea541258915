"""From what was said to WeChat's XML: every passive reply of wechat-facts 1.7."""

from collections.abc import Callable

from core.chat.cutting import clean, cut
from core.chat.events import Event, Kind
from core.chat.replies import Article, Said

MAX_ARTICLES = 8

# WeChat shows one card in answer to these, and does not deliver the others (wechat-facts 1.7).
ONE_ARTICLE = frozenset(
    {Kind.TEXT, Kind.IMAGE, Kind.VOICE, Kind.VIDEO, Kind.SHORTVIDEO, Kind.LOCATION, Kind.LINK}
)


def render(said: Said, event: Event, original_id: str) -> str:
    """Return the reply to `event` as clear XML, "" where there is nothing to say.

    An empty text counts as nothing: WeChat would show a failure instead of it.
    """
    if not said.type:
        return ""
    body = _BODIES[said.type](said, event)
    if not body:
        return ""
    return (
        f"<xml><ToUserName>{_cdata(event.openid)}</ToUserName>"
        f"<FromUserName>{_cdata(original_id)}</FromUserName>"
        f"<CreateTime>{said.at}</CreateTime>{body}</xml>"
    )


def _cdata(text: str) -> str:
    """Quote a clean text; `]]>` would end the quotation, so it is shared between two."""
    if "]]>" in text:
        text = text.replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{text}]]>"


def _element(name: str, text: str) -> str:
    return f"<{name}>{_cdata(clean(text))}</{name}>"


def _if_any(name: str, text: str) -> str:
    return _element(name, text) if text else ""


def _text(said: Said, _event: Event) -> str:
    content = cut(clean(said.text))
    if not content.strip():
        return ""
    return f"<MsgType><![CDATA[text]]></MsgType><Content>{_cdata(content)}</Content>"


def _image(said: Said, _event: Event) -> str:
    return f"<MsgType><![CDATA[image]]></MsgType><Image>{_element('MediaId', said.media_id)}</Image>"


def _voice(said: Said, _event: Event) -> str:
    return f"<MsgType><![CDATA[voice]]></MsgType><Voice>{_element('MediaId', said.media_id)}</Voice>"


def _video(said: Said, _event: Event) -> str:
    return (
        f"<MsgType><![CDATA[video]]></MsgType><Video>{_element('MediaId', said.media_id)}"
        f"{_if_any('Title', said.title)}{_if_any('Description', said.description)}</Video>"
    )


def _music(said: Said, _event: Event) -> str:
    return (
        f"<MsgType><![CDATA[music]]></MsgType><Music>{_if_any('Title', said.title)}"
        f"{_if_any('Description', said.description)}{_if_any('MusicUrl', said.url)}"
        f"{_if_any('HQMusicUrl', said.hq_url)}{_element('ThumbMediaId', said.thumb_media_id)}</Music>"
    )


def _news(said: Said, event: Event) -> str:
    shown = said.articles[: 1 if event.kind in ONE_ARTICLE else MAX_ARTICLES]
    if not shown:
        return ""
    return (
        f"<MsgType><![CDATA[news]]></MsgType><ArticleCount>{len(shown)}</ArticleCount>"
        f"<Articles>{''.join(map(_card, shown))}</Articles>"
    )


def _card(article: Article) -> str:
    return (
        f"<item>{_element('Title', article.title)}{_element('Description', article.description)}"
        f"{_element('PicUrl', article.picture)}{_element('Url', article.url)}</item>"
    )


def _transfer(said: Said, _event: Event) -> str:
    desk = f"<TransInfo>{_element('KfAccount', said.agent)}</TransInfo>" if said.agent else ""
    return f"<MsgType><![CDATA[transfer_customer_service]]></MsgType>{desk}"


_BODIES: dict[str, Callable[[Said, Event], str]] = {
    "text": _text,
    "image": _image,
    "voice": _voice,
    "video": _video,
    "music": _music,
    "news": _news,
    "transfer_customer_service": _transfer,
}
