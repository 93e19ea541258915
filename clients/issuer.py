"""The way to the issuer: a question on its unix socket, asked once more when it was started anew between."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from clients.issuer_wire import (
    Answer,
    AskCode,
    AskGrant,
    AskKeys,
    BadFrameError,
    Keys,
    Question,
    Refused,
    Signed,
    frame,
    unframe,
)
from core.errors import BootError
from gate.code import Grant, ServerCode
from services.transit.issuer import IssuerGone

TIMEOUT_S = 2.0
_decoder = msgspec.json.Decoder(Answer)
_log = structlog.get_logger("issuer")


class SocketIssuer:
    """One connection, kept; questions take turns on it. Asking twice does no harm."""

    def __init__(self, socket: Path, timeout_s: float = TIMEOUT_S) -> None:
        self._socket = socket
        self._timeout_s = timeout_s
        self._turn = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def grant(self, content: Grant) -> bytes:
        """The signed grant, under the issuer's current key; `ValueError` where it would not sign."""
        return await self._signed(
            AskGrant(
                content.acct_ref,
                content.type,
                content.cap_fen,
                content.user_key,
                content.expires_at,
                content.ttl_s,
                content.custom,
            )
        )

    async def code(self, content: ServerCode) -> bytes:
        """The whole code of kind S, under the issuer's current key; `ValueError` where it would not sign."""
        return await self._signed(
            AskCode(
                content.acct_ref,
                content.type,
                content.cap_fen,
                content.gen_time,
                content.ttl_s,
                content.nonce,
            )
        )

    async def public_keys(self) -> Mapping[int, bytes]:
        """Every key a gate should know, also one that signs only later."""
        return {key.kid: key.public for key in (await self._keys()).keys}

    async def revoked_keys(self) -> Mapping[int, bytes]:
        """Keys that a gate is to refuse, whatever it heard of them before."""
        return {key.kid: key.public for key in (await self._keys()).revoked}

    async def told(self) -> str:
        """What the health page says of it; `BootError` when nobody answers."""
        try:
            found = await self._keys()
        except IssuerGone as gone:
            raise BootError(f"没有应答（{gone.why}）：.venv/bin/python main.py issue") from gone
        return f"密钥 {found.current}" + (
            "，新密钥待启用" if len(found.keys) > 1 and self._later(found) else ""
        )

    async def close(self) -> None:
        """Give the connection back."""
        async with self._turn:
            await self._hang_up()

    @staticmethod
    def _later(found: Keys) -> bool:
        return max(found.keys, key=lambda key: key.since).kid != found.current

    async def _keys(self) -> Keys:
        answer = await self._asked(AskKeys())
        if not isinstance(answer, Keys):
            raise IssuerGone(why="an answer that is not as agreed")
        return answer

    async def _signed(self, question: Question) -> bytes:
        try:
            answer = await self._asked(question)
        except IssuerGone as gone:
            _log.warning("issuer_gone", why=gone.why)
            raise
        if isinstance(answer, Refused):
            raise ValueError(answer.why)  # noqa: TRY004 - a value of the question
        if not isinstance(answer, Signed):
            raise IssuerGone(why="an answer that is not as agreed")
        return answer.raw

    async def _asked(self, question: Question) -> Answer:
        try:
            async with asyncio.timeout(self._timeout_s), self._turn:
                return await self._twice(frame(question))
        except (OSError, TimeoutError, EOFError, BadFrameError) as gone:
            raise IssuerGone(why=str(gone) or type(gone).__name__) from gone

    async def _twice(self, question: bytes) -> Answer:
        """Ask on the connection we have; if its other end was started anew meanwhile, on a new one."""
        if self._streams is not None:
            with suppress(OSError, EOFError):
                return await self._once(question)
        return await self._once(question)

    async def _once(self, question: bytes) -> Answer:
        try:
            if self._streams is None:
                self._streams = await asyncio.open_unix_connection(self._socket)
            reader, writer = self._streams
            writer.write(question)
            await writer.drain()
            return await unframe(reader, _decoder)
        except BaseException:  # also a time-out: the answer, when it comes, would be taken for the next one's
            await self._hang_up()
            raise

    async def _hang_up(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
