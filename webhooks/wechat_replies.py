"""From what was said to WeChat's XML: every passive reply of wechat-facts 1.7."""

import re
import unicodedata
from collections.abc import Callable
from itertools import takewhile

from core.chat.events import Event, Kind
from core.chat.replies import Article, Said

MAX_TEXT_BYTES = 2_047  # wechat-facts 5.2
MAX_ARTICLES = 8

# WeChat shows one card in answer to these, and does not deliver the others (wechat-facts 1.7).
ONE_ARTICLE = frozenset(
    {Kind.TEXT, Kind.IMAGE, Kind.VOICE, Kind.VIDEO, Kind.SHORTVIDEO, Kind.LOCATION, Kind.LINK}
)

# What XML 1.0 cannot hold, lone surrogates among it; \r goes too, since XML would turn it into \n.
_ILLEGAL = re.compile(r"[^\t\n\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")

_NEVER_LONGER = MAX_TEXT_BYTES // 4  # characters: no text as short as this needs its bytes counted
_LONGEST_CLUSTER = 64  # characters one emoji or accented letter may be made of before we cut through it
_JOINER = "\u200d"  # makes one family out of several people


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


def cut(text: str) -> str:
    """Cut a text to what WeChat takes: never inside a character, and links stay whole or go."""
    if len(text) <= _NEVER_LONGER:
        return text
    encoded = text.encode()
    if len(encoded) <= MAX_TEXT_BYTES:
        return text
    end = len(encoded[:MAX_TEXT_BYTES].decode(errors="ignore"))
    return text[: _before_link(text, end) or _before_cluster(text, end)]


def _before_link(text: str, end: int) -> int:
    """Move the cut in front of an `<a …>…</a>` it would go through; 0 if nothing would be left."""
    link = text.rfind("<a ", 0, end + 2)  # + 2: also one whose first letters end the text
    if link >= 0:
        closed = text.find("</a>", link)
        if closed < 0 or closed + len("</a>") > end:
            return link
    return _before_cluster(text, end)


def _before_cluster(text: str, end: int) -> int:
    """Move the cut in front of what a reader sees as one character: 👩‍👩‍👧, 🇨🇳, é."""
    for earlier in range(end, max(end - _LONGEST_CLUSTER, 0), -1):
        if not _glued(text, earlier):
            return earlier
    return end


def _glued(text: str, at: int) -> bool:
    """Whether the character at `at` belongs to the one before it."""
    here, before = text[at], text[at - 1]
    if _JOINER in (here, before) or "\U0001f3fb" <= here <= "\U0001f3ff":  # the skin tones
        return True
    if unicodedata.category(here) in {"Mn", "Mc", "Me"} or "\U000e0020" <= here <= "\U000e007f":
        return True
    # A flag is two letters: cut only after an even number of them.
    return _is_flag_letter(here) and bool(
        sum(1 for _ in takewhile(_is_flag_letter, reversed(text[max(0, at - _LONGEST_CLUSTER) : at]))) % 2
    )


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _clean(text: str) -> str:
    return _ILLEGAL.sub("", text)


def _cdata(text: str) -> str:
    """Quote a clean text; `]]>` would end the quotation, so it is shared between two."""
    if "]]>" in text:
        text = text.replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{text}]]>"


def _element(name: str, text: str) -> str:
    return f"<{name}>{_cdata(_clean(text))}</{name}>"


def _if_any(name: str, text: str) -> str:
    return _element(name, text) if text else ""


def _text(said: Said, _event: Event) -> str:
    content = cut(_clean(said.text))
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
