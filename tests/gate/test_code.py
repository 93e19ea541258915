"""Each link of the chain holds, and its forged counterpart is refused for what it is, in the one order."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from gate.code import (
    CUSTOM_BYTES,
    LONGEST,
    LONGEST_TEXT,
    Code,
    IssuerKey,
    Kind,
    Reason,
    Refused,
    Type,
    Unreadable,
    armour,
    read,
    unarmour,
    verify,
)
from tests.support.ride_codes import (
    ACCT_REF,
    GRANT,
    ISSUER,
    KID,
    NONCE,
    NOW,
    OTHER_ISSUER,
    OTHER_PHONE,
    PHONE,
    Knowledge,
    granted,
    malleated,
    public,
    sent,
    shown,
)


def refused(code: bytes, knows: Knowledge | None = None, now: int = NOW) -> Reason:
    """Why a gate does not open."""
    with pytest.raises(Refused) as told:
        verify(code, (knows or Knowledge()).grounds, now)
    return told.value.reason


def opens(code: bytes, knows: Knowledge | None = None, now: int = NOW) -> Code:
    return verify(code, (knows or Knowledge()).grounds, now)


def test_a_page_makes_codes_under_its_grant_and_the_gate_opens() -> None:
    code = opens(shown(NOW))
    assert (code.kind, code.kid, code.acct_ref, code.type) == (Kind.DEVICE, KID, ACCT_REF, Type.SELF)
    assert (code.cap_fen, code.gen_time, code.ttl_s, code.nonce) == (1200, NOW, 30, NONCE)
    assert (code.expires_at, code.user_key, code.custom) == (NOW + 900, public(PHONE), b"")
    assert code.used_key == (ACCT_REF, NOW, NONCE)


def test_a_picture_from_the_chat_opens_once_within_two_minutes() -> None:
    code = opens(sent(), now=NOW + 120)
    assert (code.kind, code.acct_ref, code.ttl_s, code.expires_at) == (Kind.SERVER, ACCT_REF, 120, None)
    assert refused(sent(), now=NOW + 131) == Reason.EXPIRED


def test_what_a_city_adds_is_signed_with_the_rest() -> None:
    code = opens(shown(under=granted(custom=b"zone 3")))
    assert code.custom == b"zone 3"
    with pytest.raises(ValueError, match="more than 32"):
        granted(custom=bytes(CUSTOM_BYTES + 1))


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\x01",
        b"\x02" + shown()[1:],
        b"\x01\x03" + shown()[2:],
        shown()[:-1],
        shown() + b"\0",
        sent()[:-1],
        sent() + b"\0",
        shown()[:60],
        shown()[:2] + b"\x02" + shown()[3:],  # an alg that this version has not
    ],
)
def test_what_is_no_code_is_unreadable(broken: bytes) -> None:
    assert refused(broken) == Reason.UNREADABLE


def test_an_issuer_the_gate_does_not_know() -> None:
    assert refused(shown(under=granted(kid=8))) == Reason.UNKNOWN_ISSUER
    assert refused(sent(kid=8)) == Reason.UNKNOWN_ISSUER


def test_a_code_of_another_operator() -> None:
    """T5: one code per city and operator, whoever of them shares the issuer."""
    here = Knowledge(operator=b"metro")
    assert opens(shown(under=granted(custom=b"metro")), here).custom == b"metro"
    assert refused(shown(under=granted(custom=b"ferry")), here) == Reason.FOREIGN
    assert refused(shown(under=granted(custom=b"")), here) == Reason.FOREIGN
    assert opens(shown(under=granted(custom=b"ferry"))), "a gate that names no operator takes all"
    assert opens(sent(), here), "of a picture the key says whose it is"


def test_another_operators_grant_with_our_name_written_into_it() -> None:
    ferry = granted(custom=b"ferry")
    forged = ferry.replace(b"ferry", b"metro")
    assert refused(shown(under=forged), Knowledge(operator=b"metro")) == Reason.FORGED_ISSUER
    named = Knowledge({KID: IssuerKey(OTHER_ISSUER.public_key())}, operator=b"metro")
    stranger = granted(custom=b"ferry")
    assert refused(shown(under=stranger), named) == Reason.FORGED_ISSUER, "who signed it comes first"


def test_an_issuer_that_was_revoked_or_is_over() -> None:
    key = IssuerKey(ISSUER.public_key(), revoked=True)
    assert refused(shown(), Knowledge({KID: key})) == Reason.REVOKED_ISSUER
    over = Knowledge({KID: IssuerKey(ISSUER.public_key(), until=NOW - 1)})
    assert refused(shown(), over) == Reason.REVOKED_ISSUER
    assert opens(shown(), Knowledge({KID: IssuerKey(ISSUER.public_key(), until=NOW)}))


def test_another_issuer_under_the_number_of_ours() -> None:
    assert refused(shown(under=granted(OTHER_ISSUER))) == Reason.FORGED_ISSUER
    assert refused(sent(OTHER_ISSUER)) == Reason.FORGED_ISSUER


def test_a_key_that_comes_with_the_code_proves_nothing() -> None:
    """The mistake found in public terminal code: the chain closed in itself, and anyone minted tickets."""
    mine = granted(OTHER_ISSUER, custom=OTHER_ISSUER.public_key().public_bytes_raw())
    assert refused(shown(under=mine)) == Reason.FORGED_ISSUER


def test_a_grant_that_is_over_makes_no_codes() -> None:
    late = NOW + 911
    assert refused(shown(late), now=late) == Reason.GRANT_EXPIRED
    assert opens(shown(NOW + 899), now=NOW + 910), "the clocks may differ by ten seconds"


def test_somebody_elses_phone_under_a_stolen_grant() -> None:
    assert refused(shown(phone=OTHER_PHONE)) == Reason.FORGED_USER


def on_curve(key: bytes) -> bool:
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
    except ValueError:
        return False
    return True


def test_a_point_that_is_on_no_curve_is_a_forgery_and_no_crash() -> None:
    off = next(key for key in (b"\x02" + number.to_bytes(32) for number in range(99)) if not on_curve(key))
    assert refused(shown(under=granted(user_key=off))) == Reason.FORGED_USER


def _reason(code: bytes, knows: Knowledge | None = None) -> Reason | None:
    try:
        verify(code, (knows or Knowledge()).grounds, NOW)
    except Refused as told:
        return told.reason
    return None


@pytest.mark.parametrize(("seconds", "outcome"), [(10, None), (11, Reason.FUTURE)])
def test_a_code_from_the_future(seconds: int, outcome: Reason | None) -> None:
    assert _reason(shown(NOW + seconds)) == outcome
    assert _reason(sent(gen_time=NOW + seconds)) == outcome


@pytest.mark.parametrize(("seconds", "outcome"), [(40, None), (41, Reason.EXPIRED)])
def test_a_code_lives_thirty_seconds_and_the_skew(seconds: int, outcome: Reason | None) -> None:
    assert _reason(shown(NOW - seconds)) == outcome


def test_a_code_that_was_let_through_opens_nothing_any_more() -> None:
    knows = Knowledge()
    knows.used.add(opens(shown(), knows).used_key)
    assert refused(shown(), knows) == Reason.USED
    assert opens(shown(nonce=b"another!"), knows)


def test_the_other_signature_of_the_same_code_is_the_same_code() -> None:
    """ECDSA has two signatures for a message: who keeps signatures instead of codes rides twice."""
    code, twin = shown(), malleated(shown())
    first = opens(code)
    code = twin
    second = opens(code)
    assert second.user_signature != first.user_signature, "control: a set of signatures would let it through"
    assert second.used_key == first.used_key
    assert refused(twin, Knowledge(used={first.used_key})) == Reason.USED


def test_who_is_on_the_deny_list() -> None:
    assert refused(shown(), Knowledge(denied={ACCT_REF})) == Reason.DENIED
    assert opens(shown(), Knowledge(denied={bytes(16)}))


def test_a_companion_where_everybody_shows_a_code_of_their_own() -> None:
    code = shown(under=granted(type=Type.COMPANION))
    assert refused(code) == Reason.TYPE
    assert opens(code, Knowledge(allowed=(Type.SELF, Type.COMPANION))).type == Type.COMPANION
    assert refused(shown(under=granted(type=9))) == Reason.TYPE, "a type of a later version"


class Worst:
    """A code at which everything is wrong, put right step by step."""

    def __init__(self) -> None:
        self.issuer, self.phone, self.alg = OTHER_ISSUER, OTHER_PHONE, 9
        self.at, self.over, self.kind_of_rider = NOW - 99, NOW - 11, Type.COMPANION
        self.knows = Knowledge({}, set(), {ACCT_REF})
        self.again = True

    def reason(self) -> Reason | None:
        under = granted(self.issuer, expires_at=self.over, type=self.kind_of_rider)
        code = bytearray(shown(self.at, under=under, phone=self.phone))
        code[2] = self.alg
        self.knows.used = {(ACCT_REF, self.at, NONCE)} if self.again else set()
        return _reason(bytes(code), self.knows)


def test_the_checks_come_in_the_order_of_the_rules() -> None:
    worst = Worst()
    assert worst.reason() == Reason.UNREADABLE
    worst.alg = 1
    assert worst.reason() == Reason.UNKNOWN_ISSUER
    worst.knows.trust = {KID: IssuerKey(ISSUER.public_key(), revoked=True)}
    assert worst.reason() == Reason.REVOKED_ISSUER
    worst.knows.trust = {KID: IssuerKey(ISSUER.public_key())}
    assert worst.reason() == Reason.FORGED_ISSUER
    worst.issuer = ISSUER
    assert worst.reason() == Reason.GRANT_EXPIRED
    worst.over = NOW + 900
    assert worst.reason() == Reason.FORGED_USER
    worst.phone = PHONE
    assert worst.reason() == Reason.EXPIRED
    worst.at = NOW + 99
    assert worst.reason() == Reason.FUTURE
    worst.at = NOW
    assert worst.reason() == Reason.USED
    worst.again = False
    assert worst.reason() == Reason.DENIED
    worst.knows.denied = set()
    assert worst.reason() == Reason.TYPE
    worst.kind_of_rider = Type.SELF
    assert worst.reason() is None


GOOD = {"device": shown(), "custom": shown(under=granted(custom=b"zone 3")), "server": sent()}


@given(which=st.sampled_from(sorted(GOOD)), place=st.integers(0, LONGEST), flip=st.integers(1, 255))
def test_any_altered_byte_is_refused(which: str, place: int, flip: int) -> None:
    code = bytearray(GOOD[which])
    code[place % len(code)] ^= flip
    knows = Knowledge(allowed=(Type.SELF, Type.COMPANION))
    # Under whatever number it comes now, the issuer's key is the one that the gate tries.
    knows.trust = dict.fromkeys((KID, KID ^ flip, KID ^ flip << 8), IssuerKey(ISSUER.public_key()))
    assert refused(bytes(code), knows) is not None


def test_every_byte_of_every_kind_was_altered() -> None:
    for good in GOOD.values():
        assert _reason(good) is None, "control"
        for place in range(len(good)):
            code = bytearray(good)
            code[place] ^= 1
            assert _reason(bytes(code)) is not None, place


def test_no_signature_stands_for_another() -> None:
    """Without a tag of its own, a grant's signature would be good for whatever has the same bytes."""
    code = read(shown())
    for tag in (b"", b"bianmin-server-code-1\0", b"bianmin-device-code-1\0"):
        untagged = code.issued + ISSUER.sign(tag + code.issued)
        assert refused(shown(under=untagged)) == Reason.FORGED_ISSUER


@given(st.binary(max_size=LONGEST))
def test_bytes_pass_through_the_picture_unchanged(raw: bytes) -> None:
    assert unarmour(armour(raw)) == raw


@given(st.text(max_size=LONGEST_TEXT + 3))
def test_no_text_does_more_than_be_unreadable(text: str) -> None:
    try:
        raw = unarmour(text)
    except Unreadable:
        return
    assert armour(raw) == text, "and none has two readings"


@pytest.mark.parametrize("text", ["A", "::", ":::", "GGW", "ab", "二维码", "0" * (LONGEST_TEXT + 1), "0\n0"])
def test_text_that_is_none_of_ours(text: str) -> None:
    with pytest.raises(Unreadable):
        unarmour(text)


def test_the_examples_of_the_standard_of_the_text() -> None:
    assert armour(b"AB") == "BB8"
    assert armour(b"Hello!!") == "%69 VD92EX0"
    assert armour(b"base-45") == "UJCLQE7W581"
    assert unarmour("QED8WEX0") == b"ietf!"


def test_the_longest_code_fits_its_text() -> None:
    longest = shown(under=granted(custom=bytes(CUSTOM_BYTES)))
    assert len(longest) == LONGEST
    assert len(armour(longest)) == LONGEST_TEXT
    assert not armour(longest).endswith(" "), "scanners that type cut blanks at the end"


@pytest.mark.parametrize(
    "wrong",
    [
        {"acct_ref": b"short"},
        {"user_key": bytes(65)},
        {"cap_fen": 1 << 24},
        {"cap_fen": -1},
        {"ttl_s": 1 << 16},
        {"expires_at": -1},
        {"kid": 1 << 16},
    ],
)
def test_a_grant_that_cannot_be_is_not_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"bytes instead of|does not fit"):
        granted(**wrong)
    assert replace(GRANT) == GRANT


def test_a_picture_that_cannot_be_is_not_made() -> None:
    with pytest.raises(ValueError, match="nonce has 3 bytes"):
        sent(nonce=b"abc")
    with pytest.raises(ValueError, match="does not fit"):
        sent(ttl_s=-1)
