"""The envelope: published vectors, wechatpy on the other side, and everything that must not open."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import PrpCrypto, WeChatCrypto

from core.errors import BootError
from tests.webhooks.wire import (
    APPID,
    KEY,
    NOW,
    OLD_KEY,
    OTHER_KEY,
    TEXT,
    TOKEN,
    keys,
    layout,
    plain_query,
    raw_encrypt,
    seal_push,
    signed_push,
)
from webhooks.wechat_envelope import Envelope, MessageKey, Opened, close, require_own_tokens, sign
from webhooks.wechat_refusals import PushRefusedError
from webhooks.wechat_xml import parse, word

MESSAGES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300)


# --- published vectors ---


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("AAAAA", "1714036504", "1514711492"), "f464b24fc39322e44b38aa78f5edd27bd1441696"),  # V1
        (("AAAAA", "1714037059", "486452656"), "899cf89e464efb63f54ddac96b0a0a235f53aa78"),  # V2
        (
            ("RMNlACHlV5ThzfRlVS4D4", "timestamp", "nonce", "encrypt"),
            "8edac0945683c119ee71c9f6256d76c48aa08a96",
        ),  # V8
    ],
)
def test_published_signatures(parts: tuple[str, ...], expected: str) -> None:
    assert sign(*parts) == expected


V4 = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="
V5 = "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg=="


def test_published_reply_v4() -> None:
    key = MessageKey("A" * 43, "wxba5fad812f8e6fb9")
    assert key.close(b'{"demo_resp":"good luck"}', b"707722b803182950") == V4
    assert key.open(V4) == b'{"demo_resp":"good luck"}'
    assert sign("AAAAA", "1713424427", "415670741", V4) == "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"


def test_published_chinese_text_v5() -> None:
    key = MessageKey(KEY, APPID)
    assert key.close("我是中文abcd123".encode(), b"aaaabbbbccccdddd") == V5
    assert key.open(V5).decode() == "我是中文abcd123"


# --- wechatpy on the other side ---


@given(MESSAGES)
def test_what_wechatpy_encrypts_we_open(message: str) -> None:
    encrypted = PrpCrypto(base64.b64decode(KEY + "=")).encrypt(message, APPID).decode()
    assert MessageKey(KEY, APPID).open(encrypted).decode() == message


@given(st.lists(MESSAGES, min_size=1, max_size=3), st.binary(min_size=16, max_size=16))
def test_what_we_encrypt_wechatpy_opens(messages: list[str], random: bytes) -> None:
    key = MessageKey(KEY, APPID)  # the cipher goes on from message to message
    for message in messages:
        encrypted = key.close(message.encode(), random)
        assert PrpCrypto(base64.b64decode(KEY + "=")).decrypt(encrypted, APPID) == message


@given(MESSAGES)
def test_our_reply_envelope_passes_wechatpys_check(message: str) -> None:
    wrapped = close(message, Opened(b"", TOKEN, MessageKey(KEY, APPID)), NOW)
    fields = parse(wrapped.encode())
    opened = WeChatCrypto(TOKEN, KEY, APPID).decrypt_message(
        wrapped, word(fields, "MsgSignature"), word(fields, "TimeStamp"), word(fields, "Nonce")
    )
    assert opened == message
    assert word(fields, "TimeStamp") == str(NOW)


def test_no_two_replies_are_alike() -> None:
    opened = Opened(b"", TOKEN, MessageKey(KEY, APPID))
    assert len({close("一样", opened, NOW) for _ in range(20)}) == 20


def test_a_plain_reply_stays_clear() -> None:
    assert close("<xml/>", Opened(b"", TOKEN, None), NOW) == "<xml/>"


@given(st.integers(0, 200))
def test_every_length_is_padded_to_32(size: int) -> None:
    key = MessageKey(KEY, APPID)
    encrypted = key.close(b"x" * size, b"r" * 16)
    assert len(base64.b64decode(encrypted)) % 32 == 0
    assert key.open(encrypted) == b"x" * size


# --- what must not open ---


APPID_WRONG = "another appid, or with a wrong length"
PADDING_WRONG = "wrong padding"
BAD_PLAIN = {
    "another appid": (layout(b"hello", appid="wx0000000000000000"), APPID_WRONG),
    "appid cut": (layout(b"hello", appid=APPID[:-1]), APPID_WRONG),
    "appid with a tail": (layout(b"hello", appid=APPID + "x"), APPID_WRONG),
    "length too large": (layout(b"hello", length=6), APPID_WRONG),
    "length enormous": (layout(b"hello", length=0xFFFFFFFF), APPID_WRONG),
    "length too small": (layout(b"hello", length=4), APPID_WRONG),
    "pad 0": (layout(b"x" * 9, pad=b"\0"), PADDING_WRONG),
    "pad 33": (layout(b"x" * 9, pad=b"\x21" * 33), PADDING_WRONG),
    "pad not uniform": (layout(b"x" * 10, pad=b"\x00" * 12 + b"\x10" * 4), PADDING_WRONG),
    "pad longer than everything": (b"\x20" * 16, PADDING_WRONG),
    "nothing but padding": (b"\x20" * 32, APPID_WRONG),
}


@pytest.mark.parametrize("name", BAD_PLAIN)
def test_a_wrong_layout_does_not_open(name: str) -> None:
    plain, reason = BAD_PLAIN[name]
    with pytest.raises(PushRefusedError, match=reason):
        MessageKey(KEY, APPID).open(raw_encrypt(plain))


def test_control_the_right_layout_opens() -> None:
    assert MessageKey(KEY, APPID).open(raw_encrypt(layout(b"hello"))) == b"hello"


@pytest.mark.parametrize(
    "encrypted",
    ["", "A", V5[:-3], V5[:-4], V5[:40], V5 + "=", V5 + "AAAA", "密文", " ", V5[:50] + "\n" + V5[50:]],
)
def test_truncated_or_broken_base64_does_not_open(encrypted: str) -> None:
    with pytest.raises(PushRefusedError):
        MessageKey(KEY, APPID).open(encrypted)


def test_another_key_does_not_open() -> None:
    with pytest.raises(PushRefusedError):
        MessageKey(OTHER_KEY, APPID).open(V5)


@given(st.integers(0, 63), st.integers(0, 7))
def test_a_flipped_bit_never_opens_to_the_same_message(at: int, bit: int) -> None:
    """CBC without a MAC may open to something else: that is why the signature comes first."""
    sealed = bytearray(base64.b64decode(V5))
    sealed[at] ^= 1 << bit
    try:
        opened = MessageKey(KEY, APPID).open(base64.b64encode(sealed).decode())
    except PushRefusedError:
        return
    # The first block is random filling: changing it changes a part of the message at most.
    assert at < 32
    assert opened != "我是中文abcd123".encode() or at < 16


# --- signature and freshness of a push ---


def test_a_safe_push_opens_under_its_own_token_and_key() -> None:
    sealed = seal_push()
    opened = Envelope(keys()).open(sealed.query, sealed.body.encode(), NOW)
    assert opened.message.decode() == TEXT
    assert opened.token == TOKEN


@pytest.mark.parametrize("field", ["msg_signature", "timestamp", "nonce"])
def test_one_changed_character_in_the_query_is_refused(field: str) -> None:
    sealed = seal_push()
    value = sealed.query[field]
    changed = sealed.query | {field: value[:-1] + ("0" if value[-1] != "0" else "1")}
    with pytest.raises(PushRefusedError, match="wrong msg_signature"):
        Envelope(keys()).open(changed, sealed.body.encode(), NOW)


@given(st.data())
def test_one_flipped_bit_in_encrypt_is_refused_before_it_is_decrypted(data: st.DataObject) -> None:
    sealed = seal_push()
    start = sealed.body.index("<Encrypt><![CDATA[") + len("<Encrypt><![CDATA[")
    at = data.draw(st.integers(start, sealed.body.index("]]></Encrypt>") - 1))
    body = bytearray(sealed.body.encode())
    body[at] ^= 1 << data.draw(st.integers(0, 6))
    with pytest.raises(PushRefusedError, match=r"wrong msg_signature|not well-formed"):
        Envelope(keys()).open(sealed.query, bytes(body), NOW)


@pytest.mark.parametrize("age", [-300, 0, 300])
def test_five_minutes_either_way_are_fresh(age: int) -> None:
    sealed = seal_push(at=NOW - age)
    assert Envelope(keys()).open(sealed.query, sealed.body.encode(), NOW).message


@pytest.mark.parametrize("age", [-301, 301, 86_400 * 365])
@pytest.mark.parametrize("mode", ["plain", "safe"])
def test_a_captured_push_grows_stale(age: int, mode: Any) -> None:
    sealed = seal_push(at=NOW - age)
    with pytest.raises(PushRefusedError, match="stale"):
        Envelope(keys(mode=mode)).open(sealed.query, sealed.body.encode(), NOW)


@pytest.mark.parametrize(
    "timestamp", ["", "now", "-5", "1e9", "１７１４０３６５０４", "9" * 5000, " 1714036504"]
)
def test_a_timestamp_is_digits(timestamp: str) -> None:
    query = plain_query() | {"timestamp": timestamp}
    with pytest.raises(PushRefusedError, match="timestamp"):
        Envelope(keys()).check(query, NOW)


@pytest.mark.parametrize("nonce", ["", "9" * 65])
def test_a_nonce_is_there_and_short(nonce: str) -> None:
    with pytest.raises(PushRefusedError, match="nonce"):
        Envelope(keys()).check(plain_query() | {"nonce": nonce}, NOW)


def test_a_signature_that_is_not_ascii_is_wrong_and_not_an_accident() -> None:
    with pytest.raises(PushRefusedError, match="wrong signature"):
        Envelope(keys()).check(plain_query() | {"signature": "签名\udcff"}, NOW)


# --- rotation ---


def test_while_the_key_changes_both_open_and_the_reply_uses_the_one_that_did() -> None:
    envelope = Envelope(keys(aes_key=KEY, previous_aes_key=OLD_KEY))
    for key in (KEY, OLD_KEY):
        sealed = seal_push(key=key)
        opened = envelope.open(sealed.query, sealed.body.encode(), NOW)
        fields = parse(close("答复", opened, NOW).encode())
        answer = WeChatCrypto(TOKEN, key, APPID).decrypt_message(
            {"Encrypt": word(fields, "Encrypt")},
            word(fields, "MsgSignature"),
            word(fields, "TimeStamp"),
            word(fields, "Nonce"),
        )
        assert answer == "答复"


def test_a_key_that_is_neither_is_refused() -> None:
    sealed = seal_push(key=OTHER_KEY)
    with pytest.raises(PushRefusedError):
        Envelope(keys(previous_aes_key=OLD_KEY)).open(sealed.query, sealed.body.encode(), NOW)


def test_after_the_change_the_old_key_is_refused() -> None:
    sealed = seal_push(key=OLD_KEY)
    with pytest.raises(PushRefusedError):
        Envelope(keys()).open(sealed.query, sealed.body.encode(), NOW)


def test_while_the_token_changes_both_sign_and_the_reply_is_signed_like_the_push() -> None:
    envelope = Envelope(keys(token="fresh", previous_token=TOKEN))
    for token in ("fresh", TOKEN):
        sealed = seal_push(token=token)
        assert envelope.open(sealed.query, sealed.body.encode(), NOW).token == token
        envelope.check(plain_query(token=token), NOW)


# --- the mode comes from our configuration ---


@pytest.mark.parametrize("mode", ["safe", "compatible"])
def test_dropping_encrypt_type_does_not_downgrade(mode: Any) -> None:
    """A valid plain signature and a clear body: good enough for plain mode, for no other."""
    with pytest.raises(PushRefusedError, match="no Encrypt"):
        Envelope(keys(mode=mode)).open(plain_query(), TEXT.encode(), NOW)
    assert Envelope(keys(mode="plain")).open(plain_query(), TEXT.encode(), NOW).message == TEXT.encode()


def test_the_plain_signature_does_not_stand_in_for_msg_signature() -> None:
    sealed = seal_push()
    query = {name: value for name, value in sealed.query.items() if name != "msg_signature"}
    with pytest.raises(PushRefusedError, match="wrong msg_signature"):
        Envelope(keys()).open(query, sealed.body.encode(), NOW)


def test_compatible_mode_uses_only_what_was_encrypted() -> None:
    sealed = seal_push(clear="<FromUserName>oSomebodyElse</FromUserName><Content>别人的话</Content>")
    opened = Envelope(keys(mode="compatible")).open(sealed.query, sealed.body.encode(), NOW)
    assert opened.message.decode() == TEXT


def test_the_quick_look_for_encrypt_and_the_xml_reader_agree() -> None:
    usual = signed_push(V5)
    spaced = usual.body.replace("<Encrypt>", "<Encrypt >")
    for body in (
        usual.body,
        spaced,
        usual.body.replace("<ToUser", "\n <ToUser"),
        "<?xml version='1.0'?>" + usual.body,
    ):
        opened = Envelope(keys()).open(usual.query, body.encode(), NOW)
        assert opened.message.decode() == "我是中文abcd123"


# --- configuration ---


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"token": ""}, "accounts.city.token"),
        ({"token": "  "}, "accounts.city.token"),
        ({"original_id": ""}, "accounts.city.original_id"),
        ({"appid": ""}, "accounts.city.appid"),
        ({"aes_key": ""}, "accounts.city.aes_key"),
        ({"aes_key": "A" * 42}, "accounts.city.aes_key"),
        ({"aes_key": "A" * 42 + "+"}, "accounts.city.aes_key"),
        ({"previous_aes_key": "short"}, "accounts.city.previous_aes_key"),
        ({"mode": "open"}, "accounts.city.mode"),
        ({"key": "a:b"}, "accounts.a:b"),
    ],
)
def test_a_bad_setting_is_named_before_anything_starts(changes: dict[str, str], setting: str) -> None:
    with pytest.raises(BootError, match=setting):
        keys(**changes)


def test_plain_mode_needs_no_key() -> None:
    assert keys(mode="plain", aes_key="", appid="").mode == "plain"


@pytest.mark.parametrize("shared", [{"token": TOKEN}, {"token": "new", "previous_token": TOKEN}])
def test_a_plain_account_with_the_token_of_another_is_refused(shared: dict[str, str]) -> None:
    """What was signed for one could be sent to the other with any body."""
    plain, safe = keys(mode="plain"), keys(key="school", **shared)
    for pair in ([plain, safe], [safe, plain]):
        with pytest.raises(BootError, match=r"accounts\.city\.token is a token of accounts\.school"):
            require_own_tokens(pair)
    require_own_tokens([plain, keys(key="school", token="another")])
    require_own_tokens([keys(), keys(key="school", **shared)])  # safe mode signs the body


def test_secrets_do_not_show_in_a_printed_account() -> None:
    shown = repr(keys(previous_token="oldtoken", previous_aes_key=OLD_KEY))
    assert not any(secret in shown for secret in (TOKEN, KEY, "oldtoken", OLD_KEY))
