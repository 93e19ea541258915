"""What is sealed opens with its key, in its place, unaltered, and in no other way."""

import hmac
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.seal import Seal, SealBrokenError

ONE, TWO, INDEX = b"1" * 32, b"2" * 32, b"i" * 32


@given(plain=st.binary(), context=st.text(max_size=50))
def test_what_was_sealed_opens_in_its_place(plain: bytes, context: str) -> None:
    seal = Seal({7: ONE}, current=7, index_key=INDEX)

    assert seal.open(seal.seal(plain, context), context) == plain


def test_the_same_words_are_sealed_differently_each_time(seal: Seal) -> None:
    assert seal.seal(b"same", "here") != seal.seal(b"same", "here")


def test_a_secret_shows_nothing_of_itself(seal: Seal) -> None:
    assert b"110101199003070000" not in seal.seal(b"110101199003070000", "id")


def test_it_does_not_open_in_another_place(seal: Seal) -> None:
    sealed = seal.seal(b"answers", "session:city:a")

    with pytest.raises(SealBrokenError):
        seal.open(sealed, "session:city:b")


@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_altered_bit_breaks_it(position: int, bit: int) -> None:
    seal = Seal({7: ONE}, current=7, index_key=INDEX)
    sealed = bytearray(seal.seal(b"2 units", "here"))
    sealed[position % len(sealed)] ^= 1 << bit

    with pytest.raises(SealBrokenError):
        seal.open(bytes(sealed), "here")


@pytest.mark.parametrize("length", range(30))
def test_what_was_cut_short_is_broken(seal: Seal, length: int) -> None:
    with pytest.raises(SealBrokenError):
        seal.open(seal.seal(b"x", "here")[:length], "here")


def test_garbage_is_broken(seal: Seal) -> None:
    with pytest.raises(SealBrokenError):
        seal.open(b"\x02" + os.urandom(60), "here")


def test_every_key_of_the_ring_opens_and_the_current_one_seals() -> None:
    before = Seal({1: ONE}, current=1, index_key=INDEX)
    after = Seal({1: ONE, 2: TWO}, current=2, index_key=INDEX)

    assert after.open(before.seal(b"x", "here"), "here") == b"x"
    assert after.seal(b"x", "here")[0] == 2
    with pytest.raises(SealBrokenError, match="not on the ring"):
        before.open(after.seal(b"x", "here"), "here")


def test_a_conversation_has_one_name_for_ever_and_hides_the_openid(seal: Seal) -> None:
    name = seal.conversation("city", "oAbCdEf")

    assert name == seal.conversation("city", "oAbCdEf")
    assert name.startswith("city:")
    assert len(name) == len("city:") + 32
    assert "oAbCdEf" not in name


def test_conversations_of_other_citizens_accounts_and_rings_have_other_names(seal: Seal) -> None:
    stranger = Seal({1: ONE}, current=1, index_key=b"?" * 32)
    names = {
        seal.conversation("city", "o-1"),
        seal.conversation("city", "o-2"),
        seal.conversation("school", "o-1"),
        stranger.conversation("city", "o-1"),
    }

    assert len(names) == 4


def test_the_name_is_hmac_sha256_of_account_and_openid() -> None:
    key = b"\x07" * 32
    expected = hmac.digest(key, b"city:o-1", "sha256")[:16].hex()
    assert Seal({1: key}, current=1, index_key=key).conversation("city", "o-1") == f"city:{expected}"


def test_a_capability_is_for_one_object_one_purpose_and_one_ring(seal: Seal) -> None:
    given = seal.capability("booking-link", "b_1")
    stranger = Seal({1: ONE}, current=1, index_key=b"?" * 32)

    assert given == seal.capability("booking-link", "b_1")
    assert len(given) == 22
    assert seal.is_capability("booking-link", "b_1", given)
    assert not seal.is_capability("booking-link", "b_2", given)
    assert not seal.is_capability("other", "b_1", given)
    assert not stranger.is_capability("booking-link", "b_1", given)
    assert not seal.is_capability("booking-link", "b_1", given[:-1])
    assert not seal.is_capability("booking-link", "b_1", "预" * 22)


def test_a_fingerprint_is_hmac_sha256_under_a_key_of_its_own() -> None:
    index = b"\x07" * 32
    key = hmac.digest(index, b"\x01key of fingerprints", "sha256")
    expected = hmac.digest(key, b"\x00\x09id_number" + b"11010519491231002X", "sha256")[:16]
    ring = Seal({1: ONE}, current=1, index_key=index)
    assert ring.fingerprint("11010519491231002X", "id_number") == expected


@given(text=st.text(max_size=40), context=st.text(max_size=10))
def test_a_text_is_found_again_after_every_rotation(text: str, context: str) -> None:
    before = Seal({1: ONE}, current=1, index_key=INDEX)
    after = Seal({1: ONE, 2: TWO}, current=2, index_key=INDEX)
    assert before.fingerprint(text, context) == after.fingerprint(text, context)
    assert len(before.fingerprint(text, context)) == 16


def test_fingerprints_of_other_texts_contexts_and_rings_are_others(seal: Seal) -> None:
    stranger = Seal({1: ONE}, current=1, index_key=b"?" * 32)
    told = [
        seal.fingerprint("110105", "id_number"),
        seal.fingerprint("110106", "id_number"),
        seal.fingerprint("110105", "phone"),
        seal.fingerprint("r110105", "id_numbe"),  # where one ends and the other begins counts
        stranger.fingerprint("110105", "id_number"),
        bytes.fromhex(seal.conversation("id_number", "110105").split(":")[1]),
    ]
    assert len(set(told)) == len(told)
