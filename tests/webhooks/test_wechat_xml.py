"""WeChat's XML: read within bounds, or refused."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.wechat_refusals import PushRefusedError
from webhooks.wechat_xml import (
    _MAX_FLAT_BYTES,
    MAX_DEPTH,
    MAX_ELEMENTS,
    Fields,
    _parse_any,
    _parse_flat,
    inside,
    leaves,
    many,
    parse,
    parse_mended,
    word,
)


def test_fields_and_nested_fields() -> None:
    fields = parse("<xml><A><![CDATA[一]]></A>\n<B>2</B><C/><D><E> x </E><F><G>y</G></F></D></xml>".encode())
    assert fields == {"A": "一", "B": "2", "C": "", "D": {"E": " x ", "F": {"G": "y"}}}


def test_a_repeated_element_is_many_and_a_single_one_is_one() -> None:
    one = parse(b"<xml><L><List><a>1</a></List></L></xml>")
    two = parse(b"<xml><L><List><a>1</a></List><List><a>2</a></List><List><a>3</a></List></L></xml>")
    assert [word(item, "a") for item in many(inside(one, "L"), "List")] == ["1"]
    assert [word(item, "a") for item in many(inside(two, "L"), "List")] == ["1", "2", "3"]
    assert many(one, "Nothing") == []
    assert inside(one, "Nothing", "At", "All") == {}


def test_what_repeats_where_one_is_expected_gives_the_first() -> None:
    fields = parse(b"<xml><A>1</A><A>2</A><B><x>1</x></B><B>text</B></xml>")
    assert word(fields, "A") == "1"
    assert inside(fields, "B") == {"x": "1"}
    assert word(fields, "B") == ""


def test_leaves_name_every_text_once() -> None:
    fields = parse(b"<xml><A>1</A><L><i><x>2</x></i><i><x>3</x></i></L></xml>")
    assert leaves(fields) == [("A", "1"), ("L/i/0/x", "2"), ("L/i/1/x", "3")]


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"))


@given(st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,9}", fullmatch=True), WORDS, min_size=1))
def test_it_reads_what_elementtree_reads(given_fields: dict[str, str]) -> None:
    root = ET.Element("xml")
    for name, value in given_fields.items():
        ET.SubElement(root, name).text = value
    document = ET.tostring(root, encoding="utf-8")
    theirs = ET.fromstring(document)  # noqa: S314 - written two lines above
    assert parse(document) == {child.tag: child.text or "" for child in theirs}


@pytest.mark.parametrize(
    "document",
    [
        b"<!DOCTYPE xml><xml><A>1</A></xml>",
        b'<!DOCTYPE xml [<!ENTITY a "x">]><xml><A>&a;</A></xml>',
        b'<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml><A>1</A></xml>',
        b'<?xml version="1.0"?>\n<!DOCTYPE xml [<!ENTITY % p SYSTEM "http://127.0.0.1/"> %p;]><xml/>',
        b"\xff\xfe" + "<!DOCTYPE xml><xml><A>1</A></xml>".encode("utf-16-le"),
    ],
)
def test_a_doctype_is_refused_as_such(document: bytes) -> None:
    with pytest.raises(PushRefusedError, match="DOCTYPE"):
        parse(document)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"   ",
        b"hello",
        b'{"a": 1}',
        b"<xml>",
        b"<xml><A>1</A>",
        b"<xml><A>1</B></xml>",
        b"<xml><A>&unknown;</A></xml>",
        b"<xml><A>&#1;</A></xml>",
        b"<xml>only text</xml>",
        b"<xml/>",
        b"<html><A>1</A></html>",
        b"<xml><A>1</A></xml><xml><A>2</A></xml>",
        b"<xml><A>\x00</A></xml>",
        b"<xml><A>\xff</A></xml>",
        b"<xml><A><![CDATA[1]]</A></xml>",
        "<xml><A><![CDATA[半".encode()[:-1],
    ],
)
def test_what_is_no_push_is_refused(document: bytes) -> None:
    with pytest.raises(PushRefusedError):
        parse(document)


def nested(depth: int) -> bytes:
    return b"<xml>" + b"<a>" * (depth - 1) + b"1" + b"</a>" * (depth - 1) + b"</xml>"


def test_depth_is_bounded() -> None:
    assert parse(nested(MAX_DEPTH))
    with pytest.raises(PushRefusedError, match="too deep"):
        parse(nested(MAX_DEPTH + 1))
    with pytest.raises(PushRefusedError, match="too deep"):
        parse(nested(9_000))


def test_the_number_of_elements_is_bounded() -> None:
    assert parse(b"<xml>" + b"<a/>" * (MAX_ELEMENTS - 1) + b"</xml>")
    with pytest.raises(PushRefusedError, match="too many"):
        parse(b"<xml>" + b"<a/>" * MAX_ELEMENTS + b"</xml>")


def test_another_declared_encoding_changes_nothing() -> None:
    fields = parse('<?xml version="1.0" encoding="GBK"?><xml><A>便民</A></xml>'.encode())
    assert fields == {"A": "便民"}


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (b"a\x08b", "ab"),
        (b"\x00\x1f1", "1"),
        ("\ufffe便".encode(), "便"),
        (b"\xe4\xbe", "\ufffd"),  # cut inside a character
        (b"\xed\xa0\xbd\xed\xb8\x80", "\ufffd" * 6),  # an emoji as a pair of surrogates
    ],
)
def test_a_broken_byte_does_not_silence_a_citizen(content: bytes, read: str) -> None:
    document = b"<xml><A><![CDATA[" + content + b"]]></A></xml>"
    with pytest.raises(PushRefusedError):
        parse(document)
    assert parse_mended(document) == {"A": read}


def test_mending_does_not_make_xml_of_what_is_none() -> None:
    for document in (b"hello", b"\x00\x01\x02", b"<xml><A>", b"<!DOCTYPE x><xml><A>\x01</A></xml>"):
        with pytest.raises(PushRefusedError):
            parse_mended(document)


@given(st.binary(max_size=500))
def test_random_bytes_are_refused_and_nothing_worse(document: bytes) -> None:
    for read in (parse, parse_mended):
        with pytest.raises(PushRefusedError):
            read(document)


def test_a_doctype_inside_a_citizens_words_is_only_words() -> None:
    fields: Fields = parse(b"<xml><A><![CDATA[<!DOCTYPE html>]]></A></xml>")
    assert fields == {"A": "<!DOCTYPE html>"}


PIECES = (
    *(
        "<xml>",
        "</xml>",
        "<A>",
        "</A>",
        "<B>",
        "</B>",
        "<B/>",
        "<A x='1'>",
        "<![CDATA[",
        "]]>",
        "<!DOCTYPE xml>",
    ),
    *(
        "&amp;",
        "&#60;",
        "&",
        "<!-- -->",
        "<?p?>",
        "text",
        " ",
        "\n",
        "\r\n",
        "]]",
        ">",
        "<",
        "\x01",
        "\ufffe",
    ),
)


def _by_the_reader(document: bytes) -> Fields | None:
    try:
        return _parse_any(document)
    except PushRefusedError:
        return None


@given(st.lists(st.sampled_from(PIECES)), st.booleans())
def test_the_short_cut_reads_what_the_reader_reads_or_leaves_it(pieces: list[str], wrapped: bool) -> None:
    text = "".join(pieces)
    document = (f"<xml>{text}</xml>" if wrapped else text).encode()
    assert _parse_flat(document) in (None, _by_the_reader(document))


FIELD = st.tuples(st.sampled_from("ABCD"), st.sampled_from(PIECES), st.booleans())


@given(st.lists(FIELD, min_size=1))
def test_the_short_cut_agrees_on_whole_fields_too(fields: list[tuple[str, str, bool]]) -> None:
    text = "\n".join(
        f"<{name}><![CDATA[{value}]]></{name}>" if quoted else f"<{name}>{value}</{name}>"
        for name, value, quoted in fields
    )
    document = f"<xml>{text}</xml>".encode()
    assert _parse_flat(document) in (None, _by_the_reader(document))


def test_the_short_cut_takes_what_wechat_sends_and_nothing_that_takes_long() -> None:
    assert _parse_flat("<xml><A><![CDATA[一]]></A>\n<B>2</B></xml>".encode()) == {"A": "一", "B": "2"}
    assert _parse_flat(b"<xml>" + b"<A><![CDATA[" * 600 + b"</xml>") is None
    assert _parse_flat(b"<xml><A>" + b"x" * _MAX_FLAT_BYTES + b"</A></xml>") is None
