"""One push of every kind (wechat-facts 1.5 and 1.6), with the event it must become."""

from dataclasses import dataclass
from typing import Any

from core.chat.events import (
    AccountNotice,
    AgentSession,
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


@dataclass(frozen=True)
class Sample:
    """Fields of a push beyond the common ones, its kind, and what the event says besides."""

    name: str
    fields: dict[str, str]
    kind: Kind
    told: dict[str, Any]


def _message(type_: str, kind: Kind, fields: dict[str, str], **told: Any) -> Sample:
    return Sample(type_, {"MsgType": type_, "MsgId": "24537849347234234"} | fields, kind, told)


def _event(name: str, kind: Kind, fields: dict[str, str], **told: Any) -> Sample:
    return Sample(name, {"MsgType": "event", "Event": name} | fields, kind, told)


def _list(group: str, *items: str) -> dict[str, str]:
    return {group: "".join(f"<List>{item}</List>" for item in items)}


MESSAGES = [
    _message("text", Kind.TEXT, {"Content": "挂心内科"}, text="挂心内科"),
    _message("text", Kind.TEXT, {"Content": ""}, text=""),
    _message(
        "text",
        Kind.TEXT,
        {"Content": "满意", "bizmsgmenuid": "101"},
        text="满意",
        detail=MenuTap(menu_id="101"),
    ),
    _message(
        "text",
        Kind.TEXT,
        {"Content": "读者", "MsgDataId": "2247483672", "Idx": "1"},
        text="读者",
        article="2247483672",
    ),
    _message(
        "image",
        Kind.IMAGE,
        {"PicUrl": "http://mmbiz.qpic.cn/a?b=1&c=2", "MediaId": "m1"},
        media=Media(id="m1", url="http://mmbiz.qpic.cn/a?b=1&c=2"),
    ),
    _message(
        "voice",
        Kind.VOICE,
        {"MediaId": "v1", "Format": "amr", "Recognition": "我要挂号", "MediaId16K": "v16"},
        text="我要挂号",
        media=Media(id="v1", format="amr", id_16k="v16"),
    ),
    _message("voice", Kind.VOICE, {"MediaId": "v1", "Format": "speex"}, media=Media(id="v1", format="speex")),
    _message(
        "video", Kind.VIDEO, {"MediaId": "f1", "ThumbMediaId": "t1"}, media=Media(id="f1", thumb_id="t1")
    ),
    _message(
        "shortvideo",
        Kind.SHORTVIDEO,
        {"MediaId": "f1", "ThumbMediaId": "t1"},
        media=Media(id="f1", thumb_id="t1"),
    ),
    _message(
        "location",
        Kind.LOCATION,
        {"Location_X": "23.134521", "Location_Y": "113.358803", "Scale": "20", "Label": "中山大道"},
        place=Place(latitude=23.134521, longitude=113.358803, scale=20, label="中山大道"),
    ),
    _message(
        "link",
        Kind.LINK,
        {"Title": "公告", "Description": "停水", "Url": "https://city.example/1"},
        key="https://city.example/1",
        detail=LinkInfo(title="公告", description="停水", url="https://city.example/1"),
    ),
    _message(
        "miniprogrampage",
        Kind.MINIPROGRAM,
        {"Title": "小程序", "AppId": "wx1", "PagePath": "pages/index"},
        detail=Raw(
            name="miniprogrampage",
            pairs=(
                ("MsgId", "24537849347234234"),
                ("Title", "小程序"),
                ("AppId", "wx1"),
                ("PagePath", "pages/index"),
            ),
        ),
    ),
    _message(
        "file",
        Kind.FILE,
        {"Title": "体检.pdf", "FileMd5": "abc"},
        detail=Raw(
            name="file",
            pairs=(("MsgId", "24537849347234234"), ("Title", "体检.pdf"), ("FileMd5", "abc")),
        ),
    ),
    _message(
        "hologram",
        Kind.UNKNOWN,
        {"Depth": "3", "Parts": "<P><x>1</x></P><P><x>2</x></P>"},
        detail=Raw(
            name="hologram",
            pairs=(
                ("MsgId", "24537849347234234"),
                ("Depth", "3"),
                ("Parts/P/0/x", "1"),
                ("Parts/P/1/x", "2"),
            ),
        ),
    ),
]

_MD5 = "1b5f7c23b5bf75682a53e7b6d163e185"
_MASS = {
    "MsgID": "1000001625",
    "Status": "send success",
    "TotalCount": "120",
    "FilterCount": "100",
    "SentCount": "98",
    "ErrorCount": "2",
    "CopyrightCheckResult": "<Count>2</Count><ResultList>"
    "<item><ArticleIdx>1</ArticleIdx><AuditState>2</AuditState></item>"
    "<item><ArticleIdx>2</ArticleIdx><AuditState>1</AuditState></item></ResultList><CheckState>2</CheckState>",
    "ArticleUrlResult": "<Count>1</Count><ResultList><item><ArticleIdx>1</ArticleIdx>"
    "<ArticleUrl>http://a.example</ArticleUrl></item></ResultList>",
}

EVENTS = [
    _event("subscribe", Kind.SUBSCRIBE, {"EventKey": ""}),
    _event("subscribe", Kind.SUBSCRIBE, {}),
    _event(
        "subscribe",
        Kind.SUBSCRIBE,
        {"EventKey": "qrscene_123123", "Ticket": "TICKET"},
        key="123123",
        detail=Scan(scene="123123", ticket="TICKET"),
    ),
    _event("unsubscribe", Kind.UNSUBSCRIBE, {"EventKey": ""}),
    _event(
        "SCAN",
        Kind.SCAN,
        {"EventKey": "123123", "Ticket": "TICKET"},
        key="123123",
        detail=Scan(scene="123123", ticket="TICKET"),
    ),
    _event(
        "SCAN",
        Kind.SCAN,
        {"EventKey": "qrscene_odd", "Ticket": "T"},
        key="qrscene_odd",
        detail=Scan(scene="qrscene_odd", ticket="T"),
    ),
    _event(
        "LOCATION",
        Kind.WHEREABOUTS,
        {"Latitude": "23.137466", "Longitude": "113.352425", "Precision": "119.385040"},
        place=Place(latitude=23.137466, longitude=113.352425, precision=119.385040),
    ),
    _event("CLICK", Kind.CLICK, {"EventKey": "HOSPITAL_BOOK"}, key="HOSPITAL_BOOK"),
    _event(
        "VIEW",
        Kind.VIEW,
        {"EventKey": "https://city.example/a?b=1", "MenuId": "77"},
        key="https://city.example/a?b=1",
        detail=MenuTap(menu_id="77"),
    ),
    _event(
        "VIEW",
        Kind.VIEW,
        {"EventKey": "https://city.example", "MenuID": "78"},
        key="https://city.example",
        detail=MenuTap(menu_id="78"),
    ),
    _event(
        "view_miniprogram",
        Kind.VIEW_MINIPROGRAM,
        {"EventKey": "pages/index/index", "MenuId": "79"},
        key="pages/index/index",
        detail=MenuTap(menu_id="79"),
    ),
    *(
        _event(
            name,
            kind,
            {"EventKey": "6", "ScanCodeInfo": "<ScanType>qrcode</ScanType><ScanResult>BUS-1</ScanResult>"},
            key="6",
            detail=Scan(scan_type="qrcode", result="BUS-1"),
        )
        for name, kind in (
            ("scancode_push", Kind.SCANCODE_PUSH),
            ("scancode_waitmsg", Kind.SCANCODE_WAITMSG),
        )
    ),
    *(
        _event(
            name,
            kind,
            {
                "EventKey": "6",
                "SendPicsInfo": "<Count>1</Count><PicList><item>"
                f"<PicMd5Sum>{_MD5}</PicMd5Sum></item></PicList>",
            },
            key="6",
            detail=Pictures(count=1, md5s=(_MD5,)),
        )
        for name, kind in (
            ("pic_sysphoto", Kind.PIC_SYSPHOTO),
            ("pic_photo_or_album", Kind.PIC_PHOTO_OR_ALBUM),
            ("pic_weixin", Kind.PIC_WEIXIN),
        )
    ),
    _event(
        "pic_weixin",
        Kind.PIC_WEIXIN,
        {
            "EventKey": "6",
            "SendPicsInfo": "<Count>2</Count><PicList><item><PicMd5Sum>a</PicMd5Sum></item>"
            "<item><PicMd5Sum>b</PicMd5Sum></item></PicList>",
        },
        key="6",
        detail=Pictures(count=2, md5s=("a", "b")),
    ),
    _event(
        "location_select",
        Kind.LOCATION_SELECT,
        {
            "EventKey": "6",
            "SendLocationInfo": "<Location_X>23</Location_X><Location_Y>113</Location_Y><Scale>15</Scale>"
            "<Label>广州市海珠区</Label><Poiname>市民中心</Poiname>",
        },
        key="6",
        place=Place(latitude=23.0, longitude=113.0, scale=15, label="广州市海珠区", name="市民中心"),
    ),
    *(
        _event(
            "TEMPLATESENDJOBFINISH",
            Kind.TEMPLATE_RECEIPT,
            {"MsgID": "9007199254740993", "Status": status},
            detail=Receipt(message_id="9007199254740993", status=read),
        )
        for status, read in (
            ("success", "success"),
            ("failed:user block", "failed:userblock"),
            ("failed: system failed", "failed:systemfailed"),
        )
    ),
    _event(
        "MASSSENDJOBFINISH",
        Kind.MASS_RECEIPT,
        _MASS,
        detail=Receipt(
            message_id="1000001625",
            status="sendsuccess",
            counts=(("total", 120), ("filter", 100), ("sent", 98), ("error", 2)),
            articles=(
                ("CopyrightCheckResult/Count", "2"),
                ("CopyrightCheckResult/ResultList/item/0/ArticleIdx", "1"),
                ("CopyrightCheckResult/ResultList/item/0/AuditState", "2"),
                ("CopyrightCheckResult/ResultList/item/1/ArticleIdx", "2"),
                ("CopyrightCheckResult/ResultList/item/1/AuditState", "1"),
                ("CopyrightCheckResult/CheckState", "2"),
                ("ArticleUrlResult/Count", "1"),
                ("ArticleUrlResult/ResultList/item/ArticleIdx", "1"),
                ("ArticleUrlResult/ResultList/item/ArticleUrl", "http://a.example"),
            ),
        ),
    ),
    _event(
        "MASSSENDJOBFINISH",
        Kind.MASS_RECEIPT,
        {"MsgID": "1", "Status": "err(10001)"},
        detail=Receipt(message_id="1", status="err(10001)"),
    ),
    _event(
        "subscribe_msg_popup_event",
        Kind.SUBSCRIPTION_POPUP,
        _list(
            "SubscribeMsgPopupEvent",
            "<TemplateId>T1</TemplateId><SubscribeStatusString>accept</SubscribeStatusString>"
            "<PopupScene>2</PopupScene>",
            "<TemplateId>T2</TemplateId><SubscribeStatusString>reject</SubscribeStatusString>"
            "<PopupScene>2</PopupScene>",
        ),
        detail=Subscriptions(
            items=(
                SubscriptionChoice(template_id="T1", accepted=True, scene="2"),
                SubscriptionChoice(template_id="T2", accepted=False, scene="2"),
            )
        ),
    ),
    _event(
        "subscribe_msg_change_event",
        Kind.SUBSCRIPTION_CHANGE,
        _list(
            "SubscribeMsgChangeEvent",
            "<TemplateId>T1</TemplateId><SubscribeStatusString>reject</SubscribeStatusString>",
        ),
        detail=Subscriptions(items=(SubscriptionChoice(template_id="T1", accepted=False),)),
    ),
    _event(
        "subscribe_msg_sent_event",
        Kind.SUBSCRIPTION_RECEIPT,
        _list(
            "SubscribeMsgSentEvent",
            "<TemplateId>T1</TemplateId><MsgID>1864323726461255680</MsgID><ErrorCode>0</ErrorCode>"
            "<ErrorStatus>success</ErrorStatus>",
        ),
        detail=Receipts(
            items=(
                Receipt(message_id="1864323726461255680", status="success", template_id="T1", error_code=0),
            )
        ),
    ),
    _event(
        "user_info_modified",
        Kind.USER_INFO_MODIFIED,
        {"OpenID": "oX", "AppID": "wx1"},
        detail=Revoked(openid="oX", appid="wx1"),
    ),
    _event(
        "user_authorization_revoke",
        Kind.AUTHORIZATION_REVOKED,
        {"OpenID": "oX", "AppID": "wx1", "RevokeInfo": "201,206"},
        detail=Revoked(openid="oX", appid="wx1", info=("201", "206")),
    ),
    *(
        _event(
            f"kf_{change}_session",
            Kind.AGENT_SESSION,
            {"KfAccount": "a@gh"},
            detail=AgentSession(change=change, agent="a@gh"),
        )
        for change in ("create", "close")
    ),
    _event(
        "kf_switch_session",
        Kind.AGENT_SESSION,
        {"FromKfAccount": "a@gh", "ToKfAccount": "b@gh"},
        detail=AgentSession(change="switch", agent="a@gh", to_agent="b@gh"),
    ),
    *(
        _event(
            name,
            Kind.ACCOUNT_NOTICE,
            {"ExpiredTime": "1442401156"},
            detail=AccountNotice(notice=name, at="1442401156"),
        )
        for name in (
            "qualification_verify_success",
            "naming_verify_success",
            "annual_renew",
            "verify_expired",
        )
    ),
    *(
        _event(
            name,
            Kind.ACCOUNT_NOTICE,
            {"FailTime": "1442401122", "FailReason": "by time"},
            detail=AccountNotice(notice=name, at="1442401122", reason="by time"),
        )
        for name in ("qualification_verify_fail", "naming_verify_fail")
    ),
    _event(
        "Teleported",
        Kind.UNKNOWN,
        {"EventKey": "k", "Where": "elsewhere"},
        key="k",
        detail=Raw(name="Teleported", pairs=(("EventKey", "k"), ("Where", "elsewhere"))),
    ),
]

SAMPLES = MESSAGES + EVENTS
