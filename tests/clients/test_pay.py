"""The client against the played WeChat Pay: contract, debit, query, refund, and what cannot be believed."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import simulator.app
from clients.pay import Access, Notices, WeChatPay
from clients.pay_signing import Keys
from commands.invented import Merchant, _invent_merchant
from core.clock import ManualClock
from core.errors import BootError
from services.payments.bank import (
    Agreement,
    BankGone,
    BankRefused,
    Debit,
    NotBelieved,
    Policy,
    Refund,
    Signing,
)
from services.payments.model import ContractNotice, DebitNotice, Notice, RefundNotice, Told
from simulator.accounts import Account
from simulator.pay import Pay
from simulator.pay_keys import Merchant as Played
from simulator.pay_notices import Trouble
from simulator.people import Standing

CODE, TRY, BACK = "c" * 32, "t" * 32, "r" * 32
PLAN = 12535
MADE: Merchant = _invent_merchant()


@dataclass
class Seen:
    """Nonces kept in memory."""

    nonces: set[str] = field(default_factory=set)

    async def first(self, nonce: str) -> bool:
        known = nonce in self.nonces
        self.nonces.add(nonce)
        return not known

    async def forget(self, nonce: str) -> None:
        self.nonces.discard(nonce)


@dataclass
class Line:
    """Both ends: our client, what the bank sends us, and the bank itself."""

    ours: WeChatPay
    keys: Keys
    theirs: Pay
    clock: ManualClock
    told: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def opener(self) -> Notices:
        return Notices(self.keys, self.clock, Seen())

    async def heard(self, number: int = -1) -> Notice:
        return await self.opener().open(*self.told[number])

    async def signed(self) -> str:
        page = await self.ours.presign(Signing("transit", CODE, "city", "o1"))
        session = page.rpartition("=")[2]
        contract = self.theirs.ledger.page(session)
        assert contract is not None
        self.theirs.sign(contract)
        return contract.contract_id

    async def quiet(self) -> None:
        """Everything that was to be told has been told."""
        while self.theirs._wechat._under_way:
            await asyncio.gather(*self.theirs._wechat._under_way)


def keys_of(made: Merchant) -> Keys:
    platform = (made.platform_key_id, made.platform_key)
    return Keys.read((made.mch_id, made.serial), made.private_key, platform, made.api_v3_key)


def played(made: Merchant) -> Played:
    values = {name: getattr(made, name) for name in Played.__dataclass_fields__ if name != "plans"}
    return Played(plans={PLAN: "公交地铁乘车码"}, **values)


@pytest.fixture
async def line(clock: ManualClock) -> AsyncIterator[Line]:
    told: list[tuple[dict[str, str], bytes]] = []

    async def listen(request: web.Request) -> web.Response:
        told.append((dict(request.headers), await request.read()))
        return web.Response(status=204)

    door = web.Application()
    door.router.add_post("/pay/notify/{kind}", listen)
    account = Account(
        key="city", name="云汀", original_id="gh_1", appid="wx-city", secret="s", token="t" * 8, aes_key="",
        mode="plain", webhook_url="http://127.0.0.1:9/wechat/city",
    )  # fmt: skip
    app = simulator.app.build([account], clock=clock.now)
    pay = simulator.app.play_pay(app, played(MADE), factor=0.001)
    app[simulator.app.WECHAT].people.meet("city", "o1", Standing.FOLLOWER)
    async with TestServer(door) as ears, TestServer(app) as bank, aiohttp.ClientSession() as http:
        notify = str(ears.make_url("/pay/notify"))
        access = Access(
            str(bank.make_url("")).rstrip("/"), notify, {"transit": PLAN}, {"city": "wx-city"}, "用户"
        )
        keys = keys_of(MADE)
        yield Line(WeChatPay(http, keys, access, clock), keys, pay, clock, told, access.url)


def debit(contract: str, fen: int = 300) -> Debit:
    return Debit(TRY, "city", contract, fen, "2号线 中南路→光谷广场")


async def test_signed_debited_refunded_and_ended(line: Line) -> None:
    assert await line.ours.agreement("transit", CODE) is None
    contract = await line.signed()
    await line.quiet()
    assert await line.ours.agreement("transit", CODE) == Agreement(signed=True, contract_id=contract)
    assert isinstance(told := await line.heard(), ContractNotice)
    assert (told.code, told.plan_id, told.contract_id, told.signed) == (CODE, PLAN, contract, True)

    assert await line.ours.fate(TRY) is None
    await line.ours.debit(debit(contract))
    await line.ours.debit(debit(contract))
    await line.quiet()
    fate = await line.ours.fate(TRY)
    assert fate is not None
    assert (fate.told, fate.amount_fen, fate.appid) == (Told.DONE, 300, "wx-city")
    assert isinstance(paid := await line.heard(), DebitNotice)
    assert (paid.out_trade_no, paid.told, paid.amount_fen, paid.appid) == (TRY, Told.DONE, 300, "wx-city")

    refund = Refund(BACK, TRY, 100, 300)
    assert (await line.ours.refund(refund)).told is Told.DONE
    assert (await line.ours.refund(refund)).told is Told.DONE
    await line.quiet()
    assert isinstance(back := await line.heard(), RefundNotice)
    assert (back.out_refund_no, back.told, back.amount_fen) == (BACK, Told.DONE, 100)
    assert line.theirs.ledger.balance("wx-city", "o1") == 5_000 - 300 + 100

    await line.ours.terminate("transit", CODE, "over")
    await line.ours.terminate("transit", CODE, "over")
    await line.quiet()
    assert isinstance(over := await line.heard(), ContractNotice)
    assert not over.signed
    agreement = await line.ours.agreement("transit", CODE)
    assert agreement is not None
    assert not agreement.signed


async def test_too_little_money_is_told_by_query_and_notice(line: Line) -> None:
    contract = await line.signed()
    line.theirs.ledger.set_balance("wx-city", "o1", 200)
    await line.ours.debit(debit(contract))
    await line.quiet()
    fate = await line.ours.fate(TRY)
    assert fate is not None
    assert (fate.told, fate.reason) == (Told.FAILED, "余额不足")
    assert isinstance(told := await line.heard(), DebitNotice)
    assert told.told is Told.FAILED


async def test_a_contract_that_is_over_debits_nothing(line: Line) -> None:
    contract = await line.signed()
    await line.ours.terminate("transit", CODE, "over")
    with pytest.raises(BankRefused) as refused:
        await line.ours.debit(debit(contract))
    assert refused.value.policy is Policy.CONTRACT
    with pytest.raises(BankRefused) as again:
        await line.ours.presign(Signing("transit", CODE, "city", "o1"))
    assert again.value.policy is Policy.KNOWN


@pytest.mark.parametrize(("trouble", "known"), [("lost", True), ("never", False)])
async def test_no_answer_says_nothing_and_the_query_knows(line: Line, trouble: str, known: bool) -> None:
    contract = await line.signed()
    line.theirs.troubles.add(msgspec.convert({"debit": trouble}, Trouble))
    with pytest.raises(BankGone):
        await line.ours.debit(debit(contract))
    assert (await line.ours.fate(TRY) is not None) is known


async def test_slow_is_open_until_it_is_asked_about(line: Line) -> None:
    contract = await line.signed()
    line.theirs.troubles.add(Trouble(debit="slow"))
    await line.ours.debit(debit(contract))
    fates = [await line.ours.fate(TRY) for _ in range(2)]
    assert [fate and fate.told for fate in fates] == [Told.OPEN, Told.DONE]


async def test_forged_stale_foreign_and_repeated_notices_are_not_believed(line: Line) -> None:
    line.theirs.troubles.add(Trouble(notify="forged"))
    await line.signed()
    await line.quiet()
    with pytest.raises(NotBelieved, match="wrong signature"):
        await line.heard(0)
    opener = line.opener()
    headers, body = line.told[1]
    await opener.open(headers, body)
    with pytest.raises(NotBelieved, match="before"):
        await opener.open(headers, body)
    await opener.undone(headers)
    await opener.open(headers, body)
    with pytest.raises(NotBelieved, match="wrong signature"):
        await line.opener().open(headers, body.replace(b"PAPAY.SIGN", b"PAPAY.SIGM"))
    with pytest.raises(NotBelieved, match="serial"):
        await line.opener().open({**headers, "Wechatpay-Serial": "another"}, body)
    with pytest.raises(NotBelieved, match="time stamp"):
        await line.opener().open({}, body)
    other = replace(line.keys, sealing=b"x" * 32)
    with pytest.raises(NotBelieved, match="another key"):
        await Notices(other, line.clock, Seen()).open(headers, body)
    line.clock.set(line.clock.now().replace(minute=6))
    with pytest.raises(NotBelieved, match="stale"):
        await line.opener().open(headers, body)


async def test_what_is_signed_and_not_understood_is_not_believed(line: Line) -> None:
    def notice(event: str, content: Mapping[str, object]) -> tuple[dict[str, str], bytes]:
        resource = line.theirs.keys.seal(content, "transaction")
        body = msgspec.json.encode({"id": "EV-1", "event_type": event, "resource": resource})
        return line.theirs.keys.sign(body, line.clock.timestamp()), body

    order = {"out_trade_no": TRY, "trade_state": "SUCCESS", "mchid": "1900000000"}
    for event, content in (
        ("TRANSACTION.SUCCESS", order),
        ("TRANSACTION.SUCCESS", {**order, "mchid": MADE.mch_id, "trade_state": "SOMETHING"}),
        ("WEATHER.RAIN", order),
        ("TRANSACTION.SUCCESS", {"nothing": 1}),
    ):
        with pytest.raises(NotBelieved):
            await line.opener().open(*notice(event, content))


async def test_an_answer_by_somebody_else_is_no_answer(line: Line) -> None:
    stranger = replace(line.keys, platform=keys_of(_invent_merchant()).platform)
    async with aiohttp.ClientSession() as http:
        ours = WeChatPay(http, stranger, line.ours._access, line.clock)
        with pytest.raises(BankGone, match="wrong signature"):
            await ours.presign(Signing("transit", CODE, "city", "o1"))


@pytest.mark.parametrize(
    "other", [{"out_contract_code": "d" * 32}, {"mchid": "1900000000"}, {"plan_id": PLAN + 1}]
)
async def test_what_was_said_of_another_contract_was_believed_of_ours(
    line: Line, monkeypatch: pytest.MonkeyPatch, other: dict[str, object]
) -> None:
    """The signature is over the answer alone: it does not say which question it is one to."""
    await line.signed()
    assert await line.ours.agreement("transit", CODE)
    told = line.theirs.told_of_contract
    monkeypatch.setattr(line.theirs, "told_of_contract", lambda contract: told(contract) | other)
    with pytest.raises(BankGone, match="not as agreed"):
        await line.ours.agreement("transit", CODE)


async def test_check_says_hello_and_what_is_wrong(line: Line) -> None:
    assert await line.ours.hello() == ""
    async with aiohttp.ClientSession() as http:
        strange = WeChatPay(http, replace(line.keys, serial="0"), line.ours._access, line.clock)
        assert await strange.hello() == "it refuses us (SIGN_ERROR)"
        nowhere = replace(line.ours._access, url="http://127.0.0.1:9")
        assert await WeChatPay(http, line.keys, nowhere, line.clock).hello() == "ClientConnectorError"


def test_bad_keys_are_named_and_not_shown() -> None:
    platform = (MADE.platform_key_id, MADE.platform_key)
    for private, public, sealing, setting in (
        ("nonsense", MADE.platform_key, MADE.api_v3_key, "pay.private_key"),
        (MADE.private_key, "nonsense", MADE.api_v3_key, "pay.platform_key"),
        (MADE.private_key, MADE.platform_key, "short", "pay.api_v3_key"),
    ):
        with pytest.raises(BootError) as wrong:
            Keys.read((MADE.mch_id, MADE.serial), private, (platform[0], public), sealing)
        assert str(wrong.value).startswith(setting)
        assert "nonsense" not in str(wrong.value)
