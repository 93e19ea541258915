"""WeChat Pay: signed requests, answers believed when signed, notices opened (docs/pay-facts.md)."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import aiohttp
import msgspec
import structlog

from clients import pay_words as words
from clients.bounded import bounded
from clients.pay_codes import policy_of
from clients.pay_signing import NONCE, SERIAL, Keys
from core.clock import Clock
from services.payments.bank import (
    Agreement,
    BankGone,
    BankRefused,
    Debit,
    Fate,
    NotBelieved,
    Policy,
    Refund,
    Signing,
)
from services.payments.model import Notice

MOST_BYTES = 32 * 1024
TIMEOUT_S = 8.0
_NONCE_BYTES = 16
_SUCCESS = range(200, 300)
_SIGN = "/v3/papay/scheduled-deduct-sign/contracts/pre-entrust-sign/jsapi"
_CONTRACT = "/v3/papay/sign/contracts/plan-id/{plan}/out-contract-code/{code}"
_DEBIT = "/v3/papay/pay/transactions/apply"
_ORDER = "/v3/papay/pay/transactions/out-trade-no/{name}?mchid={mchid}"
_REFUND = "/v3/refund/domestic/refunds"
_NOT_AGREED = "an answer that is not as agreed"
_CALLS = ((_SIGN, "presign"), ("/v3/papay/sign/", "contract"), (_DEBIT, "debit"), (_REFUND, "refund"))

A = TypeVar("A", bound=msgspec.Struct)
_log = structlog.get_logger("pay")
_encode = msgspec.json.Encoder().encode


class Nonces(Protocol):
    """Remembers the nonces of the last ten minutes (P7)."""

    async def first(self, nonce: str) -> bool:
        """Note a nonce; False where it was there before."""
        ...

    async def forget(self, nonce: str) -> None:
        """What came with it could not be dealt with: let it come again."""
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """Where WeChat Pay is and where it tells us; plans and appids by our own names for them."""

    url: str
    notify_url: str
    plans: Mapping[str, int]
    appids: Mapping[str, str]
    shown_as: str
    timeout_s: float = TIMEOUT_S


class _Nothing(msgspec.Struct, frozen=True):
    """An answer of which only the signature matters."""


class _Refusal(msgspec.Struct, frozen=True):
    code: str = ""


class WeChatPay:
    """The `Bank` of a city: one merchant, and a plan for each purpose."""

    def __init__(self, http: aiohttp.ClientSession, keys: Keys, access: Access, clock: Clock) -> None:
        self._http = http
        self._keys = keys
        self._access = access
        self._clock = clock
        self._limit = aiohttp.ClientTimeout(total=access.timeout_s)

    def appid(self, account: str) -> str:
        """The appid under which this account's contracts are signed."""
        return self._access.appids[account]

    def plan_id(self, plan: str) -> int:
        """The number of a plan; KeyError where the settings have none."""
        return self._access.plans[plan]

    async def presign(self, signing: Signing) -> str:
        """The address of the page where she signs."""
        question = {
            "appid": self.appid(signing.account),
            "openid": signing.openid,
            "plan_id": self.plan_id(signing.plan),
            "out_contract_code": signing.code,
            "contract_display_account": self._access.shown_as,
            "contract_notify_url": f"{self._access.notify_url}/contract",
        }
        return (await self._ask("POST", _SIGN, words.Page, question)).redirect_url

    async def agreement(self, plan: str, code: str) -> Agreement | None:
        """How a contract stands."""
        asked = (self._keys.mch_id, self.plan_id(plan), code)
        path = _CONTRACT.format(plan=asked[1], code=code)
        try:
            found = await self._ask("GET", path, words.Contract)
            if (found.mchid, found.plan_id, found.out_contract_code) != asked:
                raise BankGone(_NOT_AGREED)
            return found.agreement()
        except words.NotUnderstoodError as strange:
            raise BankGone(f"{_NOT_AGREED}: {strange}") from None
        except BankRefused as refused:
            if refused.policy in {Policy.ABSENT, Policy.CONTRACT}:
                return None
            raise

    async def terminate(self, plan: str, code: str, why: str) -> None:
        """End a contract; one that is over is over."""
        path = _CONTRACT.format(plan=self.plan_id(plan), code=code) + "/terminate"
        try:
            await self._ask("POST", path, _Nothing, {"contract_termination_remark": why})
        except BankRefused as refused:
            if refused.policy is not Policy.CONTRACT:
                raise

    async def debit(self, debit: Debit) -> None:
        """Ask for a debit."""
        question = {
            "appid": self.appid(debit.account),
            "out_trade_no": debit.out_trade_no,
            "description": debit.text[:127],
            "transaction_notify_url": f"{self._access.notify_url}/debit",
            "contract_id": debit.contract_id,
            "amount": {"total": debit.amount_fen, "currency": "CNY"},
        }
        await self._ask("POST", _DEBIT, _Nothing, question)

    async def fate(self, out_trade_no: str) -> Fate | None:
        """What became of a try."""
        path = _ORDER.format(name=out_trade_no, mchid=self._keys.mch_id)
        try:
            order = await self._ask("GET", path, words.Order)
            if (order.out_trade_no, order.mchid) != (out_trade_no, self._keys.mch_id):
                raise BankGone(_NOT_AGREED)
            return order.fate()
        except words.NotUnderstoodError as strange:
            raise BankGone(f"{_NOT_AGREED}: {strange}") from None
        except BankRefused as refused:
            if refused.policy is Policy.ABSENT:
                return None
            raise

    async def refund(self, refund: Refund) -> Fate:
        """Send money back."""
        question = {
            "out_trade_no": refund.out_trade_no,
            "out_refund_no": refund.out_refund_no,
            "notify_url": f"{self._access.notify_url}/refund",
            "amount": {"refund": refund.amount_fen, "total": refund.paid_fen, "currency": "CNY"},
        }
        try:
            answer = await self._ask("POST", _REFUND, words.Refunded, question)
            fate = answer.fate()
        except words.NotUnderstoodError as strange:
            raise BankGone(f"{_NOT_AGREED}: {strange}") from None
        if (answer.out_refund_no, fate.amount_fen) != (refund.out_refund_no, refund.amount_fen):
            raise BankGone(_NOT_AGREED)
        return fate

    async def hello(self) -> str:
        """Ask for an order nobody has made: whoever answers knows us, and we them. "" or what is wrong."""
        try:
            await self.fate("bianmin0hello0bianmin0hello0chec")
        except BankRefused as refused:
            return f"it refuses us ({refused.code})"
        except BankGone as gone:
            return gone.why
        return ""

    async def _ask(self, method: str, target: str, kind: type[A], question: object = None) -> A:
        body = b"" if question is None else _encode(question)
        try:
            status, content = await self._exchange(method, target, body)
            if status not in _SUCCESS:
                code = msgspec.json.decode(content, type=_Refusal).code if content else ""
                raise BankRefused(code[:64], policy_of(status, code))
            return msgspec.json.decode(content or b"{}", type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self._gone(target, _NOT_AGREED) from None
        except (aiohttp.ClientError, OSError) as failed:  # a TimeoutError is an OSError
            why = "timed out" if isinstance(failed, TimeoutError) else type(failed).__name__
            raise self._gone(target, why) from None

    async def _exchange(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        """Status and content of an answer that can be believed; a refusal may come unsigned."""
        moment = (str(int(self._clock.timestamp())), secrets.token_hex(_NONCE_BYTES))
        headers = {
            "Authorization": self._keys.authorization(method, target, moment, body.decode()),
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "bianmin",
            SERIAL: self._keys.platform_id,
        }
        url = f"{self._access.url}{target}"
        async with self._http.request(
            method, url, data=body or None, headers=headers, timeout=self._limit, allow_redirects=False
        ) as response:
            content = await bounded(response.content, MOST_BYTES)
            told = {name: response.headers.get(name, "") for name in response.headers}
        if len(content) > MOST_BYTES:
            raise self._gone(target, "an answer that is too long")
        if response.status in _SUCCESS:
            wrong = self._keys.distrust(_titled(told), content, self._clock.timestamp())
            if wrong:
                raise self._gone(target, f"an answer with {wrong}")
        return response.status, content

    def _gone(self, target: str, why: str) -> BankGone:
        call = next((name for start, name in _CALLS if target.startswith(start)), "order")
        _log.warning("pay_gone", call=call, why=why)
        return BankGone(why)


class Notices:
    """Opens notifies: theirs, fresh, not seen before, sealed for us (P2, P7)."""

    def __init__(self, keys: Keys, clock: Clock, nonces: Nonces) -> None:
        self._keys = keys
        self._clock = clock
        self._nonces = nonces

    async def open(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """What it tells, or NotBelieved."""
        titled = _titled(headers)
        wrong = self._keys.distrust(titled, body, self._clock.timestamp())
        if wrong:
            raise NotBelieved(wrong)
        try:
            envelope = msgspec.json.decode(body, type=words.Envelope)
            sealed = envelope.resource
            content = self._keys.unseal(sealed.nonce, sealed.ciphertext, sealed.associated_data)
            if content is None or sealed.algorithm != "AEAD_AES_256_GCM":
                raise NotBelieved("sealed with another key")
            notice = words.notice_of(envelope, content, self._keys.mch_id)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise NotBelieved("not as agreed") from None
        except words.NotUnderstoodError as strange:
            raise NotBelieved(f"not understood: {strange}") from None
        if not await self._nonces.first(titled[NONCE]):
            raise NotBelieved("a nonce that was here before")
        return notice

    async def undone(self, headers: Mapping[str, str]) -> None:
        """It could not be dealt with: the same may come again."""
        await self._nonces.forget(_titled(headers).get(NONCE, ""))


def _titled(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.title(): value for name, value in headers.items()}
