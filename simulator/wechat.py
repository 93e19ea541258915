"""The platform as a whole: accounts, citizens, menus and tokens, and what happens when someone acts."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp

from simulator import menus
from simulator.accounts import Account, index
from simulator.acts import Act, Event
from simulator.cards import Template
from simulator.clock import Clock
from simulator.content import Content
from simulator.custom import CustomMessage
from simulator.faults import Faults
from simulator.live import Live
from simulator.logins import Logins
from simulator.media import Media
from simulator.menus import Menu
from simulator.notifier import Choices, Notifier
from simulator.numbers import Numbers
from simulator.people import Bounds, People, Phone, Standing
from simulator.push import Courier, Outcome, Push
from simulator.qrcodes import Code, Codes, Wish
from simulator.quotas import Quota, Quotas
from simulator.receipts import Receipt, Receipts
from simulator.refusals import ApiError, RefusedError
from simulator.tokens import LIFE_S, Tokens
from simulator.windows import Limits, Trigger
from simulator.xml import Field

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Rules:
    """The figures a test may want to change."""

    retry_s: float = 5.0
    limits: Limits = field(default_factory=Limits)
    bounds: Bounds = field(default_factory=Bounds)
    receipt_s: float | None = None  # from a send to the push of its receipt; None is a tenth of retry_s
    receipts_at_once: int = 32  # pushes of receipts under way
    token_s: int = LIFE_S
    quotas: Mapping[str, Quota] = field(default_factory=dict)  # per call; over the platform's usual ones


class WeChat:
    """Holds all state of the simulator; `changed` is called after each change worth saving."""

    def __init__(self, accounts: Sequence[Account], clock: Clock, rules: Rules) -> None:
        self.accounts = index(accounts)
        self.clock = clock
        self.live = Live(clock)
        self.people = People(accounts, clock, self._on_phone, rules.bounds)
        self.tokens = Tokens(accounts, clock, rules.token_s)
        self.quotas = Quotas(accounts, clock, rules.quotas)
        self.faults = Faults()
        self.codes = Codes(self.accounts, clock, rules.bounds.codes)
        self.media = Media(clock, rules.bounds.media_bytes)
        self.logins = Logins(accounts, clock, rules.bounds.codes)
        self.menus: dict[str, Menu] = {}
        self.changed: Callable[[], None] = lambda: None
        self.wallet: Callable[[Phone], int | None] = lambda _phone: None  # what WeChat Pay has of hers
        self.ways: Mapping[str, str] = {}  # pages beside the chat that the phone leads to: "ride", "gates"
        self._rules = rules
        self._couriers: dict[str, Courier] = {}
        self._under_way: set[asyncio.Task[Any]] = set()
        self._numbers = Numbers(int(clock().timestamp() * 1000) << 20, rules.bounds.numbers)
        self._receipts = Receipts(
            self._push_receipt,
            delay_s=rules.retry_s / 10 if rules.receipt_s is None else rules.receipt_s,
            at_once=rules.receipts_at_once,
            most=rules.bounds.receipts,
        )
        self.notifier = Notifier(accounts, self.people, self._receipts, self._numbers, clock)

    def open(self, http: aiohttp.ClientSession) -> None:
        self._couriers = {
            key: Courier(account, http, self.clock, self._rules.retry_s)
            for key, account in self.accounts.items()
        }
        self._receipts.open()

    async def close(self) -> None:
        """Stop every push; whoever waits for one is told."""
        self.live.close()
        await self._receipts.close()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def account(self, key: str) -> Account:
        account = self.accounts.get(key)
        if account is None:
            raise RefusedError(f"account: {key[:64]!r} is unknown; known are {', '.join(self.accounts)}")
        return account

    def act(self, act: Act, *, silent: bool = False) -> asyncio.Task[Outcome]:
        """A citizen does something; the task ends when the push is over. `silent`: nothing is answered."""
        account = self.account(act.account)
        phone = self.people.meet(account.key, act.openid, Standing.FOLLOWER)
        push = Push(act.openid, act.kind, self._fields(account, act), act.resign)
        self._take_effect(phone, act)
        return self.aside(self._push(account, phone, push, silent=silent or _leaves(act)))

    def aside(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Something that goes on when nobody waits for it any more, until the simulator stops."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def verify(self, account: Account) -> tuple[bool, str]:
        echo = str(self._numbers.new())
        return await self._couriers[account.key].verify(echo, self._rules.retry_s)

    def pay(self, account: Account, openid: str) -> Phone:
        """A citizen pays. The notice of it goes to whoever collects the money: nothing is pushed."""
        phone = self.people.meet(account.key, openid, Standing.FOLLOWER)
        phone.windows.opened(Trigger.PAY, self.clock().timestamp(), self._rules.limits)
        self.people.record(phone, "line", Content(type="text", content="你已付款"))
        return phone

    def send(self, account: Account, message: CustomMessage) -> None:
        """A customer-service message from the bot; raises ApiError where WeChat refuses."""
        phone = self.people.find(account.key, message.touser)
        if phone is None:
            raise ApiError(40003)
        if not phone.follows:
            raise ApiError(45015 if phone.standing is Standing.LEFT else 43004)
        refusal = phone.windows.spend(self.clock().timestamp())
        if refusal:
            raise ApiError(refusal)
        self.live.type(phone, on=False)
        self.people.record(phone, "custom", message.content)

    def scan(self, account: Account, openid: str, ticket: str) -> asyncio.Task[Outcome]:
        """A citizen scans a QR code: who does not follow yet is asked to, and the scene comes with that."""
        code = self.codes.scanned(account.key, ticket)
        phone = self.people.find(account.key, openid)
        follows = phone is not None and phone.follows
        event, key = ("SCAN", code.scene) if follows else ("subscribe", f"qrscene_{code.scene}")
        fields = {"Ticket": code.ticket}
        return self.act(Event(account=account.key, openid=openid, event=event, event_key=key, fields=fields))

    def choose(
        self, account: Account, openid: str, choices: Choices, *, scene: int, keep: bool
    ) -> asyncio.Task[Outcome]:
        """The citizen answers the pop-up that asks for subscriptions."""
        phone = self.people.meet(account.key, openid, Standing.STRANGER)
        self.notifier.answer(phone, choices, keep=keep)
        return self._tell_choices(
            phone, "subscribe_msg_popup_event", "SubscribeMsgPopupEvent", choices, scene
        )

    def refuse(self, account: Account, openid: str, template_ids: Sequence[str]) -> asyncio.Task[Outcome]:
        """The citizen switches subscriptions off in the management page."""
        phone = self.people.meet(account.key, openid, Standing.STRANGER)
        self.notifier.refuse(phone, template_ids)
        choices = dict.fromkeys(template_ids, False)
        return self._tell_choices(phone, "subscribe_msg_change_event", "SubscribeMsgChangeEvent", choices)

    def add_template(self, account: Account, template: Template) -> None:
        self.notifier.add(account, template)
        self.live.ring_all()
        self.changed()

    def make_code(self, account: Account, wish: Wish) -> Code:
        code = self.codes.make(account.key, wish)
        self.changed()
        return code

    def set_menu(self, account: Account, menu: Menu | None) -> None:
        if menu is None:
            self.menus.pop(account.key, None)
        else:
            self.menus[account.key] = menu
        self.live.ring_all()
        self.changed()

    def _on_phone(self, phone: Phone) -> None:
        self.live.ring(phone)
        self.changed()

    async def _push(self, account: Account, phone: Phone, push: Push, *, silent: bool) -> Outcome:
        with self.live.answering(phone):
            outcome = await self._couriers[account.key].deliver(push)
        if silent:  # who has left gets neither answers nor notices
            return Outcome(outcome.attempts, outcome.status, outcome.ms)
        if outcome.reply is not None:
            self._show(phone, outcome.reply)
        if outcome.notice is not None:
            self.people.record(phone, "notice", Content(type="text", content=outcome.notice))
        return outcome

    def _tell_choices(
        self, phone: Phone, event: str, element: str, choices: Choices, scene: int | None = None
    ) -> asyncio.Task[Outcome]:
        self._on_phone(phone)
        where = {} if scene is None else {"PopupScene": str(scene)}
        told = [
            {"TemplateId": one, "SubscribeStatusString": "accept" if yes else "reject"} | where
            for one, yes in choices.items()
        ]
        fields = {element: {"List": told}}
        act = Event(account=phone.account, openid=phone.openid, event=event, fields=fields)
        return self.act(act, silent=True)

    async def _push_receipt(self, receipt: Receipt) -> None:
        """Whatever the bot answers, nothing comes of it."""
        account, openid = self.accounts[receipt.phone.account], receipt.phone.openid
        fields = [
            *self._head(account, openid, int(self.clock().timestamp()), "event"),
            Field("Event", receipt.event),
            *receipt.fields(),
        ]
        await self._couriers[account.key].deliver(Push(openid, "event", fields))

    def _show(self, phone: Phone, reply: Content) -> None:
        if (
            reply.type == "transfer_customer_service"
        ):  # nothing arrives on the phone, but the tester should see it
            who = f"（{reply.kf_account}）" if reply.kf_account else ""
            self.people.record(phone, "line", Content(type="text", content=f"已转接人工客服{who}"))
        else:
            self.people.record(phone, "reply", reply)

    def _fields(self, account: Account, act: Act) -> list[Field]:
        now, numbered = int(self.clock().timestamp()), act.numbered()
        sent_at = now if numbered is None else self._numbers.sent_at((act.account, act.openid, numbered), now)
        fields = [*self._head(account, act.openid, sent_at, act.kind), *act.own_fields()]
        if act.kind != "event":
            fields.append(Field("MsgId", self._numbers.new() if numbered is None else numbered))
        return fields

    def _head(self, account: Account, openid: str, at: int, kind: str) -> list[Field]:
        return [
            Field("ToUserName", account.original_id),
            Field("FromUserName", openid),
            Field("CreateTime", at),
            Field("MsgType", kind),
        ]

    def _take_effect(self, phone: Phone, act: Act) -> None:
        now = self.clock().timestamp()
        for trigger in act.triggers():
            phone.windows.opened(trigger, now, self._rules.limits)
        shown = act.shown()
        if shown is not None:
            self.people.record(phone, "sent", shown)
        if isinstance(act, Event):
            self._happen(phone, act)

    def _happen(self, phone: Phone, event: Event) -> None:
        if event.name == "subscribe":
            phone.scene = event.scene
            self.people.stand(phone, Standing.FOLLOWER)
        elif event.name == "unsubscribe":
            phone.windows.close()
            self.people.stand(phone, Standing.LEFT)
        line = self._line(phone, event)
        if line:
            self.people.record(phone, "line", Content(type="text", content=line))

    def _line(self, phone: Phone, event: Event) -> str:
        """What the chat says about something that leaves no bubble."""
        button = menus.name_of(self.menus.get(phone.account), event.event_key or "")
        lines = {
            "subscribe": f"你已关注{self.accounts[phone.account].name}",
            "unsubscribe": f"你已取消关注{self.accounts[phone.account].name}",
            "scan": f"你扫了二维码 {event.scene}",
            "click": f"你点了菜单“{button}”",
            "view": f"你打开了“{button}”",
        }
        return lines.get(event.name, "")


def _leaves(act: Act) -> bool:
    return isinstance(act, Event) and act.name == "unsubscribe"
