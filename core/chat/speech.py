"""From a reply as data to what is said: words found, several texts joined into one."""

from collections.abc import Iterable, Sequence
from html import escape

from core.chat.replies import Image, Link, Music, News, Reply, Said, Silence, Text, Transfer, Video, Voice
from core.chat.words import Words


def say(reply: Reply, words: Words, at: int) -> Said:  # noqa: PLR0911 - one line for each kind of reply
    """Find the words of a reply; `at` is its CreateTime in Unix seconds."""
    match reply:
        case Text():
            return Said(type="text", at=at, text=words.render(reply.template, **reply.facts))
        case Link():
            lead = words.render(reply.template, **reply.facts)
            label = reply.label.replace("<", "").replace(">", "")
            return Said(type="text", at=at, text=f'{lead}\n<a href="{escape(reply.url)}">{label}</a>')
        case News():
            return Said(type="news", at=at, articles=reply.articles)
        case Image() | Voice():
            return Said(type=type(reply).__name__.lower(), at=at, media_id=reply.media_id)
        case Video():
            return Said(
                type="video",
                at=at,
                media_id=reply.media_id,
                title=reply.title,
                description=reply.description,
            )
        case Music():
            return Said(
                type="music",
                at=at,
                thumb_media_id=reply.thumb_media_id,
                title=reply.title,
                description=reply.description,
                url=reply.url,
                hq_url=reply.hq_url,
            )
        case Transfer():
            return Said(type="transfer_customer_service", at=at, agent=reply.agent)
        case Silence():
            return Said(type="", at=at)


def join(parts: Sequence[Said], at: int) -> Said:
    """One reply out of several: texts stand under one another; a picture or card comes alone."""
    spoken = [part for part in parts if part.type]
    alone = next((part for part in spoken if part.type != "text"), None)
    if alone is not None:
        return alone
    texts = _texts(spoken)
    return Said(type="text" if texts else "", at=at, text="\n\n".join(texts))


def _texts(parts: Iterable[Said]) -> list[str]:
    return [part.text for part in parts if part.text]
