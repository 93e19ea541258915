"""Messages as WeChat sends them in safe mode: distinct, freshly signed, ready for the wire."""

import base64
import hashlib
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from wechatpy.crypto import PrpCrypto

from bench.webhook.plan import PATH, USERS, Plan, openid

# One process makes this many at once; small enough that two processes end together.
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Message:
    """One text message of one user; its serial number makes it distinct for ever."""

    serial: int
    user: int

    @property
    def text(self) -> str:
        """What the user wrote: the word that opens the service, and something of their own."""
        return f"计数 {self.serial}"


@dataclass(frozen=True, slots=True)
class Corpus:
    """A file of requests and who sends them, in the order of sending."""

    path: Path
    users: tuple[int, ...]


class Writer:
    """Writes corpora; no message ever comes twice. Several processes encrypt."""

    def __init__(self, plan: Plan, pool: Executor) -> None:
        self._plan = plan
        self._pool = pool
        self._serials = itertools.count()
        self._users = _in_turn(random.Random(20_261_122))

    def next(self, user: int) -> Message:
        """Make one message that never was."""
        return Message(next(self._serials), user)

    def write(self, size: int, name: str) -> Corpus:
        """Make the next `size` messages and write them as a load file, signed now."""
        messages = [self.next(next(self._users)) for _ in range(size)]
        batches = [messages[start : start + _BATCH] for start in range(0, size, _BATCH)]
        path = Path(self._plan.folder) / f"{name}.requests"
        with path.open("wb") as file:
            for made in self._pool.map(requests_for, [self._plan] * len(batches), batches):
                file.write(made)
        return Corpus(path, tuple(message.user for message in messages))


def _in_turn(draw: random.Random) -> Iterator[int]:
    """Everybody writes once, in a new order each time: drawn freely, somebody would write a flood."""
    while True:
        yield from draw.sample(range(USERS), USERS)


def requests_for(plan: Plan, messages: Sequence[Message]) -> bytes:
    """Return complete HTTP requests, each after a line with its length."""
    return b"".join(b"%d\n%b" % (len(request), request) for request in _requests(plan, messages))


def _requests(plan: Plan, messages: Sequence[Message]) -> Iterator[bytes]:
    for message in messages:
        query, body = signed(plan, message)
        head = (
            f"POST {PATH}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/4.0\r\nAccept: */*\r\n"
            f"Content-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


def signed(plan: Plan, message: Message) -> tuple[str, bytes]:
    """Return query and body of one push, encrypted by wechatpy and signed for this second."""
    now = int(time.time())
    sender = openid(message.user)
    clear = (
        f"<xml><ToUserName><![CDATA[{plan.original_id}]]></ToUserName>\n"
        f"<FromUserName><![CDATA[{sender}]]></FromUserName>\n"
        f"<CreateTime>{now}</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n"
        f"<Content><![CDATA[{message.text}]]></Content>\n"
        f"<MsgId>{24_000_000_000_000_000 + message.serial}</MsgId>\n</xml>"
    )
    stamp, nonce = str(now), str(1_000_000_000 + message.serial)
    cipher = PrpCrypto(base64.b64decode(plan.aes_key + "="))
    encrypted = cipher.encrypt(clear, plan.appid).decode()
    query = (
        f"signature={_sign(plan.token, stamp, nonce)}&timestamp={stamp}&nonce={nonce}&openid={sender}"
        f"&encrypt_type=aes&msg_signature={_sign(plan.token, stamp, nonce, encrypted)}"
    )
    body = (
        f"<xml>\n    <ToUserName><![CDATA[{plan.original_id}]]></ToUserName>\n"
        f"    <Encrypt><![CDATA[{encrypted}]]></Encrypt>\n</xml>\n"
    )
    return query, body.encode()


def _sign(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()
