"""Mistakes in who is let in: mode, signature, key, padding, time; each with the talk that notices it."""

from functools import partial

from tests.webhooks import door_talks as talks
from tests.webhooks.door_talks import in_turn, sends, sends_raw
from tests.webhooks.house import DOOR, OLD_TOKEN, TAKEN, Edit, Mutant, plain
from tests.webhooks.wire import (
    NONCE,
    NOW,
    OLD_KEY,
    TEXT,
    TOKEN,
    Sealed,
    layout,
    plain_query,
    raw_encrypt,
    seal_push,
    signature,
    signed_push,
)


def _re_signed(sealed: Sealed, **changes: str) -> Sealed:
    return Sealed(sealed.query | changes, sealed.body)


def _signed_with(timestamp: str = str(NOW), nonce: str = NONCE, token: str = TOKEN) -> Sealed:
    """A safe push rightly signed for any timestamp and nonce."""
    encrypt = raw_encrypt(layout(TEXT.encode()))
    made = signed_push(encrypt)
    signed = signature(token, timestamp, nonce, encrypt)
    return _re_signed(made, timestamp=timestamp, nonce=nonce, msg_signature=signed)


def _padded(size: int, pad: bytes) -> bytes:
    """A push as it stands before encryption, of a length that asks for `size` bytes of padding."""
    message = TEXT.encode()
    blanks = (-size - len(layout(message, pad=b""))) % 32
    return layout(message + b" " * blanks, pad=pad)


_envelope = partial(Edit, "webhooks.wechat_envelope")
_door = partial(Edit, DOOR)

_MODE = "if not self.encrypted:"
_CLAIM = 'query.get("encrypt_type")'
_COMPARED = "hmac.compare_digest(sign(token, timestamp, nonce, *signed).encode(), given)"
_TOKENS = "tuple(filter(None, (account.token, account.previous_token)))"
_OPENED = "return Opened(key.open(encrypted), token, key)"
_CUT = raw_encrypt(layout(b"hello"))[:20] + "AAA="  # 17 bytes

MODES_AND_SIGNATURES = [
    Mutant(
        "the query cannot make a safe account plain",
        _envelope(_MODE, f'if {_CLAIM} != "aes":'),
        sends(plain(TEXT)),
        "400",
        TAKEN,
    ),
    Mutant(
        "the query cannot make a compatible account plain",
        _envelope(_MODE, f'if not self.encrypted or {_CLAIM} == "raw":'),
        sends(_re_signed(plain(TEXT), encrypt_type="raw"), "both"),
        "400",
        TAKEN,
    ),
    Mutant(
        "nor can a body without Encrypt",
        _envelope(_MODE, 'if not self.encrypted or b"<Encrypt>" not in body:'),
        sends(plain(TEXT), "both"),
        "400",
        TAKEN,
    ),
    Mutant(
        "the query cannot make a plain account safe",
        _envelope(_MODE, f'if not self.encrypted and {_CLAIM} != "aes":'),
        sends(_re_signed(plain(TEXT), encrypt_type="aes"), "open"),
        TAKEN,
        "400",
    ),
    Mutant(
        "a plain push is signed",
        _envelope('self._token_of(query, "signature"), None)', "self._tokens[0], None)"),
        sends(plain(TEXT, token="stranger"), "open"),
        "403",
        TAKEN,
    ),
    Mutant(
        "signature does not stand in for msg_signature",
        _envelope('self._token_of(query, "msg_signature", encrypted)', 'self._token_of(query, "signature")'),
        sends(_re_signed(seal_push(), msg_signature="0" * 40)),
        "403",
        TAKEN,
    ),
    Mutant(
        "msg_signature covers Encrypt",
        _envelope('"msg_signature", encrypted)', '"msg_signature")'),
        sends(_re_signed(seal_push(), msg_signature=signature(TOKEN, str(NOW), NONCE))),
        "403",
        TAKEN,
    ),
    Mutant(
        "half a signature is none",
        _envelope(_COMPARED, _COMPARED.replace(".encode()", ".encode()[: len(given)]")),
        sends(_re_signed(seal_push(), msg_signature="")),
        "403",
        TAKEN,
    ),
    Mutant(
        "a signature that is not ASCII is wrong, and no accident",
        _envelope(_COMPARED, "hmac.compare_digest(sign(token, timestamp, nonce, *signed), given.decode())"),
        sends(_re_signed(seal_push(), msg_signature="签" * 40)),
        "403",
        "500",
    ),
    Mutant(
        "both tokens sign while they change",
        _envelope("for token in self._tokens:", "for token in self._tokens[:1]:"),
        sends(seal_push(token=OLD_TOKEN), "moving", token=OLD_TOKEN),
        TAKEN,
        "403",
    ),
    Mutant(
        "a previous token that is none signs nothing",
        _envelope(_TOKENS, "(account.token, account.previous_token)"),
        sends(_signed_with(token="")),
        "403",
        "200 unreadable",
    ),
    Mutant(
        "a verification is signed",
        _door("self._envelope.check(query, now)", "pass"),
        talks.asks(plain_query(echostr="1", token="stranger")),
        "403",
        "200 1",
    ),
    Mutant(
        "a verification is fresh",
        _envelope(
            '_check_fresh(query, now)\n        self._token_of(query, "signature")',
            'self._token_of(query, "signature")',
        ),
        talks.asks(plain_query(echostr="1", at=NOW - 301)),
        "403",
        "200 1",
    ),
]

KEYS = [
    Mutant(
        "both keys open while they change",
        _envelope("for key in self._keys:", "for key in self._keys[:1]:"),
        sends(seal_push(key=OLD_KEY), "moving", key=OLD_KEY),
        TAKEN,
        "403",
    ),
    Mutant(
        "the first key's refusal is the one that counts",
        _envelope("refusal = refusal or refused", "refusal = refused"),
        talks.is_told_why(signed_push(raw_encrypt(layout(b"hello", appid="wx0"))), "moving"),
        "encrypted for another appid, or with a wrong length",
        "wrong padding: another EncodingAESKey?",
    ),
    Mutant(
        "a reply goes out under the key of its push",
        _envelope(_OPENED, "return Opened(key.open(encrypted), token, self._keys[0])"),
        sends(seal_push(key=OLD_KEY), "moving", key=OLD_KEY),
        TAKEN,
        "200 unreadable",
    ),
    Mutant(
        "a reply is signed with the token of its push",
        _envelope(_OPENED, "return Opened(key.open(encrypted), self._tokens[0], key)"),
        sends(seal_push(token=OLD_TOKEN), "moving", token=OLD_TOKEN),
        TAKEN,
        "200 unreadable",
    ),
    Mutant(
        "appid: another one",
        _envelope("if plain[end:-size] != self._appid:", "if False:"),
        sends(seal_push(appid="wx0")),
        "403",
        TAKEN,
    ),
    Mutant(
        "appid: with a tail",
        _envelope("plain[end:-size] != self._appid:", "not plain[end:-size].startswith(self._appid):"),
        sends_raw(layout(TEXT.encode(), appid="wxb11529c136998cb6x")),
        "403",
        TAKEN,
    ),
    Mutant(
        "appid: none at all",
        _envelope("plain[end:-size] != self._appid:", "not self._appid.startswith(plain[end:-size]):"),
        sends_raw(layout(TEXT.encode(), appid="")),
        "403",
        TAKEN,
    ),
    Mutant(
        "padding is uniform",
        _envelope(" or not plain.endswith(_PADS[size])", ""),
        sends_raw(_padded(8, b"\0" * 7 + b"\x08")),
        "403",
        TAKEN,
    ),
    Mutant(
        "padding is 1 to 32 bytes",
        _envelope("if not 0 < size <= _BLOCK or", "if"),
        sends_raw(_padded(16, b"\x21" * 16)),
        "403",
        "500",
    ),
    Mutant(
        "padding goes up to 32 and not only 16",
        _envelope("if not 0 < size <= _BLOCK or", "if not 0 < size <= _AES_BLOCK or"),
        sends_raw(_padded(32, b"\x20" * 32)),
        TAKEN,
        "403",
    ),
    Mutant(
        "the length field is right",
        _envelope(
            'end = _AES_BLOCK + _HEAD + int.from_bytes(plain[2 * _AES_BLOCK : _AES_BLOCK + _HEAD], "big")',
            "end = len(plain) - size - len(self._appid)",
        ),
        sends_raw(layout(TEXT.encode(), length=5)),
        "403",
        TAKEN,
    ),
    Mutant(
        "what is cut short spoils nothing after it",
        _envelope("if not sealed or len(sealed) % _AES_BLOCK:", "if not sealed:"),
        in_turn((signed_push(_CUT), "city"), (_signed_with(), "city")),
        "400 200",
        "403 403",
    ),
    Mutant(
        "base64 is strict",
        _envelope("strict_mode=True", "strict_mode=False"),
        sends(signed_push("!" + raw_encrypt(layout(TEXT.encode())))),
        "400",
        TAKEN,
    ),
]

FRESH = [
    Mutant(
        "nothing from the past",
        _envelope("abs(now - int(timestamp)) > FRESH_S", "int(timestamp) - now > FRESH_S"),
        sends(seal_push(at=NOW - 301)),
        "403",
        TAKEN,
    ),
    Mutant(
        "nothing from the future",
        _envelope("abs(now - int(timestamp)) > FRESH_S", "now - int(timestamp) > FRESH_S"),
        sends(seal_push(at=NOW + 301)),
        "403",
        TAKEN,
    ),
    *(
        Mutant(
            f"{at - NOW:+} s are fresh",
            _envelope("FRESH_S = 300", "FRESH_S = 299"),
            sends(seal_push(at=at)),
            TAKEN,
            "403",
        )
        for at in (NOW - 300, NOW + 300)
    ),
    Mutant(
        "plain pushes grow stale too",
        _envelope(
            "_check_fresh(query, now)\n        if not self.encrypted:",
            "if not self.encrypted:",
        ),
        sends(plain(TEXT, at=NOW - 301), "open"),
        "403",
        TAKEN,
    ),
    Mutant(
        "a timestamp is written in plain digits",
        _envelope("[1-9][0-9]{0,11}", "[^A-Z]{1,12}"),
        sends(_signed_with("".join(chr(0xFF10 + int(digit)) for digit in str(NOW)))),
        "403",
        TAKEN,
    ),
    Mutant(
        "a timestamp is short",
        _envelope("[1-9][0-9]{0,11}", "[1-9][0-9]*"),
        sends(_re_signed(seal_push(), timestamp="9" * 5_000)),
        "403",
        "500",
    ),
    Mutant(
        "a timestamp borrows no zero from its nonce",
        _envelope("[1-9][0-9]{0,11}", "[0-9]{1,12}"),
        talks.another_body_with_a_borrowed_zero,
        "200 403",
        f"200 {TAKEN}",
    ),
    Mutant(
        "a nonce is there",
        _envelope("if not 0 < len(nonce) <= _MAX_NONCE:", "if len(nonce) > _MAX_NONCE:"),
        sends(_signed_with(nonce="")),
        "403",
        TAKEN,
    ),
    Mutant(
        "a nonce is short",
        _envelope("if not 0 < len(nonce) <= _MAX_NONCE:", "if not nonce:"),
        sends(_signed_with(nonce="1" * 65)),
        "403",
        TAKEN,
    ),
    Mutant(
        "a nonce of 64 is short enough",
        _envelope("_MAX_NONCE = 64", "_MAX_NONCE = 63"),
        sends(_signed_with(nonce="1" * 64)),
        TAKEN,
        "403",
    ),
]
