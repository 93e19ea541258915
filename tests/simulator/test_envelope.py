"""The envelope against published vectors, and against bits that flipped."""

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto.base import WeChatCipher

from simulator import envelope
from simulator.accounts import Account, index
from simulator.envelope import BadEnvelopeError, Envelope
from tests.simulator.town import account

OFFICIAL = ("A" * 43, "wxba5fad812f8e6fb9", "AAAAA")


def official(key: str = OFFICIAL[0], appid: str = OFFICIAL[1], token: str = OFFICIAL[2]) -> Account:
    return Account("city", "x", "gh_x", appid, "s", token, key, "safe", "http://127.0.0.1/")


@pytest.mark.parametrize(
    ("timestamp", "nonce", "expected"),
    [
        ("1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        ("1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
    ],
)
def test_the_signature_of_the_official_examples(timestamp: str, nonce: str, expected: str) -> None:
    assert Envelope(official()).signed(timestamp, nonce)["signature"] == expected


def test_the_official_encrypted_answer_opens() -> None:
    opened = Envelope(official()).open(
        "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==",
        "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1",
        "1713424427",
        "415670741",
    )
    assert opened == b'{"demo_resp":"good luck"}'


def sealed(plain: bytes, box: Envelope, key: bytes) -> tuple[str, str, str, str]:
    encrypted = base64.b64encode(WeChatCipher(key).encrypt(plain)).decode()
    return encrypted, box._signature("1", "2", encrypted), "1", "2"


KEY = base64.b64decode(OFFICIAL[0] + "=")


def padded(
    message: bytes, appid: bytes = OFFICIAL[1].encode(), length: int | None = None, pad: int = 0
) -> bytes:
    said = len(message) if length is None else length
    plain = b"r" * 16 + struct.pack(">I", said) + message + appid
    count = pad or envelope.BLOCK - len(plain) % envelope.BLOCK
    return plain + bytes([count]) * count


@given(st.binary(max_size=300))
def test_any_message_survives_the_envelope(message: bytes) -> None:
    box = Envelope(official())
    assert box.open(*sealed(padded(message), box, KEY)) == message


GOOD = padded(b"x" * 10)


@pytest.mark.parametrize(
    "plain",
    [
        GOOD[:-1] + b"\x00",
        GOOD[:-1] + b"\x21",
        GOOD[:-2] + b"\x05" + GOOD[-1:],
        padded(b"x" * 10, length=11),
        padded(b"x" * 10, length=2**32 - 1),
        padded(b"x" * 10, appid=b"wxba5fad812f8e6fb8"),
        b"\x10" * 16,
    ],
    ids=["pad 0", "pad 33", "uneven pad", "length + 1", "length huge", "other appid", "too short"],
)
def test_a_wrong_inside_is_refused(plain: bytes) -> None:
    box = Envelope(official())
    assert box.open(*sealed(GOOD, box, KEY)) == b"x" * 10  # control
    with pytest.raises(BadEnvelopeError):
        box.open(*sealed(plain, box, KEY))


@pytest.mark.parametrize("encrypted", ["", "!!!", "QUJD", "QUJ"])
def test_garbage_with_a_valid_signature_is_refused(encrypted: str) -> None:
    box = Envelope(official())
    with pytest.raises(BadEnvelopeError):
        box.open(encrypted, box._signature("1", "2", encrypted), "1", "2")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"mode": "secret"}, "plain, compatible, safe"),
        ({"aes_key": "short"}, "43"),
        ({"webhook_url": "file:///etc/passwd"}, "http"),
    ],
)
def test_an_account_the_platform_would_refuse_stops_the_start(change: dict[str, str], says: str) -> None:
    good = account("http://127.0.0.1:1/")
    fields = {name: getattr(good, name) for name in Account.__slots__}
    assert index([good])
    with pytest.raises(ValueError, match=says):
        index([Account(**(fields | change))])
    with pytest.raises(ValueError, match="city"):
        index([good, good])
