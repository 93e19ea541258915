"""docs/transit-code.md keeps its word: its vectors, its example, its words and its settings."""

import base64
import json
import re
import tomllib

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gate import code as fmt
from gate.code import Grounds, IssuerKey, Reason, Refused, armour, unarmour, verify
from gate.journal import Tap
from gate.screen import words
from gate.settings import Settings
from gate.signing import signed_lines, unpadded
from gate.trust import parse
from gate.upload import MOST_TAPS, TAPS, TRUST, Batch
from tests.support.program import ROOT
from tests.support.ride_codes import malleated, public

TEXT = (ROOT / "docs" / "transit-code.md").read_text("utf-8")
VECTORS = dict(re.findall(r"^(\w+): (.+)$", TEXT.split("```text\n")[1].split("```")[0], re.MULTILINE))
NOW = int(re.findall(r"`now` is (\d+)\.", TEXT)[0])
ISSUER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DEVICE = ec.derive_private_key(0x123456789ABCDEF0123456789ABCDEF0, ec.SECP256R1())
GATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))


def raw(name: str) -> bytes:
    return bytes.fromhex(VECTORS[name])


def grounds() -> Grounds:
    return Grounds({7: IssuerKey(Ed25519PublicKey.from_public_bytes(raw("issuer_public")))}, set(), set())


def test_the_keys_of_the_vectors_are_those_that_are_told() -> None:
    assert raw("issuer_public") == ISSUER.public_key().public_bytes_raw()
    assert raw("user_key") == public(DEVICE)


def test_a_verifier_accepts_the_vectors() -> None:
    for name, ttl_s, custom in (("device", 30, b"demo"), ("server", 120, b"")):
        code = verify(raw(f"{name}_code"), grounds(), NOW)
        assert code.acct_ref == bytes(range(0xA0, 0xB0))
        assert (code.type, code.cap_fen, code.gen_time) == (1, 1200, 1_795_395_600)
        assert (code.nonce, code.ttl_s, code.custom) == (bytes(range(8)), ttl_s, custom)
        assert armour(raw(f"{name}_code")) == VECTORS[f"{name}_text"]
        assert unarmour(VECTORS[f"{name}_text"]) == raw(f"{name}_code")
    assert verify(raw("device_code"), grounds(), NOW).expires_at == 1_795_396_500
    assert raw("device_code").startswith(raw("grant"))


def test_whoever_makes_codes_comes_to_the_same_bytes() -> None:
    signed = bytes(range(0xA0, 0xB0)), 1, 1200
    made = fmt.grant(
        fmt.Grant(7, *signed, raw("user_key"), 1_795_396_500, 30, b"demo"),
        ISSUER.sign,
    )
    assert made == raw("grant")
    assert fmt.server_code(fmt.ServerCode(7, *signed, NOW, 120, bytes(range(8))), ISSUER.sign) == raw(
        "server_code"
    )


def test_the_twin_of_the_vector_is_the_same_code() -> None:
    twin = raw("device_code")[:-64] + raw("sig_user_twin")
    assert twin == malleated(raw("device_code"))
    assert verify(twin, grounds(), NOW).used_key == verify(raw("device_code"), grounds(), NOW).used_key


@pytest.mark.parametrize("name", ["device_code", "server_code"])
def test_a_vector_that_differs_in_one_byte_is_refused(name: str) -> None:
    for place in range(len(raw(name))):
        with pytest.raises(Refused):
            verify(
                raw(name)[:place] + bytes((raw(name)[place] ^ 255,)) + raw(name)[place + 1 :], grounds(), NOW
            )


def test_the_table_of_checks_has_every_reason_in_order_and_what_the_rider_reads() -> None:
    rows = re.findall(r"^\| \d? ?\| .+ \| `(\w+)` \| (.+) \|$", TEXT, re.MULTILINE)
    assert [name for name, _ in rows] == [reason.value for reason in Reason]
    assert dict(rows) == words().refused


def test_the_offsets_of_the_tables_are_those_of_the_bytes() -> None:
    for kind, name, n in (("D", "device_code", 4), ("S", "server_code", 0)):
        table = TEXT.split(f"| Kind {kind}: offset")[1].split("\n\n")[0]
        at = 0
        for offset, size in re.findall(r"^\| ([\dn+ ]+) \| ([\dn]+) \|", table, re.MULTILINE):
            assert sum(n if part == "n" else int(part) for part in offset.split(" + ")) == at
            at += n if size == "n" else int(size)
        assert at == len(raw(name))
    for tag in (fmt.GRANT_TAG, fmt.DEVICE_TAG, fmt.SERVER_TAG):
        assert f"`{tag[:-1].decode()}`, a zero byte" in TEXT
    assert f"({fmt.LONGEST_TEXT} characters)" in TEXT


def test_the_example_of_an_upload_has_the_signature_that_is_shown() -> None:
    head, body = TEXT.split(f"```\nPOST {TAPS}\n")[1].split("\n```")[0].split("\n\n")
    headers = dict(line.split(": ") for line in head.splitlines())
    moment = headers["Bianmin-Time"], headers["Bianmin-Nonce"]
    lines = signed_lines("POST", TAPS, moment, body.encode())
    assert f"```\n{lines.decode()}\n```" in TEXT
    assert headers["Bianmin-Signature"] == unpadded(GATE.sign(lines))
    assert f"`{unpadded(GATE.public_key().public_bytes_raw())}`" in TEXT
    assert f"`{unpadded(GATE.sign(signed_lines('GET', f'{TRUST}?since=0', moment, b'')))}`" in TEXT
    batch = msgspec.json.decode(body, type=Batch)
    assert base64.urlsafe_b64decode(batch.taps[0].code + "==") == raw("server_code")
    fields = set(Batch.__struct_fields__) | {f"taps[].{each}" for each in Tap.__struct_fields__}
    told = TEXT.split("| Field | Holds |")[1].split("\n\n")[0]
    for each in fields - {"taps"}:
        assert each in told or f"`.{each.removeprefix('taps[].')}`" in told, each
    assert f"At most {MOST_TAPS} taps" in TEXT


def test_the_trust_list_of_the_document_is_one() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    found = parse(shown.encode())
    assert json.loads(shown)["issuers"][0]["key"] == unpadded(raw("issuer_public"))
    assert (found.now, found.issuers[0].kid, found.denied[0].until) == (NOW * 1000, 7, NOW + 900)


def test_the_settings_of_the_document_are_settings() -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert msgspec.convert(tomllib.loads(shown), Settings).station == "zhongnan"
