"""What a bubble holds: one shape for everything a phone can show."""

from typing import Any

import msgspec


class Article(msgspec.Struct, frozen=True, gc=False):
    """One card of a news message."""

    title: str = ""
    description: str = ""
    url: str = ""
    picurl: str = ""


class Option(msgspec.Struct, frozen=True, gc=False):
    """One line of an msgmenu that can be tapped."""

    id: str
    content: str


class Row(msgspec.Struct, frozen=True, gc=False):
    """One line of a template's card."""

    key: str
    name: str
    value: str


class Content(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One message; which fields are set depends on `type`. Names are those of WeChat's JSON."""

    type: str
    content: str = ""
    articles: tuple[Article, ...] = ()
    media_id: str = ""
    thumb_media_id: str = ""
    title: str = ""
    description: str = ""
    url: str = ""
    pic_url: str = ""
    recognition: str = ""
    latitude: float | None = None
    longitude: float | None = None
    label: str = ""
    musicurl: str = ""
    hqmusicurl: str = ""
    head_content: str = ""
    options: tuple[Option, ...] = msgspec.field(default=(), name="list")
    tail_content: str = ""
    card_id: str = ""
    article_id: str = ""
    appid: str = ""
    pagepath: str = ""
    kf_account: str = ""
    ai: bool = False
    template_id: str = ""
    fields: tuple[Row, ...] = ()
    client_msg_id: str = ""
    msgid: str = ""  # above 2^53, so no number for a page's script
    service: bool = False  # came to who did not follow: it stands among the service notifications

    @property
    def words(self) -> str:
        """What it says in a few words, whatever its type; "" for what says nothing, as a picture."""
        if self.articles:
            return "\n".join(article.title for article in self.articles)
        if self.fields:
            return "\n".join((self.title, *(f"{row.name}：{row.value}" for row in self.fields)))
        if self.options:
            lines = (self.head_content, *(option.content for option in self.options), self.tail_content)
            return "\n".join(line for line in lines if line)
        return self.content or self.recognition or self.title or self.label

    def as_json(self) -> dict[str, Any]:
        """Plain data for an answer; empty fields are left out, a text always has its `content`."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        plain["type"] = self.type
        if self.type == "text":
            plain.setdefault("content", "")
        return plain
