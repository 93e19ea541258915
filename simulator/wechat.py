"""The platform as a whole: accounts, citizens, menus and tokens, and what happens when someone acts."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import aiohttp

from simulator import menus
from simulator.accounts import Account, index
from simulator.acts import Act, Event
from simulator.clock import Clock
from simulator.content import Content
from simulator.custom import CustomMessage
from simulator.live import Live
from simulator.menus import Menu
from simulator.numbers import Numbers
from simulator.people import Bounds, People, Phone, Standing
from simulator.push import Courier, Outcome, Push
from simulator.refusals import ApiError, RefusedError
from simulator.tokens import Tokens
from simulator.windows import Limits, Trigger
from simulator.xml import Field


@dataclass(frozen=True, slots=True)
class Rules:
    """The figures a test may want to change."""

    retry_s: float = 5.0
    limits: Limits = field(default_factory=Limits)
    bounds: Bounds = field(default_factory=Bounds)


class WeChat:
    """Holds all state of the simulator; `changed` is called after each change worth saving."""

    def __init__(self, accounts: Sequence[Account], clock: Clock, rules: Rules) -> None:
        self.accounts = index(accounts)
        self.clock = clock
        self.live = Live(clock)
        self.people = People(accounts, clock, self._on_phone, rules.bounds)
        self.tokens = Tokens(accounts, clock)
        self.menus: dict[str, Menu] = {}
        self.changed: Callable[[], None] = lambda: None
        self._rules = rules
        self._couriers: dict[str, Courier] = {}
        self._pushes: set[asyncio.Task[Outcome]] = set()
        self._numbers = Numbers(int(clock().timestamp() * 1000) << 20, rules.bounds.numbers)

    def open(self, http: aiohttp.ClientSession) -> None:
        self._couriers = {
            key: Courier(account, http, self.clock, self._rules.retry_s)
            for key, account in self.accounts.items()
        }

    async def close(self) -> None:
        """Stop every push; whoever waits for one is told."""
        self.live.close()
        for push in self._pushes:
            push.cancel()
        await asyncio.gather(*self._pushes, return_exceptions=True)

    def account(self, key: str) -> Account:
        account = self.accounts.get(key)
        if account is None:
            raise RefusedError(f"account: {key[:64]!r} is unknown; known are {', '.join(self.accounts)}")
        return account

    def act(self, act: Act) -> asyncio.Task[Outcome]:
        """A citizen does something; the task ends when the push is over."""
        account = self.account(act.account)
        phone = self.people.meet(account.key, act.openid, Standing.FOLLOWER)
        push = Push(act.openid, act.kind, self._fields(account, act), act.resign)
        self._take_effect(phone, act)
        task = asyncio.create_task(self._push(account, phone, push, silent=_leaves(act)))
        self._pushes.add(task)
        task.add_done_callback(self._pushes.discard)
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
        fields = [
            Field("ToUserName", account.original_id),
            Field("FromUserName", act.openid),
            Field("CreateTime", sent_at),
            Field("MsgType", act.kind),
            *act.own_fields(),
        ]
        if act.kind != "event":
            fields.append(Field("MsgId", self._numbers.new() if numbered is None else numbered))
        return fields

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
