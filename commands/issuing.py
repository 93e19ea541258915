"""The issuer at work: it builds what it signs itself, within limits of its own, for whom it knows."""

import asyncio
import os
import socket
import struct
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from clients.issuer_wire import (
    Answer,
    AskCode,
    AskGrant,
    BadFrameError,
    Key,
    Keys,
    Question,
    Refused,
    Signed,
    frame,
    unframe,
)
from commands import issuer_keys
from commands.issuer_keys import IssuerKey
from core.clock import Clock
from gate.code import Grant, ServerCode, Type, grant, server_code

MOST_CONNECTIONS = 64
_IDLE_S = 300.0
_ANSWER_S = 2.0
_AHEAD_S = 10  # what the server's clock may be off from ours
_GRANT_S, _GRANT_TTL_S, _PICTURE_S = 900, 60, 300
_PEER = struct.Struct("3i")  # pid, uid, gid
_decoder = msgspec.json.Decoder(Question)
_log = structlog.get_logger("issuer")


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond these nothing is signed, whoever asks."""

    cap_fen: int
    grant_s: int = _GRANT_S
    grant_ttl_s: int = _GRANT_TTL_S
    picture_s: int = _PICTURE_S


class Issuing:
    """Signs with the keys of a file, which it reads again when it was changed."""

    def __init__(self, path: Path, limits: Limits, clock: Clock) -> None:
        self._path = path
        self._limits = limits
        self._clock = clock
        self._seen = path.stat().st_mtime_ns if path.exists() else 0
        self._keys, self._revoked = issuer_keys.load_all(path)

    def answer(self, question: Question) -> Answer:
        """Sign, or say why not; `Refused` names no value of the question."""
        self._look_again()
        now = int(self._clock.now().timestamp())
        key = issuer_keys.current(self._keys, now)
        try:
            if isinstance(question, AskGrant):
                return Signed(self._grant(question, key, now))
            if isinstance(question, AskCode):
                return Signed(self._code(question, key, now))
        except ValueError as not_so:
            _log.warning("not_signed", why=str(not_so))
            return Refused(str(not_so))
        keys = tuple(Key(each.kid, each.public, each.since) for each in self._keys)
        return Keys(keys, key.kid, tuple(Key(kid, public, 0) for kid, public in self._revoked.items()))

    def _grant(self, asked: AskGrant, key: IssuerKey, now: int) -> bytes:
        self._look_at(asked)
        if not now < asked.expires_at <= now + self._limits.grant_s + _AHEAD_S:
            raise ValueError("a grant's end must be ahead, by 15 minutes at most")
        if not 0 < asked.ttl_s <= self._limits.grant_ttl_s:
            raise ValueError("a code of a page lives longer than it may")
        if asked.user_key[:1] not in {b"\2", b"\3"}:
            raise ValueError("user_key is no compressed point")
        content = Grant(
            key.kid,
            asked.acct_ref,
            asked.type,
            asked.cap_fen,
            asked.user_key,
            asked.expires_at,
            asked.ttl_s,
            asked.custom,
        )
        return grant(content, key.private.sign)

    def _code(self, asked: AskCode, key: IssuerKey, now: int) -> bytes:
        self._look_at(asked)
        if abs(asked.gen_time - now) > _AHEAD_S:
            raise ValueError("a picture is made now")
        if not 0 < asked.ttl_s <= self._limits.picture_s:
            raise ValueError("a picture lives longer than it may")
        content = ServerCode(
            key.kid, asked.acct_ref, asked.type, asked.cap_fen, asked.gen_time, asked.ttl_s, asked.nonce
        )
        return server_code(content, key.private.sign)

    def _look_at(self, asked: AskGrant | AskCode) -> None:
        if asked.type not in set(Type):
            raise ValueError("no such type")
        if not 0 <= asked.cap_fen <= self._limits.cap_fen:
            raise ValueError("the amount is beyond issuer.cap_fen")

    def _look_again(self) -> None:
        """Keys that were added or revoked meanwhile; a file that is gone or damaged changes nothing."""
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._seen:
                self._seen = changed
                self._keys, self._revoked = issuer_keys.load_all(self._path)
                _log.info("keys_read", keys=len(self._keys))
        except Exception as wrong:  # noqa: BLE001 - whatever it is, the keys we have still sign
            _log.warning("keys_not_read", why=str(wrong))


class Attendant:
    """Answers on the socket, to processes of the users that may ask."""

    def __init__(self, issuing: Issuing, users: Collection[int]) -> None:
        self._issuing = issuing
        self._users = frozenset(users)
        self._open: set[asyncio.Task[None]] = set()

    async def attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first question to its end."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker
        self._open.add(task)
        try:
            if len(self._open) <= MOST_CONNECTIONS and self._is_known(writer):
                await self._converse(reader, writer)
        except (BadFrameError, OSError, EOFError, TimeoutError) as ended:
            if isinstance(ended, BadFrameError):
                _log.warning("bad_frame", why=str(ended))
        except asyncio.CancelledError:
            pass  # `end`: what asyncio keeps of a connection takes a cancelled one for an error of ours
        finally:
            self._open.discard(task)
            writer.close()

    async def end(self) -> None:
        """Hang up."""
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            async with asyncio.timeout(_IDLE_S):
                question = await unframe(reader, _decoder)
            writer.write(frame(self._issuing.answer(question)))
            async with asyncio.timeout(_ANSWER_S):
                await writer.drain()

    def _is_known(self, writer: asyncio.StreamWriter) -> bool:
        uid = peer_uid(writer.get_extra_info("socket"))
        if uid not in self._users:
            _log.warning("stranger", uid=uid)
        return uid in self._users


def peer_uid(connection: socket.socket) -> int:
    """Who is at the other end, as the system tells it."""
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    return int(_PEER.unpack(found)[1])


def own_uid() -> int:
    """Who we are."""
    return os.geteuid()
