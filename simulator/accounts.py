"""What the platform knows of an official account, and nothing more."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from simulator.cards import Template

MODES = ("plain", "compatible", "safe")


@dataclass(frozen=True, slots=True)
class Account:
    """One official account as its owner entered it in the platform's console."""

    key: str
    name: str
    original_id: str
    appid: str
    secret: str
    token: str
    aes_key: str
    mode: str
    webhook_url: str
    templates: tuple[Template, ...] = ()

    @property
    def encrypts(self) -> bool:
        """Whether pushes carry an `Encrypt` field."""
        return self.mode != "plain"


def index(accounts: Sequence[Account]) -> dict[str, Account]:
    """The accounts by key; raises ValueError naming the account the platform would refuse."""
    if not accounts:
        raise ValueError("the simulator needs at least one account")
    by_key: dict[str, Account] = {}
    for account in accounts:
        if account.key in by_key:
            raise ValueError(f"two accounts have the key {account.key!r}")
        _check(account)
        by_key[account.key] = account
    if len({account.appid for account in accounts}) < len(accounts):
        raise ValueError("two accounts have the same appid")
    return by_key


def _check(account: Account) -> None:
    where = f"account {account.key!r}"
    if account.mode not in MODES:
        raise ValueError(f"{where}: mode {account.mode!r} is none of {', '.join(MODES)}")
    if urlsplit(account.webhook_url).scheme not in {"http", "https"}:
        raise ValueError(f"{where}: webhook_url {account.webhook_url!r} is no http address")
    if len({template.template_id for template in account.templates}) < len(account.templates):
        raise ValueError(f"{where}: two templates have the same id")
    if account.encrypts and not _is_aes_key(account.aes_key):
        raise ValueError(f"{where}: aes_key must be 43 letters and digits in mode {account.mode}")


def _is_aes_key(key: str) -> bool:
    try:
        return len(key) == 43 and len(base64.b64decode(key + "=")) == 32  # noqa: PLR2004 (WeChat's own sizes)
    except (binascii.Error, ValueError):
        return False
