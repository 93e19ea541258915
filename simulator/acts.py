"""What a citizen can do: each message of the script API, on the wire and on the phone."""

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from simulator.content import Content
from simulator.refusals import RefusedError
from simulator.windows import Trigger
from simulator.xml import Field

Openid = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}\\Z")]
AccountKey = Annotated[str, Meta(min_length=1, max_length=64)]
Words = Annotated[str, Meta(max_length=2_000)]
Said = Annotated[str, Meta(min_length=1, max_length=6_000)]
Url = Annotated[str, Meta(pattern="^https?://[^\\s]{1,1000}\\Z")]
Media = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,128}\\Z")]

MOST_MSG_ID = 2**63 - 1
DEEPEST = 5
MOST_FIELDS = 200
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_TAKEN = frozenset(
    {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Event", "EventKey", "MsgId", "Encrypt"}
)


class Act(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """One thing a citizen does on the phone."""

    account: AccountKey
    openid: Openid
    msg_id: int | str | None = None
    resign: bool = False

    kind: ClassVar[str] = ""

    def own_fields(self) -> Sequence[Field]:
        """The elements between MsgType and MsgId."""
        raise NotImplementedError

    def shown(self) -> Content | None:
        """The citizen's own bubble, if there is one."""
        raise NotImplementedError

    def triggers(self) -> Sequence[Trigger]:
        """The windows for customer-service messages this opens."""
        return (Trigger.MESSAGE,)

    def numbered(self) -> int | None:
        """The message id the script asked for."""
        if self.msg_id is None:
            return None
        text = str(self.msg_id)
        if not re.fullmatch("[0-9]{1,19}", text) or not 0 < int(text) <= MOST_MSG_ID:
            raise RefusedError(
                f"msg_id: expected a whole number from 1 to {MOST_MSG_ID}, or the same as a string"
            )
        return int(text)


class Text(Act, frozen=True, kw_only=True, tag="text"):
    content: Said
    bizmsgmenuid: Words | None = None
    kind: ClassVar[str] = "text"

    def own_fields(self) -> Sequence[Field]:
        tapped = [] if self.bizmsgmenuid is None else [Field("bizmsgmenuid", self.bizmsgmenuid)]
        return [Field("Content", self.content), *tapped]

    def shown(self) -> Content:
        return Content(type="text", content=self.content)


class Image(Act, frozen=True, kw_only=True, tag="image"):
    pic_url: Url
    media_id: Media | None = None
    kind: ClassVar[str] = "image"

    def own_fields(self) -> Sequence[Field]:
        return [Field("PicUrl", self.pic_url), Field("MediaId", self.media_id or _media_id())]

    def shown(self) -> Content:
        return Content(type="image", pic_url=self.pic_url)


class Voice(Act, frozen=True, kw_only=True, tag="voice"):
    """Without `recognition` the account has speech recognition switched off."""

    recognition: Annotated[str, Meta(max_length=6_000)] | None = None
    media_id: Media | None = None
    format: Literal["amr", "speex"] = "amr"
    kind: ClassVar[str] = "voice"

    def own_fields(self) -> Sequence[Field]:
        heard = [] if self.recognition is None else [Field("Recognition", self.recognition)]
        return [Field("MediaId", self.media_id or _media_id()), Field("Format", self.format), *heard]

    def shown(self) -> Content:
        return Content(type="voice", recognition=self.recognition or "")


class _Film(Act, frozen=True, kw_only=True):
    media_id: Media | None = None
    thumb_media_id: Media | None = None

    def own_fields(self) -> Sequence[Field]:
        thumb = self.thumb_media_id or _media_id()
        return [Field("MediaId", self.media_id or _media_id()), Field("ThumbMediaId", thumb)]

    def shown(self) -> Content:
        return Content(type=self.kind)


class Video(_Film, frozen=True, kw_only=True, tag="video"):
    kind: ClassVar[str] = "video"


class ShortVideo(_Film, frozen=True, kw_only=True, tag="shortvideo"):
    kind: ClassVar[str] = "shortvideo"


class Location(Act, frozen=True, kw_only=True, tag="location"):
    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]
    label: Words = ""
    scale: Annotated[int, Meta(ge=1, le=30)] = 15
    kind: ClassVar[str] = "location"

    def own_fields(self) -> Sequence[Field]:
        return [
            Field("Location_X", f"{self.latitude:.6f}"),  # X is the latitude
            Field("Location_Y", f"{self.longitude:.6f}"),
            Field("Scale", self.scale),
            Field("Label", self.label),
        ]

    def shown(self) -> Content:
        return Content(type="location", latitude=self.latitude, longitude=self.longitude, label=self.label)


class Link(Act, frozen=True, kw_only=True, tag="link"):
    title: Words
    url: Url
    description: Words = ""
    kind: ClassVar[str] = "link"

    def own_fields(self) -> Sequence[Field]:
        return [Field("Title", self.title), Field("Description", self.description), Field("Url", self.url)]

    def shown(self) -> Content:
        return Content(type="link", title=self.title, description=self.description, url=self.url)


class Event(Act, frozen=True, kw_only=True, tag="event"):
    """Anything that is no message: follow, leave, scan, tap, and whatever `fields` describes."""

    event: Annotated[str, Meta(pattern="^[A-Za-z_][A-Za-z0-9_]{0,63}\\Z")]
    event_key: Words | None = None
    fields: dict[str, Any] = {}
    kind: ClassVar[str] = "event"

    @property
    def name(self) -> str:
        """The event in lower case: the platform itself is not consistent."""
        return self.event.lower()

    @property
    def scene(self) -> str:
        """The scene of the QR code that was scanned, if one was."""
        key = self.event_key or ""
        if self.name == "scan":
            return key
        return key.removeprefix("qrscene_") if self.name == "subscribe" and key.startswith("qrscene_") else ""

    def own_fields(self) -> Sequence[Field]:
        key = "" if self.event_key is None and self.name in {"subscribe", "unsubscribe"} else self.event_key
        keyed = [] if key is None else [Field("EventKey", key)]
        ticket = [Field("Ticket", _media_id())] if self.scene and "Ticket" not in self.fields else []
        budget = [MOST_FIELDS]
        return [Field("Event", self.event), *keyed, *ticket, *_nested(self.fields, "fields", DEEPEST, budget)]

    def shown(self) -> None:
        return None

    def triggers(self) -> Sequence[Trigger]:
        if self.name == "subscribe":
            return (Trigger.SUBSCRIBE, Trigger.SCAN) if self.scene else (Trigger.SUBSCRIBE,)
        if self.name == "scan":
            return (Trigger.SCAN,)
        return (Trigger.TAP,) if self.name in {"click", "scancode_push", "scancode_waitmsg"} else ()

    def numbered(self) -> None:
        if self.msg_id is not None:
            raise RefusedError("msg_id: an event has none; allowed with every other type")


AnyAct = Text | Image | Voice | Video | ShortVideo | Location | Link | Event
_KINDS: dict[str, type[Act]] = {
    kind.kind: kind for kind in (Text, Image, Voice, Video, ShortVideo, Location, Link, Event)
}
_decoder: msgspec.json.Decoder[AnyAct] = msgspec.json.Decoder(AnyAct)


def parse(body: bytes) -> AnyAct:
    """The act a script described; raises RefusedError saying what is wrong and what is allowed."""
    try:
        act = _decoder.decode(body)
    except msgspec.ValidationError as wrong:
        raise RefusedError(f"{wrong}{_allowed(body)}") from wrong
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise RefusedError(f"the body is no JSON object: {wrong}") from wrong
    act.numbered()
    if isinstance(act, Event):
        act.own_fields()  # refuses fields that cannot become elements before anything happens
    return act


def _allowed(body: bytes) -> str:
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):  # wrong in more than one way
        raw = None
    if not isinstance(raw, dict):
        return "; expected an object with account, openid, type"
    kind = raw.get("type")
    if not isinstance(kind, str) or kind not in _KINDS:
        return f"; type is one of {', '.join(_KINDS)}"
    fields = _KINDS[kind].__struct_fields__
    return f"; type {kind} has the fields {', '.join(fields)}"


def _nested(values: Mapping[str, Any], where: str, depth: int, budget: list[int]) -> list[Field]:
    if not depth:
        raise RefusedError(f"{where}: nested too deep; {DEEPEST} levels are allowed")
    elements: list[Field] = []
    for name, value in values.items():
        here = f"{where}.{name[:64]}"
        if not _NAME.fullmatch(name) or (depth == DEEPEST and name in _TAKEN):
            raise RefusedError(
                f"{here}: no name for a field; letters, digits and _, none of {', '.join(sorted(_TAKEN))}"
            )
        for one in value if isinstance(value, list) else [value]:  # a list is the element repeated
            budget[0] -= 1
            if budget[0] < 0:
                raise RefusedError(f"{where}: at most {MOST_FIELDS} fields are allowed")
            elements.append(Field(name, _value(one, here, depth, budget)))
    return elements


def _value(value: object, where: str, depth: int, budget: list[int]) -> str | int | list[Field]:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return _nested(value, where, depth - 1, budget)
    raise RefusedError(f"{where}: expected text, a number, an object, or a list of these")


def _media_id() -> str:
    return secrets.token_urlsafe(48)
