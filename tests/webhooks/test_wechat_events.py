"""Every push of WeChat becomes one event, in our own words."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy import parse_message

from core.chat.events import Event, Kind, Pictures, Raw, Scan
from core.clock import CITY_ZONE
from tests.webhooks.samples import EVENTS, MESSAGES, SAMPLES, Sample
from tests.webhooks.wire import GH, NOW, OPENID, SEAL, TEXT, push
from webhooks.wechat_events import event_of
from webhooks.wechat_refusals import PushRefusedError
from webhooks.wechat_xml import leaves, parse

CONVERSATION = SEAL.conversation("city", OPENID)


def read(xml: str) -> Event:
    return event_of(parse(xml.encode()), "city", GH, SEAL)


def names(samples: list[Sample]) -> list[str]:
    return [sample.name for sample in samples]


@pytest.mark.parametrize("sample", SAMPLES, ids=names(SAMPLES))
def test_every_push_says_what_it_should(sample: Sample) -> None:
    event = read(push(**sample.fields))
    expected = Event(
        id=event.id,
        account="city",
        openid=OPENID,
        kind=sample.kind,
        at=datetime.fromtimestamp(NOW, CITY_ZONE),
        **sample.told,
    )
    assert event == expected
    assert event.conversation == CONVERSATION


def test_the_samples_leave_no_kind_out() -> None:
    assert {sample.kind for sample in SAMPLES} == set(Kind)


@pytest.mark.parametrize("sample", SAMPLES, ids=names(SAMPLES))
def test_an_event_survives_being_stored(sample: Sample) -> None:
    event = read(push(**sample.fields))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=Event) == event


@pytest.mark.parametrize("sample", EVENTS, ids=names(EVENTS))
@pytest.mark.parametrize("spell", [str.upper, str.lower, str.title])
def test_an_events_name_is_read_in_any_case(sample: Sample, spell: Any) -> None:
    event = read(push(**sample.fields | {"Event": spell(sample.fields["Event"])}))
    usual = read(push(**sample.fields))
    assert event.kind is usual.kind
    assert event.id == usual.id


@pytest.mark.parametrize("sample", MESSAGES, ids=names(MESSAGES))
def test_wechatpy_reads_the_same_sender_time_and_id(sample: Sample) -> None:
    xml = push(**sample.fields)
    theirs, ours = parse_message(xml), read(xml)
    assert theirs.source == ours.openid
    assert ours.id == f"{CONVERSATION}:m:{theirs.id}:{NOW}"
    assert theirs.create_time.timestamp() == ours.at.timestamp() or theirs.create_time.tzinfo is None


# --- event ids (design 4) ---


def test_a_messages_id() -> None:
    assert read(TEXT).id == f"{CONVERSATION}:m:24537849347234234:{NOW}"


def test_an_events_id_digests_what_it_does_not_name() -> None:
    xml = push(MsgType="event", Event="SCAN", EventKey="12", Ticket="T")
    digest = hashlib.sha256(b'[["Ticket","T"]]').hexdigest()[:16]
    assert read(xml).id == f"{CONVERSATION}:e:{NOW}:scan:12:{digest}"


def test_two_events_of_one_second_have_two_ids() -> None:
    sent = [
        push(MsgType="event", Event="TEMPLATESENDJOBFINISH", MsgID=number, Status="success")
        for number in "12"
    ]
    assert len({read(xml).id for xml in sent}) == 2


def test_the_order_of_fields_does_not_change_an_id() -> None:
    one = push(MsgType="event", Event="VIEW", EventKey="u", MenuId="1", Extra="2")
    two = push(MsgType="event", Event="VIEW", EventKey="u", Extra="2", MenuId="1")
    assert read(one).id == read(two).id


def test_one_message_to_two_accounts_has_two_ids() -> None:
    fields = parse(TEXT.encode())
    assert event_of(fields, "city", GH, SEAL).id != event_of(fields, "county", GH, SEAL).id


def test_the_openid_stands_in_no_id() -> None:
    assert all(OPENID not in read(push(**sample.fields)).id for sample in SAMPLES)


def test_a_long_event_key_stands_in_the_id_as_its_digest() -> None:
    url = "https://city.example/" + "a" * 200
    event = read(push(MsgType="event", Event="VIEW", EventKey=url))
    assert event.key == url
    assert f":view:~{hashlib.sha256(url.encode()).hexdigest()[:32]}:" in event.id
    assert len(event.id) < 200


def test_a_message_without_an_id_still_gets_a_stable_one() -> None:
    xml = push(MsgType="text", Content="喂")
    assert read(xml).id == read(xml).id
    assert read(xml).id.startswith(f"{CONVERSATION}:e:{NOW}:text::")
    assert read(xml).id != read(push(MsgType="text", Content="喂喂")).id


# --- what bends and what breaks ---


@pytest.mark.parametrize("missing", ["FromUserName", "CreateTime", "MsgType", "ToUserName"])
def test_a_push_without_its_basic_fields_is_refused(missing: str) -> None:
    fields = parse(TEXT.encode())
    del fields[missing]
    with pytest.raises(PushRefusedError):
        event_of(fields, "city", GH, SEAL)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CreateTime", "soon"),
        ("CreateTime", "-1"),
        ("CreateTime", "99999999999"),
        ("CreateTime", "１７１４"),
        ("CreateTime", ""),
        ("FromUserName", ""),
        ("FromUserName", "o" * 129),
        ("FromUserName", "o\n2"),
        ("ToUserName", "gh_somebody"),
    ],
)
def test_a_push_with_a_broken_basic_field_is_refused(name: str, value: str) -> None:
    fields = parse(TEXT.encode()) | {name: value}
    with pytest.raises(PushRefusedError):
        event_of(fields, "city", GH, SEAL)


@pytest.mark.parametrize("number", ["", "north", "nan", "inf", "1e999", "91", "-91", "1" * 100])
def test_a_broken_position_is_no_position(number: str) -> None:
    sent = push(MsgType="location", MsgId="1", Location_X=number, Location_Y="113")
    reported = push(MsgType="event", Event="LOCATION", Latitude=number, Longitude="113")
    chosen = push(
        MsgType="event",
        Event="location_select",
        SendLocationInfo=f"<Location_X>{number}</Location_X><Location_Y>113</Location_Y>",
    )
    assert [read(xml).place for xml in (sent, reported, chosen)] == [None, None, None]
    assert read(sent).kind is Kind.LOCATION


@pytest.mark.parametrize("precision", ["", "near", "nan", "inf", "-inf", "1e999"])
def test_a_broken_precision_leaves_the_position(precision: str) -> None:
    xml = push(MsgType="event", Event="LOCATION", Latitude="23", Longitude="113", Precision=precision)
    place = read(xml).place
    assert place is not None
    assert (place.latitude, place.precision) == (23.0, None)


def test_x_is_the_latitude() -> None:
    place = read(push(MsgType="location", MsgId="1", Location_X="30.5", Location_Y="114.3")).place
    assert place is not None
    assert (place.latitude, place.longitude) == (30.5, 114.3)


def test_broken_counts_fall_back() -> None:
    fields = {"MsgType": "event", "Event": "pic_weixin", "EventKey": "k"}
    lists = "<PicList><item><PicMd5Sum>a</PicMd5Sum></item></PicList>"
    event = read(push(**fields, SendPicsInfo=f"<Count>many</Count>{lists}"))
    assert event.detail == Pictures(count=1, md5s=("a",))
    assert read(push(**fields)).detail == Pictures(count=0, md5s=())


def test_an_event_with_its_details_missing_is_still_that_event() -> None:
    for sample in EVENTS:
        bare = read(push(MsgType="event", Event=sample.fields["Event"]))
        assert bare.kind is sample.kind
    assert read(push(MsgType="event", Event="scancode_push")).detail == Scan()


@pytest.mark.parametrize(("kind", "field"), [("text", "Content"), ("voice", "Recognition")])
def test_a_text_of_twenty_thousand_characters_went_through_whole(kind: str, field: str) -> None:
    assert len(read(push(MsgType=kind, MsgId="1", **{field: "吧" * 20_000})).text) == 2_048


def test_an_event_without_a_name_is_unknown() -> None:
    assert read(push(MsgType="event")).kind is Kind.UNKNOWN


def test_an_unknown_kind_keeps_a_bounded_part_of_its_fields() -> None:
    many = {f"Field{number}": "x" * 5_000 for number in range(200)}
    detail = read(push(MsgType="n" * 500, MsgId="1", **many)).detail
    assert isinstance(detail, Raw)
    assert len(detail.pairs) <= 64
    assert all(len(path) <= 128 and len(value) <= 1_024 for path, value in detail.pairs)
    assert len(detail.name) == 128


ODD = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<&\ufffe\uffff"), max_size=40
)
NAMES = sorted({name for sample in SAMPLES for name in sample.fields})


@given(st.sampled_from(SAMPLES), st.dictionaries(st.sampled_from(NAMES), ODD))
def test_odd_values_never_break_a_push(sample: Sample, odd: dict[str, str]) -> None:
    """Whatever stands in the fields, the answer is an event or a refusal."""
    fields = parse(push(**sample.fields).encode()) | odd
    try:
        event = event_of(fields, "city", GH, SEAL)
    except PushRefusedError:
        assert odd.get("MsgType") == ""
    else:
        assert event.id.startswith(CONVERSATION)
        assert len(event.id) < 300
        assert leaves(fields)
