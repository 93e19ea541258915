"""What server and issuer say on their socket: short frames of JSON, one answer to each question."""

import asyncio
import struct
from typing import TypeVar

import msgspec

MOST_BYTES = 2048
_LENGTH = struct.Struct(">H")


class AskGrant(msgspec.Struct, frozen=True, tag_field="is", tag="grant"):
    """Sign a grant of these fields; its `kid` is the issuer's to choose."""

    acct_ref: bytes
    type: int
    cap_fen: int
    user_key: bytes
    expires_at: int
    ttl_s: int
    custom: bytes = b""


class AskCode(msgspec.Struct, frozen=True, tag_field="is", tag="code"):
    """Sign a code of kind S of these fields."""

    acct_ref: bytes
    type: int
    cap_fen: int
    gen_time: int
    ttl_s: int
    nonce: bytes


class AskKeys(msgspec.Struct, frozen=True, tag_field="is", tag="keys"):
    """Tell the public keys."""


class Signed(msgspec.Struct, frozen=True, tag_field="is", tag="signed"):
    """The bytes asked for."""

    raw: bytes


class Key(msgspec.Struct, frozen=True):
    """A public key; it signs from `since` (Unix seconds) on."""

    kid: int
    public: bytes
    since: int


class Keys(msgspec.Struct, frozen=True, tag_field="is", tag="keys"):
    """All of them, the one that signs now by its number; and those that nobody is to trust any more."""

    keys: tuple[Key, ...]
    current: int
    revoked: tuple[Key, ...] = ()


class Refused(msgspec.Struct, frozen=True, tag_field="is", tag="refused"):
    """Not signed, and never will be."""

    why: str


Question = AskGrant | AskCode | AskKeys
Answer = Signed | Keys | Refused
Shape = TypeVar("Shape")
_encode = msgspec.json.Encoder().encode


class BadFrameError(Exception):
    """What came is not of this protocol."""


def frame(content: Question | Answer) -> bytes:
    """A message as it goes over the socket."""
    body = _encode(content)
    if len(body) > MOST_BYTES:
        raise BadFrameError(f"{len(body)} bytes are no message")
    return _LENGTH.pack(len(body)) + body


async def unframe(reader: asyncio.StreamReader, decoder: "msgspec.json.Decoder[Shape]") -> Shape:
    """The next message; `asyncio.IncompleteReadError` when the other side has gone."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > MOST_BYTES:
        raise BadFrameError(f"{length} bytes are no message")
    try:
        return decoder.decode(await reader.readexactly(length))
    except msgspec.DecodeError as wrong:
        raise BadFrameError(str(wrong)) from wrong
