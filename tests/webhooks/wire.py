"""WeChat's end of the wire, for tests: wechatpy signs and encrypts what we verify and open."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.test_utils import RawTestServer, TestClient
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import WeChatSigner

from core.chat.events import Event
from core.chat.replies import Said
from core.clock import CITY_ZONE, ManualClock
from core.errors import NotInTimeError, StoreGoneError
from core.metrics import Metrics
from core.seal import Seal
from webhooks.routes import Doors
from webhooks.wechat import AccountKeys, Porch, door

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OLD_KEY = "A" * 43
OTHER_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
APPID = "wxb11529c136998cb6"
TOKEN = "AAAAA"
GH = "gh_0123456789ab"
OPENID = "oABCDEFGHIJKLMNOPQRSTUVWXYZ12"
NOW = 1714036504
NONCE = "1514711492"

SEAL = Seal({1: b"s" * 32}, current=1, index_key=b"i" * 32)
TEXT = f"""<xml><ToUserName><![CDATA[{GH}]]></ToUserName>
<FromUserName><![CDATA[{OPENID}]]></FromUserName>
<CreateTime>{NOW}</CreateTime>
<MsgType><![CDATA[text]]></MsgType>
<Content><![CDATA[挂心内科]]></Content>
<MsgId>24537849347234234</MsgId>
</xml>"""


def keys(**changes: Any) -> AccountKeys:
    """The city's account, with whatever a test needs to be different."""
    given: dict[str, Any] = {
        "key": "city",
        "original_id": GH,
        "appid": APPID,
        "token": TOKEN,
        "aes_key": KEY,
    }
    return AccountKeys(**given | changes)


def push(**fields: str) -> str:
    """The XML of a push: the common fields, then these; a value that starts with `<` stands as it is."""
    named = {"ToUserName": GH, "FromUserName": OPENID, "CreateTime": str(NOW)} | fields
    inner = "".join(
        f"<{name}>{value if value.startswith('<') or value.isdigit() else f'<![CDATA[{value}]]>'}</{name}>"
        for name, value in named.items()
    )
    return f"<xml>{inner}</xml>"


def signature(*parts: str) -> str:
    signer = WeChatSigner()
    signer.add_data(*parts)
    return str(signer.signature)


def plain_query(*, at: int = NOW, token: str = TOKEN, nonce: str = NONCE, **more: str) -> dict[str, str]:
    """The query of a plain push or a URL verification; each push has a `nonce` of its own."""
    signed = signature(token, str(at), nonce)
    return {"signature": signed, "timestamp": str(at), "nonce": nonce, "openid": OPENID} | more


@dataclass(frozen=True)
class Sealed:
    """A push as WeChat sends it in safe (or compatible) mode."""

    query: dict[str, str]
    body: str


def seal_push(
    xml: str = TEXT,
    *,
    key: str = KEY,
    appid: str = APPID,
    token: str = TOKEN,
    at: int = NOW,
    clear: str = "",
) -> Sealed:
    """Encrypt with wechatpy and sign; `clear` are the unsigned fields compatible mode puts beside it."""
    made = WeChatCrypto(token, key, appid).encrypt_message(xml, NONCE, str(at))
    encrypt = made.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    return signed_push(encrypt, token=token, at=at, clear=clear)


def signed_push(encrypt: str, *, token: str = TOKEN, at: int = NOW, clear: str = "") -> Sealed:
    """Sign any `Encrypt` text, also one that is not what it should be."""
    beside = clear or f"<ToUserName><![CDATA[{GH}]]></ToUserName>"
    query = plain_query(at=at, token=token, encrypt_type="aes")
    query["msg_signature"] = signature(token, str(at), NONCE, encrypt)
    return Sealed(query, f"<xml>{beside}<Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>")


def raw_encrypt(plain: bytes, key: str = KEY) -> str:
    """AES alone, without any of the rules of the layout."""
    raw = base64.b64decode(key + "=")
    encryptor = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def layout(
    message: bytes, *, length: int | None = None, appid: str = APPID, pad: bytes | None = None
) -> bytes:
    """A plain text as it stands before encryption, right unless a test wants it wrong."""
    size = len(message) if length is None else length
    plain = b"r" * 16 + size.to_bytes(4, "big") + message + appid.encode()
    return plain + (bytes([n := 32 - len(plain) % 32]) * n if pad is None else pad)


@dataclass
class Desk:
    """A reception that writes down what it was told and answers what a test wants."""

    answer: Callable[[Event], Said | None] = lambda _event: Said(type="text", at=NOW + 1, text="请选择科室")
    events: list[Event] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    given_up: list[Event] = field(default_factory=list)
    is_last: bool = False
    metrics: Metrics = field(default_factory=Metrics)
    bodies: dict[tuple[str, str, str], bytes] = field(default_factory=dict)

    async def receive(self, event: Event, arrived: float) -> Said | None:
        self.events.append(event)
        self.arrivals.append(arrived)
        return self.answer(event)

    def give_up(self, event: Event, arrived: float, gone: StoreGoneError) -> Said:
        del arrived
        self.given_up.append(event)
        if self.is_last:
            return Said(type="text", at=NOW, text=f"{gone}")
        raise NotInTimeError(gone)

    async def bind(self, account: str, timestamp: str, nonce: str, body: bytes) -> bool:
        return self.bodies.setdefault((account, timestamp, nonce), body) == body


def clock_at(seconds: int = NOW) -> ManualClock:
    return ManualClock(datetime.fromtimestamp(seconds, CITY_ZONE))


def application(desk: Desk, *accounts: AccountKeys, ready: Callable[[], bool] = lambda: True) -> Doors:
    """WeChat's doors and no others."""
    porch = Porch(SEAL, clock_at(), desk.metrics, ready, desk.bind)
    return Doors(door([(account, desk) for account in accounts or (keys(),)], porch))


class Wire:
    """Pushes to the door of one application, over HTTP."""

    def __init__(self, client: TestClient[web.BaseRequest, None]) -> None:
        self.client = client

    async def get(self, query: dict[str, str], account: str = "city") -> tuple[int, str]:
        return await self._answer("GET", f"/wechat/{account}?{urlencode(query)}", b"")

    async def post(self, query: dict[str, str], body: str | bytes, account: str = "city") -> tuple[int, str]:
        raw = body.encode() if isinstance(body, str) else body
        return await self._answer("POST", f"/wechat/{account}?{urlencode(query)}", raw)

    async def send(self, sealed: Sealed) -> tuple[int, str]:
        return await self.post(sealed.query, sealed.body)

    async def _answer(self, method: str, path: str, body: bytes) -> tuple[int, str]:
        async with self.client.request(method, path, data=body) as response:
            return response.status, await response.text()


def client_of(doors: Doors) -> TestClient[web.BaseRequest, None]:
    return TestClient(RawTestServer(doors.answer, access_log=None))
