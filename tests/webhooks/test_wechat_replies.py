"""What we say, as WeChat must receive it."""

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy import replies as theirs

from core.chat.cutting import MAX_TEXT_BYTES, cut
from core.chat.events import Event, Kind
from core.chat.replies import Article, Said
from tests.webhooks.wire import GH, NOW, OPENID, clock_at
from webhooks.wechat_replies import render

ANY_TEXT = st.text(st.characters(), max_size=80)  # also control characters and lone surrogates
ILLEGAL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]")


def event(kind: Kind = Kind.TEXT, openid: str = OPENID) -> Event:
    return Event(id="city:0:m:1:1", account="city", openid=openid, kind=kind, at=clock_at().now())


def said(type_: str = "text", **content: Any) -> Said:
    return Said(type=type_, at=NOW, **content)


def xml_of(reply: Said, to: Event | None = None) -> ET.Element:
    return ET.fromstring(render(reply, to or event(), GH))  # noqa: S314 - our own


def content_of(text: str) -> str:
    return xml_of(said(text=text)).findtext("Content") or ""


def cards(count: int) -> tuple[Article, ...]:
    return tuple(Article(title=f"第{number}条", url="https://city.example") for number in range(count))


# --- every type ---


def test_who_answers_whom_and_when_in_seconds() -> None:
    xml = xml_of(said(text="好的"))
    assert [xml.findtext(name) for name in ("ToUserName", "FromUserName", "CreateTime")] == [
        OPENID,
        GH,
        str(NOW),
    ]


REPLIES = {
    "text": (said(text="第一行\n第二行"), {"MsgType": "text", "Content": "第一行\n第二行"}),
    "image": (said("image", media_id="m"), {"MsgType": "image", "Image/MediaId": "m"}),
    "voice": (said("voice", media_id="m"), {"MsgType": "voice", "Voice/MediaId": "m"}),
    "video": (
        said("video", media_id="m", title="t", description="d"),
        {"MsgType": "video", "Video/MediaId": "m", "Video/Title": "t", "Video/Description": "d"},
    ),
    "video alone": (said("video", media_id="m"), {"MsgType": "video", "Video/MediaId": "m"}),
    "music": (
        said("music", thumb_media_id="m", title="t", description="d", url="u", hq_url="h"),
        {
            "MsgType": "music",
            "Music/Title": "t",
            "Music/Description": "d",
            "Music/MusicUrl": "u",
            "Music/HQMusicUrl": "h",
            "Music/ThumbMediaId": "m",
        },
    ),
    "music alone": (said("music", thumb_media_id="m"), {"MsgType": "music", "Music/ThumbMediaId": "m"}),
    "news": (
        said("news", articles=(Article(title="t", description="d", picture="p", url="u"),)),
        {
            "MsgType": "news",
            "ArticleCount": "1",
            "Articles/item/Title": "t",
            "Articles/item/Description": "d",
            "Articles/item/PicUrl": "p",
            "Articles/item/Url": "u",
        },
    ),
    "transfer": (said("transfer_customer_service"), {"MsgType": "transfer_customer_service"}),
    "transfer to one": (
        said("transfer_customer_service", agent="a@gh"),
        {"MsgType": "transfer_customer_service", "TransInfo/KfAccount": "a@gh"},
    ),
}


@pytest.mark.parametrize("name", REPLIES)
def test_every_type_of_reply(name: str) -> None:
    reply, expected = REPLIES[name]
    found: dict[str, str] = {}

    def walk(element: ET.Element, path: str) -> None:
        for child in element:
            walk(child, f"{path}{child.tag}/")
            if not len(child):
                found[f"{path}{child.tag}"] = child.text or ""

    walk(xml_of(reply), "")
    common = {"ToUserName": OPENID, "FromUserName": GH, "CreateTime": str(NOW)}
    assert found == common | expected


@pytest.mark.parametrize("name", [name for name in REPLIES if name != "transfer to one"])
def test_wechatpy_reads_every_type(name: str) -> None:
    reply, expected = REPLIES[name]
    if name == "news":  # of a single card wechatpy reads nothing
        reply = said("news", articles=cards(2))
    parsed = theirs.deserialize_reply(render(reply, event(Kind.CLICK), GH))
    assert (parsed.target, parsed.source, parsed.time, parsed.type) == (
        OPENID,
        GH,
        NOW,
        expected["MsgType"],
    )
    if name == "text":
        assert parsed.content == reply.text
    if name == "news":
        assert [article["title"] for article in parsed.articles] == ["第0条", "第1条"]


@pytest.mark.parametrize(
    "nothing",
    [said(""), said(text=""), said(text=" \n\t"), said(text="\x00\x07"), said("news", articles=())],
)
def test_nothing_to_say_is_silence(nothing: Said) -> None:
    assert render(nothing, event(), GH) == ""


# --- how many cards ---


@pytest.mark.parametrize("kind", list(Kind))
def test_as_many_cards_as_wechat_shows(kind: Kind) -> None:
    one_only = {"text", "image", "voice", "video", "shortvideo", "location", "link"}
    xml = xml_of(said("news", articles=cards(10)), event(kind))
    count = 1 if kind.value in one_only else 8
    assert xml.findtext("ArticleCount") == str(count)
    assert len(xml.findall("Articles/item")) == count


def test_fewer_cards_stay_as_they_are() -> None:
    assert xml_of(said("news", articles=cards(3)), event(Kind.CLICK)).findtext("ArticleCount") == "3"


# --- what may stand in a text ---


@pytest.mark.parametrize(
    "text",
    [
        "]]>",
        "a]]>b]]>]]>c",
        "]]]]>>",
        "</Content><Content>x",
        "<![CDATA[x]]>",
        "&amp; & < > \" '",
        '<a href="https://city.example/?a=1&b=2">看这里</a>',
        "😀👩‍👩‍👧‍👦🇨🇳❤️",
        "龘𠮷",
        "一\t二\n三",
    ],
)
def test_it_arrives_as_it_was_said(text: str) -> None:
    assert content_of(text) == text


@pytest.mark.parametrize(
    ("text", "arrives"),
    [
        ("a\x00b\x08c\x1fd", "abcd"),
        ("a\r\nb\rc", "a\nbc"),
        ("a\ufffe\uffffb", "ab"),
        ("a\ud83db", "ab"),
        ("\ude00\ud83d便", "便"),
        ("]\x00]>", "]]>"),
    ],
)
def test_what_xml_cannot_hold_is_left_out(text: str, arrives: str) -> None:
    assert content_of(text) == arrives


@given(ANY_TEXT)
def test_any_text_arrives_without_its_illegal_characters_and_nothing_else_changes(text: str) -> None:
    legal = ILLEGAL.sub("", text)
    rendered = render(said(text=text), event(), GH)
    assert (content_of(text) if rendered else "") == (legal if legal.strip() else "")


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_no_field_breaks_out_of_its_place(title: str, description: str, url: str) -> None:
    """Words of citizens and staff reach every field; none may add an element."""
    card = Article(title=title, description=description, picture=url, url=url)
    shapes = [
        (said("news", articles=(card,)), 4),
        (said("video", media_id=url, title=f"t{title}", description=f"d{description}"), 3),
        (
            said(
                "music",
                thumb_media_id=url,
                title=f"t{title}",
                description=f"d{description}",
                url=f"u{url}",
                hq_url=f"h{url}",
            ),
            5,
        ),
        (said("transfer_customer_service", agent=f"a{title}"), 1),
        (said("image", media_id=url), 1),
    ]
    for reply, leaves in shapes:
        xml = xml_of(reply, event(Kind.CLICK, openid="o]]>x"))
        inner = [node for node in xml.iter() if not len(node)]
        common = 4 + (reply.type == "news")  # ArticleCount
        assert len(inner) == leaves + common
        assert xml.findtext("ToUserName") == "o]]>x"


# --- 2,047 bytes ---


@pytest.mark.parametrize("size", [2_046, 2_047])
def test_a_text_that_fits_is_not_touched(size: int) -> None:
    assert cut("x" * size) == "x" * size


def test_a_chinese_text_is_cut_between_characters() -> None:
    assert cut("便" * 683) == "便" * 682  # 682 × 3 = 2,046
    assert cut("x" + "便" * 683) == "x" + "便" * 682


@pytest.mark.parametrize(
    "cluster",
    ["👩‍👩‍👧‍👦", "🇨🇳", "👍🏽", "❤️", "e\u0301", "1️⃣", "🏴\U000e0067\U000e0062\U000e007f"],
    ids=["family", "flag", "thumb", "heart", "accent", "keycap", "tagged"],
)
def test_what_looks_like_one_character_stays_whole(cluster: str) -> None:
    for before in range(40):
        whole = "x" * (MAX_TEXT_BYTES - before) + cluster * 40
        kept = cut(whole)[MAX_TEXT_BYTES - before :]
        assert kept == cluster * (before // len(cluster.encode()))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=400, max_size=1_200))
def test_a_cut_text_fits_and_is_the_beginning_of_what_was_said(text: str) -> None:
    short = cut(text)
    assert text.startswith(short)
    assert len(short.encode()) <= MAX_TEXT_BYTES
    if short != text:
        assert len(text.encode()) > MAX_TEXT_BYTES
        assert len(short.encode()) > MAX_TEXT_BYTES - 300  # no more than a long cluster is given up


LINK = '<a href="https://city.example/?a=1">我的预约</a>'


@given(st.integers(0, 80))
def test_a_link_stays_whole_or_goes(missing: int) -> None:
    before = "x" * (MAX_TEXT_BYTES - missing)
    kept = cut(before + LINK + "再见" * 20)[len(before) :]
    if missing < len(LINK.encode()):
        assert kept == ""
    else:
        assert kept.startswith(LINK)


def test_a_link_in_front_of_the_cut_stays() -> None:
    text = LINK + "便" * 800
    assert cut(text).startswith(LINK)
    assert len(cut(text).encode()) > MAX_TEXT_BYTES - 3


def test_a_text_that_is_one_endless_link_is_still_said() -> None:
    assert 2_000 < len(cut('<a href="https://city.example">' + "x" * 3_000).encode()) <= MAX_TEXT_BYTES


def test_accents_without_end_are_cut_all_the_same() -> None:
    assert len(cut("e" + "\u0301" * 3_000).encode()) > 1_900


@given(st.text(st.sampled_from("便]>\U0001f600\x00\n x"), min_size=600, max_size=1_500))
def test_the_limit_counts_what_is_sent_and_not_how_it_is_quoted(text: str) -> None:
    rendered = render(said(text=text), event(), GH)
    arrived = (ET.fromstring(rendered).findtext("Content") or "") if rendered else ""  # noqa: S314 - our own
    assert len(arrived.encode()) <= MAX_TEXT_BYTES
    assert not rendered or text.replace("\x00", "").startswith(arrived)
