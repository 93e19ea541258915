"""The templates the simulator has for us: one for each kind of notice that goes out as a card."""

from collections.abc import Iterator
from typing import Literal

from commands.places import TEMPLATES
from core.chat.words import Words
from core.delivery.fields import type_of
from core.delivery.kinds import Kinds
from settings import Settings, is_wechat_host
from simulator.cards import CardField, Template

_LABELS = {
    "thing": "事项",
    "time": "时间",
    "date": "日期",
    "amount": "金额",
    "name": "姓名",
    "phrase": "状态",
}


def played_kinds(settings: Settings) -> Kinds:
    """Our kinds as the simulator's accounts have them; their words need no city."""
    return Kinds(TEMPLATES / "notices", Words(TEMPLATES), played(settings))


def played(settings: Settings) -> tuple[str, ...]:
    """The accounts that the simulator plays."""
    return () if is_wechat_host(settings.wechat.url) else tuple(settings.accounts)


def cards_of(kinds: Kinds, account: str) -> tuple[Template, ...]:
    """The templates of one account, as its console would list them."""
    return tuple(_cards(kinds, account))


def _cards(kinds: Kinds, account: str) -> Iterator[Template]:
    for kind in kinds:
        lines = tuple(
            CardField(key, _LABELS.get(type_of(key), "内容"), kind.values.get(key, ())) for key in kind.fields
        )
        if lines and account in kind.templates:
            yield Template(kind.templates[account], kind.title, "template", lines)
        if lines and account in kind.subscriptions:
            term: Literal["once", "long"] = "long" if account in kind.long_term else "once"
            yield Template(kind.subscriptions[account], kind.title, "subscription", lines, term)
