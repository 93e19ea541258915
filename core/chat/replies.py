"""What we answer: replies as data, and the same after their words were found."""

from dataclasses import dataclass, field

import msgspec


@dataclass(frozen=True, slots=True)
class Text:
    """A text out of `templates/<template>.txt`: `Text("hospital/booked", booking=booking)`."""

    template: str
    facts: dict[str, object] = field(default_factory=dict)

    def __init__(self, template: str, /, **facts: object) -> None:
        object.__setattr__(self, "template", template)
        object.__setattr__(self, "facts", facts)


@dataclass(frozen=True, slots=True)
class Link:
    """A text that ends in one tappable line: the template's words, then `<a href="url">label</a>`."""

    template: str
    url: str
    label: str
    facts: dict[str, object] = field(default_factory=dict)


class Article(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One card of a news reply; sizes as wechat-facts 1.7."""

    title: str
    description: str = ""
    picture: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """Up to eight cards; one where WeChat shows only one."""

    articles: tuple[Article, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that was uploaded before."""

    media_id: str


@dataclass(frozen=True, slots=True)
class Voice:
    """A recording that was uploaded before."""

    media_id: str


@dataclass(frozen=True, slots=True)
class Video:
    """A film that was uploaded before."""

    media_id: str
    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Music:
    """A piece of music by address."""

    thumb_media_id: str
    url: str = ""
    hq_url: str = ""
    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Hand this chat to WeChat's own human-agent desk; `agent` names one, "" lets the desk choose."""

    agent: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """No reply at all."""


Reply = Text | Link | News | Image | Voice | Video | Music | Transfer | Silence


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reply with its words found: what is stored, sealed, for every attempt, and put on the wire by a door.

    `type` is WeChat's MsgType (text, news, image, …, transfer_customer_service), "" for silence.
    `at` is Unix seconds, the CreateTime all attempts show.
    """

    type: str
    at: int
    text: str = ""
    articles: tuple[Article, ...] = ()
    media_id: str = ""
    thumb_media_id: str = ""
    title: str = ""
    description: str = ""
    url: str = ""
    hq_url: str = ""
    agent: str = ""
