"""What reached us: one frozen event for every push, in our own words."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What sort of thing a citizen (or the platform) sent; the names follow wechat-facts 1.5 and 1.6."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    SHORTVIDEO = "shortvideo"
    LOCATION = "location"
    LINK = "link"
    MINIPROGRAM = "miniprogrampage"
    FILE = "file"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    SCAN = "scan"
    WHEREABOUTS = "whereabouts"  # the LOCATION event: a position report nobody wrote
    CLICK = "click"
    VIEW = "view"
    VIEW_MINIPROGRAM = "view_miniprogram"
    SCANCODE_PUSH = "scancode_push"
    SCANCODE_WAITMSG = "scancode_waitmsg"
    PIC_SYSPHOTO = "pic_sysphoto"
    PIC_PHOTO_OR_ALBUM = "pic_photo_or_album"
    PIC_WEIXIN = "pic_weixin"
    LOCATION_SELECT = "location_select"
    TEMPLATE_RECEIPT = "template_receipt"
    MASS_RECEIPT = "mass_receipt"
    SUBSCRIPTION_POPUP = "subscription_popup"
    SUBSCRIPTION_CHANGE = "subscription_change"
    SUBSCRIPTION_RECEIPT = "subscription_receipt"
    USER_INFO_MODIFIED = "user_info_modified"
    AUTHORIZATION_REVOKED = "authorization_revoked"
    AGENT_SESSION = "agent_session"  # kf_create_session, kf_close_session, kf_switch_session
    ACCOUNT_NOTICE = "account_notice"  # qualification, naming, annual_renew, verify_expired
    UNKNOWN = "unknown"


class _Frozen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The common shape of events and their details."""


class Place(_Frozen, frozen=True, kw_only=True):
    """A point on the earth, WGS-84 or GCJ-02 as WeChat sent it, in degrees."""

    latitude: float
    longitude: float
    label: str = ""
    scale: int | None = None  # map zoom of a location message
    precision: float | None = None  # metres, of a position report
    name: str = ""  # Poiname of location_select


class Media(_Frozen, frozen=True, kw_only=True):
    """A file that lies at WeChat for three days."""

    id: str
    url: str = ""  # PicUrl of an image
    format: str = ""  # amr, speex
    thumb_id: str = ""
    id_16k: str = ""


class MenuTap(_Frozen, frozen=True, kw_only=True, tag_field="detail"):
    """A text that came from an option of a msgmenu, or a VIEW tap's menu id."""

    menu_id: str


class Scan(_Frozen, frozen=True, kw_only=True, tag_field="detail"):
    """A QR code: its scene (without `qrscene_`) and ticket, or what scancode_* read."""

    scene: str = ""
    ticket: str = ""
    scan_type: str = ""
    result: str = ""


class LinkInfo(_Frozen, frozen=True, kw_only=True, tag_field="detail"):
    """A shared article or page."""

    title: str
    description: str
    url: str


class Pictures(_Frozen, frozen=True, kw_only=True, tag_field="detail"):
    """Pictures announced by a menu button; the pictures follow as messages."""

    count: int
    md5s: tuple[str, ...]


class Receipt(_Frozen, frozen=True, kw_only=True, tag_field="detail"):
    """What became of a message we started: template, mass or subscription notice."""

    message_id: str
    status: str  # blanks removed: success, failed:userblock, sendsuccess, err(10001), …
    template_id: str = ""
    error_code: int | None = None
    counts: tuple[tuple[str, int], ...] = ()  # of a mass job: total, filter, sent, error
    articles: tuple[tuple[str, str], ...] = ()  # of a mass job: further (path, value) pairs, bounded


class Receipts(_Frozen, frozen=True, kw_only=True, tag_field="detail"):
    """Several subscription receipts in one push."""

    items: tuple[Receipt, ...]


class SubscriptionChoice(_Frozen, frozen=True, kw_only=True):
    """One template a citizen accepted or refused; `scene` 1 = page, 2 = article, "" = management page."""

    template_id: str
    accepted: bool
    scene: str = ""


class Subscriptions(_Frozen, frozen=True, kw_only=True, tag_field="detail"):
    """The answers of one subscription pop-up or of the management page, in the order sent."""

    items: tuple[SubscriptionChoice, ...]


class Revoked(_Frozen, frozen=True, kw_only=True, tag_field="detail"):
    """What a citizen took back (wechat-facts 1.6: 201 address … 207 media), or whose profile changed."""

    openid: str
    appid: str
    info: tuple[str, ...] = ()


class AgentSession(_Frozen, frozen=True, kw_only=True, tag_field="detail"):
    """A human agent took, left or handed over a chat."""

    change: str  # create | close | switch
    agent: str = ""
    to_agent: str = ""


class AccountNotice(_Frozen, frozen=True, kw_only=True, tag_field="detail"):
    """An operational alarm about the account itself."""

    notice: str
    at: str = ""  # ExpiredTime or FailTime, Unix seconds as sent
    reason: str = ""


class Raw(_Frozen, frozen=True, kw_only=True, tag_field="detail"):
    """A kind nobody knew when this was written: its name and its bounded fields as (path, value) pairs."""

    name: str
    pairs: tuple[tuple[str, str], ...]


Detail = (
    MenuTap
    | Scan
    | LinkInfo
    | Pictures
    | Receipt
    | Receipts
    | Subscriptions
    | Revoked
    | AgentSession
    | AccountNotice
    | Raw
)


class Event(_Frozen, frozen=True, kw_only=True):
    """One inbound thing.

    `id` is unique for ever and starts with the conversation, `<account>:<hash>` (design 4).
    `text` is what was written, or what speech recognition heard, at most 2,048 characters.
    `key` is the menu key, URL, path or scene.
    `at` is CreateTime, aware. `first_seen` of the message is the inbox's business, not ours.
    """

    id: str
    account: str
    openid: str
    kind: Kind
    at: datetime
    text: str = ""
    key: str = ""
    place: Place | None = None
    media: Media | None = None
    article: str = ""  # MsgDataId when a message came out of an article
    detail: Detail | None = None

    @property
    def conversation(self) -> str:
        """The `<account>:<hash>` this event belongs to."""
        return self.id[: self.id.index(":", len(self.account) + 1)]
