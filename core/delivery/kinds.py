"""The kinds of notices we send: `templates/notices/<kind>.toml`, read and checked at start."""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from core.chat.words import Words
from core.delivery import fields
from core.delivery.lanes import Lane, lane_named
from core.delivery.quiet import USUAL, Quiet
from core.errors import BootError

_LENGTH = re.compile(r"([1-9]\d{0,3})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_KNOWN = {
    "title", "subject", "lane", "valid_for", "quiet", "counts", "duplicates", "words", "link", "options",
    "purpose", "fields", "values", "accounts",
}  # fmt: skip
_MOST_OPTIONS = 6  # what a digit means is said in six lines at most
Snippet = Callable[[Mapping[str, object]], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of notice goes out.

    `words` names its template for the chat; `fields` are those of its template and subscription notice, whose
    ids each account has of its own; `values` are all that each enum among them may be. `options` are what a
    digit may answer, by id, and how each is said. `counts`: towards what one citizen gets a day.
    `repeatable`: better twice than not at all. `subject` is what one notice of it is called when a
    citizen is asked which is meant: 心内科就诊提醒; without it, its title.
    `purpose`: what a citizen may stop; without it, nobody can.
    """

    name: str
    title: str
    lane: Lane
    words: str
    valid_for: timedelta
    quiet: Quiet
    counts: bool
    repeatable: bool
    link: Snippet | None
    options: Mapping[str, Snippet]
    fields: Mapping[str, Snippet]
    values: Mapping[str, tuple[str, ...]]
    templates: dict[str, str]
    subscriptions: dict[str, str]
    long_term: frozenset[str]  # the accounts where its subscription is
    subject: Snippet
    purpose: str = ""


class Kinds:
    """Every kind by its name.

    Accounts that a stand-in plays (`played`) have a template and a one-time subscription for each kind with
    fields: its name, and its name with `_once`. `hold` are the hours of `quiet = "hold"`: the city's `night`.
    """

    def __init__(self, folder: Path, words: Words, played: Iterable[str] = (), hold: str = USUAL) -> None:
        self.night = Quiet.parse(hold)
        self._kinds: dict[str, Kind] = {}
        played = tuple(played)
        for path in sorted(folder.glob("*.toml")):
            try:
                kind = _read(path.stem, tomllib.loads(path.read_text("utf-8")), words, hold)
            except (OSError, ValueError, TypeError, KeyError, AttributeError) as wrong:
                raise BootError(f"{path}: {wrong}") from wrong
            self._kinds[kind.name] = _played(kind, played) if kind.fields else kind
        self._long_terms = {
            (account, kind.subscriptions[account])
            for kind in self._kinds.values()
            for account in kind.long_term & kind.subscriptions.keys()
        }

    def __getitem__(self, name: str) -> Kind:
        return self._kinds[name]

    def get(self, name: str) -> Kind | None:
        """The kind, or None after a deploy that removed it."""
        return self._kinds.get(name)

    def is_long_term(self, account: str, template: str) -> bool:
        """Tell whether one 允许 to this template allows any number of notices."""
        return (account, template) in self._long_terms

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())


def _played(kind: Kind, accounts: Sequence[str]) -> Kind:
    return replace(
        kind,
        templates=dict.fromkeys(accounts, kind.name) | kind.templates,
        subscriptions=dict.fromkeys(accounts, f"{kind.name}_once") | kind.subscriptions,
    )


def _read(name: str, given: dict[str, Any], words: Words, hold: str) -> Kind:
    unknown = given.keys() - _KNOWN
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: no such key (there are {', '.join(sorted(_KNOWN))})")
    template = _text(given, "words")
    if not words.has(template):
        raise ValueError(f"words: there is no templates/{template}.txt")
    lane = lane_named(_text(given, "lane"))
    link = given.get("link", "")
    accounts: dict[str, dict[str, str]] = given.get("accounts", {})
    options = {key: words.snippet(label) for key, label in given.get("options", {}).items()}
    if len(options) > _MOST_OPTIONS:
        raise ValueError(f"options: at most {_MOST_OPTIONS}")
    return Kind(
        name=name,
        title=_text(given, "title"),
        lane=lane,
        words=template,
        valid_for=_length(given.get("valid_for", "2d")),
        quiet=Quiet.parse("ignore" if lane is Lane.URGENT else given.get("quiet", "hold"), hold),
        counts=_flag(given, "counts", default=lane is not Lane.URGENT),
        repeatable=_repeatable(given.get("duplicates", "no")),
        link=words.snippet(link) if link else None,
        options=options,
        fields={key: words.snippet(value) for key, value in given.get("fields", {}).items()},
        values=_values(given),
        templates=_ids(accounts, "template"),
        subscriptions=_ids(accounts, "subscription"),
        long_term=frozenset(account for account, ids in accounts.items() if ids.get("term") == "long"),
        subject=words.snippet(given.get("subject", _text(given, "title"))),
        purpose=str(given.get("purpose", "")),
    )


def _values(given: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """What WeChat lists for each enum among the fields: nobody else can say what may stand there."""
    enums = [key for key in given.get("fields", {}) if fields.type_of(key) == fields.ENUM]
    listed = {
        key: tuple(values) for key, values in given.get("values", {}).items() if isinstance(values, list)
    }
    for key in {*enums, *given.get("values", {})}:
        if key not in enums:
            raise ValueError(f"values: {key} is no enum among the fields")
        if not listed.get(key) or any(fields.fault(key, each) for each in listed[key]):
            raise ValueError(f"values: {key} needs those WeChat lists for it, each of 1 to 20 characters")
    return listed


def _text(given: dict[str, Any], key: str) -> str:
    value = given.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} is missing")
    return value


def _flag(given: dict[str, Any], key: str, *, default: bool) -> bool:
    value = given.get(key, default)
    if not isinstance(value, bool):
        raise ValueError(f"{key} is true or false, not {value!r}")  # noqa: TRY004 - one error for a wrong file
    return value


def _length(said: str) -> timedelta:
    found = _LENGTH.fullmatch(said)
    if found is None:
        raise ValueError(f'valid_for {said!r} is no length such as "30m", "4h" or "2d"')
    return int(found[1]) * _UNITS[found[2]]


def _repeatable(said: str) -> bool:
    if said not in {"ok", "no"}:
        raise ValueError(f'duplicates {said!r} is neither "ok" nor "no"')
    return said == "ok"


def _ids(accounts: dict[str, dict[str, str]], what: str) -> dict[str, str]:
    return {account: given[what] for account, given in accounts.items() if given.get(what)}
