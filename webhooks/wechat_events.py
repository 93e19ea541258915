"""From the fields of a push to one `Event`: every message and event of wechat-facts 1.5 and 1.6."""

import hashlib
import math
import re
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import msgspec

from core.chat.events import (
    AccountNotice,
    AgentSession,
    Detail,
    Event,
    Kind,
    LinkInfo,
    Media,
    MenuTap,
    Pictures,
    Place,
    Raw,
    Receipt,
    Receipts,
    Revoked,
    Scan,
    SubscriptionChoice,
    Subscriptions,
)
from core.clock import CITY_ZONE
from core.seal import Seal
from webhooks.wechat_refusals import FORBIDDEN, PushRefusedError
from webhooks.wechat_xml import Fields, inside, leaves, many, word

_MAX_OPENID = 128
_MAX_TEXT = 2_048  # characters; WeChat's own phones write fewer
_MAX_SECONDS = 10  # digits: up to the year 2286
_MAX_NUMBER = 32
_ID_PART = 64  # longer or unprintable parts of an event id stand there as a digest
_RAW_PAIRS = 64
_RAW_NAME = 128
_RAW_VALUE = 1_024
_MANY = 64  # entries of a list somebody sent us
_QRSCENE = "qrscene_"
_WHOLE = re.compile(r"-?[0-9]{1,18}")

# What the event id and the event itself name already; everything else goes into the id's digest.
_NAMED = frozenset({"ToUserName", "FromUserName", "CreateTime", "MsgType", "Event", "EventKey"})


class _Told(NamedTuple):
    """What a push says beyond who, when and which kind."""

    text: str = ""
    key: str = ""
    place: Place | None = None
    media: Media | None = None
    detail: Detail | None = None


def event_of(fields: Fields, account: str, original_id: str, seal: Seal) -> Event:
    """Make an event of an authentic push; one that names no sender, time or kind is refused.

    Everything else bends: a broken number becomes None, an unknown kind keeps its fields as `Raw` pairs, a
    text is cut.
    """
    if word(fields, "ToUserName") != original_id:
        raise PushRefusedError("addressed to another account: is original_id right?", FORBIDDEN)
    openid, sent = word(fields, "FromUserName"), word(fields, "CreateTime")
    if not (0 < len(openid) <= _MAX_OPENID and openid.isprintable()):
        raise PushRefusedError("no FromUserName")
    if not (sent.isascii() and sent.isdigit() and len(sent) <= _MAX_SECONDS):
        raise PushRefusedError("no CreateTime")
    type_ = word(fields, "MsgType").lower()
    if not type_:
        raise PushRefusedError("no MsgType")
    name = word(fields, "Event").lower() if type_ == "event" else type_
    kind, told = _told(type_, name, fields)
    return Event(
        id=_event_id(seal.conversation(account, openid), sent, type_, name, fields),
        account=account,
        openid=openid,
        kind=kind,
        at=_moment(sent),
        text=told.text[:_MAX_TEXT],
        key=told.key,
        place=told.place,
        media=told.media,
        article=word(fields, "MsgDataId"),
        detail=told.detail,
    )


@lru_cache(maxsize=16)  # in a busy second all messages have the same
def _moment(sent: str) -> datetime:
    return datetime.fromtimestamp(int(sent), CITY_ZONE)


def _told(type_: str, name: str, fields: Fields) -> tuple[Kind, _Told]:
    known = (_EVENTS if type_ == "event" else _MESSAGES).get(name)
    if known is None:
        return Kind.UNKNOWN, _raw(fields)
    kind, tell = known
    return kind, tell(fields)


# --- event ids (design 4) ---


def _event_id(conversation: str, sent: str, type_: str, name: str, fields: Fields) -> str:
    """Name this push for ever; WeChat's repetitions of it get the same name."""
    if type_ != "event" and (message := word(fields, "MsgId")):
        return f"{conversation}:m:{_id_part(message)}:{sent}"
    rest = sorted(pair for pair in leaves(fields) if pair[0] not in _NAMED)
    digest = hashlib.sha256(msgspec.json.encode(rest)).hexdigest()[:16]
    return f"{conversation}:e:{sent}:{_id_part(name)}:{_id_part(word(fields, 'EventKey'))}:{digest}"


def _id_part(part: str) -> str:
    """Keep an id short and printable: a long part (a URL, most often) stands there as `~` and its digest."""
    if len(part) <= _ID_PART and part.isprintable():
        return part
    return f"~{hashlib.sha256(part.encode()).hexdigest()[:32]}"


# --- messages (wechat-facts 1.5) ---


def _text(fields: Fields) -> _Told:
    option = word(fields, "bizmsgmenuid")
    return _Told(text=word(fields, "Content"), detail=MenuTap(menu_id=option) if option else None)


def _image(fields: Fields) -> _Told:
    return _Told(media=Media(id=word(fields, "MediaId"), url=word(fields, "PicUrl")))


def _voice(fields: Fields) -> _Told:
    media = Media(
        id=word(fields, "MediaId"), format=word(fields, "Format"), id_16k=word(fields, "MediaId16K")
    )
    return _Told(text=word(fields, "Recognition"), media=media)


def _video(fields: Fields) -> _Told:
    return _Told(media=Media(id=word(fields, "MediaId"), thumb_id=word(fields, "ThumbMediaId")))


def _location(fields: Fields) -> _Told:
    return _Told(place=_point(fields))


def _link(fields: Fields) -> _Told:
    url = word(fields, "Url")
    info = LinkInfo(title=word(fields, "Title"), description=word(fields, "Description"), url=url)
    return _Told(key=url, detail=info)


def _raw(fields: Fields) -> _Told:
    """Keep a kind nobody documented as what it is, cut to what a log or a table can bear."""
    name = word(fields, "Event") or word(fields, "MsgType")
    pairs = tuple(
        (path[:_RAW_NAME], value[:_RAW_VALUE])
        for path, value in leaves(fields)[:_RAW_PAIRS]
        if path not in _NAMED or path == "EventKey"
    )
    return _Told(key=word(fields, "EventKey"), detail=Raw(name=name[:_RAW_NAME], pairs=pairs))


# --- events (wechat-facts 1.6) ---


def _subscribe(fields: Fields) -> _Told:
    scene = word(fields, "EventKey").removeprefix(_QRSCENE)
    ticket = word(fields, "Ticket")
    return _Told(key=scene, detail=Scan(scene=scene, ticket=ticket) if scene or ticket else None)


def _scan(fields: Fields) -> _Told:
    # A scene may really be called "qrscene_…": only `subscribe` puts the prefix there.
    scene = word(fields, "EventKey")
    return _Told(key=scene, detail=Scan(scene=scene, ticket=word(fields, "Ticket")))


def _key(fields: Fields) -> _Told:
    return _Told(key=word(fields, "EventKey"))


def _view(fields: Fields) -> _Told:
    menu = word(fields, "MenuId") or word(fields, "MenuID")  # WeChat's own pages spell it both ways
    return _Told(key=word(fields, "EventKey"), detail=MenuTap(menu_id=menu) if menu else None)


def _whereabouts(fields: Fields) -> _Told:
    latitude = _degrees(word(fields, "Latitude"), 90)
    longitude = _degrees(word(fields, "Longitude"), 180)
    if latitude is None or longitude is None:
        return _Told()
    precision = _decimal(word(fields, "Precision"))
    return _Told(place=Place(latitude=latitude, longitude=longitude, precision=precision))


def _scancode(fields: Fields) -> _Told:
    read = inside(fields, "ScanCodeInfo")
    scan = Scan(scan_type=word(read, "ScanType"), result=word(read, "ScanResult"))
    return _Told(key=word(fields, "EventKey"), detail=scan)


def _pictures(fields: Fields) -> _Told:
    sent = inside(fields, "SendPicsInfo")
    items = many(inside(sent, "PicList"), "item")
    md5s = tuple(word(item, "PicMd5Sum") for item in items[:_MANY])
    count = _whole(word(sent, "Count"))
    pictures = Pictures(count=len(md5s) if count is None else count, md5s=md5s)
    return _Told(key=word(fields, "EventKey"), detail=pictures)


def _location_select(fields: Fields) -> _Told:
    return _Told(key=word(fields, "EventKey"), place=_point(inside(fields, "SendLocationInfo")))


def _template_receipt(fields: Fields) -> _Told:
    return _Told(detail=_receipt(fields, word(fields, "Status")))


def _mass_receipt(fields: Fields) -> _Told:
    sizes = ((name, _whole(word(fields, f"{name.title()}Count"))) for name in _MASS_COUNTS)
    counts = tuple((name, size) for name, size in sizes if size is not None)
    results: Fields = {name: fields[name] for name in _MASS_RESULTS if name in fields}
    articles = tuple((path, value[:_RAW_VALUE]) for path, value in leaves(results) if value)
    receipt = _receipt(fields, word(fields, "Status"))
    return _Told(detail=msgspec.structs.replace(receipt, counts=counts, articles=articles[:_MASS_PAIRS]))


def _subscription_popup(fields: Fields) -> _Told:
    return _choices(many(inside(fields, "SubscribeMsgPopupEvent"), "List"))


def _subscription_change(fields: Fields) -> _Told:
    return _choices(many(inside(fields, "SubscribeMsgChangeEvent"), "List"))


def _subscription_receipts(fields: Fields) -> _Told:
    sent = many(inside(fields, "SubscribeMsgSentEvent"), "List")[:_MANY]
    return _Told(detail=Receipts(items=tuple(_receipt(item, word(item, "ErrorStatus")) for item in sent)))


def _revoked(fields: Fields) -> _Told:
    info = tuple(re.findall(r"[^\s,;，；|]+", word(fields, "RevokeInfo")))[:_MANY]
    return _Told(detail=Revoked(openid=word(fields, "OpenID"), appid=word(fields, "AppID"), info=info))


def _agent_session(fields: Fields) -> _Told:
    session = AgentSession(
        change=word(fields, "Event").lower().split("_")[1],
        agent=word(fields, "KfAccount") or word(fields, "FromKfAccount"),
        to_agent=word(fields, "ToKfAccount"),
    )
    return _Told(detail=session)


def _account_notice(fields: Fields) -> _Told:
    notice = AccountNotice(
        notice=word(fields, "Event").lower(),
        at=word(fields, "ExpiredTime") or word(fields, "FailTime"),
        reason=word(fields, "FailReason"),
    )
    return _Told(detail=notice)


# --- parts of them ---


def _point(fields: Fields) -> Place | None:
    """Read a spot a citizen sent; X is the latitude (wechat-facts 5.3)."""
    latitude = _degrees(word(fields, "Location_X"), 90)
    longitude = _degrees(word(fields, "Location_Y"), 180)
    if latitude is None or longitude is None:
        return None
    return Place(
        latitude=latitude,
        longitude=longitude,
        label=word(fields, "Label"),
        scale=_whole(word(fields, "Scale")),
        name=word(fields, "Poiname"),
    )


def _choices(answers: list[Fields]) -> _Told:
    items = tuple(
        SubscriptionChoice(
            template_id=word(answer, "TemplateId"),
            accepted=word(answer, "SubscribeStatusString").strip().lower() == "accept",
            scene=word(answer, "PopupScene"),
        )
        for answer in answers[:_MANY]
    )
    return _Told(detail=Subscriptions(items=items))


def _receipt(fields: Fields, status: str) -> Receipt:
    return Receipt(
        message_id=word(fields, "MsgID") or word(fields, "MsgId"),
        status="".join(status.split()),
        template_id=word(fields, "TemplateId"),
        error_code=_whole(word(fields, "ErrorCode")),
    )


def _degrees(number: str, limit: float) -> float | None:
    value = _decimal(number)
    return value if value is not None and abs(value) <= limit else None


def _decimal(number: str) -> float | None:
    try:
        value = float(number) if len(number) <= _MAX_NUMBER else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _whole(number: str) -> int | None:
    return int(number) if _WHOLE.fullmatch(number) else None


_MASS_COUNTS = ("total", "filter", "sent", "error")
_MASS_RESULTS = ("CopyrightCheckResult", "ArticleUrlResult")
_MASS_PAIRS = 256  # eight articles with all their fields are 80

_MESSAGES = {
    "text": (Kind.TEXT, _text),
    "image": (Kind.IMAGE, _image),
    "voice": (Kind.VOICE, _voice),
    "video": (Kind.VIDEO, _video),
    "shortvideo": (Kind.SHORTVIDEO, _video),
    "location": (Kind.LOCATION, _location),
    "link": (Kind.LINK, _link),
    # What these two mean to an official account is unconfirmed: they keep every field they came with.
    "miniprogrampage": (Kind.MINIPROGRAM, _raw),
    "file": (Kind.FILE, _raw),
}

_EVENTS = {
    "subscribe": (Kind.SUBSCRIBE, _subscribe),
    "unsubscribe": (Kind.UNSUBSCRIBE, _key),
    "scan": (Kind.SCAN, _scan),
    "location": (Kind.WHEREABOUTS, _whereabouts),
    "click": (Kind.CLICK, _key),
    "view": (Kind.VIEW, _view),
    "view_miniprogram": (Kind.VIEW_MINIPROGRAM, _view),
    "scancode_push": (Kind.SCANCODE_PUSH, _scancode),
    "scancode_waitmsg": (Kind.SCANCODE_WAITMSG, _scancode),
    "pic_sysphoto": (Kind.PIC_SYSPHOTO, _pictures),
    "pic_photo_or_album": (Kind.PIC_PHOTO_OR_ALBUM, _pictures),
    "pic_weixin": (Kind.PIC_WEIXIN, _pictures),
    "location_select": (Kind.LOCATION_SELECT, _location_select),
    "templatesendjobfinish": (Kind.TEMPLATE_RECEIPT, _template_receipt),
    "masssendjobfinish": (Kind.MASS_RECEIPT, _mass_receipt),
    "subscribe_msg_popup_event": (Kind.SUBSCRIPTION_POPUP, _subscription_popup),
    "subscribe_msg_change_event": (Kind.SUBSCRIPTION_CHANGE, _subscription_change),
    "subscribe_msg_sent_event": (Kind.SUBSCRIPTION_RECEIPT, _subscription_receipts),
    "user_info_modified": (Kind.USER_INFO_MODIFIED, _revoked),
    "user_authorization_revoke": (Kind.AUTHORIZATION_REVOKED, _revoked),
    "kf_create_session": (Kind.AGENT_SESSION, _agent_session),
    "kf_close_session": (Kind.AGENT_SESSION, _agent_session),
    "kf_switch_session": (Kind.AGENT_SESSION, _agent_session),
    "qualification_verify_success": (Kind.ACCOUNT_NOTICE, _account_notice),
    "qualification_verify_fail": (Kind.ACCOUNT_NOTICE, _account_notice),
    "naming_verify_success": (Kind.ACCOUNT_NOTICE, _account_notice),
    "naming_verify_fail": (Kind.ACCOUNT_NOTICE, _account_notice),
    "annual_renew": (Kind.ACCOUNT_NOTICE, _account_notice),
    "verify_expired": (Kind.ACCOUNT_NOTICE, _account_notice),
}
